/*
 * dkim_key.h - one private key for DKIM, as the files of this part share it.
 */
#pragma once

#include "common/crypt/sign_key.h"
#include "milter/dkim.h"

struct DkimKey {
  char *selector;
  SignKey *key;
  gint64 time_us; /* when its file was written, since 1970 */
};
