#include "common/base/attachment.h"

#include <string.h>

#include "common/base/packer.h"

/* Dots of other scripts that are read as one; NFKC has made '.' of more (UTS 39). */
static gboolean
is_dot(gunichar c)
{
  switch (c) {
  case '.':
  case 0x06d4:  /* Arabic full stop */
  case 0x0701:  /* Syriac */
  case 0x0702:  /* Syriac */
  case 0x3002:  /* ideographic full stop */
  case 0xa4f8:  /* Lisu */
  case 0xa60e:  /* Vai */
  case 0x10a50: /* Kharoshthi */
    return TRUE;
  default:
    return FALSE;
  }
}

/* Marks without width: direction (U+202E), joiners, variation selectors, controls. */
static gboolean
is_hidden(gunichar c)
{
  GUnicodeType type = g_unichar_type(c);
  return type == G_UNICODE_FORMAT || type == G_UNICODE_CONTROL ||
         (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0100 && c <= 0xe01ef);
}

/* NAME in lower case and one way of writing: compatibility forms, dots, nothing hidden. */
static char *
fold(const char *name)
{
  g_autofree char *valid = g_utf8_make_valid(name, -1);
  g_autofree char *composed = g_utf8_normalize(valid, -1, G_NORMALIZE_NFKC);
  GString *folded = g_string_new(NULL);
  for (const char *p = composed; *p != '\0'; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);
    if (is_dot(c))
      g_string_append_c(folded, '.');
    else if (g_unichar_isspace(c))
      g_string_append_c(folded, ' ');
    else if (!is_hidden(c))
      g_string_append_unichar(folded, g_unichar_tolower(c));
  }
  return g_string_free(folded, FALSE);
}

/* Takes from NAME what no system keeps at its end. */
static void
trim_end(char *name)
{
  gsize len = strlen(name);
  while (len > 0 && strchr(". \"'", name[len - 1]) != NULL)
    len--;
  name[len] = '\0';
}

/* The extension of NAME, inside it and without blanks before it, or NULL. */
static const char *
extension_of(const char *name)
{
  const char *dot = strrchr(name, '.');
  return dot != NULL ? dot + 1 + strspn(dot + 1, " ") : NULL;
}

/* Whether NAME (a file's, folded) has one of EXTENSIONS; NAME is cut. */
static gboolean
is_refused(char *name, const char *const *extensions)
{
  for (;;) {
    trim_end(name);
    const char *extension = extension_of(name);
    if (extension == NULL)
      return FALSE;
    if (g_strv_contains(extensions, extension))
      return TRUE;
    if (!packer_is_known(extension))
      return FALSE;
    *strrchr(name, '.') = '\0';
  }
}

gboolean
attachment_is_refused(const char *name, const char *const *extensions)
{
  g_autofree char *folded = fold(name);
  gsize len = strlen(folded);
  while (len > 0 && strchr("/\\", folded[len - 1]) != NULL)
    folded[--len] = '\0';
  char *file = folded;
  for (char *p = folded; *p != '\0'; p++)
    if (*p == '/' || *p == '\\')
      file = p + 1;
  /* "x.exe:stream" is a stream of x.exe (NTFS) */
  g_auto(GStrv) pieces = g_strsplit(file, ":", -1);
  for (char **piece = pieces; *piece != NULL; piece++)
    if (is_refused(*piece, extensions))
      return TRUE;
  return FALSE;
}
