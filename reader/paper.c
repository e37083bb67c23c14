#include "reader/paper.h"

#include <cairo-pdf.h>
#include <fontconfig/fontconfig.h>
#include <pango/pangocairo.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reader/html.h"

/* In points, for A4. */
#define POINTS_PER_INCH 72.0
#define PAGE_WIDTH      595.0
#define PAGE_HEIGHT     842.0
#define MARGIN          56.0
#define TEXT_BOTTOM     (PAGE_HEIGHT - MARGIN)
#define NUMBER_TOP      (PAGE_HEIGHT - MARGIN / 2 - 6.0)
#define PIECE_MAX       4000 /* bytes that are laid out at one time */
#define LINK_MIN_BYTES  8
#define CELL_FONT       "Sans 9"
#define CELL_HEAD_FONT  "Sans Bold 9"
#define CELL_GAP        6.0
#define CELL_SPACE      2.0  /* above and below the line under a row */
#define CELL_FIRST      0.34 /* of the width, for the first of several columns */
#define TAG_TABLE       "Table"
#define TAG_ROW         "TR"
#define TAG_HEAD        "TH"
#define TAG_CELL        "TD"
#define TAG_LIST        "L"
#define TAG_ITEM        "LI"
#define TAG_DOCUMENT    "Document"
#define TAG_PRIVATE     "Private" /* is not read out */

static const struct {
  const char *tag;
  const char *font;
  double space; /* below it */
} kinds[] = {
    [PAPER_TITLE] = {"H1", "Sans Bold 17", 10.0},
    [PAPER_HEADING] = {"H2", "Sans Bold 13", 6.0},
    [PAPER_TEXT] = {"P", "Sans 11", 6.0},
    [PAPER_ITEM] = {"LBody", "Sans 11", 6.0},
};

/* A link in the text that is laid out. */
typedef struct {
  gsize start;
  gsize end;
  char *attributes; /* for its tag */
} Link;

struct Paper {
  GByteArray *bytes;
  cairo_surface_t *surface;
  cairo_t *cairo;
  PangoLayout *layout;
  GArray *links; /* of Link */
  guint links_left;
  char *language;
  double y;      /* where the next line begins */
  guint columns; /* of the table that is written */
  GStrv head;    /* its first row, which each page has, or NULL */
  guint pages;
  gboolean has_cap;
  gboolean is_full;
};

/* Threads */

static GThread *font_thread; /* that reads the configuration of fonts */
static gboolean has_threads = TRUE;

/*
 * Takes the place of GLib's: Pango looks for fonts in other threads, and waits for them.
 * There are no threads in the sandbox, so what they do is done here and now. glib.h
 * declares it.
 */
GThread *
g_thread_new(const char *name, GThreadFunc function, gpointer data)
{
  if (has_threads) {
    GThread *thread = g_thread_try_new(name, function, data, NULL);
    if (thread == NULL)
      abort();
    if (font_thread == NULL)
      font_thread = g_thread_ref(thread);
    return thread;
  }
  function(data);
  return g_thread_ref(g_thread_self());
}

static void
add_directories(GPtrArray *paths, FcStrList *list)
{
  for (const FcChar8 *path; list != NULL && (path = FcStrListNext(list)) != NULL;)
    if (g_file_test((const char *) path, G_FILE_TEST_IS_DIR))
      g_ptr_array_add(paths, g_strdup((const char *) path));
  if (list != NULL)
    FcStrListDone(list);
}

char **
paper_init(void)
{
  GPtrArray *paths = g_ptr_array_new();
  FcInit();
  PangoFontMap *map = pango_cairo_font_map_get_default();
  pango_cairo_font_map_set_resolution(PANGO_CAIRO_FONT_MAP(map), POINTS_PER_INCH);
  if (font_thread != NULL)
    g_thread_join(g_steal_pointer(&font_thread));
  has_threads = FALSE;
  add_directories(paths, FcConfigGetFontDirs(NULL));
  add_directories(paths, FcConfigGetCacheDirs(NULL));
  g_ptr_array_add(paths, NULL);
  return (char **) g_ptr_array_free(paths, FALSE);
}

/* Pages */

static cairo_status_t
take_bytes(void *data, const unsigned char *bytes, unsigned int len)
{
  g_byte_array_append(data, bytes, len);
  return CAIRO_STATUS_SUCCESS;
}

static void
link_clear(gpointer p)
{
  Link *link = p;
  g_free(link->attributes);
}

