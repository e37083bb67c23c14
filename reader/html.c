#include "reader/html.h"

#include <stdlib.h>
#include <string.h>

#include "reader/clean.h"
#include "reader/css.h"
#include "reader/html_tree.h"

#define NUMBER_MAX_DIGITS  4
#define WORD_MAX_BYTES     12
#define LANGUAGE_MAX_BYTES 35 /* RFC 5646 4.4.1 */
#define TITLE_MAX_BYTES    500
#define WORDS_MAX_NODES    100 /* of a link, to see whether they are its target */
#define WORDS_MAX_BYTES    HTML_HREF_MAX_BYTES
#define ELLIPSIS           "…"
#define HREF_SPECIAL       "\"'<>\\^`{|}" /* percent-encoded though ASCII */

/* What the value of an attribute must be. */
typedef enum {
  VALUE_COLOR,
  VALUE_FONTS,
  VALUE_LANGUAGE, /* letters, digits and '-' */
  VALUE_LENGTH,   /* digits, perhaps with '%' */
  VALUE_NUMBER,
  VALUE_SIZE, /* of a font: a digit, perhaps with a sign */
  VALUE_TEXT,
  VALUE_WORD /* letters */
} ValueKind;

/* Sorted by name; the same for every element. href, src, alt and style have their own ways.
 */
static const struct {
  const char *name;
  ValueKind kind;
} attributes[] = {
    {"align", VALUE_WORD},         {"bgcolor", VALUE_COLOR},      {"border", VALUE_NUMBER},
    {"cellpadding", VALUE_NUMBER}, {"cellspacing", VALUE_NUMBER}, {"color", VALUE_COLOR},
    {"colspan", VALUE_NUMBER},     {"dir", VALUE_WORD},           {"face", VALUE_FONTS},
    {"height", VALUE_LENGTH},      {"lang", VALUE_LANGUAGE},      {"nowrap", VALUE_WORD},
    {"rowspan", VALUE_NUMBER},     {"scope", VALUE_WORD},         {"size", VALUE_SIZE},
    {"span", VALUE_NUMBER},        {"start", VALUE_NUMBER},       {"title", VALUE_TEXT},
    {"valign", VALUE_WORD},        {"value", VALUE_NUMBER},       {"width", VALUE_LENGTH},
};

static const struct {
  const char *type;
  const char *magic;
  gsize offset;
} images[] = {
    {"image/png", "\x89PNG\r\n\x1a\n", 0},
    {"image/jpeg", "\xff\xd8\xff", 0},
    {"image/gif", "GIF8", 0},
    {"image/webp", "WEBPVP8", 8},
};

