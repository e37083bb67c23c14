/*
 * A sheet as HTML. There is one way for text into the document, append_text: it escapes.
 */
#include <string.h>

#include "zegelctl/language.h"
#include "zegelctl/sheet.h"

/* In units of the picture. */
#define WIDTH        720
#define HEIGHT       260
#define LEFT         56
#define RIGHT        8
#define TOP          12
#define BOTTOM       40
#define LABEL_WIDTH  74 /* of the name of a row */
#define BAR_MAX      48
#define STEPS        4 /* lines behind the bars */
#define NUMBER_BYTES G_ASCII_DTOSTR_BUF_SIZE

static const char style[] =
    ":root{color-scheme:light "
    "dark;--ink:#1a1a1a;--paper:#fff;--line:#8a8a8a;--soft:#f2f4f6;"
    "--c0:#1d5b8f;--c1:#b45309;--c2:#3f6f21;--c3:#7b3fa0}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#ececec;--paper:#161a1e;--line:#8a929a;"
    "--soft:#22282e;--c0:#7ab8ea;--c1:#f0a95b;--c2:#9bd06f;--c3:#cf9ff0}}\n"
    "body{font:1rem/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "max-width:60rem;margin:0 auto;padding:1rem}\n"
    "h1{font-size:1.6rem;line-height:1.25}h2{font-size:1.25rem;margin-top:2.5rem}\n"
    "p{max-width:42rem}\n"
    ".wide{overflow-x:auto;margin:1rem 0}\n"
    ".wide:focus-visible{outline:3px solid var(--c0);outline-offset:2px}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
    "caption{text-align:left;font-weight:600;padding:0 0 .4rem}\n"
    "th,td{padding:.25rem .75rem;border-bottom:1px solid var(--line);text-align:right;"
    "vertical-align:bottom}\n"
    "th:first-child{text-align:left}tbody th{font-weight:400;overflow-wrap:anywhere}\n"
    "thead th{background:var(--soft)}\n"
    ".total th,.total td{font-weight:700;border-top:2px solid var(--ink)}\n"
    "figure{margin:1.5rem 0 0}figcaption{font-weight:600}\n"
    "svg{width:100%;min-width:30rem;max-width:45rem;height:auto;display:block}\n"
    "svg text{fill:var(--ink);font-size:13px}\n"
    "svg line{stroke:var(--line);stroke-width:1}\n"
    "svg rect{stroke:var(--paper);stroke-width:1}\n"
    ".s0{fill:var(--c0)}.s1{fill:var(--c1)}.s2{fill:var(--c2)}.s3{fill:var(--c3)}\n"
    "@media print{:root{--ink:#000;--paper:#fff;--line:#777;--soft:#fff;--c0:#1d5b8f;"
    "--c1:#b45309;--c2:#3f6f21;--c3:#7b3fa0}body{max-width:none;padding:0;font-size:10pt}"
    ".wide{overflow:visible}thead{display:table-header-group}"
    "tr,figure{break-inside:avoid}h2{break-after:avoid}}\n";

/* ---- Text ---- */

static void
append_text(GString *out, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
    gunichar letter = g_utf8_get_char(p);
    if (letter == '<')
      g_string_append(out, "&lt;");
    else if (letter == '>')
      g_string_append(out, "&gt;");
    else if (letter == '&')
      g_string_append(out, "&amp;");
    else if (letter == '"')
      g_string_append(out, "&quot;");
    else if (g_unichar_iscntrl(letter))
      g_string_append_c(out, '?');
    else
      g_string_append_unichar(out, letter);
  }
}

static void
append_element(GString *out, const char *tag, const char *text)
{
  g_string_append_printf(out, "<%s>", tag);
  append_text(out, text);
  g_string_append_printf(out, "</%s>\n", tag);
}

/* ---- Pictures ---- */

/* A number of the picture, with a point whatever the locale. */
static void
append_number(GString *out, const char *name, gdouble value)
{
  char text[NUMBER_BYTES];
  g_ascii_formatd(text, sizeof text, "%.1f", value);
  g_string_append_printf(out, " %s=\"%s\"", name, text);
}

static guint64
cell_number(GStrv row, guint column)
{
  guint64 number = 0;
  if (!g_ascii_string_to_unsigned(row[column], 10, 0, G_MAXUINT64, &number, NULL))
    return 0;
  return number;
}

