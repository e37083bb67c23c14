/*
 * html_text.c - HTML as text to read, for who asked for text and for replies.
 */
#include <string.h>

#include "reader/html.h"
#include "reader/html_tree.h"

#define QUOTE_MAX_DEPTH 10
#define ALT_MAX_BYTES   500

/* Where the text stands. */
typedef struct {
  GString *out;
  gsize begin;         /* where our part of out begins */
  guint breaks;        /* line ends to write before the next word */
  char gap;            /* the white space to write before it, or NUL */
  gboolean after_mark; /* the mark of a list item stands there: its words follow */
  gboolean row_begun;  /* the next cell is not the first of its row */
  guint pre_depth;     /* white space counts */
  guint quote_depth;
  guint list_number; /* of the next item; 0 in a list without numbers */
} TextState;

static const char *const paragraphs[] = {"address", "blockquote", "dl", "h1",   "h2",
                                         "h3",      "h4",         "h5", "h6",   "ol",
                                         "p",       "pre",        "ul", "table"};
static const char *const lines[] = {"caption", "center", "dd", "div",   "dt",
                                    "li",      "tbody",  "tr", "thead", "tfoot"};

static gboolean
is_among(const char *name, const char *const *names, gsize count)
{
  for (gsize i = 0; i < count; i++)
    if (strcmp(names[i], name) == 0)
      return TRUE;
  return FALSE;
}

/* How many line ends stand around element NODE. */
static guint
breaks_around(const xmlNode *node)
{
  const char *name = (const char *) node->name;
  if (is_among(name, paragraphs, G_N_ELEMENTS(paragraphs)))
    return 2;
  if (is_among(name, lines, G_N_ELEMENTS(lines)) || html_tree_fate(node) == HTML_BLOCK)
    return 1;
  return 0;
}

static void
want_breaks(TextState *state, guint count)
{
  if (!state->after_mark)
    state->breaks = MAX(state->breaks, count);
}

static void
append_quote_marks(TextState *state, const char *mark)
{
  for (guint i = 0; i < MIN(state->quote_depth, QUOTE_MAX_DEPTH); i++)
    g_string_append(state->out, mark);
}

/* Writes the line ends or the gap that were wanted before the word that comes now. */
static void
begin_word(TextState *state)
{
  gboolean at_begin = state->out->len == state->begin;
  if (state->breaks == 0 && !at_begin) {
    if (state->gap != '\0')
      g_string_append_c(state->out, state->gap);
  } else {
    for (; state->breaks > 0 && !at_begin; state->breaks--) {
      g_string_append_c(state->out, '\n');
      if (state->breaks > 1)
        append_quote_marks(state, ">");
    }
    append_quote_marks(state, "> ");
  }
  state->breaks = 0;
  state->gap = '\0';
  state->after_mark = FALSE;
}

static void
append_words(TextState *state, const char *text)
{
  gboolean keep = state->pre_depth > 0;
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);
    gboolean blank = c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0xa0;
    if (keep && c == '\n') {
      state->breaks++;
    } else if (blank && !keep) {
      if (state->gap == '\0')
        state->gap = ' ';
    } else if (c >= 0xa0 || (c >= 0x20 && c < 0x7f) || c == '\t') {
      begin_word(state);
      g_string_append_unichar(state->out, c);
    }
  }
}

static void
append_children(TextState *state, const xmlNode *node);

/* The words of a link, and where it goes when they do not say so. */
static void
append_link(TextState *state, const xmlNode *node)
{
  const char *href = html_tree_attribute(node, "href");
  g_autofree char *clean = href != NULL ? html_clean_href(href) : NULL;
  gsize before = state->out->len;
  append_children(state, node);
  if (clean == NULL)
    return;
  const char *bare = g_ascii_strncasecmp(clean, "mailto:", 7) == 0 ? clean + 7 : clean;
  if (strstr(state->out->str + before, bare) != NULL)
    return;
  g_autofree char *shown = g_strdup_printf(" <%s>", clean);
  append_words(state, shown);
}

static void
append_item(TextState *state, const xmlNode *node)
{
  want_breaks(state, 1);
  if (state->list_number > 0) {
    g_autofree char *mark = g_strdup_printf("%u. ", state->list_number++);
    append_words(state, mark);
  } else {
    append_words(state, "- ");
  }
  state->after_mark = TRUE;
  append_children(state, node);
}

static void
append_list(TextState *state, const xmlNode *node, gboolean numbered)
{
  guint outer = state->list_number;
  state->list_number = numbered ? 1 : 0;
  append_children(state, node);
  state->list_number = outer;
}

static void
append_image_words(TextState *state, const xmlNode *node)
{
  const char *alt = html_tree_attribute(node, "alt");
  if (alt == NULL || alt[strspn(alt, " ")] == '\0' || strlen(alt) > ALT_MAX_BYTES)
    return;
  g_autofree char *shown = g_strdup_printf("[%s]", alt);
  append_words(state, shown);
}

static void
append_block(TextState *state, const xmlNode *node, const char *name)
{
  gboolean is_quote = strcmp(name, "blockquote") == 0;
  gboolean is_pre = strcmp(name, "pre") == 0;
  state->quote_depth += is_quote;
  state->pre_depth += is_pre;
  if (strcmp(name, "ul") == 0 || strcmp(name, "ol") == 0)
    append_list(state, node, name[0] == 'o');
  else if (strcmp(name, "li") == 0)
    append_item(state, node);
  else if (strcmp(name, "a") == 0)
    append_link(state, node);
  else
    append_children(state, node);
  state->pre_depth -= is_pre;
  state->quote_depth -= is_quote;
}

static void
append_text_element(TextState *state, const xmlNode *node)
{
  const char *name = (const char *) node->name;
  HtmlFate fate = html_tree_fate(node);
  if (fate == HTML_DROP)
    return;
  if (fate == HTML_UNWRAP) {
    append_children(state, node);
  } else if (strcmp(name, "br") == 0) {
    state->breaks = MIN(state->breaks + 1, 2);
  } else if (strcmp(name, "hr") == 0) {
    want_breaks(state, 1);
    append_words(state, "---");
    want_breaks(state, 1);
  } else if (strcmp(name, "img") == 0) {
    append_image_words(state, node);
  } else {
    if (strcmp(name, "td") == 0 || strcmp(name, "th") == 0) {
      if (state->row_begun)
        state->gap = '\t';
      state->row_begun = TRUE;
    } else if (strcmp(name, "tr") == 0) {
      state->row_begun = FALSE;
    }
    want_breaks(state, breaks_around(node));
    append_block(state, node, name);
    want_breaks(state, breaks_around(node));
  }
}

static void
append_children(TextState *state, const xmlNode *node)
{
  for (const xmlNode *child = node->children; child != NULL; child = child->next) {
    if (child->type == XML_ELEMENT_NODE)
      append_text_element(state, child);
    else if (child->type == XML_TEXT_NODE && child->content != NULL)
      append_words(state, (const char *) child->content);
  }
}

void
html_append_text(GString *out, const char *source, HtmlContext *context)
{
  htmlDocPtr document = html_tree_parse(source, &context->is_cut);
  const xmlNode *body = document != NULL ? html_tree_find(document, "body") : NULL;
  TextState state = {.out = out, .begin = out->len};
  if (body != NULL)
    append_children(&state, body);
  if (out->len > state.begin)
    g_string_append_c(out, '\n');
  if (document != NULL)
    xmlFreeDoc(document);
}