Paper *
paper_new(const char *title, const char *author, GDateTime *date, const char *language)
{
  Paper *paper = g_new0(Paper, 1);
  g_autofree char *written =
      date != NULL ? g_date_time_format(date, "%Y-%m-%dT%H:%M:%S%:z") : NULL;
  paper->bytes = g_byte_array_new();
  paper->surface = cairo_pdf_surface_create_for_stream(take_bytes, paper->bytes, PAGE_WIDTH,
                                                       PAGE_HEIGHT);
  cairo_pdf_surface_set_metadata(paper->surface, CAIRO_PDF_METADATA_TITLE, title);
  cairo_pdf_surface_set_metadata(paper->surface, CAIRO_PDF_METADATA_AUTHOR, author);
  cairo_pdf_surface_set_metadata(paper->surface, CAIRO_PDF_METADATA_CREATE_DATE,
                                 written != NULL ? written : "");
  paper->cairo = cairo_create(paper->surface);
  paper->layout = pango_cairo_create_layout(paper->cairo);
  pango_layout_set_width(paper->layout, pango_units_from_double(PAGE_WIDTH - 2 * MARGIN));
  pango_layout_set_wrap(paper->layout, PANGO_WRAP_WORD_CHAR);
  paper->links = g_array_new(FALSE, TRUE, sizeof(Link));
  g_array_set_clear_func(paper->links, link_clear);
  paper->language = g_strdup(language);
  paper->links_left = PAPER_MAX_LINKS;
  paper->y = MARGIN;
  paper->pages = 1;
  paper->has_cap = TRUE;
  cairo_tag_begin(paper->cairo, TAG_DOCUMENT, NULL);
  return paper;
}

static void
end_page(Paper *paper)
{
  g_autofree char *number = g_strdup_printf("%u", paper->pages);
  PangoLayout *layout = pango_cairo_create_layout(paper->cairo);
  PangoFontDescription *font = pango_font_description_from_string("Sans 9");
  pango_layout_set_font_description(layout, font);
  pango_layout_set_text(layout, number, -1);
  cairo_tag_begin(paper->cairo, TAG_PRIVATE, NULL);
  cairo_move_to(paper->cairo, PAGE_WIDTH / 2, NUMBER_TOP);
  pango_cairo_show_layout(paper->cairo, layout);
  cairo_tag_end(paper->cairo, TAG_PRIVATE);
  pango_font_description_free(font);
  g_object_unref(layout);
  cairo_show_page(paper->cairo);
}

/* Goes to the next page; FALSE when there is none. TAG is open before and after. */
static gboolean
break_page(Paper *paper, const char *tag)
{
  gboolean is_late = clock() >= (clock_t) PAPER_MAX_CPU_S * CLOCKS_PER_SEC;
  if (paper->has_cap && (paper->pages == PAPER_MAX_PAGES || is_late)) {
    paper->is_full = TRUE;
    return FALSE;
  }
  cairo_tag_end(paper->cairo, tag);
  end_page(paper);
  paper->pages++;
  paper->y = MARGIN;
  cairo_tag_begin(paper->cairo, tag, NULL);
  return TRUE;
}

/* Links */

/* Where the address that begins at P ends; what ends a sentence is no part of it. */
static const char *
end_of_address(const char *p)
{
  const char *end = p;
  while ((guchar) *end > ' ' && strchr("<>\"", *end) == NULL)
    end++;
  while (end > p && strchr(".,;:!?)]'", end[-1]) != NULL)
    end--;
  return end;
}

/*
 * The attributes of a link to HREF (from html_clean_href, so without quotes and
 * backslashes). Cairo 1.16 writes an address into the document as it is: a parenthesis
 * would end it, and what follows be part of the document.
 */
static char *
link_attributes(const char *href)
{
  GString *attributes = g_string_new("uri='");
  for (const char *p = href; *p != '\0'; p++) {
    if (*p == '(' || *p == ')')
      g_string_append_printf(attributes, "%%%02X", (guchar) *p);
    else
      g_string_append_c(attributes, *p);
  }
  return g_string_free(g_string_append_c(attributes, '\''), FALSE);
}

