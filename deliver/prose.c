#include "deliver/prose.h"

#include <string.h>

#include "common/base/secret.h"

#define NUMBER_SHOWN 2
#define ROOM_BYTES   8192 /* so that what is secret is seldom copied */

/* The button as a cell of a table: Outlook knows no padding elsewhere. */
#define BUTTON_HEAD                                                                        \
  "<table role=\"presentation\" cellspacing=\"0\" cellpadding=\"0\" border=\"0\">"         \
  "<tr>\n<td style=\"background:#1d5b8f;border:2px solid #ffffff;border-radius:8px;"       \
  "padding:12px 24px\">\n"
#define BUTTON_STYLE                                                                       \
  "color:#ffffff;text-decoration:none;font-weight:bold;font-size:18px;"                    \
  "display:inline-block"

static const char *const months_nl[] = {"januari",   "februari", "maart",    "april",
                                        "mei",       "juni",     "juli",     "augustus",
                                        "september", "oktober",  "november", "december"};
static const char *const months_en[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};

Prose *
prose_new(const char *language, const char *title)
{
  Prose *prose = g_new0(Prose, 1);
  prose->text = g_string_sized_new(ROOM_BYTES);
  prose->html = g_string_sized_new(ROOM_BYTES);
  g_string_append_printf(
      prose->html,
      "<!DOCTYPE html>\n"
      "<html lang=\"%s\">\n"
      "<head>\n"
      "<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta name=\"supported-color-schemes\" content=\"light dark\">\n"
      "<title>%s</title>\n"
      "</head>\n"
      "<body style=\"margin:0;padding:16px\">\n"
      "<div style=\"max-width:600px;margin:0 auto;"
      "font:16px/1.5 Arial,Helvetica,sans-serif;overflow-wrap:anywhere\">\n"
      "<div lang=\"%s\">\n",
      language, title, language);
  return prose;
}

static void
wipe_string(GString *string)
{
  secret_wipe(string->str, string->len);
  g_string_free(string, TRUE);
}

void
prose_free(Prose *prose)
{
  if (prose == NULL)
    return;
  wipe_string(prose->text);
  wipe_string(prose->html);
  g_free(prose);
}

static void
append_escaped(Prose *prose, const char *text)
{
  char *escaped = g_markup_escape_text(text, -1);
  g_string_append(prose->html, escaped);
  secret_wipe(escaped, strlen(escaped));
  g_free(escaped);
}

static void
append_element(Prose *prose, const char *before, const char *text, const char *after)
{
  g_string_append(prose->html, before);
  append_escaped(prose, text);
  g_string_append(prose->html, after);
}

void
prose_turn(Prose *prose, const char *language)
{
  g_string_append(prose->text, "----------------------------------------\n\n");
  g_string_append_printf(prose->html, "</div>\n<hr>\n<div lang=\"%s\">\n", language);
}

void
prose_paragraph(Prose *prose, const char *text)
{
  g_string_append_printf(prose->text, "%s\n\n", text);
  append_element(prose, "<p>", text, "</p>\n");
}

void
prose_writer(Prose *prose, const char *name, const char *address, const char *text)
{
  g_string_append(prose->html, "<p><strong>");
  if (*name != '\0') {
    g_string_append_printf(prose->text, "%s (%s)", name, address);
    append_element(prose, "<bdi>", name, "</bdi> (");
    append_element(prose, "<bdi>", address, "</bdi>)");
  } else {
    g_string_append(prose->text, address);
    append_element(prose, "<bdi>", address, "</bdi>");
  }
  g_string_append_printf(prose->text, " %s\n\n", text);
  append_element(prose, "</strong> ", text, "</p>\n");
}

void
prose_list(Prose *prose, const char *head, const char *const *items)
{
  g_string_append_printf(prose->text, "%s\n", head);
  append_element(prose, "<p style=\"margin-bottom:0\">", head, "</p>\n<ul>\n");
  for (; *items != NULL; items++) {
    g_string_append_printf(prose->text, "- %s\n", *items);
    append_element(prose, "<li>", *items, "</li>\n");
  }
  g_string_append_c(prose->text, '\n');
  g_string_append(prose->html, "</ul>\n");
}

void
prose_link(Prose *prose, const char *label, const char *url)
{
  g_string_append_printf(prose->text, "%s\n\n", url);
  append_element(prose, BUTTON_HEAD "<a href=\"", url, "\" style=\"" BUTTON_STYLE "\">");
  append_element(prose, "", label, "</a></td>\n</tr></table>\n");
  append_element(prose, "<p>", url, "</p>\n");
}

void
prose_end(Prose *prose)
{
  g_string_append(prose->html, "</div>\n</div>\n</body>\n</html>\n");
}

/* ---- Words ---- */

static char *
format_day(gint64 time_s, const char *const *months)
{
  g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(time_s);
  return g_strdup_printf("%d %s %d", g_date_time_get_day_of_month(date),
                         months[g_date_time_get_month(date) - 1],
                         g_date_time_get_year(date));
}

char *
prose_day_dutch(gint64 time_s)
{
  return format_day(time_s, months_nl);
}

char *
prose_day_english(gint64 time_s)
{
  return format_day(time_s, months_en);
}

const char *
prose_number_end(const char *number)
{
  gsize len = strlen(number);
  return number + len - MIN(len, NUMBER_SHOWN);
}