/* How many rows are drawn: a sum of them would dwarf them. */
static guint
drawn_rows(const SheetPiece *table)
{
  return table->rows->len - (table->total ? 1 : 0);
}

static guint64
row_sum(const SheetPiece *table, guint i)
{
  guint64 sum = 0;
  for (guint column = 1; column <= table->bars; column++)
    sum += cell_number(table->rows->pdata[i], column);
  return sum;
}

static guint64
highest(const SheetPiece *table)
{
  guint64 most = 0;
  for (guint i = 0; i < drawn_rows(table); i++)
    most = MAX(most, row_sum(table, i));
  return most;
}

/* The least top of a scale of round steps that is not below MOST. */
static guint64
round_up(guint64 most)
{
  static const guint64 steps[] = {1, 2, 3, 5, 10, 15, 20, 25, 30, 40, 50, 60, 80};
  for (guint64 scale = 1;; scale *= 10)
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++)
      if (STEPS * steps[i] * scale >= most)
        return STEPS * steps[i] * scale;
}

static void
append_svg_text(GString *out, gdouble x, gdouble y, const char *anchor, const char *text)
{
  g_string_append(out, "<text");
  append_number(out, "x", x);
  append_number(out, "y", y);
  g_string_append_printf(out, " text-anchor=\"%s\">", anchor);
  append_text(out, text);
  g_string_append(out, "</text>\n");
}

static void
append_scale(GString *out, guint64 top)
{
  for (guint i = 0; i <= STEPS; i++) {
    gdouble y = HEIGHT - BOTTOM - (gdouble) (HEIGHT - TOP - BOTTOM) * i / STEPS;
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, top / STEPS * i);
    g_string_append(out, "<line");
    append_number(out, "x1", LEFT);
    append_number(out, "x2", WIDTH - RIGHT);
    append_number(out, "y1", y);
    append_number(out, "y2", y);
    g_string_append(out, "/>\n");
    append_svg_text(out, LEFT - 6, y + 4, "end", number);
  }
}

static void
append_bar(GString *out, const SheetPiece *table, guint i, gdouble x, gdouble width,
           guint64 top)
{
  gdouble y = HEIGHT - BOTTOM;
  for (guint column = 1; column <= table->bars; column++) {
    guint64 number = cell_number(table->rows->pdata[i], column);
    gdouble height = (gdouble) (HEIGHT - TOP - BOTTOM) * (gdouble) number / (gdouble) top;
    y -= height;
    if (number == 0)
      continue;
    g_string_append_printf(out, "<rect class=\"s%u\"", column - 1);
    append_number(out, "x", x);
    append_number(out, "y", y);
    append_number(out, "width", width);
    append_number(out, "height", height);
    g_string_append(out, "/>\n");
  }
}

static void
append_bars(GString *out, const SheetPiece *table, guint64 top)
{
  guint count = drawn_rows(table);
  guint span = WIDTH - LEFT - RIGHT;
  gdouble room = (gdouble) span / count;
  gdouble width = MIN(room * 0.8, BAR_MAX);
  guint every = (LABEL_WIDTH * count + span - 1) / span; /* rounded up */
  for (guint i = 0; i < count; i++) {
    GStrv row = table->rows->pdata[i];
    gdouble middle = LEFT + room * (i + 0.5);
    append_bar(out, table, i, middle - width / 2, width, top);
    if (i % every == 0)
      append_svg_text(out, CLAMP(middle, LEFT, WIDTH - RIGHT - LABEL_WIDTH / 2),
                      HEIGHT - 24, "middle", row[0]);
  }
}

/* Which colour means what, below the bars. */
static void
append_legend(GString *out, const SheetPiece *table)
{
  gdouble room = (gdouble) (WIDTH - LEFT - RIGHT) / table->bars;
  for (guint i = 0; i < table->bars; i++) {
    g_string_append_printf(out, "<rect class=\"s%u\" width=\"12\" height=\"12\"", i);
    append_number(out, "x", LEFT + room * i);
    append_number(out, "y", HEIGHT - 14);
    g_string_append(out, "/>\n");
    append_svg_text(out, LEFT + room * i + 18, HEIGHT - 3, "start", table->columns[i + 1]);
  }
}

