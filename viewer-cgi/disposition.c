#include "viewer-cgi/disposition.h"

#include <string.h>

#include "viewer-cgi/html.h"

#define EXTENSION_MAX_BYTES 16

/* Types that no browser runs. Everything else is just bytes (T11). */
static const char *const safe_types[] = {
    "application/pdf", "application/zip", "image/gif",
    "image/jpeg",      "image/png",       "image/webp",
};

/* Devices of Windows, with any extension. */
static const char *const device_names[] = {
    "con",  "prn",  "aux",  "nul",  "com0", "com1", "com2", "com3",
    "com4", "com5", "com6", "com7", "com8", "com9", "lpt0", "lpt1",
    "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
};

const char *
disposition_type(const char *type)
{
  for (gsize i = 0; i < G_N_ELEMENTS(safe_types); i++)
    if (type != NULL && g_ascii_strcasecmp(type, safe_types[i]) == 0)
      return safe_types[i];
  return "application/octet-stream";
}

static gboolean
is_device(const char *name)
{
  gsize len = strcspn(name, ".");
  for (gsize i = 0; i < G_N_ELEMENTS(device_names); i++)
    if (len == strlen(device_names[i]) &&
        g_ascii_strncasecmp(name, device_names[i], len) == 0)
      return TRUE;
  return FALSE;
}

/* Cuts NAME at a character so that it fits, and keeps a short extension. */
static char *
shorten(const char *name)
{
  gsize len = strlen(name);
  if (len <= DISPOSITION_NAME_MAX_BYTES)
    return g_strdup(name);
  const char *dot = strrchr(name, '.');
  const char *extension = dot != NULL && strlen(dot) <= EXTENSION_MAX_BYTES ? dot : "";
  gsize keep = DISPOSITION_NAME_MAX_BYTES - strlen(extension);
  const char *cut = g_utf8_find_prev_char(name, name + keep + 1);
  g_autofree char *head = g_strndup(name, (gsize) (cut - name));
  return g_strconcat(head, extension, NULL);
}

char *
disposition_file_name(const char *name, const char *fallback)
{
  g_autofree char *clean = html_clean_line(name != NULL ? name : "");
  for (char *p = clean; *p != '\0'; p++)
    if (*p == '\\')
      *p = '/';
  const char *slash = strrchr(clean, '/');
  char *base = slash != NULL ? clean + (slash - clean) + 1 : clean;
  g_strdelimit(base, "<>:\"|?*", '_');
  base += strspn(base, ". ~");
  gsize len = strlen(base);
  while (len > 0 && (base[len - 1] == '.' || base[len - 1] == ' '))
    base[--len] = '\0';
  if (len == 0)
    return g_strdup(fallback);
  g_autofree char *fits = shorten(base);
  return is_device(fits) ? g_strconcat("_", fits, NULL) : g_steal_pointer(&fits);
}

/* attr-char of RFC 8187 3.2.1 */
static gboolean
is_attr_char(char c)
{
  return g_ascii_isalnum(c) || (c != '\0' && strchr("!#$&+-.^_`|~", c) != NULL);
}

char *
disposition_format(const char *file_name)
{
  GString *out = g_string_new("attachment; filename=\"");
  for (const char *p = file_name; *p != '\0'; p = g_utf8_next_char(p)) {
    gboolean plain = (guchar) *p < 0x80 && (g_ascii_isalnum(*p) || strchr(" ._-()", *p));
    g_string_append_c(out, plain ? *p : '_'); /* RFC 6266 appendix D: no % and no \ */
  }
  g_string_append(out, "\"; filename*=UTF-8''");
  for (const char *p = file_name; *p != '\0'; p++) {
    if (is_attr_char(*p))
      g_string_append_c(out, *p);
    else
      g_string_append_printf(out, "%%%02X", (guint) (guchar) *p);
  }
  return g_string_free(out, FALSE);
}
