#include "reader/pdf.h"

#include <string.h>

#include "common/base/attr.h"
#include "reader/paper.h"
#include "reader/view.h"

typedef struct {
  const char *code;
  const char *from;
  const char *to;
  const char *cc;
  const char *date;
  const char *no_subject;
  const char *no_text;
  const char *cut;
  const char *attachments;
  const char *bytes;
  const char *months[12];
} Words;

static const Words languages[] = {
    [PDF_NL] = {"nl-NL",
                "Van",
                "Aan",
                "Cc",
                "Datum",
                "(geen onderwerp)",
                "(geen tekst)",
                "Dit bericht is te lang om hier helemaal te staan. Download het "
                "originele bericht.",
                "Bijlagen",
                "bytes",
                {"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus",
                 "september", "oktober", "november", "december"}},
    [PDF_EN] = {"en-GB",
                "From",
                "To",
                "Cc",
                "Date",
                "(no subject)",
                "(no text)",
                "This message is too long to be here in full. Download the original "
                "message.",
                "Attachments",
                "bytes",
                {"January", "February", "March", "April", "May", "June", "July", "August",
                 "September", "October", "November", "December"}},
};

/* Writes "LABEL: VALUE", when there is a value. */
static void
write_line(Paper *paper, const char *label, const char *value)
{
  if (value == NULL || value[0] == '\0')
    return;
  g_autofree char *line = g_strconcat(label, ": ", value, NULL);
  paper_write(paper, PAPER_TEXT, line, strlen(label) + 1);
}

/* The name, and the address below it: a name says nothing for sure, and on a line of its
 * own the address cannot be turned by it (T30). */
static char *
sender_of(const Attrs *summary)
{
  const char *from = attrs_get(summary, "from");
  const char *name = attrs_get(summary, "from-name");
  if (from == NULL || from[0] == '\0' || name == NULL || name[0] == '\0')
    return g_strdup(name != NULL && name[0] != '\0' ? name : from);
  return g_strconcat(name, "\n<", from, ">", NULL);
}

/* The date as the sender's clock had it, or as it was written when that is no date. */
static char *
date_of(GDateTime *date, const Attrs *summary, const Words *words)
{
  if (date == NULL)
    return g_strdup(attrs_get(summary, "date-text"));
  g_autofree char *time = g_date_time_format(date, "%H:%M (UTC%:z)");
  return g_strdup_printf("%d %s %d %s", g_date_time_get_day_of_month(date),
                         words->months[g_date_time_get_month(date) - 1],
                         g_date_time_get_year(date), time);
}

static gboolean
is_item(const char *line)
{
  gsize digits = strspn(line, "0123456789");
  if (digits > 0 && digits <= 3)
    return g_str_has_prefix(line + digits, ". ");
  return g_str_has_prefix(line, "- ") || g_str_has_prefix(line, "* ");
}

/* Writes lines FIRST up to LAST of LINES: a paragraph, or the items of a list. */
static void
write_lines(Paper *paper, char **lines, guint first, guint last)
{
  gboolean is_list = first < last && is_item(lines[first]);
  if (is_list)
    paper_begin_list(paper);
  for (guint i = first; i < last && !paper_is_full(paper);) {
    guint end = i + 1;
    while (end < last && !(is_list && is_item(lines[end])))
      end++;
    g_autoptr(GString) text = g_string_new(lines[i]);
    for (guint j = i + 1; j < end; j++)
      g_string_append_printf(text, "\n%s", lines[j]);
    paper_write(paper, is_list ? PAPER_ITEM : PAPER_TEXT, text->str, 0);
    i = end;
  }
  if (is_list)
    paper_end_list(paper);
}

/* Writes TEXT: what stands between empty lines, or begins a list, stands by itself. */
static void
write_text(Paper *paper, const char *text)
{
  g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
  guint count = g_strv_length(lines);
  guint first = 0;
  gboolean is_list = FALSE;
  for (guint i = 0; i < count && !paper_is_full(paper); i++) {
    gboolean is_empty = lines[i][0] == '\0';
    gboolean begins_list = !is_list && is_item(lines[i]);
    if (!is_empty && !begins_list)
      continue;
    write_lines(paper, lines, first, i);
    first = is_empty ? i + 1 : i;
    is_list = begins_list;
  }
  write_lines(paper, lines, first, count);
}

/* Writes the list of attachments that SUMMARY has. */
static void
write_attachments(Paper *paper, const Attrs *summary, const Words *words)
{
  g_autoptr(GString) item = g_string_new(NULL);
  gboolean has_begun = FALSE;
  for (guint i = 0; i < attrs_count(summary); i++) {
    const char *name;
    const char *value;
    attrs_nth(summary, i, &name, &value);
    if (strcmp(name, "name") == 0) {
      g_string_assign(item, value);
    } else if (strcmp(name, "size") == 0) {
      g_string_append_printf(item, "\n%s %s", value, words->bytes);
    } else if (strcmp(name, "sha256") == 0) {
      if (!has_begun) {
        paper_write(paper, PAPER_HEADING, words->attachments, 0);
        paper_begin_list(paper);
      }
      has_begun = TRUE;
      g_string_append_printf(item, "\nSHA-256:\n%s", value);
      paper_write(paper, PAPER_ITEM, item->str, 0);
    }
  }
  if (has_begun)
    paper_end_list(paper);
}

GByteArray *
pdf_new(const Message *message, PdfLanguage language)
{
  const Words *words = &languages[language];
  g_autofree char *block = view_summary(message);
  g_autoptr(Attrs) summary = attrs_parse(block, strlen(block), ATTR_ESCAPED, NULL);
  g_autofree char *text = view_text(message);
  if (summary == NULL)
    return NULL;
  const char *subject = attrs_get(summary, "subject");
  const char *title = subject != NULL && *subject != '\0' ? subject : words->no_subject;
  const char *from = attrs_get(summary, "from");
  GDateTime *date = message->mime != NULL ? g_mime_message_get_date(message->mime) : NULL;
  g_autofree char *sender = sender_of(summary);
  g_autofree char *when = date_of(date, summary, words);
  Paper *paper = paper_new(title, from != NULL ? from : "", date, words->code);
  paper_write(paper, PAPER_TITLE, title, 0);
  write_line(paper, words->from, sender);
  write_line(paper, words->to, attrs_get(summary, "to"));
  write_line(paper, words->cc, attrs_get(summary, "cc"));
  write_line(paper, words->date, when);
  write_text(paper, text[0] != '\0' ? text : words->no_text);
  if (paper_is_full(paper)) {
    paper_end_cap(paper);
    paper_write(paper, PAPER_TEXT, words->cut, 0);
  }
  paper_end_cap(paper);
  write_attachments(paper, summary, words);
  return paper_finish(paper);
}
