#include "tests/unit/reader/harmless.h"

#include <string.h>
#include <libxml/HTMLparser.h>

static const char *const content_elements[] = {
    "a",     "abbr",    "address", "b",      "big",  "blockquote", "body",  "br",
    "code",  "caption", "center",  "cite",   "col",  "colgroup",   "dd",    "del",
    "div",   "dl",      "dt",      "em",     "font", "h1",         "h2",    "h3",
    "h4",    "h5",      "h6",      "hr",     "html", "i",          "img",   "ins",
    "kbd",   "li",      "ol",      "p",      "pre",  "q",          "s",     "samp",
    "small", "span",    "strike",  "strong", "sub",  "sup",        "table", "tbody",
    "td",    "tfoot",   "th",      "thead",  "tr",   "tt",         "u",     "ul",
    "var",   NULL};

static const char *const head_elements[] = {"head", "meta", "title", "style", NULL};

static const char *const content_attributes[] = {
    "align", "alt",    "bgcolor", "border", "cellpadding", "cellspacing",
    "class", "color",  "colspan", "dir",    "face",        "height",
    "href",  "lang",   "nowrap",  "rel",    "rowspan",     "scope",
    "size",  "span",   "src",     "start",  "style",       "target",
    "title", "valign", "value",   "width",  NULL};

static const char *const head_attributes[] = {"charset", "content", "http-equiv", "name",
                                              NULL};

static const char *const link_starts[] = {"http://", "https://", "mailto:", "tel:", NULL};

static const char *const image_starts[] = {
    "data:image/png;base64,", "data:image/gif;base64,", "data:image/jpeg;base64,",
    "data:image/webp;base64,", NULL};

/* What may not be anywhere in a style. */
static const char *const style_faults[] = {
    "url(",        "expression(", "\\",        "@",        "/*",     "<",
    "javascript:", "position:",   "behavior:", "binding:", "image:", "image(",
    "image-set",   "content:",    "var(",      "{",        NULL};

static gboolean
starts_with_one_of(const char *text, const char *const *starts)
{
  for (gsize i = 0; starts[i] != NULL; i++)
    if (g_ascii_strncasecmp(text, starts[i], strlen(starts[i])) == 0)
      return TRUE;
  return FALSE;
}

static char *
find_style_fault(const char *value)
{
  g_autofree char *lower = g_ascii_strdown(value, -1);
  for (gsize i = 0; style_faults[i] != NULL; i++)
    if (strstr(lower, style_faults[i]) != NULL)
      return g_strdup_printf("style \"%s\"", value);
  return NULL;
}

static char *
find_attribute_fault(const xmlAttr *attr, gboolean is_document)
{
  const char *name = (const char *) attr->name;
  const char *value = attr->children != NULL ? (const char *) attr->children->content : "";
  gboolean known = g_strv_contains(content_attributes, name) ||
                   (is_document && g_strv_contains(head_attributes, name));
  if (!known || attr->ns != NULL)
    return g_strdup_printf("attribute %s=\"%s\"", name, value);
  if (strcmp(name, "href") == 0 && !starts_with_one_of(value, link_starts))
    return g_strdup_printf("link to \"%s\"", value);
  if (strcmp(name, "src") == 0 && !starts_with_one_of(value, image_starts))
    return g_strdup_printf("source \"%s\"", value);
  return strcmp(name, "style") == 0 ? find_style_fault(value) : NULL;
}

/* Only the reader's own three meta elements. */
static gboolean
is_own_meta(const xmlNode *node)
{
  for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
    const char *value =
        attr->children != NULL ? (const char *) attr->children->content : "";
    if (strcmp((const char *) attr->name, "http-equiv") == 0 &&
        strcmp(value, "Content-Security-Policy") != 0)
      return FALSE;
  }
  return TRUE;
}

static char *
find_element_fault(const xmlNode *node, gboolean is_document)
{
  const char *name = (const char *) node->name;
  gboolean known = g_strv_contains(content_elements, name) ||
                   (is_document && g_strv_contains(head_elements, name));
  gboolean is_misplaced =
      strcmp(name, "style") == 0 &&
      (node->parent == NULL || strcmp((const char *) node->parent->name, "head") != 0);
  if (!known || is_misplaced || (strcmp(name, "meta") == 0 && !is_own_meta(node)))
    return g_strdup_printf("element %s", name);
  for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
    char *fault = find_attribute_fault(attr, is_document);
    if (fault != NULL)
      return fault;
  }
  return NULL;
}

static char *
find_node_fault(const xmlNode *node, gboolean is_document)
{
  switch ((int) node->type) {
  case XML_ELEMENT_NODE:
    return find_element_fault(node, is_document);
  case XML_TEXT_NODE:
  case XML_DTD_NODE:
    return NULL;
  case XML_CDATA_SECTION_NODE: /* libxml2's way with the text of style */
    if (is_document && node->parent != NULL &&
        strcmp((const char *) node->parent->name, "style") == 0)
      return NULL;
    return g_strdup("raw text");
  default:
    return g_strdup_printf("a node of type %d", (int) node->type);
  }
}

/* The node after NODE in document order, or NULL. */
static const xmlNode *
next_node(const xmlNode *node)
{
  if (node->type == XML_ELEMENT_NODE && node->children != NULL)
    return node->children;
  while (node != NULL && node->next == NULL)
    node = node->parent != NULL && node->parent->type == XML_ELEMENT_NODE ? node->parent
                                                                          : NULL;
  return node != NULL ? node->next : NULL;
}

char *
harmless_find_fault(const char *html, gsize len, gboolean is_document)
{
  htmlDocPtr document = htmlReadMemory(html, (int) len, NULL, "UTF-8",
                                       HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
                                           HTML_PARSE_NOWARNING | HTML_PARSE_NONET);
  char *fault = NULL;
  if (document == NULL)
    return NULL;
  for (const xmlNode *node = document->children; node != NULL && fault == NULL;
       node = next_node(node))
    fault = find_node_fault(node, is_document);
  xmlFreeDoc(document);
  return fault;
}
