#include "reader/css.h"

#include <stdlib.h>
#include <string.h>

#define WORD_MAX_BYTES   24
#define COLOR_MAX_BYTES  40 /* "rgba(255, 255, 255, 0.123)" with room */
#define LENGTH_MAX_DIGIT 4  /* before the point: 9999px is far outside any page */
#define TOKENS_MAX       4

/* What tokens a property takes. */
typedef enum {
  TAKES_COLOR = 1,
  TAKES_LENGTH = 2,
  TAKES_WORD = 4,
  TAKES_FONTS = 8,   /* one list of names, not tokens */
  TAKES_DISPLAY = 16 /* a word of display_words */
} Takes;

/* Sorted by name. Not here, with reason: position, z-index, content, behavior, filter, any
 * property with images, transforms, animations. */
static const struct {
  const char *name;
  int takes;
} properties[] = {
    {"background", TAKES_COLOR},
    {"background-color", TAKES_COLOR},
    {"border", TAKES_COLOR | TAKES_LENGTH | TAKES_WORD},
    {"border-bottom", TAKES_COLOR | TAKES_LENGTH | TAKES_WORD},
    {"border-bottom-color", TAKES_COLOR},
    {"border-bottom-style", TAKES_WORD},
    {"border-bottom-width", TAKES_LENGTH | TAKES_WORD},
    {"border-collapse", TAKES_WORD},
    {"border-color", TAKES_COLOR},
    {"border-left", TAKES_COLOR | TAKES_LENGTH | TAKES_WORD},
    {"border-left-color", TAKES_COLOR},
    {"border-left-style", TAKES_WORD},
    {"border-left-width", TAKES_LENGTH | TAKES_WORD},
    {"border-radius", TAKES_LENGTH},
    {"border-right", TAKES_COLOR | TAKES_LENGTH | TAKES_WORD},
    {"border-right-color", TAKES_COLOR},
    {"border-right-style", TAKES_WORD},
    {"border-right-width", TAKES_LENGTH | TAKES_WORD},
    {"border-spacing", TAKES_LENGTH},
    {"border-style", TAKES_WORD},
    {"border-top", TAKES_COLOR | TAKES_LENGTH | TAKES_WORD},
    {"border-top-color", TAKES_COLOR},
    {"border-top-style", TAKES_WORD},
    {"border-top-width", TAKES_LENGTH | TAKES_WORD},
    {"border-width", TAKES_LENGTH | TAKES_WORD},
    {"clear", TAKES_WORD},
    {"color", TAKES_COLOR},
    {"direction", TAKES_WORD},
    {"display", TAKES_DISPLAY},
    {"float", TAKES_WORD},
    {"font-family", TAKES_FONTS},
    {"font-size", TAKES_LENGTH | TAKES_WORD},
    {"font-style", TAKES_WORD},
    {"font-variant", TAKES_WORD},
    {"font-weight", TAKES_LENGTH | TAKES_WORD},
    {"height", TAKES_LENGTH | TAKES_WORD},
    {"letter-spacing", TAKES_LENGTH | TAKES_WORD},
    {"line-height", TAKES_LENGTH | TAKES_WORD},
    {"list-style-type", TAKES_WORD},
    {"margin", TAKES_LENGTH | TAKES_WORD},
    {"margin-bottom", TAKES_LENGTH | TAKES_WORD},
    {"margin-left", TAKES_LENGTH | TAKES_WORD},
    {"margin-right", TAKES_LENGTH | TAKES_WORD},
    {"margin-top", TAKES_LENGTH | TAKES_WORD},
    {"max-height", TAKES_LENGTH | TAKES_WORD},
    {"max-width", TAKES_LENGTH | TAKES_WORD},
    {"min-height", TAKES_LENGTH | TAKES_WORD},
    {"min-width", TAKES_LENGTH | TAKES_WORD},
    {"overflow-wrap", TAKES_WORD},
    {"padding", TAKES_LENGTH},
    {"padding-bottom", TAKES_LENGTH},
    {"padding-left", TAKES_LENGTH},
    {"padding-right", TAKES_LENGTH},
    {"padding-top", TAKES_LENGTH},
    {"text-align", TAKES_WORD},
    {"text-decoration", TAKES_COLOR | TAKES_WORD},
    {"text-decoration-line", TAKES_WORD},
    {"text-indent", TAKES_LENGTH},
    {"text-transform", TAKES_WORD},
    {"vertical-align", TAKES_LENGTH | TAKES_WORD},
    {"white-space", TAKES_WORD},
    {"width", TAKES_LENGTH | TAKES_WORD},
    {"word-break", TAKES_WORD},
    {"word-wrap", TAKES_WORD},
};

static const char *const display_words[] = {"none",         "block",     "inline",
                                            "inline-block", "list-item", "table",
                                            "table-row",    "table-cell"};

static const char *const units[] = {"",   "px", "pt", "em", "rem", "ex",
                                    "cm", "mm", "in", "pc", "%"};

static int
compare_property(const void *key, const void *row)
{
  const char *const *name = row; /* the first member */
  return strcmp(key, *name);
}

static gboolean
is_word(const char *token, gsize len)
{
  if (len == 0 || len > WORD_MAX_BYTES)
    return FALSE;
  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isalpha(token[i]) && (token[i] != '-' || i == 0))
      return FALSE;
  return TRUE;
}

