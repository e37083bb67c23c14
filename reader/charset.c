#include "reader/charset.h"

#include <dlfcn.h>
#include <errno.h>
#include <iconv.h>
#include <string.h>

#define LABEL_MAX_BYTES 32
#define REPLACEMENT     "\xef\xbf\xbd" /* U+FFFD */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

#define UTF8         "UTF-8"
#define GUESS        "" /* declared as ASCII; what is not ASCII is anybody's guess */
#define GUESS_8BIT   "CP1252"
#define ASCII        "ASCII" /* built in */
#define NO_CONVERTER ((iconv_t) -1)

/*
 * Labels in lower case, letters and digits only, and the C library's name of the converter.
 * As browsers do (WHATWG Encoding, 4.2), a label means the superset that senders use:
 * iso-8859-1 is windows-1252, gb2312 is gb18030, shift_jis is windows-31j, euc-kr is UHC.
 */
static const struct {
  const char *label;
  const char *converter;
} labels[] = {
    {"utf8", UTF8},
    {"unicode11utf8", UTF8},
    {"usascii", GUESS},
    {"ascii", GUESS},
    {"ansix341968", GUESS},
    {"iso646us", GUESS},
    {"iso88591", "CP1252"},
    {"latin1", "CP1252"},
    {"l1", "CP1252"},
    {"windows1252", "CP1252"},
    {"cp1252", "CP1252"},
    {"ansi", "CP1252"},
    {"windows1250", "CP1250"},
    {"cp1250", "CP1250"},
    {"windows1251", "CP1251"},
    {"cp1251", "CP1251"},
    {"windows1253", "CP1253"},
    {"cp1253", "CP1253"},
    {"windows1254", "CP1254"},
    {"cp1254", "CP1254"},
    {"iso88599", "CP1254"},
    {"latin5", "CP1254"},
    {"windows1255", "CP1255"},
    {"cp1255", "CP1255"},
    {"windows1256", "CP1256"},
    {"cp1256", "CP1256"},
    {"windows1257", "CP1257"},
    {"cp1257", "CP1257"},
    {"windows1258", "CP1258"},
    {"cp1258", "CP1258"},
    {"windows874", "CP874"},
    {"cp874", "CP874"},
    {"iso885911", "CP874"},
    {"tis620", "CP874"},
    {"iso88592", "ISO-8859-2"},
    {"latin2", "ISO-8859-2"},
    {"iso88593", "ISO-8859-3"},
    {"latin3", "ISO-8859-3"},
    {"iso88594", "ISO-8859-4"},
    {"latin4", "ISO-8859-4"},
    {"iso88595", "ISO-8859-5"},
    {"iso88596", "ISO-8859-6"},
    {"iso88597", "ISO-8859-7"},
    {"iso88598", "ISO-8859-8"},
    {"iso88598i", "ISO-8859-8"},
    {"iso885910", "ISO-8859-10"},
    {"latin6", "ISO-8859-10"},
    {"iso885913", "ISO-8859-13"},
    {"iso885914", "ISO-8859-14"},
    {"iso885915", "ISO-8859-15"},
    {"latin9", "ISO-8859-15"},
    {"iso885916", "ISO-8859-16"},
    {"koi8r", "KOI8-R"},
    {"koi8u", "KOI8-U"},
    {"ibm437", "CP437"},
    {"cp437", "CP437"},
    {"ibm850", "CP850"},
    {"cp850", "CP850"},
    {"cp858", "CP858"},
    {"ibm00858", "CP858"},
    {"ibm866", "CP866"},
    {"cp866", "CP866"},
    {"macintosh", "MACINTOSH"},
    {"macroman", "MACINTOSH"},
    {"gb18030", "GB18030"},
    {"gbk", "GB18030"},
    {"gb2312", "GB18030"},
    {"gb231280", "GB18030"},
    {"euccn", "GB18030"},
    {"cp936", "GB18030"},
    {"windows936", "GB18030"},
    {"big5", "BIG5-HKSCS"},
    {"big5hkscs", "BIG5-HKSCS"},
    {"cp950", "BIG5-HKSCS"},
    {"shiftjis", "CP932"},
    {"sjis", "CP932"},
    {"mskanji", "CP932"},
    {"windows31j", "CP932"},
    {"cp932", "CP932"},
    {"eucjp", "EUC-JP-MS"},
    {"iso2022jp", "ISO-2022-JP-3"},
    {"iso2022jp1", "ISO-2022-JP-3"},
    {"iso2022jp3", "ISO-2022-JP-3"},
    {"csiso2022jp", "ISO-2022-JP-3"},
    {"iso2022jp2", "ISO-2022-JP-2"},
    {"euckr", "UHC"},
    {"ksc56011987", "UHC"},
    {"ksc5601", "UHC"},
    {"uhc", "UHC"},
    {"windows949", "UHC"},
    {"cp949", "UHC"},
    {"iso2022kr", "ISO-2022-KR"},
    {"utf7", "UTF-7"},
    {"unicode11utf7", "UTF-7"},
    {"utf16", "UTF-16"},
    {"utf16le", "UTF-16LE"},
    {"utf16be", "UTF-16BE"},
    {"ucs2", "UTF-16"},
    {"utf32", "UTF-32"},
    {"utf32le", "UTF-32LE"},
    {"utf32be", "UTF-32BE"},
};

