#include "zegelctl/flow_data.h"

#include <string.h>

#include "common/base/json.h"
#include "zegelctl/flow_sheet.h"

#define LINE_END "\r\n" /* RFC 4180 2.1 */

/* ---- CSV ---- */

/* What a spreadsheet reads as a formula begins with one of these (OWASP, CSV injection). */
static gboolean
is_formula(const char *text)
{
  return *text != '\0' && strchr("=+-@\t\r\n|%", *text) != NULL;
}

static void
append_field(GString *out, const char *text)
{
  gboolean quoted = is_formula(text) || strpbrk(text, ",\"'\r\n") != NULL;
  if (!quoted) {
    g_string_append(out, text);
    return;
  }
  g_string_append(out, is_formula(text) ? "\"'" : "\"");
  for (const char *p = text; *p != '\0'; p++) {
    if (*p == '"')
      g_string_append_c(out, '"');
    g_string_append_c(out, g_ascii_iscntrl(*p) ? '?' : *p);
  }
  g_string_append_c(out, '"');
}

char *
flow_data_csv(Flow *flow)
{
  const GPtrArray *rows = flow_rows(flow);
  const GPtrArray *periods = flow_periods(flow);
  GString *out = g_string_new("period,event,nta,route,code,method,sender,recipient_domain,"
                              "count" LINE_END);
  for (guint i = 0; i < rows->len; i++) {
    const FlowRow *row = rows->pdata[i];
    const FlowPeriod *period = periods->pdata[row->period];
    const EventFacts *facts = event_facts(row->kind);
    const char *const fields[] = {row->route, row->code, row->method, row->sender,
                                  row->domain};
    g_string_append_printf(out, "%s,%s,%u", period->name, facts->name, (guint) facts->nta);
    for (guint f = 0; f < G_N_ELEMENTS(fields); f++) {
      g_string_append_c(out, ',');
      append_field(out, fields[f]);
    }
    g_string_append_printf(out, ",%" G_GUINT64_FORMAT LINE_END, row->count);
  }
  return g_string_free(out, FALSE);
}

/* ---- JSON ---- */

static void
append_number(GString *out, const char *key, guint64 number, gboolean more)
{
  g_string_append_printf(out, "\"%s\": %" G_GUINT64_FORMAT "%s", key, number,
                         more ? ", " : "");
}

static void
append_periods(GString *out, const Flow *flow)
{
  const GPtrArray *periods = flow_periods(flow);
  g_string_append(out, "\"periods\": [\n");
  for (guint i = 0; i < periods->len; i++) {
    const FlowPeriod *period = periods->pdata[i];
    g_string_append(out, "  {");
    json_append_pair(out, "period", period->name, TRUE);
    append_number(out, "stored", period->stored, TRUE);
    append_number(out, "opened", period->opened, TRUE);
    append_number(out, "ended", period->ended, TRUE);
    append_number(out, "waiting", period->waiting, TRUE);
    append_number(out, "unfollowed", period->unfollowed, FALSE);
    g_string_append(out, i + 1 < periods->len ? "},\n" : "}\n");
  }
  g_string_append(out, "],\n");
}

static void
append_partners(GString *out, Flow *flow)
{
  const GPtrArray *partners = flow_partners(flow);
  g_string_append(out, "\"partners\": [\n");
  for (guint i = 0; i < partners->len; i++) {
    const FlowPartner *partner = partners->pdata[i];
    g_string_append(out, "  {");
    json_append_pair(out, "domain", partner->domain, TRUE);
    append_number(out, "direct", partner->direct, TRUE);
    append_number(out, "fell_back", partner->fell, FALSE);
    g_string_append(out, i + 1 < partners->len ? "},\n" : "}\n");
  }
  g_string_append(out, "],\n");
}

static void
append_rows(GString *out, Flow *flow)
{
  const GPtrArray *rows = flow_rows(flow);
  const GPtrArray *periods = flow_periods(flow);
  g_string_append(out, "\"rows\": [\n");
  for (guint i = 0; i < rows->len; i++) {
    const FlowRow *row = rows->pdata[i];
    const FlowPeriod *period = periods->pdata[row->period];
    const EventFacts *facts = event_facts(row->kind);
    g_string_append(out, "  {");
    json_append_pair(out, "period", period->name, TRUE);
    json_append_pair(out, "event", facts->name, TRUE);
    append_number(out, "nta", facts->nta, TRUE);
    json_append_pair(out, "route", row->route, TRUE);
    json_append_pair(out, "code", row->code, TRUE);
    json_append_pair(out, "method", row->method, TRUE);
    json_append_pair(out, "sender", row->sender, TRUE);
    json_append_pair(out, "recipient_domain", row->domain, TRUE);
    append_number(out, "count", row->count, FALSE);
    g_string_append(out, i + 1 < rows->len ? "},\n" : "}\n");
  }
  g_string_append(out, "]}\n");
}

static void
append_time(GString *out, const char *key, gint64 at_us)
{
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(at_us / G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ");
  json_append_pair(out, key, text, TRUE);
}

char *
flow_data_json(Flow *flow, const char *organisation, const FlowOptions *options)
{
  GString *out = g_string_new("{");
  json_append_pair(out, "organisation", organisation, TRUE);
  append_time(out, "since", options->since_us);
  append_time(out, "until", options->until_us);
  append_number(out, "total", flow_total(flow), TRUE);
  g_string_append(out, flow_is_cut(flow) ? "\"cut\": true,\n" : "\"cut\": false,\n");
  append_periods(out, flow);
  append_partners(out, flow);
  json_append_pair(out, "definition", flow_sheet_definition(), TRUE);
  append_rows(out, flow);
  return g_string_free(out, FALSE);
}