/* Finds the addresses in TEXT, and has them stand in runs of their own. */
static void
find_links(Paper *paper, const char *text, PangoAttrList *attributes)
{
  static const char *const schemes[] = {"http://", "https://", "mailto:"};
  g_array_set_size(paper->links, 0);
  for (const char *p = text; *p != '\0' && paper->links_left > 0; p++) {
    gboolean found = FALSE;
    gboolean is_within = p > text && g_ascii_isalnum(p[-1]);
    for (gsize i = 0; i < G_N_ELEMENTS(schemes) && !found && !is_within; i++)
      found = g_ascii_strncasecmp(p, schemes[i], strlen(schemes[i])) == 0;
    if (!found)
      continue;
    const char *end = end_of_address(p);
    g_autofree char *address = g_strndup(p, (gsize) (end - p));
    g_autofree char *href = html_clean_href(address);
    if (href == NULL || end - p < LINK_MIN_BYTES)
      continue;
    Link link = {(gsize) (p - text), (gsize) (end - text), link_attributes(href)};
    g_array_append_val(paper->links, link);
    paper->links_left--;
    PangoAttribute *color = pango_attr_foreground_new(0, 0, 0x9999);
    color->start_index = (guint) link.start;
    color->end_index = (guint) link.end;
    pango_attr_list_insert(attributes, color);
    p = end - 1;
  }
}

static const Link *
link_at(const Paper *paper, gsize offset)
{
  for (guint i = 0; i < paper->links->len; i++) {
    const Link *link = &g_array_index(paper->links, Link, i);
    if (offset >= link->start && offset < link->end)
      return link;
  }
  return NULL;
}

/* Text */

/* Draws LINE with its baseline at Y, from X: run by run, for the links. */
static void
draw_line(Paper *paper, PangoLayoutLine *line, double x, double y)
{
  const char *text = pango_layout_get_text(paper->layout);
  for (GSList *at = line->runs; at != NULL; at = at->next) {
    PangoGlyphItem *run = at->data;
    const Link *link = link_at(paper, (gsize) run->item->offset);
    if (link != NULL) {
      cairo_tag_begin(paper->cairo, CAIRO_TAG_LINK, link->attributes);
      cairo_set_source_rgb(paper->cairo, 0, 0, 0.6);
    }
    cairo_move_to(paper->cairo, x, y);
    pango_cairo_show_glyph_item(paper->cairo, text, run);
    if (link != NULL) {
      cairo_tag_end(paper->cairo, CAIRO_TAG_LINK);
      cairo_set_source_rgb(paper->cairo, 0, 0, 0);
    }
    x += pango_units_to_double(pango_glyph_string_get_width(run->glyphs));
  }
}

/* Draws what is laid out, on as many pages as it takes. TAG is open. */
static void
draw_lines(Paper *paper, const char *tag)
{
  PangoLayoutIter *iter = pango_layout_get_iter(paper->layout);
  do {
    PangoRectangle box;
    pango_layout_iter_get_line_extents(iter, NULL, &box);
    double height = pango_units_to_double(box.height);
    double above = pango_units_to_double(pango_layout_iter_get_baseline(iter) - box.y);
    if (paper->y + height > TEXT_BOTTOM && !break_page(paper, tag))
      break;
    draw_line(paper, pango_layout_iter_get_line_readonly(iter),
              MARGIN + pango_units_to_double(box.x), paper->y + above);
    paper->y += height;
  } while (pango_layout_iter_next_line(iter));
  pango_layout_iter_free(iter);
}

/* How many of the LEN bytes at TEXT are laid out at one time: to the end of a line or word,
 * if there is one. */
static gsize
piece_length(const char *text, gsize len)
{
  if (len <= PIECE_MAX)
    return len;
  for (gsize i = PIECE_MAX; i > PIECE_MAX / 2; i--)
    if (text[i - 1] == '\n')
      return i;
  for (gsize i = PIECE_MAX; i > PIECE_MAX / 2; i--)
    if (text[i - 1] == ' ')
      return i;
  return (gsize) (g_utf8_find_prev_char(text, text + PIECE_MAX + 1) - text);
}

static void
write_piece(Paper *paper, PaperKind kind, const char *text, gsize bold)
{
  PangoAttrList *attributes = pango_attr_list_new();
  PangoFontDescription *font = pango_font_description_from_string(kinds[kind].font);
  pango_layout_set_font_description(paper->layout, font);
  if (bold > 0) {
    PangoAttribute *weight = pango_attr_weight_new(PANGO_WEIGHT_BOLD);
    weight->start_index = 0;
    weight->end_index = (guint) bold;
    pango_attr_list_insert(attributes, weight);
  }
  find_links(paper, text, attributes);
  pango_layout_set_text(paper->layout, text, -1);
  pango_layout_set_attributes(paper->layout, attributes);
  cairo_tag_begin(paper->cairo, kinds[kind].tag, NULL);
  draw_lines(paper, kinds[kind].tag);
  cairo_tag_end(paper->cairo, kinds[kind].tag);
  pango_font_description_free(font);
  pango_attr_list_unref(attributes);
}

