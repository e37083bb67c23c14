#include "reader/html_tree.h"

#include <stdlib.h>
#include <string.h>

#include "reader/html.h"

#define FOREIGN_NAME "foreign"

#define NAMES_MAX 2000 /* open elements: libxml2 searches them all at every end tag */

#ifndef HTML_PARSE_IGNORE_ENC
#define HTML_PARSE_IGNORE_ENC (1 << 21)
#endif

/*
 * Sorted by name. What is not here is unwrapped: also bgsound, embed, keygen, source and
 * track, which are empty, but libxml2 does not know that and puts what follows into them.
 */
static const struct {
  const char *name;
  HtmlFate fate;
} fates[] = {
    {"a", HTML_KEEP},          {"abbr", HTML_KEEP},      {"address", HTML_KEEP},
    {"applet", HTML_DROP},     {"area", HTML_DROP},      {"article", HTML_BLOCK},
    {"aside", HTML_BLOCK},     {"audio", HTML_DROP},     {"b", HTML_KEEP},
    {"base", HTML_DROP},       {"big", HTML_KEEP},       {"blockquote", HTML_KEEP},
    {"body", HTML_BLOCK},      {"br", HTML_VOID},        {"canvas", HTML_DROP},
    {"caption", HTML_KEEP},    {"center", HTML_KEEP},    {"cite", HTML_KEEP},
    {"code", HTML_KEEP},       {"col", HTML_VOID},       {"colgroup", HTML_KEEP},
    {"datalist", HTML_DROP},   {"dd", HTML_KEEP},        {"del", HTML_KEEP},
    {"details", HTML_BLOCK},   {"dialog", HTML_BLOCK},   {"dir", HTML_BLOCK},
    {"div", HTML_KEEP},        {"dl", HTML_KEEP},        {"dt", HTML_KEEP},
    {"em", HTML_KEEP},         {"fieldset", HTML_BLOCK}, {"figcaption", HTML_BLOCK},
    {"figure", HTML_BLOCK},    {"font", HTML_KEEP},      {"footer", HTML_BLOCK},
    {"form", HTML_BLOCK},      {"frame", HTML_DROP},     {"frameset", HTML_DROP},
    {"h1", HTML_KEEP},         {"h2", HTML_KEEP},        {"h3", HTML_KEEP},
    {"h4", HTML_KEEP},         {"h5", HTML_KEEP},        {"h6", HTML_KEEP},
    {"head", HTML_DROP},       {"header", HTML_BLOCK},   {"hgroup", HTML_BLOCK},
    {"hr", HTML_VOID},         {"html", HTML_BLOCK},     {"i", HTML_KEEP},
    {"iframe", HTML_DROP},     {"img", HTML_VOID},       {"input", HTML_DROP},
    {"ins", HTML_KEEP},        {"kbd", HTML_KEEP},       {"legend", HTML_BLOCK},
    {"li", HTML_KEEP},         {"link", HTML_DROP},      {"listing", HTML_BLOCK},
    {"main", HTML_BLOCK},      {"map", HTML_DROP},       {"math", HTML_DROP},
    {"menu", HTML_BLOCK},      {"meta", HTML_DROP},      {"meter", HTML_DROP},
    {"nav", HTML_BLOCK},       {"noembed", HTML_DROP},   {"noframes", HTML_DROP},
    {"noscript", HTML_BLOCK},  {"object", HTML_DROP},    {"ol", HTML_KEEP},
    {"option", HTML_DROP},     {"p", HTML_KEEP},         {"param", HTML_DROP},
    {"plaintext", HTML_BLOCK}, {"pre", HTML_KEEP},       {"progress", HTML_DROP},
    {"q", HTML_KEEP},          {"s", HTML_KEEP},         {"samp", HTML_KEEP},
    {"script", HTML_DROP},     {"search", HTML_BLOCK},   {"section", HTML_BLOCK},
    {"select", HTML_DROP},     {"small", HTML_KEEP},     {"span", HTML_KEEP},
    {"strike", HTML_KEEP},     {"strong", HTML_KEEP},    {"style", HTML_DROP},
    {"sub", HTML_KEEP},        {"summary", HTML_BLOCK},  {"sup", HTML_KEEP},
    {"svg", HTML_DROP},        {"table", HTML_KEEP},     {"tbody", HTML_KEEP},
    {"td", HTML_KEEP},         {"template", HTML_DROP},  {"textarea", HTML_DROP},
    {"tfoot", HTML_KEEP},      {"th", HTML_KEEP},        {"thead", HTML_KEEP},
    {"title", HTML_DROP},      {"tr", HTML_KEEP},        {"tt", HTML_KEEP},
    {"u", HTML_KEEP},          {"ul", HTML_KEEP},        {"var", HTML_KEEP},
    {"video", HTML_DROP},      {"xml", HTML_DROP}, /* Office's settings */
    {"xmp", HTML_BLOCK},
};

