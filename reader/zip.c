#include "reader/zip.h"

#include <string.h>

#define SIGNATURE_BYTES 4
#define FLAG_UTF8       0x0800 /* of the general purpose flags: name is UTF-8 */
#define EXTRA_UNICODE   0x7075 /* Info-ZIP Unicode Path, APPNOTE 4.6.9 */
#define UNICODE_HEAD    5      /* version and checksum, before its name */

#define END_BYTES         22 /* end of central directory, without its comment */
#define END_COMMENT_MAX   G_MAXUINT16
#define END64_BYTES       56
#define END_LOCATOR_BYTES 20

/* Where a header of an entry has what. */
typedef struct {
  guint bytes; /* without the name */
  guint flags;
  guint size; /* uncompressed; 0 when it comes after the content */
  guint name_len;
  guint extra_len;
  guint comment_len; /* 0: has none */
} Layout;

static const Layout local_layout = {30, 6, 22, 26, 28, 0};
static const Layout central_layout = {46, 8, 24, 28, 30, 32};

typedef struct {
  const guint8 *bytes;
  gsize len;
  ZipSink sink;
  gpointer data;
  gsize budget; /* octets of names and extra fields that may still be looked at */
} Zip;

static guint64
number(const guint8 *p, guint octets)
{
  guint64 value = 0;
  while (octets-- > 0)
    value = value << 8 | p[octets];
  return value;
}

static gboolean
has_signature(const Zip *zip, gsize at, const char *signature)
{
  return at <= zip->len && zip->len - at >= SIGNATURE_BYTES &&
         memcmp(zip->bytes + at, signature, SIGNATURE_BYTES) == 0;
}

gboolean
zip_begins(const guint8 *bytes, gsize len)
{
  const Zip zip = {bytes, len, NULL, NULL, 0};
  return has_signature(&zip, 0, "PK\3\4") || has_signature(&zip, 0, "PK\5\6") ||
         has_signature(&zip, 0, "PK\7\b") || has_signature(&zip, 0, "PK00");
}

/* Tells the Unicode name in the LEN bytes of extra fields at EXTRA. */
static gboolean
tell_extra(const Zip *zip, const guint8 *extra, gsize len)
{
  while (len >= 4) {
    gsize size = (gsize) number(extra + 2, 2);
    if (size > len - 4)
      return TRUE;
    if (number(extra, 2) == EXTRA_UNICODE && size > UNICODE_HEAD &&
        !zip->sink((const char *) extra + 4 + UNICODE_HEAD, size - UNICODE_HEAD, TRUE,
                   zip->data))
      return FALSE;
    extra += 4 + size;
    len -= 4 + size;
  }
  return TRUE;
}

/* Tells the names in the header of LAYOUT at AT, as far as it is there. */
static gboolean
tell_header(Zip *zip, gsize at, const Layout *layout)
{
  const guint8 *header = zip->bytes + at;
  gsize left = zip->len - at;
  if (left <= layout->bytes)
    return TRUE;
  left -= layout->bytes;
  gsize name_len = MIN((gsize) number(header + layout->name_len, 2), left);
  gsize extra_len = MIN((gsize) number(header + layout->extra_len, 2), left - name_len);
  if (name_len + extra_len > zip->budget)
    return FALSE;
  zip->budget -= name_len + extra_len;
  const guint8 *name = header + layout->bytes;
  gboolean is_utf8 = (number(header + layout->flags, 2) & FLAG_UTF8) != 0;
  gboolean is_directory =
      name_len > 0 && name[name_len - 1] == '/' && number(header + layout->size, 4) == 0;
  if (is_directory)
    return TRUE;
  if (name_len > 0 && !zip->sink((const char *) name, name_len, is_utf8, zip->data))
    return FALSE;
  return tell_extra(zip, name + name_len, extra_len);
}