void
paper_write(Paper *paper, PaperKind kind, const char *text, gsize bold)
{
  gsize len = strlen(text);
  if (kind == PAPER_ITEM)
    cairo_tag_begin(paper->cairo, TAG_ITEM, NULL);
  while (len > 0 && !paper->is_full) {
    gsize part = piece_length(text, len);
    /* a line feed at the end would be one more, empty line */
    gsize shown = text[part - 1] == '\n' ? part - 1 : part;
    g_autofree char *piece = g_strndup(text, shown);
    write_piece(paper, kind, piece, MIN(bold, shown));
    bold -= MIN(bold, part);
    text += part;
    len -= part;
  }
  if (kind == PAPER_ITEM)
    cairo_tag_end(paper->cairo, TAG_ITEM);
  paper->y += kinds[kind].space;
}

void
paper_begin_list(Paper *paper)
{
  cairo_tag_begin(paper->cairo, TAG_LIST, NULL);
}

void
paper_end_list(Paper *paper)
{
  cairo_tag_end(paper->cairo, TAG_LIST);
}

gboolean
paper_is_full(const Paper *paper)
{
  return paper->is_full;
}

void
paper_end_cap(Paper *paper)
{
  paper->has_cap = FALSE;
  paper->is_full = FALSE;
}

/* Tables */

void
paper_begin_table(Paper *paper, guint columns)
{
  paper->columns = columns;
  g_clear_pointer(&paper->head, g_strfreev);
  cairo_tag_begin(paper->cairo, TAG_TABLE, NULL);
}

void
paper_end_table(Paper *paper)
{
  cairo_tag_end(paper->cairo, TAG_TABLE);
  pango_layout_set_width(paper->layout, pango_units_from_double(PAGE_WIDTH - 2 * MARGIN));
  pango_layout_set_alignment(paper->layout, PANGO_ALIGN_LEFT);
  paper->y += kinds[PAPER_TEXT].space;
}

/* Lays out the TEXT of column I; *X gets where it begins. Its height. */
static double
lay_out_cell(Paper *paper, guint i, const char *text, gboolean is_head, double *x)
{
  double all = PAGE_WIDTH - 2 * MARGIN;
  double first = paper->columns > 1 ? all * CELL_FIRST : all;
  double other = paper->columns > 1 ? (all - first) / (paper->columns - 1) : 0;
  double width = i == 0 ? first : other - CELL_GAP;
  PangoFontDescription *font =
      pango_font_description_from_string(is_head ? CELL_HEAD_FONT : CELL_FONT);
  PangoRectangle box;
  *x = i == 0 ? MARGIN : MARGIN + first + other * (i - 1) + CELL_GAP;
  pango_layout_set_font_description(paper->layout, font);
  pango_layout_set_attributes(paper->layout, NULL);
  pango_layout_set_width(paper->layout, pango_units_from_double(width));
  pango_layout_set_alignment(paper->layout, i == 0 ? PANGO_ALIGN_LEFT : PANGO_ALIGN_RIGHT);
  pango_layout_set_text(paper->layout, text, -1);
  pango_layout_get_extents(paper->layout, NULL, &box);
  pango_font_description_free(font);
  return pango_units_to_double(box.height);
}

/* Draws the text of column I, of a row that is HEIGHT high. The line below it all belongs
 * to the last cell: by itself it would be something in a table that is no row. */
static void
draw_cell(Paper *paper, guint i, const char *text, gboolean is_head, double height)
{
  double x, bottom = paper->y + height + CELL_SPACE;
  lay_out_cell(paper, i, text, is_head, &x);
  const char *tag = i == 0 || is_head ? TAG_HEAD : TAG_CELL;
  cairo_tag_begin(paper->cairo, tag, NULL);
  cairo_move_to(paper->cairo, x, paper->y);
  pango_cairo_show_layout(paper->cairo, paper->layout);
  if (i + 1 == paper->columns) {
    cairo_set_line_width(paper->cairo, is_head ? 0.8 : 0.3);
    cairo_move_to(paper->cairo, MARGIN, bottom);
    cairo_line_to(paper->cairo, PAGE_WIDTH - MARGIN, bottom);
    cairo_stroke(paper->cairo);
  }
  cairo_tag_end(paper->cairo, tag);
}