/* The parser's own handlers, and how deep it is. */
typedef struct {
  startElementSAXFunc start;
  endElementSAXFunc end;
  guint depth;
  gboolean is_stopped;
} Depth;

static int
compare_fate(const void *key, const void *row)
{
  const char *const *name = row; /* the first member */
  return strcmp(key, *name);
}

HtmlFate
html_tree_fate(const xmlNode *node)
{
  const void *row =
      bsearch(node->name, fates, G_N_ELEMENTS(fates), sizeof fates[0], compare_fate);
  if (row == NULL)
    return HTML_UNWRAP;
  return fates[(gsize) ((const char *) row - (const char *) fates) / sizeof fates[0]].fate;
}

const char *
html_tree_attribute(const xmlNode *node, const char *name)
{
  for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next)
    if (strcmp((const char *) attr->name, name) == 0)
      return attr->children != NULL ? (const char *) attr->children->content : "";
  return NULL;
}

const xmlNode *
html_tree_find(htmlDocPtr document, const char *name)
{
  const xmlNode *root = xmlDocGetRootElement(document);
  if (root == NULL || strcmp((const char *) root->name, name) == 0)
    return root;
  for (const xmlNode *node = root->children; node != NULL; node = node->next)
    if (node->type == XML_ELEMENT_NODE && strcmp((const char *) node->name, name) == 0)
      return node;
  return NULL;
}

/*
 * libxml2's tree forgets prefixes, and Office's o:p would be a paragraph: such an element
 * is built under a name that nothing else has. It also gives up at 256 levels, and the rest
 * of the message would be gone. So elements below our limit are not told to the tree
 * builder; their text is.
 */
static void
start_element(void *data, const xmlChar *name, const xmlChar **attributes)
{
  htmlParserCtxtPtr parser = data;
  Depth *depth = parser->_private;
  if (++depth->depth <= HTML_TREE_MAX_DEPTH) {
    const xmlChar *plain = xmlStrchr(name, ':') != NULL ? BAD_CAST FOREIGN_NAME : name;
    depth->start(data, plain, attributes);
  } else if (depth->depth > NAMES_MAX) {
    depth->is_stopped = TRUE;
    xmlStopParser(parser);
  }
}

static void
end_element(void *data, const xmlChar *name)
{
  htmlParserCtxtPtr parser = data;
  Depth *depth = parser->_private;
  if (depth->depth == 0)
    return;
  if (depth->depth-- <= HTML_TREE_MAX_DEPTH)
    depth->end(data, name);
}

/*
 * SOURCE, at most LEN bytes of it, without Office's marked sections ("<![if !vml]>",
 * "<![endif]>"), which libxml2 takes for text. Comments are left alone: those hide their
 * own.
 */
static GString *
drop_marked_sections(const char *source, gsize len)
{
  GString *plain = g_string_sized_new(len);
  const char *end = source + len;
  while (source < end) {
    const char *section = memmem(source, (gsize) (end - source), "<!", 2);
    const char *stop = section != NULL ? section : end;
    gboolean is_comment = end - stop >= 4 && memcmp(stop, "<!--", 4) == 0;
    gboolean is_section = end - stop >= 3 && memcmp(stop, "<![", 3) == 0;
    g_string_append_len(plain, source, stop - source);
    const char *mark = is_comment ? "-->" : ">";
    const char *close =
        stop < end ? memmem(stop, (gsize) (end - stop), mark, strlen(mark)) : NULL;
    source = close != NULL ? close + strlen(mark) : end;
    if (!is_section)
      g_string_append_len(plain, stop, source - stop);
  }
  return plain;
}

htmlDocPtr
html_tree_parse(const char *source, gboolean *is_cut)
{
  gsize len = strlen(source);
  if (len > HTML_MAX_BYTES) {
    len = (gsize) (g_utf8_find_prev_char(source, source + HTML_MAX_BYTES + 1) - source);
    *is_cut = TRUE;
  }
  htmlParserCtxtPtr parser = htmlNewParserCtxt();
  if (parser == NULL)
    return NULL;
  g_autoptr(GString) plain = drop_marked_sections(source, len);
  Depth depth = {parser->sax->startElement, parser->sax->endElement, 0, FALSE};
  parser->_private = &depth;
  parser->sax->startElement = start_element;
  parser->sax->endElement = end_element;
  parser->sax->comment = NULL;
  parser->sax->processingInstruction = NULL;
  htmlDocPtr document =
      htmlCtxtReadMemory(parser, plain->str, (int) plain->len, NULL, "UTF-8",
                         HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                             HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC);
  if (depth.is_stopped)
    *is_cut = TRUE;
  htmlFreeParserCtxt(parser);
  return document;
}