static void
append_description(GString *out, const SheetPiece *table)
{
  guint most = 0, count = drawn_rows(table);
  for (guint i = 1; i < count; i++)
    if (row_sum(table, i) > row_sum(table, most))
      most = i;
  GStrv first = table->rows->pdata[0], last = table->rows->pdata[count - 1];
  GStrv row = table->rows->pdata[most];
  g_autofree char *sum = g_strdup_printf("%" G_GUINT64_FORMAT, row_sum(table, most));
  g_autofree char *text =
      g_strdup_printf(_("Bars from %s to %s. The highest is that of %s, with %s. The table "
                        "below has all numbers."),
                      first[0], last[0], row[0], sum);
  append_text(out, text);
}

/* The picture of TABLE, the NUMBER-th piece, unless there is nothing to see. */
static void
append_picture(GString *out, const SheetPiece *table, guint number)
{
  if (table->bars == 0 || table->rows->len == 0 || drawn_rows(table) == 0 ||
      highest(table) == 0)
    return;
  guint64 top = round_up(highest(table));
  g_string_append_printf(
      out,
      "<figure>\n<div class=\"wide\" tabindex=\"0\" role=\"group\" "
      "aria-labelledby=\"t%u\">\n<svg viewBox=\"0 0 %d %d\" role=\"img\" "
      "aria-labelledby=\"t%u d%u\">\n<title id=\"t%u\">",
      number, WIDTH, HEIGHT, number, number, number);
  append_text(out, table->text);
  g_string_append_printf(out, "</title>\n<desc id=\"d%u\">", number);
  append_description(out, table);
  g_string_append(out, "</desc>\n");
  append_scale(out, top);
  append_bars(out, table, top);
  append_legend(out, table);
  g_string_append(out, "</svg>\n</div>\n</figure>\n");
}

/* ---- Tables ---- */

static void
append_row(GString *out, GStrv row, gboolean total)
{
  g_string_append(out, total ? "<tr class=\"total\"><th scope=\"row\">"
                             : "<tr><th scope=\"row\">");
  append_text(out, row[0]);
  g_string_append(out, "</th>");
  for (guint i = 1; row[i] != NULL; i++) {
    g_string_append(out, "<td>");
    append_text(out, row[i]);
    g_string_append(out, "</td>");
  }
  g_string_append(out, "</tr>\n");
}

static void
append_table(GString *out, const SheetPiece *table, guint number)
{
  g_string_append_printf(out,
                         "<div class=\"wide\" tabindex=\"0\" role=\"group\" "
                         "aria-labelledby=\"c%u\">\n<table>\n<caption id=\"c%u\">",
                         number, number);
  append_text(out, table->text);
  g_string_append(out, "</caption>\n<thead>\n<tr>");
  for (char **column = table->columns; *column != NULL; column++) {
    g_string_append(out, "<th scope=\"col\">");
    append_text(out, *column);
    g_string_append(out, "</th>");
  }
  g_string_append(out, "</tr>\n</thead>\n<tbody>\n");
  for (guint i = 0; i < table->rows->len; i++)
    append_row(out, table->rows->pdata[i], table->total && i + 1 == table->rows->len);
  g_string_append(out, "</tbody>\n</table>\n</div>\n");
}

char *
sheet_format_html(const Sheet *sheet)
{
  GString *out = g_string_new("<!DOCTYPE html>\n<html lang=\"");
  append_text(out, sheet->language);
  g_string_append(out, "\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width\">\n"
                       "<meta name=\"robots\" content=\"noindex\">\n");
  append_element(out, "title", sheet->title);
  g_string_append_printf(out, "<style>\n%s</style>\n</head>\n<body>\n<main>\n", style);
  append_element(out, "h1", sheet->title);
  for (guint i = 0; i < sheet->pieces->len; i++) {
    const SheetPiece *piece = sheet->pieces->pdata[i];
    if (piece->kind == SHEET_TABLE) {
      append_picture(out, piece, i);
      append_table(out, piece, i);
    } else {
      append_element(out, piece->kind == SHEET_HEADING ? "h2" : "p", piece->text);
    }
  }
  g_string_append(out, "</main>\n</body>\n</html>\n");
  return g_string_free(out, FALSE);
}