static gboolean
is_length(const char *token, gsize len)
{
  gsize whole = 0;
  while (whole < len && g_ascii_isdigit(token[whole]))
    whole++;
  gsize end = whole;
  if (end < len && token[end] == '.')
    for (end++; end < len && g_ascii_isdigit(token[end]);)
      end++;
  if (whole > LENGTH_MAX_DIGIT || end == 0 || (end == 1 && whole == 0))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
    if (strlen(units[i]) == len - end &&
        g_ascii_strncasecmp(token + end, units[i], len - end) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
is_color(const char *token, gsize len)
{
  if (len > COLOR_MAX_BYTES)
    return FALSE;
  if (len > 0 && token[0] == '#') {
    for (gsize i = 1; i < len; i++)
      if (!g_ascii_isxdigit(token[i]))
        return FALSE;
    return len == 4 || len == 5 || len == 7 || len == 9;
  }
  gsize name = g_ascii_strncasecmp(token, "rgba(", 5) == 0  ? 5
               : g_ascii_strncasecmp(token, "rgb(", 4) == 0 ? 4
                                                            : 0;
  if (name == 0)
    return is_word(token, len);
  if (len < name + 2 || token[len - 1] != ')')
    return FALSE;
  for (gsize i = name; i < len - 1; i++)
    if (!g_ascii_isdigit(token[i]) && strchr("., %", token[i]) == NULL)
      return FALSE;
  return TRUE;
}

gboolean
css_is_color(const char *value)
{
  return is_color(value, strlen(value));
}

gboolean
css_is_font_list(const char *value)
{
  gsize len = strlen(value);
  if (len == 0 || len > CSS_VALUE_MAX_BYTES)
    return FALSE;
  guint quotes[2] = {0, 0};
  for (gsize i = 0; i < len; i++) {
    if (value[i] == '"' || value[i] == '\'')
      quotes[value[i] == '"']++;
    else if (!g_ascii_isalnum(value[i]) && strchr(" ,-_", value[i]) == NULL)
      return FALSE;
  }
  return quotes[0] % 2 == 0 && quotes[1] % 2 == 0;
}

static gboolean
is_display(const char *token, gsize len)
{
  for (gsize i = 0; i < G_N_ELEMENTS(display_words); i++)
    if (strlen(display_words[i]) == len &&
        g_ascii_strncasecmp(token, display_words[i], len) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
takes_token(int takes, const char *token, gsize len)
{
  return ((takes & TAKES_COLOR) != 0 && is_color(token, len)) ||
         ((takes & TAKES_LENGTH) != 0 && is_length(token, len)) ||
         ((takes & TAKES_WORD) != 0 && is_word(token, len)) ||
         ((takes & TAKES_DISPLAY) != 0 && is_display(token, len));
}

/* The end of the token at P: a space outside parentheses, or the end. */
static const char *
token_end(const char *p)
{
  gboolean inside = FALSE;
  for (; *p != '\0' && (inside || *p != ' '); p++)
    if (*p == '(' || *p == ')')
      inside = *p == '(';
  return p;
}

static gboolean
is_harmless(int takes, const char *value)
{
  if (strlen(value) > CSS_VALUE_MAX_BYTES)
    return FALSE;
  if ((takes & TAKES_FONTS) != 0)
    return css_is_font_list(value);
  guint tokens = 0;
  for (const char *p = value; *p != '\0';) {
    const char *end = token_end(p);
    if (end > p && (++tokens > TOKENS_MAX || !takes_token(takes, p, (gsize) (end - p))))
      return FALSE;
    p = *end == ' ' ? end + 1 : end;
  }
  return tokens > 0;
}

/* "Name : value !important", lower case name, plain spaces. FALSE when it has no colon. */
static gboolean
split_declaration(char *declaration, char **name, char **value)
{
  char *colon = strchr(declaration, ':');
  if (colon == NULL)
    return FALSE;
  *colon = '\0';
  *name = g_strstrip(declaration);
  for (char *p = *name; *p != '\0'; p++)
    *p = g_ascii_tolower(*p);
  *value = g_strdelimit(colon + 1, "\t\r\n\f", ' ');
  char *important = strchr(*value, '!');
  if (important != NULL)
    *important = '\0';
  g_strstrip(*value);
  return TRUE;
}

char *
css_clean(const char *style)
{
  g_auto(GStrv) declarations = g_strsplit(style, ";", 0);
  g_autoptr(GString) clean = g_string_new(NULL);
  for (gsize i = 0; declarations[i] != NULL; i++) {
    char *name;
    char *value;
    if (!split_declaration(declarations[i], &name, &value))
      continue;
    const void *row = bsearch(name, properties, G_N_ELEMENTS(properties),
                              sizeof properties[0], compare_property);
    if (row == NULL)
      continue;
    gsize index =
        (gsize) ((const char *) row - (const char *) properties) / sizeof properties[0];
    if (!is_harmless(properties[index].takes, value))
      continue;
    g_string_append_printf(clean, "%s%s:%s", clean->len > 0 ? ";" : "",
                           properties[index].name, value);
  }
  if (clean->len == 0)
    return NULL;
  return g_string_free(g_steal_pointer(&clean), FALSE);
}
