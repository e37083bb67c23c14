/*
 * zip.h - the names in a zip archive; nothing is ever unpacked (S10, T13).
 *
 * An archive says each name twice, before the content and in the directory at its end, and
 * perhaps a third time in Unicode. Programs differ in which they show, and a sender may
 * make them differ: all are told. That is also why no library does this: libarchive 3.6
 * tells only the first. Format: APPNOTE.TXT of PKWARE, 4.3 and 4.6.9.
 */
#pragma once

#include <glib.h>

/* Takes a name: LEN > 0 raw bytes at NAME, with '/' or '\' between directories, and whether
 * the archive says that they are UTF-8. FALSE ends the listing. */
typedef gboolean (*ZipSink)(const char *name, gsize len, gboolean is_utf8, gpointer data);

typedef enum {
  ZIP_LISTED, /* all names were told */
  ZIP_CUT,    /* SINK ended it, or headers overlap */
  ZIP_BROKEN, /* names that were found were told; the directory is not in order */
} ZipResult;

/* Whether LEN bytes at BYTES begin as an archive does. Four bytes are enough. */
gboolean
zip_begins(const guint8 *bytes, gsize len);

/*
 * Tells SINK the names in the archive of LEN bytes at BYTES, whatever they are, in the
 * order of the bytes and as often as they occur; directories without content are left out.
 * Archives that are stored in the archive without compression are listed with it. Reads
 * every byte once and keeps nothing.
 */
ZipResult
zip_list(const guint8 *bytes, gsize len, ZipSink sink, gpointer data);
