/*
 * internal.h - for this room: the open file.
 */
#pragma once

#include "common/db/db.h"
#include "common/seen/seen.h"

struct Seen {
  char *path;
  Db *db;
};
