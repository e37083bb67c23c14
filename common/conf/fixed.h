/*
 * fixed.h - what of zegel.conf counts only when a program starts: what takes rights that it
 * has given up since, such as the path of its socket and its user.
 */
#pragma once

#include "common/conf/conf.h"

/* A text of the configuration, and what it is called: CONF_FIXED(milter_user, "[milter]
 * user"). */
typedef struct {
  gsize offset;
  const char *name;
} ConfFixed;

#define CONF_FIXED(field, name)                                                            \
  {                                                                                        \
    G_STRUCT_OFFSET(Config, field), name                                                   \
  }

/* Logs a warning for each of the COUNT FIXED that is another in NEW than in OLD. */
void
conf_fixed_warn(const Config *old, const Config *new, const ConfFixed *fixed, guint count);
