#include "reader/report.h"

#include <string.h>

#include "common/base/attr.h"
#include "reader/paper.h"

typedef struct {
  Paper *paper;
  guint columns; /* of the table that is open; 0: none is */
} Report;

static void
end_table(Report *report)
{
  if (report->columns > 0)
    paper_end_table(report->paper);
  report->columns = 0;
}

/* FALSE: it has not as many cells as there are columns. */
static gboolean
write_row(Report *report, const char *value, gboolean is_head)
{
  g_auto(GStrv) cells = g_strsplit(value, "\t", -1);
  guint count = g_strv_length(cells);
  if (is_head) {
    end_table(report);
    if (count == 0 || count > REPORT_MAX_COLUMNS)
      return FALSE;
    report->columns = count;
    paper_begin_table(report->paper, count);
  }
  if (count != report->columns)
    return FALSE;
  paper_write_row(report->paper, (const char *const *) cells, is_head);
  return TRUE;
}

static gboolean
write_piece(Report *report, const char *name, const char *value)
{
  if (strcmp(name, "row") == 0 || strcmp(name, "columns") == 0)
    return write_row(report, value, *name == 'c');
  end_table(report);
  if (strcmp(name, "heading") == 0)
    paper_write(report->paper, PAPER_HEADING, value, 0);
  else if (strcmp(name, "text") == 0)
    paper_write(report->paper, PAPER_TEXT, value, 0);
  else if (strcmp(name, "caption") == 0)
    paper_write(report->paper, PAPER_TEXT, value, strlen(value));
  else
    return strcmp(name, "title") == 0 || strcmp(name, "author") == 0;
  return TRUE;
}

/* Pango takes nothing but UTF-8, and %XX can be anything. */
static gboolean
is_text(const Attrs *attrs)
{
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name, *value;
    attrs_nth(attrs, i, &name, &value);
    if (!g_utf8_validate(value, -1, NULL))
      return FALSE;
  }
  return TRUE;
}

GByteArray *
report_pdf_new(const char *bytes, gsize len, PdfLanguage language)
{
  g_autoptr(Attrs) attrs = attrs_parse(bytes, len, ATTR_ESCAPED, NULL);
  const char *title = attrs != NULL ? attrs_get(attrs, "title") : NULL;
  const char *author = attrs != NULL ? attrs_get(attrs, "author") : NULL;
  if (title == NULL || !is_text(attrs))
    return NULL;
  Report report = {.columns = 0};
  report.paper = paper_new(title, author != NULL ? author : "", NULL,
                           language == PDF_EN ? "en-GB" : "nl-NL");
  paper_write(report.paper, PAPER_TITLE, title, 0);
  gboolean good = TRUE;
  for (guint i = 0; good && i < attrs_count(attrs); i++) {
    const char *name, *value;
    attrs_nth(attrs, i, &name, &value);
    good = write_piece(&report, name, value) && !paper_is_full(report.paper);
  }
  end_table(&report);
  g_autoptr(GByteArray) pdf = paper_finish(report.paper);
  return good ? g_steal_pointer(&pdf) : NULL;
}