/* Held open, so that the C library never unloads a converter. */
static struct {
  const char *converter;
  iconv_t descriptor;
} held[G_N_ELEMENTS(labels)];
static guint held_count;

/* The C library's own iconv_open, behind the one below. */
static iconv_t
library_open(const char *to, const char *from)
{
  static iconv_t (*next)(const char *, const char *);
  if (next == NULL)
    next = (iconv_t(*)(const char *, const char *)) dlsym(RTLD_NEXT, "iconv_open");
  return next(to, from);
}

/* Whether opening CONVERTER touches no file: two are built in, others are held. */
static gboolean
is_loaded(const char *converter)
{
  if (strcmp(converter, UTF8) == 0 || strcmp(converter, ASCII) == 0)
    return TRUE;
  for (guint i = 0; i < held_count; i++)
    if (strcmp(held[i].converter, converter) == 0)
      return TRUE;
  return FALSE;
}

/* The converter of LABEL, or NULL. "ISO_8859-15:1998", "x-sjis" and "cs..." are known. */
static const char *
find_converter(const char *label)
{
  char plain[LABEL_MAX_BYTES];
  gsize len = 0;
  if (g_ascii_strncasecmp(label, "x-", 2) == 0)
    label += 2;
  for (const char *p = label; *p != '\0' && *p != ':' && *p != '*'; p++) {
    if (!g_ascii_isalnum(*p))
      continue;
    if (len == sizeof plain - 1)
      return NULL;
    plain[len++] = g_ascii_tolower(*p);
  }
  plain[len] = '\0';
  for (gsize i = 0; i < G_N_ELEMENTS(labels); i++)
    if (strcmp(labels[i].label, plain) == 0)
      return labels[i].converter;
  return NULL;
}

/* A new descriptor of a loaded converter, or NO_CONVERTER. */
static iconv_t
open_loaded(const char *to, const char *from)
{
  if (is_loaded(to) && is_loaded(from))
    return library_open(to, from);
  errno = EINVAL;
  return NO_CONVERTER;
}

/* Takes the place of the C library's iconv_open; iconv.h declares it. */
iconv_t
iconv_open(const char *to, const char *from)
{
  const char *to_converter = find_converter(to);
  const char *from_converter = find_converter(from);
  /* Told that ASCII is unknown, GMime guesses as charset_to_utf8 does. */
  if (to_converter == NULL || from_converter == NULL ||
      strcmp(from_converter, GUESS) == 0) {
    errno = EINVAL;
    return NO_CONVERTER;
  }
  if (strcmp(to_converter, GUESS) == 0)
    to_converter = ASCII;
  return open_loaded(to_converter, from_converter);
}

guint
charset_open(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
    const char *converter = labels[i].converter;
    if (strcmp(converter, GUESS) == 0 || is_loaded(converter))
      continue;
    iconv_t descriptor = library_open(UTF8, converter);
    if (descriptor == NO_CONVERTER)
      continue;
    held[held_count].converter = converter;
    held[held_count++].descriptor = descriptor;
  }
  return held_count;
}

void
charset_close(void)
{
  while (held_count > 0)
    iconv_close(held[--held_count].descriptor);
}

/* Converts all of BYTES; what cannot be converted is replaced byte by byte. */
static void
convert(iconv_t converter, const char *bytes, gsize len, GString *out)
{
  char *in = (char *) bytes;
  char chunk[4096];
  gboolean flushed = FALSE;
  while (!flushed) {
    char *to = chunk;
    gsize room = sizeof chunk;
    flushed = len == 0;
    gsize result = flushed ? iconv(converter, NULL, NULL, &to, &room)
                           : iconv(converter, &in, &len, &to, &room);
    int result_errno = errno;
    g_string_append_len(out, chunk, to - chunk);
    if (result != (gsize) -1 || result_errno == E2BIG)
      continue;
    g_string_append(out, REPLACEMENT);
    if (result_errno != EILSEQ || len == 0)
      return; /* an unfinished character at the end */
    in++;
    len--;
  }
}

static GString *
decode(const char *bytes, gsize len, const char *converter)
{
  iconv_t descriptor = open_loaded(UTF8, converter);
  if (descriptor == NO_CONVERTER) /* not on this system */
    return g_string_new_len(bytes, (gssize) len);
  GString *out = g_string_sized_new(len + len / 2);
  convert(descriptor, bytes, len, out);
  iconv_close(descriptor);
  return out;
}

char *
charset_to_utf8(const char *bytes, gsize len, const char *label)
{
  const char *converter = label != NULL ? find_converter(label) : NULL;
  if (converter == NULL || strcmp(converter, GUESS) == 0)
    converter = g_utf8_validate_len(bytes, len, NULL) ? UTF8 : GUESS_8BIT;
  g_autoptr(GString) text = strcmp(converter, UTF8) == 0
                                ? g_string_new_len(bytes, (gssize) len)
                                : decode(bytes, len, converter);
  gsize skip = g_str_has_prefix(text->str, BYTE_ORDER_MARK) ? strlen(BYTE_ORDER_MARK) : 0;
  return g_utf8_make_valid(text->str + skip, (gssize) (text->len - skip));
}