static void
draw_row(Paper *paper, const char *const *cells, gboolean is_head, double height)
{
  cairo_tag_begin(paper->cairo, TAG_ROW, NULL);
  for (guint i = 0; i < paper->columns; i++)
    draw_cell(paper, i, cells[i], is_head, height);
  cairo_tag_end(paper->cairo, TAG_ROW);
  paper->y += height + 2 * CELL_SPACE;
}

static double
row_height(Paper *paper, const char *const *cells, gboolean is_head)
{
  double height = 0, x;
  for (guint i = 0; i < paper->columns; i++)
    height = MAX(height, lay_out_cell(paper, i, cells[i], is_head, &x));
  return height;
}

void
paper_write_row(Paper *paper, const char *const *cells, gboolean is_head)
{
  double height = row_height(paper, cells, is_head);
  if (is_head) {
    g_strfreev(paper->head);
    paper->head = g_strdupv((char **) cells);
  }
  if (paper->is_full)
    return;
  if (paper->y + height > TEXT_BOTTOM) { /* another table, with the same head */
    if (!break_page(paper, TAG_TABLE))
      return;
    const char *const *head = (const char *const *) paper->head;
    if (!is_head && head != NULL)
      draw_row(paper, head, TRUE, row_height(paper, head, TRUE));
  }
  draw_row(paper, cells, is_head, height);
}

/* The end */

/* The last NEEDLE in BYTES, or NULL. */
static guint8 *
find_last(GByteArray *bytes, const char *needle)
{
  gsize len = strlen(needle);
  for (gsize i = bytes->len; i >= len; i--)
    if (memcmp(bytes->data + i - len, needle, len) == 0)
      return bytes->data + i - len;
  return NULL;
}

/*
 * Says in the catalog which language the document is in, and that its title is what to
 * show, for which Cairo has no call. The catalog is the last object before the table of
 * objects: of all positions only that of the table changes. FALSE when it is not so.
 */
static gboolean
add_language(GByteArray *bytes, const char *language)
{
  static const char mark[] = "/MarkInfo << /Marked true >>\n";
  const guint8 *at = find_last(bytes, mark);
  const guint8 *start = find_last(bytes, "startxref\n");
  if (at == NULL || start == NULL || at > start)
    return FALSE;
  g_autofree char *entry = g_strdup_printf("   /Lang (%s)\n   /ViewerPreferences "
                                           "<< /DisplayDocTitle true >>\n",
                                           language);
  g_autofree char *tail =
      g_strndup((const char *) start, (gsize) (bytes->data + bytes->len - start));
  g_auto(GStrv) words = g_strsplit_set(tail, "\r\n", 0); /* startxref, NUMBER, %%EOF */
  gsize head = (gsize) (at - bytes->data) + strlen(mark);
  gsize middle = (gsize) (start - bytes->data);
  guint64 position = 0;
  if (!g_ascii_string_to_unsigned(words[1], 10, head, middle, &position, NULL))
    return FALSE;
  GByteArray *out = g_byte_array_sized_new(bytes->len + 128);
  g_autofree char *end = g_strdup_printf("startxref\n%" G_GUINT64_FORMAT "\n%%%%EOF\n",
                                         position + strlen(entry));
  g_byte_array_append(out, bytes->data, (guint) head);
  g_byte_array_append(out, (const guint8 *) entry, (guint) strlen(entry));
  g_byte_array_append(out, bytes->data + head, (guint) (middle - head));
  g_byte_array_append(out, (const guint8 *) end, (guint) strlen(end));
  g_byte_array_set_size(bytes, 0);
  g_byte_array_append(bytes, out->data, out->len);
  g_byte_array_unref(out);
  return TRUE;
}

GByteArray *
paper_finish(Paper *paper)
{
  GByteArray *bytes = paper->bytes;
  end_page(paper);
  cairo_tag_end(paper->cairo, TAG_DOCUMENT);
  g_object_unref(paper->layout);
  cairo_destroy(paper->cairo);
  cairo_surface_finish(paper->surface);
  gboolean is_good = cairo_surface_status(paper->surface) == CAIRO_STATUS_SUCCESS &&
                     add_language(bytes, paper->language);
  cairo_surface_destroy(paper->surface);
  g_array_unref(paper->links);
  g_free(paper->language);
  g_strfreev(paper->head);
  g_free(paper);
  if (is_good)
    return bytes;
  g_byte_array_unref(bytes);
  return NULL;
}
