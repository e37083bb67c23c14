#include "zegelctl/audit_format.h"

#include <string.h>

#include "zegelctl/text.h"

#define INDENT 4

/* Columns of CSV: the order may not change, and new ones come at the end, before "more". */
static const char *const columns[] = {
    "at",         "event",  "outcome",  "org",     "queue-id",   "ref",
    "message-id", "from",   "to",       "by",      "for",        "about",
    "client",     "actor",  "action",   "nta",     "program",    "source",
    "id",         "code",   "reason",   "detail",  "route",      "method",
    "number",     "status", "text",     "as",      "again",      "new",
    "way",        "view",   "part",     "shared",  "attachment", "attachments",
    "bytes",      "sha256", "spf",      "dkim",    "dmarc",      "tls",
    "secure",     "would",  "direct",   "viewer",  "own",        "domain",
    "side",       "ready",  "selector", "nexthop", "label",      "change",
    "result",     "file",   "network",  "clients", "domains",    "rows-changed",
    "scope",      "used",   "limit",    "percent", "count",      "through",
    "key",        "public", "request",  "role",    "was",        "since",
    "until",      "events", "rule",     "day",     "host",       "disposition",
    "begins",     "backup",
};

/* What stands in the head of a line for people, or tells them little. */
static const char *const quiet[] = {
    "at", "event", "outcome", "org", "actor", "action", "nta", "program", "source", "id",
};

static gboolean
is_one_of(const char *key, const char *const *keys, gsize count)
{
  for (gsize i = 0; i < count; i++)
    if (strcmp(keys[i], key) == 0)
      return TRUE;
  return FALSE;
}

/* The values of KEY in ATTRS with a space between, which none of them holds; or NULL. */
static char *
join_values(const Attrs *attrs, const char *key)
{
  GString *joined = NULL;
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name = NULL, *value = NULL;
    attrs_nth(attrs, i, &name, &value);
    if (strcmp(name, key) != 0)
      continue;
    if (joined == NULL)
      joined = g_string_new(value);
    else
      g_string_append_printf(joined, " %s", value);
  }
  return joined != NULL ? g_string_free(joined, FALSE) : NULL;
}

/* Whether attribute I of ATTRS is the first of its name. */
static gboolean
is_first(const Attrs *attrs, guint i)
{
  const char *name = NULL, *value = NULL, *earlier = NULL;
  attrs_nth(attrs, i, &name, &value);
  for (guint j = 0; j < i; j++) {
    attrs_nth(attrs, j, &earlier, &value);
    if (strcmp(earlier, name) == 0)
      return FALSE;
  }
  return TRUE;
}

const char *
audit_value(const Attrs *attrs, const char *key)
{
  const char *value = attrs_get(attrs, key);
  return value != NULL && *value != '\0' ? value : NULL;
}

/* ---- CSV ---- */

/*
 * VALUE as a field. A "'" goes before what a spreadsheet would compute, and before a "'"
 * that is there, so that taking one away gives the value back.
 */
static void
append_field(GString *out, const char *value)
{
  gboolean quoted = strpbrk(value, ",\"\r\n") != NULL;
  if (quoted)
    g_string_append_c(out, '"');
  if (*value != '\0' && strchr("=+-@\t\r'", *value) != NULL)
    g_string_append_c(out, '\'');
  for (const char *p = value; *p != '\0'; p++) {
    if (*p == '"')
      g_string_append_c(out, '"');
    g_string_append_c(out, *p);
  }
  if (quoted)
    g_string_append_c(out, '"');
}

void
audit_append_csv_head(GString *out)
{
  g_string_append(out, "record,erased");
  for (guint i = 0; i < G_N_ELEMENTS(columns); i++)
    g_string_append_printf(out, ",%s", columns[i]);
  g_string_append(out, ",more\r\n");
}

/* The pairs that have no column, as key=value with a space between. */
static char *
format_more(const Attrs *attrs)
{
  GString *more = g_string_new(NULL);
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *key = NULL, *value = NULL;
    attrs_nth(attrs, i, &key, &value);
    if (!is_one_of(key, columns, G_N_ELEMENTS(columns)))
      g_string_append_printf(more, "%s%s=%s", more->len > 0 ? " " : "", key, value);
  }
  return g_string_free(more, FALSE);
}

void
audit_append_csv(GString *out, const TrailRecord *record)
{
  g_autofree char *more = format_more(record->attrs);
  g_string_append_printf(out, "%" G_GUINT64_FORMAT ",%s", record->number,
                         record->erased ? "yes" : "no");
  for (guint i = 0; i < G_N_ELEMENTS(columns); i++) {
    g_autofree char *value = join_values(record->attrs, columns[i]);
    g_string_append_c(out, ',');
    append_field(out, value != NULL ? value : "");
  }
  g_string_append_c(out, ',');
  append_field(out, more);
  g_string_append(out, "\r\n");
}

/* ---- JSON ---- */

void
audit_append_json(GString *out, const TrailRecord *record)
{
  g_string_append_printf(out, "{\"record\": %" G_GUINT64_FORMAT ", \"erased\": %s",
                         record->number, record->erased ? "true" : "false");
  for (guint i = 0; i < attrs_count(record->attrs); i++) {
    const char *key = NULL, *first = NULL;
    if (!is_first(record->attrs, i))
      continue;
    attrs_nth(record->attrs, i, &key, &first);
    g_autofree char *value = join_values(record->attrs, key);
    g_string_append(out, ", ");
    json_append_pair(out, key, value, FALSE);
  }
  g_string_append(out, "}\n");
}

/* ---- For people ---- */

char *
audit_format_time(gint64 at_us)
{
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(at_us / G_USEC_PER_SEC);
  return time != NULL ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S %z") : g_strdup("?");
}

void
audit_append_text_head(GString *out)
{
  g_string_append_printf(out, "%8s  %-25s  %-16s %-8s %s\n", "record", "time", "event",
                         "outcome", "organisation, and more");
}

/* The pairs that people want to see. */
static char *
format_details(const TrailRecord *record)
{
  GString *details = g_string_new(NULL);
  for (guint i = 0; i < attrs_count(record->attrs); i++) {
    const char *key = NULL, *value = NULL;
    attrs_nth(record->attrs, i, &key, &value);
    if (is_one_of(key, quiet, G_N_ELEMENTS(quiet)))
      continue;
    if (*value == '\0')
      value = record->erased ? "(erased)" : "(sealed)";
    g_string_append_printf(details, "%s%s=%s", details->len > 0 ? " " : "", key, value);
  }
  return g_string_free(details, FALSE);
}

static const char *
or_dash(const char *value)
{
  return value != NULL ? value : "-";
}

void
audit_append_text(GString *out, const TrailRecord *record, gboolean wrapped)
{
  g_autofree char *at = audit_format_time(record->at_us);
  g_autofree char *details = format_details(record);
  g_autofree char *head =
      g_strdup_printf("%8" G_GUINT64_FORMAT "  %-25s  %-16s %-8s %s", record->number, at,
                      or_dash(audit_value(record->attrs, "event")),
                      or_dash(audit_value(record->attrs, "outcome")),
                      or_dash(audit_value(record->attrs, "org")));
  g_autofree char *line =
      wrapped || *details == '\0' ? g_strdup(head) : g_strconcat(head, "  ", details, NULL);
  text_append_clean(out, line);
  g_string_append_c(out, '\n');
  if (wrapped && *details != '\0') {
    g_string_append_printf(out, "%*s", INDENT, "");
    text_wrap(out, INDENT, INDENT, details);
  }
}
