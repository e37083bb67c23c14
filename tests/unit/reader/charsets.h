/*
 * charsets.h - one text in each character set that mail uses.
 */
#pragma once

#include <glib.h>

typedef struct {
  const char *label; /* as a message declares it */
  const char *bytes;
  gsize len;
  const char *text; /* UTF-8 */
} CharsetRow;

/* Ends with a row whose label is NULL. */
extern const CharsetRow charset_rows[];
