#include "reader/bounce.h"

#include <string.h>

#include "common/base/attr.h"
#include "reader/charset.h"
#include "reader/clean.h"
#include "reader/view.h"

#define REPORT_MAX_BYTES     (64 * 1024)
#define QSBMF_BEGIN          "Hi. This is the" /* https://cr.yp.to/proto/qsbmf.txt */
#define STATUS_DETAIL_DIGITS 3                 /* RFC 3463 2 */

/* From bad to worse. */
typedef enum {
  ACTION_OTHER,
  ACTION_DELIVERED,
  ACTION_DELAYED,
  ACTION_FAILED
} Action;

static const char *const action_names[] = {
    [ACTION_OTHER] = "other",
    [ACTION_DELIVERED] = "delivered",
    [ACTION_DELAYED] = "delayed",
    [ACTION_FAILED] = "failed",
};

/* What one recipient's fields say, or all of them. */
typedef struct {
  Action action;
  char *status;     /* or NULL */
  char *diagnostic; /* or NULL */
} Report;

static void
report_clear(Report *report)
{
  g_clear_pointer(&report->status, g_free);
  g_clear_pointer(&report->diagnostic, g_free);
}

/* How many of P's first bytes are 1 to 3 digits; 0 when there are more. */
static gsize
count_detail(const char *p)
{
  gsize digits = strspn(p, "0123456789");
  return digits <= STATUS_DETAIL_DIGITS ? digits : 0;
}

/* The length of the status code at P, "5.1.1", which is no part of a network address; or 0.
 */
static gsize
status_length(const char *p)
{
  if (strchr("245", *p) == NULL || *p == '\0' || p[1] != '.')
    return 0;
  gsize subject = count_detail(p + 2);
  if (subject == 0 || p[2 + subject] != '.')
    return 0;
  gsize detail = count_detail(p + 3 + subject);
  const char *end = p + 3 + subject + detail;
  if (detail == 0 || (*end == '.' && g_ascii_isdigit(end[1])))
    return 0;
  return (gsize) (end - p);
}

/* The first status code in TEXT (or NULL), a new string, or NULL. */
static char *
find_status(const char *text)
{
  for (const char *p = text; p != NULL && *p != '\0'; p++) {
    gsize len = status_length(p);
    gboolean is_within = p > text && (g_ascii_isalnum(p[-1]) || p[-1] == '.');
    if (len > 0 && !is_within)
      return g_strndup(p, len);
  }
  return NULL;
}

static Action
action_of_status(const char *status)
{
  if (status == NULL)
    return ACTION_OTHER;
  return status[0] == '5'   ? ACTION_FAILED
         : status[0] == '4' ? ACTION_DELAYED
                            : ACTION_DELIVERED;
}

/* RFC 3464 2.3.3; a comment may follow. */
static Action
parse_action(const char *value)
{
  static const struct {
    const char *word;
    Action action;
  } rows[] = {
      {"failed", ACTION_FAILED},       {"delayed", ACTION_DELAYED},
      {"delivered", ACTION_DELIVERED}, {"relayed", ACTION_DELIVERED},
      {"expanded", ACTION_DELIVERED},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    gsize len = strlen(rows[i].word);
    if (g_ascii_strncasecmp(value, rows[i].word, len) == 0 && !g_ascii_isalnum(value[len]))
      return rows[i].action;
  }
  return ACTION_OTHER;
}

/* The value of FIELD ("Name: value") when it is called NAME, or NULL. */
static const char *
value_of(const char *field, const char *name)
{
  gsize len = strlen(name);
  if (g_ascii_strncasecmp(field, name, len) != 0)
    return NULL;
  const char *colon = field + len + strspn(field + len, " \t");
  return *colon == ':' ? colon + 1 + strspn(colon + 1, " \t") : NULL;
}

/* The fields of a group, each on one line. The caller frees it. */
static char **
unfold(const char *group)
{
  g_autoptr(GString) text = g_string_new(NULL);
  for (const char *p = group; *p != '\0'; p++)
    if (*p != '\n' || (p[1] != ' ' && p[1] != '\t'))
      g_string_append_c(text, *p);
  return g_strsplit(text->str, "\n", 0);
}

/* "smtp; 550 no such user" is a type and what the other server said. */
static char *
parse_diagnostic(const char *value)
{
  gsize type =
      strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
  const char *semicolon = value + type + strspn(value + type, " \t");
  return clean_header(*semicolon == ';' ? semicolon + 1 : value,
                      BOUNCE_DIAGNOSTIC_MAX_BYTES);
}