void
html_append_escaped(GString *out, const char *text, gsize len)
{
  for (gsize i = 0; i < len; i++) {
    guchar c = (guchar) text[i];
    switch (c) {
    case '&':
      g_string_append(out, "&amp;");
      break;
    case '<':
      g_string_append(out, "&lt;");
      break;
    case '>':
      g_string_append(out, "&gt;");
      break;
    case '"':
      g_string_append(out, "&quot;");
      break;
    case '\'':
      g_string_append(out, "&#39;");
      break;
    default:
      if ((c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n')
        g_string_append_c(out, (char) c);
    }
  }
}

static void
append_attribute(GString *out, const char *name, const char *value)
{
  g_string_append_printf(out, " %s=\"", name);
  html_append_escaped(out, value, strlen(value));
  g_string_append_c(out, '"');
}

/* Whether VALUE is 1 to MAX bytes, each alphanumeric as IS_KIND says, or in ALSO. */
static gboolean
consists_of(const char *value, gsize max, gboolean letters, gboolean digits,
            const char *also)
{
  gsize len = strlen(value);
  for (gsize i = 0; i < len && i <= max; i++)
    if (!(letters && g_ascii_isalpha(value[i])) && !(digits && g_ascii_isdigit(value[i])) &&
        strchr(also, value[i]) == NULL)
      return FALSE;
  return len > 0 && len <= max;
}

/* Digits, perhaps with '%' behind them. */
static gboolean
is_length(const char *value)
{
  gsize digits = strspn(value, "0123456789");
  return digits > 0 && digits <= NUMBER_MAX_DIGITS &&
         (value[digits] == '\0' || strcmp(value + digits, "%") == 0);
}

static gboolean
is_value(ValueKind kind, const char *value)
{
  switch (kind) {
  case VALUE_COLOR:
    return css_is_color(value);
  case VALUE_FONTS:
    return css_is_font_list(value);
  case VALUE_LANGUAGE:
    return consists_of(value, LANGUAGE_MAX_BYTES, TRUE, TRUE, "-");
  case VALUE_LENGTH:
    return is_length(value);
  case VALUE_NUMBER:
    return consists_of(value, NUMBER_MAX_DIGITS, FALSE, TRUE, "");
  case VALUE_SIZE:
    return consists_of(value, 2, FALSE, TRUE, "+-");
  case VALUE_TEXT:
    return TRUE;
  case VALUE_WORD:
    return consists_of(value, WORD_MAX_BYTES, TRUE, FALSE, "");
  }
  return FALSE;
}

static int
compare_attribute(const void *key, const void *row)
{
  const char *const *name = row; /* the first member */
  return strcmp(key, *name);
}

static void
append_listed_attribute(GString *out, const char *name, const char *value)
{
  const void *row = bsearch(name, attributes, G_N_ELEMENTS(attributes),
                            sizeof attributes[0], compare_attribute);
  if (row == NULL)
    return;
  gsize index =
      (gsize) ((const char *) row - (const char *) attributes) / sizeof attributes[0];
  g_autofree char *line = clean_header(value, TITLE_MAX_BYTES);
  if (is_value(attributes[index].kind, line))
    append_attribute(out, attributes[index].name, line);
}

/* Outlook's paragraphs have no margins because its style sheet, which we drop, says so. */
static void
append_style(GString *out, const xmlNode *node)
{
  const char *style = html_tree_attribute(node, "style");
  const char *class = html_tree_attribute(node, "class");
  g_autofree char *clean = style != NULL ? css_clean(style) : NULL;
  if (class != NULL && g_str_has_prefix(class, "Mso")) {
    g_autofree char *with =
        g_strconcat("margin:0", clean != NULL ? ";" : NULL, clean, NULL);
    append_attribute(out, "style", with);
  } else if (clean != NULL) {
    append_attribute(out, "style", clean);
  }
}

static void
append_attributes(GString *out, const xmlNode *node)
{
  for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next)
    if (attr->children != NULL && attr->children->content != NULL)
      append_listed_attribute(out, (const char *) attr->name,
                              (const char *) attr->children->content);
  append_style(out, node);
}

/* The address without what browsers ignore in it (URL standard, 4.4). */
static char *
strip_href(const char *href)
{
  GString *plain = g_string_new(NULL);
  for (const char *p = href; *p != '\0'; p++)
    if ((guchar) *p > 0x20 || (*p == ' ' && plain->len > 0))
      g_string_append_c(plain, *p);
  return g_strchomp(g_string_free(plain, FALSE));
}

char *
html_clean_href(const char *href)
{
  static const char *const schemes[] = {"http://", "https://", "mailto:", "tel:"};
  if (strlen(href) > HTML_HREF_MAX_BYTES)
    return NULL;
  g_autofree char *plain = strip_href(href);
  gboolean known = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++)
    known = known || (g_ascii_strncasecmp(plain, schemes[i], strlen(schemes[i])) == 0 &&
                      plain[strlen(schemes[i])] != '\0');
  if (!known)
    return NULL;
  GString *clean = g_string_new(NULL);
  for (const char *p = plain; *p != '\0'; p++) {
    guchar c = (guchar) *p;
    if (c <= 0x20 || c >= 0x7f || strchr(HREF_SPECIAL, *p) != NULL)
      g_string_append_printf(clean, "%%%02X", c);
    else
      g_string_append_c(clean, *p);
  }
  return g_string_free(clean, FALSE);
}

/* The address that the link NODE goes to, a new string, or NULL. */
static char *
link_target(const xmlNode *node)
{
  const char *href = html_tree_attribute(node, "href");
  return href != NULL ? html_clean_href(href) : NULL;
}