/* The offset of the end record that stands last, or -1. */
static gssize
find_end(const Zip *zip)
{
  if (zip->len < END_BYTES)
    return -1;
  gsize at = zip->len - END_BYTES;
  for (gsize tries = 0; tries <= END_COMMENT_MAX; tries++, at--) {
    if (has_signature(zip, at, "PK\5\6"))
      return (gssize) at;
    if (at == 0)
      break;
  }
  return -1;
}

/* The offset of the large end record before the one at END, or -1. */
static gssize
find_end64(const Zip *zip, gsize end)
{
  if (end < END_LOCATOR_BYTES || !has_signature(zip, end - END_LOCATOR_BYTES, "PK\6\7"))
    return -1;
  gsize locator = end - END_LOCATOR_BYTES;
  if (locator >= END64_BYTES && has_signature(zip, locator - END64_BYTES, "PK\6\6"))
    return (gssize) (locator - END64_BYTES);
  guint64 at = number(zip->bytes + locator + 8, 8);
  if (at > locator || locator - at < END64_BYTES ||
      !has_signature(zip, (gsize) at, "PK\6\6"))
    return -1;
  return (gssize) at;
}

/* What an end record says of the directory before it. */
typedef struct {
  gsize end; /* offset of the record */
  guint64 start;
  guint64 size;
  guint64 count;
  guint64 modulus; /* as many as the field for the count can tell apart, or 0 */
} Directory;

/* Whether the directory begins at START, is whole and nothing but entries. */
static gboolean
directory_fits(const Zip *zip, const Directory *directory, guint64 start)
{
  if (start > directory->end || directory->size > directory->end - start)
    return FALSE;
  guint64 found = 0;
  gsize at = (gsize) start, end = (gsize) (start + directory->size);
  for (; at < end && !has_signature(zip, at, "PK\5\5");
       found++) { /* its signature is last */
    const guint8 *header = zip->bytes + at;
    if (end - at < central_layout.bytes || !has_signature(zip, at, "PK\1\2"))
      return FALSE;
    at += central_layout.bytes + (gsize) number(header + central_layout.name_len, 2) +
          (gsize) number(header + central_layout.extra_len, 2) +
          (gsize) number(header + central_layout.comment_len, 2);
  }
  guint64 told = directory->modulus != 0 ? found % directory->modulus : found;
  return at <= end && told == directory->count;
}

static gboolean
directory_is_whole(const Zip *zip)
{
  gssize end = find_end(zip);
  if (end < 0)
    return FALSE;
  const guint8 *record = zip->bytes + end;
  Directory directory = {(gsize) end, number(record + 16, 4), number(record + 12, 4),
                         number(record + 10, 2), G_MAXUINT16 + 1};
  gssize end64 = find_end64(zip, (gsize) end);
  if (end64 >= 0) {
    record = zip->bytes + end64;
    directory = (Directory){(gsize) end64, number(record + 48, 8), number(record + 40, 8),
                            number(record + 32, 8), 0};
  }
  /* With something before the archive, only the first place is right. */
  return (directory.size <= directory.end &&
          directory_fits(zip, &directory, directory.end - directory.size)) ||
         directory_fits(zip, &directory, directory.start);
}

ZipResult
zip_list(const guint8 *bytes, gsize len, ZipSink sink, gpointer data)
{
  /* In an archive that is one, headers do not overlap: this is twice what they need. */
  Zip zip = {bytes, len, sink, data, 2 * len};
  const guint8 *end = bytes + len;
  for (const guint8 *p = bytes;
       p < end && (p = memmem(p, (gsize) (end - p), "PK", 2)) != NULL; p += 2) {
    gsize at = (gsize) (p - bytes);
    const Layout *layout = has_signature(&zip, at, "PK\3\4")   ? &local_layout
                           : has_signature(&zip, at, "PK\1\2") ? &central_layout
                                                               : NULL;
    if (layout != NULL && !tell_header(&zip, at, layout))
      return ZIP_CUT;
  }
  return directory_is_whole(&zip) ? ZIP_LISTED : ZIP_BROKEN;
}