/* What the fields of GROUP say of a recipient; nothing when they are not of one. */
static Report
read_group(const char *group)
{
  Report report = {ACTION_OTHER, NULL, NULL};
  gboolean has_action = FALSE;
  g_auto(GStrv) fields = unfold(group);
  for (guint i = 0; fields[i] != NULL; i++) {
    const char *action = value_of(fields[i], "Action");
    const char *status = value_of(fields[i], "Status");
    const char *diagnostic = value_of(fields[i], "Diagnostic-Code");
    if (action != NULL && !has_action) {
      has_action = TRUE;
      report.action = parse_action(action);
    } else if (status != NULL && report.status == NULL && status_length(status) > 0) {
      report.status = g_strndup(status, status_length(status));
    } else if (diagnostic != NULL && report.diagnostic == NULL) {
      report.diagnostic = parse_diagnostic(diagnostic);
    }
  }
  if (report.status == NULL && has_action)
    report.status = find_status(report.diagnostic);
  if (!has_action)
    report.action = action_of_status(report.status);
  return report;
}

/* Reads the report (RFC 3464) of the LEN bytes at BYTES: *WORST gets what is worst. */
static void
read_status(const char *bytes, gsize len, Report *worst)
{
  g_autofree char *valid = charset_to_utf8(bytes, len, "utf-8");
  g_autofree char *text = clean_text(valid, strlen(valid));
  g_auto(GStrv) groups = g_strsplit(text, "\n\n", 0);
  for (guint i = 0; groups[i] != NULL; i++) {
    Report report = read_group(groups[i]);
    if (report.action <= worst->action) {
      report_clear(&report);
      continue;
    }
    report_clear(worst);
    *worst = report;
  }
}

/* Reads every delivery status in MESSAGE. FALSE when there is none. */
static gboolean
read_report(const Message *message, Report *worst)
{
  gboolean found = FALSE;
  for (guint i = 0; i < message->attachments->len; i++) {
    const Attachment *attachment = message->attachments->pdata[i];
    if (strcmp(attachment->type, "message/delivery-status") != 0 &&
        strcmp(attachment->type, "message/global-delivery-status") != 0)
      continue;
    g_autoptr(GByteArray) bytes =
        message_part_bytes(attachment->part, REPORT_MAX_BYTES, NULL);
    read_status((const char *) bytes->data, bytes->len, worst);
    found = TRUE;
  }
  return found;
}

/* The paragraph of TEXT whose first line begins with MARK, without that line and on one
 * line; or NULL. */
static char *
paragraph_after(const char *text, const char *mark)
{
  g_auto(GStrv) paragraphs = g_strsplit(text, "\n\n", 0);
  for (guint i = 0; paragraphs[i] != NULL; i++) {
    const char *first = paragraphs[i] + strspn(paragraphs[i], " \t\n");
    const char *rest = strchr(first, '\n');
    if (g_str_has_prefix(first, mark))
      return clean_header(rest, BOUNCE_DIAGNOSTIC_MAX_BYTES);
  }
  return NULL;
}

/* What qmail writes in the place of a report, and Exim, which names whom it did not reach
 * in the header. */
static void
read_words(const Message *message, Report *report)
{
  g_autofree char *text = view_text(message);
  const char *failed =
      message->mime != NULL
          ? g_mime_object_get_header(GMIME_OBJECT(message->mime), "X-Failed-Recipients")
          : NULL;
  g_autofree char *mark = NULL;
  if (g_str_has_prefix(text + strspn(text, " \t\n"), QSBMF_BEGIN))
    mark = g_strdup("<");
  else if (failed != NULL)
    mark = g_strndup(failed, strcspn(failed, ", \t\r\n"));
  if (mark == NULL || mark[0] == '\0')
    return;
  report->diagnostic = paragraph_after(text, mark);
  report->status = find_status(report->diagnostic);
  /* Without a recipient qmail reports nothing; Exim's field is clear by itself. */
  if (report->diagnostic != NULL || failed != NULL)
    report->action = ACTION_FAILED;
}

char *
bounce_view(const Message *message)
{
  Report report = {ACTION_OTHER, NULL, NULL};
  g_autoptr(Attrs) attrs = attrs_new();
  if (!read_report(message, &report))
    read_words(message, &report);
  attrs_add(attrs, "action", action_names[report.action]);
  attrs_add(attrs, "status", report.status != NULL ? report.status : "");
  attrs_add(attrs, "diagnostic", report.diagnostic != NULL ? report.diagnostic : "");
  report_clear(&report);
  return attrs_format(attrs, ATTR_ESCAPED);
}
