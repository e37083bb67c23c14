/*
 * holder.h - which program holds which root key, in which file.
 */
#pragma once

#include "common/conf/conf.h"
#include "common/crypt/key.h"

typedef struct {
  KeyPurpose purpose;
  const char *program; /* "zegel-deliver": static */
  const char *path;    /* of the key file; the configuration's */
  const char *user;    /* as whom the program runs; the same */
} Holder;

/* How many there are. Those of one key stand together, who reads with it before who makes
 * with it. */
guint
holder_count(void);

/* Number I (from 0) of them by CONFIG, from which it borrows. */
Holder
holder_nth(const Config *config, guint i);
