/*
 * zips.h - zip archives for tests, with what no program would write.
 */
#pragma once

#include <glib.h>

/* An entry without content. */
typedef struct {
  const char *name;    /* before the content; NULL ends a list */
  const char *central; /* in the directory; NULL: the same */
  const char *unicode; /* Info-ZIP Unicode Path, or NULL */
  guint16 flags;
  gsize name_len; /* 0: to its NUL */
} ZipRow;

#define ZIP_UTF8      0x0800
#define ZIP_ENCRYPTED 0x0001

/* The archive of ROWS (to the one without name), freed by the caller. */
GByteArray *
zips_make(const ZipRow *rows);

/* The archive of COUNT entries "PREFIX NUMBER SUFFIX" (without the spaces); with LARGE its
 * directory ends as one of more than 65,535 entries. */
GByteArray *
zips_make_many(const char *prefix, guint count, const char *suffix, gboolean large);