/* Appends the first words in NODE to TEXT; *NODES more nodes are looked at. */
static void
collect_words(GString *text, const xmlNode *node, guint *nodes)
{
  for (node = node->children; node != NULL && *nodes > 0; node = node->next) {
    (*nodes)--;
    if (text->len > WORDS_MAX_BYTES)
      return;
    if (node->type == XML_TEXT_NODE && node->content != NULL)
      g_string_append_len(text, (const char *) node->content,
                          (gssize) strnlen((const char *) node->content, WORDS_MAX_BYTES));
    else if (node->type == XML_ELEMENT_NODE)
      collect_words(text, node, nodes);
  }
}

/* ADDRESS without its scheme. */
static const char *
skip_scheme(const char *address)
{
  static const char *const schemes[] = {"https://", "http://", "mailto:", "tel:"};
  for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++)
    if (g_ascii_strncasecmp(address, schemes[i], strlen(schemes[i])) == 0)
      return address + strlen(schemes[i]);
  return address;
}

char *
html_short_target(const char *href)
{
  const char *bare = skip_scheme(href);
  gboolean is_web = g_ascii_strncasecmp(href, "http", 4) == 0;
  gsize end = strcspn(bare, is_web ? "/?#" : "?");
  g_autofree char *authority = g_strndup(bare, end);
  const char *at = is_web ? strrchr(authority, '@') : NULL;
  const char *host = at != NULL ? at + 1 : authority;
  gsize len = strlen(host);
  if (len > HTML_TARGET_MAX_BYTES)
    return g_strconcat(ELLIPSIS, host + len - HTML_TARGET_MAX_BYTES, NULL);
  gsize room = HTML_TARGET_MAX_BYTES - len;
  const char *path = is_web && strcmp(bare + end, "/") != 0 ? bare + end : "";
  return g_strdup_printf("%s%.*s%s", host, (int) room, path,
                         strlen(path) > room ? ELLIPSIS : "");
}

/* Whether WORDS are ADDRESS but for what nobody would miss. */
static gboolean
is_same_address(const char *words, const char *address)
{
  const char *said = skip_scheme(words);
  const char *meant = skip_scheme(address);
  gsize said_len = strlen(said);
  gsize meant_len = strlen(meant);
  said_len -= said_len > 0 && said[said_len - 1] == '/';
  meant_len -= meant_len > 0 && meant[meant_len - 1] == '/';
  return said_len == meant_len && g_ascii_strncasecmp(said, meant, meant_len) == 0;
}

/* Whether the words of the link NODE are where it goes: HREF, or SHOWN of it. */
static gboolean
says_target(const xmlNode *node, const char *href, const char *shown)
{
  g_autoptr(GString) text = g_string_new(NULL);
  guint nodes = WORDS_MAX_NODES;
  collect_words(text, node, &nodes);
  const char *words = g_strstrip(text->str);
  return is_same_address(words, href) || is_same_address(words, shown);
}

/* Shows where the link NODE goes, to HREF, unless its words are that. */
static void
append_target(GString *out, const xmlNode *node, const char *href)
{
  g_autofree char *shown = html_short_target(href);
  if (says_target(node, href, shown))
    return;
  g_string_append(out, " <span class=\"target\" dir=\"ltr\">[");
  html_append_escaped(out, shown, strlen(shown));
  g_string_append(out, "]</span>");
}

/* The type that the first bytes say, whatever the mail says; NULL when it is not shown. */
static const char *
image_type(const GByteArray *bytes)
{
  for (gsize i = 0; i < G_N_ELEMENTS(images); i++) {
    gsize len = strlen(images[i].magic);
    if (bytes->len >= images[i].offset + len &&
        memcmp(bytes->data + images[i].offset, images[i].magic, len) == 0)
      return images[i].type;
  }
  return NULL;
}

