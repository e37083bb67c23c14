/* A sheet as text and HTML: what comes from elsewhere stays text. */
#include "zegelctl/sheet.h"

#include <string.h>

#include "tests/unit/tap.h"

#define HOSTILE "<script>alert(1)</script>\"'&\x1b[2J"

static Sheet *
sample(const char *cell)
{
  static const char *const columns[] = {"Period", "viewer", "direct", NULL};
  Sheet *sheet = sheet_new(HOSTILE, "nl");
  sheet_add_heading(sheet, HOSTILE);
  sheet_take_text(sheet, g_strdup(HOSTILE));
  SheetPiece *table = sheet_add_table(sheet, HOSTILE, columns);
  table->bars = 2;
  table->total = TRUE;
  const char *const rows[][4] = {
      {cell, "12", "3", NULL}, {"2026-11", "7", "0", NULL}, {"together", "19", "3", NULL}};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    sheet_take_row(table, g_strdupv((char **) rows[i]));
  return sheet;
}

static guint
count_of(const char *text, const char *needle)
{
  guint count = 0;
  for (const char *p = text; (p = strstr(p, needle)) != NULL; p++)
    count++;
  return count;
}

static void
test_html(void)
{
  g_autoptr(Sheet) sheet = sample(HOSTILE);
  g_autofree char *html = sheet_format_html(sheet);
  g_assert_null(strstr(html, "<script"));
  g_assert_null(strchr(html, '\x1b'));
  /* title, h1, h2, p, title of the picture, caption, cell, its label twice */
  g_assert_cmpuint(count_of(html, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;'&amp;?[2J"),
                   >=, 8);
  g_assert_cmpuint(count_of(html, "<html lang=\"nl\">"), ==, 1);
  g_assert_cmpuint(count_of(html, "<th scope=\"col\">"), ==, 3);
  g_assert_cmpuint(count_of(html, "<th scope=\"row\">"), ==, 3);
  g_assert_cmpuint(count_of(html, "http"), ==, 0); /* no other file */
}

/* Bars are as high as their numbers, and the sum is none of them. */
static void
test_bars(void)
{
  g_autoptr(Sheet) sheet = sample("2026-10");
  g_autofree char *html = sheet_format_html(sheet);
  /* the scale goes to 20, in 208 units: 12, 3 and 7 of them, and two of the legend */
  g_assert_cmpuint(count_of(html, "<rect"), ==, 5);
  g_assert_cmpuint(count_of(html, "height=\"124.8\""), ==, 1);
  g_assert_cmpuint(count_of(html, "height=\"31.2\""), ==, 1);
  g_assert_cmpuint(count_of(html, "height=\"72.8\""), ==, 1);
  g_assert_cmpuint(count_of(html, "<title id="), ==, 1);
  g_assert_cmpuint(count_of(html, "<desc id="), ==, 1);
}

static void
test_nothing_to_draw(void)
{
  static const char *const columns[] = {"Period", "viewer", NULL};
  static const char *const row[] = {"2026-11", "0", NULL};
  g_autoptr(Sheet) sheet = sheet_new("x", "en");
  SheetPiece *table = sheet_add_table(sheet, "y", columns);
  table->bars = 1;
  sheet_take_row(table, g_strdupv((char **) row));
  g_autofree char *html = sheet_format_html(sheet);
  g_assert_null(strstr(html, "<svg"));
  g_assert_nonnull(strstr(html, "<td>0</td>"));
}

static void
test_text(void)
{
  g_autoptr(Sheet) sheet = sample("2026-10-\xc3\xab" HOSTILE);
  g_autofree char *text = sheet_format_text(sheet);
  g_assert_null(strchr(text, '\x1b'));
  g_assert_nonnull(strstr(text, "\n2026-11"));
  g_assert_nonnull(strstr(text, "  12       3\n"));
  g_assert_nonnull(strstr(text, "   7       0\n"));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/sheet/html", test_html);
  g_test_add_func("/sheet/bars", test_bars);
  g_test_add_func("/sheet/nothing-to-draw", test_nothing_to_draw);
  g_test_add_func("/sheet/text", test_text);
  return g_test_run();
}
