#include "tests/unit/reader/zips.h"

#include <string.h>

static void
put(GByteArray *bytes, guint64 value, guint octets)
{
  for (; octets > 0; octets--, value >>= 8) {
    guint8 octet = (guint8) value;
    g_byte_array_append(bytes, &octet, 1);
  }
}

static void
put_text(GByteArray *bytes, const char *text, gsize len)
{
  g_byte_array_append(bytes, (const guint8 *) text, (guint) len);
}

/* Name and extra field, whose lengths stand before them. */
static void
put_name(GByteArray *bytes, const char *name, gsize len, const char *unicode,
         gboolean in_directory)
{
  gsize extra = unicode != NULL ? 9 + strlen(unicode) : 0;
  put(bytes, len, 2);
  put(bytes, extra, 2);
  for (guint i = 0; in_directory && i < 14; i += 2)
    put(bytes, 0, 2);
  put_text(bytes, name, len);
  if (unicode == NULL)
    return;
  put(bytes, 0x7075, 2);
  put(bytes, extra - 4, 2);
  put(bytes, 1, 1);
  put(bytes, 0, 4);
  put_text(bytes, unicode, strlen(unicode));
}

static void
put_entry(GByteArray *bytes, GByteArray *directory, const ZipRow *row)
{
  gsize len = row->name_len > 0 ? row->name_len : strlen(row->name);
  const char *central = row->central != NULL ? row->central : row->name;
  gsize central_len = row->central != NULL ? strlen(row->central) : len;
  put_text(bytes, "PK\3\4\24\0", 6);
  put(bytes, row->flags, 2);
  for (guint i = 0; i < 9; i++)
    put(bytes, 0, 2);
  put_name(bytes, row->name, len, row->unicode, FALSE);
  put_text(directory, "PK\1\2\24\0\24\0", 8);
  put(directory, row->flags, 2);
  for (guint i = 0; i < 9; i++)
    put(directory, 0, 2);
  put_name(directory, central, central_len, NULL, TRUE);
}

static GByteArray *
finish(GByteArray *bytes, GByteArray *directory, guint count, gboolean large)
{
  guint start = bytes->len;
  g_byte_array_append(bytes, directory->data, directory->len);
  guint end = bytes->len;
  if (large) {
    put_text(bytes, "PK\6\6", 4);
    put(bytes, 44, 8);
    put(bytes, 0, 12);
    put(bytes, count, 8);
    put(bytes, count, 8);
    put(bytes, directory->len, 8);
    put(bytes, start, 8);
    put_text(bytes, "PK\6\7", 4);
    put(bytes, 0, 4);
    put(bytes, end, 8);
    put(bytes, 1, 4);
  }
  put_text(bytes, "PK\5\6", 4);
  put(bytes, 0, 4);
  put(bytes, large ? G_MAXUINT16 : count, 2);
  put(bytes, large ? G_MAXUINT16 : count, 2);
  put(bytes, large ? G_MAXUINT32 : directory->len, 4);
  put(bytes, large ? G_MAXUINT32 : start, 4);
  put(bytes, 0, 2);
  return bytes;
}

GByteArray *
zips_make(const ZipRow *rows)
{
  GByteArray *bytes = g_byte_array_new();
  g_autoptr(GByteArray) directory = g_byte_array_new();
  guint count = 0;
  for (; rows[count].name != NULL; count++)
    put_entry(bytes, directory, &rows[count]);
  return finish(bytes, directory, count, FALSE);
}

GByteArray *
zips_make_many(const char *prefix, guint count, const char *suffix, gboolean large)
{
  GByteArray *bytes = g_byte_array_new();
  g_autoptr(GByteArray) directory = g_byte_array_new();
  for (guint i = 0; i < count; i++) {
    g_autofree char *name = g_strdup_printf("%s%u%s", prefix, i, suffix);
    const ZipRow row = {.name = name};
    put_entry(bytes, directory, &row);
  }
  return finish(bytes, directory, count, large);
}
