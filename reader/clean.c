#include "reader/clean.h"

#include <string.h>

#define ELLIPSIS             "…"
#define EXTENSION_MAX_BYTES  16 /* with its dot; longer is no extension */
#define MEDIA_TYPE_MAX_BYTES 127
#define MEDIA_TYPE_UNKNOWN   "application/octet-stream"

/* Extensions of the types that come without a name, for the fallback name. */
static const struct {
  const char *type;
  const char *extension;
} extensions[] = {
    {"application/hta", "hta"},
    {"application/java-archive", "jar"},
    {"application/javascript", "js"},
    {"application/msword", "doc"},
    {"application/ms-tnef", "dat"},
    {"application/pdf", "pdf"},
    {"application/pgp-encrypted", "asc"},
    {"application/pgp-signature", "asc"},
    {"application/pkcs7-mime", "p7m"},
    {"application/pkcs7-signature", "p7s"},
    {"application/vnd.microsoft.portable-executable", "exe"},
    {"application/x-dosexec", "exe"},
    {"application/x-iso9660-image", "iso"},
    {"application/x-javascript", "js"},
    {"application/x-ms-installer", "msi"},
    {"application/x-msdos-program", "exe"},
    {"application/x-msdownload", "exe"},
    {"application/x-msi", "msi"},
    {"application/x-pkcs7-mime", "p7m"},
    {"application/x-pkcs7-signature", "p7s"},
    {"application/zip", "zip"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
    {"audio/mpeg", "mp3"},
    {"audio/wav", "wav"},
    {"image/bmp", "bmp"},
    {"image/gif", "gif"},
    {"image/heic", "heic"},
    {"image/jpeg", "jpg"},
    {"image/jpg", "jpg"},
    {"image/png", "png"},
    {"image/svg+xml", "svg"},
    {"image/tiff", "tif"},
    {"image/webp", "webp"},
    {"message/delivery-status", "txt"},
    {"message/global", "eml"},
    {"message/news", "eml"},
    {"message/rfc2822", "eml"},
    {"message/rfc822", "eml"},
    {"text/calendar", "ics"},
    {"text/csv", "csv"},
    {"text/html", "html"},
    {"text/javascript", "js"},
    {"text/plain", "txt"},
    {"text/rfc822-headers", "txt"},
    {"text/vcard", "vcf"},
    {"text/x-vcard", "vcf"},
    {"video/mp4", "mp4"},
};

/* Names that Windows takes for devices, whatever their extension. */
static const char *const devices[] = {"con", "prn", "aux", "nul"};

/* Turns, hides or ends a line without being seen. */
static gboolean
is_treacherous(gunichar c)
{
  return (c >= 0x202a && c <= 0x202e) || /* embeddings and overrides */
         (c >= 0x2066 && c <= 0x206f) || /* isolates, deprecated format characters */
         c == 0x2028 || c == 0x2029 || c == 0x200b || c == 0x2060 || c == 0xfeff ||
         c == 0x00ad || c == 0x180e || (c >= 0xfff9 && c <= 0xfffb) ||
         (c >= 0xe0000 && c <= 0xe0fff);
}

static gboolean
is_control(gunichar c)
{
  return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* Cuts TEXT to MAX bytes at a character. */
static void
truncate_utf8(GString *text, gsize max)
{
  if (text->len <= max)
    return;
  const char *end = g_utf8_find_prev_char(text->str, text->str + max + 1);
  g_string_truncate(text, end == NULL ? 0 : (gsize) (end - text->str));
}

char *
clean_header(const char *value, gsize max_bytes)
{
  if (value == NULL)
    return g_strdup("");
  g_autofree char *valid = g_utf8_make_valid(value, -1);
  g_autoptr(GString) line = g_string_new(NULL);
  gboolean space = FALSE;
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0x2028 || c == 0x2029) {
      space = line->len > 0;
      continue;
    }
    if (is_control(c) || is_treacherous(c))
      continue;
    if (space)
      g_string_append_c(line, ' ');
    space = FALSE;
    g_string_append_unichar(line, c);
  }
  if (line->len > max_bytes) {
    truncate_utf8(line, max_bytes - strlen(ELLIPSIS));
    g_string_append(line, ELLIPSIS);
  }
  return g_string_free(g_steal_pointer(&line), FALSE);
}