/* The message's own image that SRC names, when it may be shown. */
static GByteArray *
find_image(const char *src, HtmlContext *context)
{
  if (src == NULL || context->image == NULL || g_ascii_strncasecmp(src, "cid:", 4) != 0)
    return NULL;
  g_autofree char *content_id = g_uri_unescape_string(src + 4, NULL);
  if (content_id == NULL)
    return NULL;
  g_autoptr(GByteArray) bytes = context->image(content_id, context->image_data);
  if (bytes == NULL || bytes->len > context->images_left_bytes || image_type(bytes) == NULL)
    return NULL;
  context->images_left_bytes -= bytes->len;
  return g_steal_pointer(&bytes);
}

static void
append_image(GString *out, const xmlNode *node, HtmlContext *context)
{
  const char *alt = html_tree_attribute(node, "alt");
  g_autofree char *words = clean_header(alt, TITLE_MAX_BYTES);
  g_autoptr(GByteArray) bytes = find_image(html_tree_attribute(node, "src"), context);
  if (bytes == NULL) {
    if (words[0] == '\0')
      return;
    g_string_append(out, "<span>[");
    html_append_escaped(out, words, strlen(words));
    g_string_append(out, "]</span>");
    return;
  }
  g_autofree char *base64 = g_base64_encode(bytes->data, bytes->len);
  g_string_append_printf(out, "<img src=\"data:%s;base64,%s\"", image_type(bytes), base64);
  append_attribute(out, "alt", words);
  append_attributes(out, node);
  g_string_append_c(out, '>');
}

static void
append_nodes(GString *out, const xmlNode *node, HtmlContext *context);

static void
append_link(GString *out, const xmlNode *node, HtmlContext *context)
{
  g_autofree char *href = link_target(node);
  g_string_append(out, "<a");
  if (href != NULL) {
    append_attribute(out, "href", href);
    g_string_append(out, " rel=\"noopener noreferrer nofollow\" target=\"_blank\"");
  }
  append_attributes(out, node);
  g_string_append_c(out, '>');
  append_nodes(out, node->children, context);
  g_string_append(out, "</a>");
  if (href != NULL)
    append_target(out, node, href);
}

static void
append_element(GString *out, const xmlNode *node, HtmlContext *context)
{
  const char *name = (const char *) node->name;
  switch (html_tree_fate(node)) {
  case HTML_DROP:
    break;
  case HTML_UNWRAP:
    append_nodes(out, node->children, context);
    break;
  case HTML_BLOCK:
    g_string_append(out, "<div>");
    append_nodes(out, node->children, context);
    g_string_append(out, "</div>");
    break;
  case HTML_VOID:
    if (strcmp(name, "img") == 0) {
      append_image(out, node, context);
      break;
    }
    g_string_append_printf(out, "<%s", name);
    append_attributes(out, node);
    g_string_append_c(out, '>');
    break;
  case HTML_KEEP:
    if (strcmp(name, "a") == 0) {
      append_link(out, node, context);
      break;
    }
    g_string_append_printf(out, "<%s", name); /* a name of our list */
    append_attributes(out, node);
    g_string_append_c(out, '>');
    append_nodes(out, node->children, context);
    g_string_append_printf(out, "</%s>", name);
    break;
  }
}

/* NODE and its following siblings. Recursion is bounded by HTML_TREE_MAX_DEPTH. */
static void
append_nodes(GString *out, const xmlNode *node, HtmlContext *context)
{
  for (; node != NULL; node = node->next) {
    if (node->type == XML_ELEMENT_NODE)
      append_element(out, node, context);
    else if (node->type == XML_TEXT_NODE && node->content != NULL)
      html_append_escaped(out, (const char *) node->content,
                          strlen((const char *) node->content));
  }
}

void
html_append_safe(GString *out, const char *source, HtmlContext *context)
{
  htmlDocPtr document = html_tree_parse(source, &context->is_cut);
  const xmlNode *body = document != NULL ? html_tree_find(document, "body") : NULL;
  g_string_append(out, "<div");
  if (body != NULL) {
    append_attributes(out, body);
    g_string_append_c(out, '>');
    append_nodes(out, body->children, context);
  } else {
    g_string_append_c(out, '>');
  }
  g_string_append(out, "</div>\n");
  if (document != NULL)
    xmlFreeDoc(document);
}
