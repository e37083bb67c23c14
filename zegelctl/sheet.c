#include "zegelctl/sheet.h"

#include <string.h>

#include "zegelctl/text.h"

#define GAP 2 /* columns of the terminal between those of a table */

static void
piece_free(gpointer p)
{
  SheetPiece *piece = p;
  g_free(piece->text);
  g_strfreev(piece->columns);
  g_clear_pointer(&piece->rows, g_ptr_array_unref);
  g_free(piece);
}

Sheet *
sheet_new(const char *title, const char *language)
{
  Sheet *sheet = g_new0(Sheet, 1);
  sheet->title = g_strdup(title);
  sheet->language = g_strdup(language);
  sheet->pieces = g_ptr_array_new_with_free_func(piece_free);
  return sheet;
}

void
sheet_free(Sheet *sheet)
{
  if (sheet == NULL)
    return;
  g_free(sheet->title);
  g_free(sheet->language);
  g_ptr_array_unref(sheet->pieces);
  g_free(sheet);
}

/* Takes TEXT. */
static SheetPiece *
add_piece(Sheet *sheet, SheetKind kind, char *text)
{
  SheetPiece *piece = g_new0(SheetPiece, 1);
  piece->kind = kind;
  piece->text = text;
  g_ptr_array_add(sheet->pieces, piece);
  return piece;
}

void
sheet_add_heading(Sheet *sheet, const char *text)
{
  add_piece(sheet, SHEET_HEADING, g_strdup(text));
}

void
sheet_take_text(Sheet *sheet, char *text)
{
  add_piece(sheet, SHEET_TEXT, text);
}

SheetPiece *
sheet_add_table(Sheet *sheet, const char *caption, const char *const *columns)
{
  SheetPiece *table = add_piece(sheet, SHEET_TABLE, g_strdup(caption));
  table->columns = g_strdupv((char **) columns);
  table->rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
  return table;
}

void
sheet_take_row(SheetPiece *table, GStrv row)
{
  g_ptr_array_add(table->rows, row);
}

/* ---- Text ---- */

static glong
width_of(const SheetPiece *table, guint column)
{
  glong width = g_utf8_strlen(table->columns[column], -1);
  for (guint i = 0; i < table->rows->len; i++) {
    GStrv row = table->rows->pdata[i];
    width = MAX(width, g_utf8_strlen(row[column], -1));
  }
  return width;
}

static void
append_spaces(GString *out, glong count)
{
  for (glong i = 0; i < count; i++)
    g_string_append_c(out, ' ');
}

/* CELL without what could steer the terminal. */
static void
append_cell(GString *out, const char *cell)
{
  g_autofree char *valid = g_utf8_make_valid(cell, -1);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p))
    g_string_append_unichar(
        out, g_unichar_iscntrl(g_utf8_get_char(p)) ? '?' : g_utf8_get_char(p));
}

static void
append_row(GString *out, GStrv row, const glong *widths)
{
  for (guint i = 0; row[i] != NULL; i++) {
    glong fill = widths[i] - g_utf8_strlen(row[i], -1);
    if (i > 0)
      append_spaces(out, GAP + fill);
    append_cell(out, row[i]);
    if (i == 0 && row[1] != NULL)
      append_spaces(out, fill);
  }
  g_string_append_c(out, '\n');
}

static void
append_table(GString *out, const SheetPiece *table)
{
  guint count = g_strv_length(table->columns);
  g_autofree glong *widths = g_new(glong, count);
  for (guint i = 0; i < count; i++)
    widths[i] = width_of(table, i);
  text_wrap(out, 0, 0, table->text);
  append_row(out, table->columns, widths);
  for (guint i = 0; i < table->rows->len; i++)
    append_row(out, table->rows->pdata[i], widths);
}

char *
sheet_format_text(const Sheet *sheet)
{
  GString *out = g_string_new(NULL);
  text_wrap(out, 0, 0, sheet->title);
  for (guint i = 0; i < sheet->pieces->len; i++) {
    const SheetPiece *piece = sheet->pieces->pdata[i];
    g_string_append_c(out, '\n');
    if (piece->kind == SHEET_TABLE) {
      append_table(out, piece);
      continue;
    }
    text_wrap(out, 0, 0, piece->text);
    if (piece->kind == SHEET_HEADING) {
      for (glong n = g_utf8_strlen(piece->text, -1); n > 0; n--)
        g_string_append_c(out, '=');
      g_string_append_c(out, '\n');
    }
  }
  return g_string_free(out, FALSE);
}