char *
clean_text(const char *text, gsize len)
{
  GString *clean = g_string_sized_new(len);
  for (const char *p = text; p < text + len; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);
    if (c == '\r' || c == 0x2028 || c == 0x2029) {
      if (c != '\r' || p + 1 == text + len || p[1] != '\n')
        g_string_append_c(clean, '\n');
    } else if (c == '\n' || c == '\t' || (!is_control(c) && c != 0)) {
      g_string_append_unichar(clean, c);
    }
  }
  return g_string_free(clean, FALSE);
}

/* NAME without its directories, and without what no file name may hold. */
static GString *
strip_name(const char *name)
{
  g_autofree char *line = clean_header(name, G_MAXSIZE);
  const char *base = line;
  for (const char *p = line; *p != '\0'; p++)
    if (*p == '/' || *p == '\\')
      base = p + 1;
  while (*base == '.' || *base == ' ')
    base++;
  GString *plain = g_string_new(NULL);
  for (const char *p = base; *p != '\0'; p++)
    g_string_append_c(plain, strchr("<>:\"|?*", *p) != NULL ? '_' : *p);
  while (plain->len > 0 && strchr(". ", plain->str[plain->len - 1]) != NULL)
    g_string_truncate(plain, plain->len - 1);
  return plain;
}

static void
shorten_name(GString *name)
{
  if (name->len <= CLEAN_FILE_NAME_MAX_BYTES)
    return;
  const char *dot = strrchr(name->str, '.');
  g_autofree char *extension = NULL;
  if (dot != NULL && strlen(dot) <= EXTENSION_MAX_BYTES)
    extension = g_strdup(dot);
  gsize tail = extension != NULL ? strlen(extension) : 0;
  truncate_utf8(name, CLEAN_FILE_NAME_MAX_BYTES - tail);
  if (extension != NULL)
    g_string_append(name, extension);
}

static gboolean
is_device(const char *name)
{
  gsize stem = strcspn(name, ".");
  if (stem == 4 && g_ascii_isdigit(name[3]) &&
      (g_ascii_strncasecmp(name, "com", 3) == 0 ||
       g_ascii_strncasecmp(name, "lpt", 3) == 0))
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS(devices); i++)
    if (stem == strlen(devices[i]) && g_ascii_strncasecmp(name, devices[i], stem) == 0)
      return TRUE;
  return FALSE;
}

char *
clean_file_name(const char *name, guint number, const char *type)
{
  g_autoptr(GString) plain = strip_name(name);
  shorten_name(plain);
  if (plain->len == 0) {
    const char *extension = "bin";
    for (gsize i = 0; i < G_N_ELEMENTS(extensions); i++)
      if (strcmp(extensions[i].type, type) == 0)
        extension = extensions[i].extension;
    g_string_printf(plain, "bijlage-%u.%s", number, extension);
  }
  if (is_device(plain->str))
    g_string_prepend_c(plain, '_');
  return g_string_free(g_steal_pointer(&plain), FALSE);
}

char *
clean_media_type(const char *type)
{
  gsize len = type != NULL ? strlen(type) : 0;
  const char *slash = type != NULL ? strchr(type, '/') : NULL;
  gboolean good = len <= MEDIA_TYPE_MAX_BYTES && slash != NULL && slash != type &&
                  slash[1] != '\0' && strchr(slash + 1, '/') == NULL;
  for (gsize i = 0; good && i < len; i++)
    good = g_ascii_isalnum(type[i]) || strchr("/.+-_", type[i]) != NULL;
  return good ? g_ascii_strdown(type, (gssize) len) : g_strdup(MEDIA_TYPE_UNKNOWN);
}
