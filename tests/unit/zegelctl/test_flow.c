/* What is counted of the mail flow (M2): each event once, and all sums come to the same. */
#include "zegelctl/flow.h"

#include <string.h>

#include "common/base/json.h"
#include "tests/unit/tap.h"
#include "zegelctl/flow_data.h"
#include "zegelctl/flow_sheet.h"

#define SINCE "2026-10-20" /* with the night of 25 hours in it */
#define UNTIL "2026-11-04"
#define DAYS  15
#define HOUR  G_TIME_SPAN_HOUR
#define DAY   G_TIME_SPAN_DAY

static gint64
midnight(const char *day)
{
  g_autofree char *text = g_strconcat(day, "T00:00:00", NULL);
  g_autoptr(GTimeZone) zone = g_time_zone_new_local();
  g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, zone);
  g_assert_nonnull(time);
  return g_date_time_to_unix(time) * G_USEC_PER_SEC;
}

static Flow *
flow_of(FlowStep step, gboolean senders)
{
  const FlowOptions options = {midnight(SINCE), midnight(UNTIL), step, senders};
  return flow_new(&options);
}

static void
add(Flow *flow, gint64 at_us, const char *name, ...) G_GNUC_NULL_TERMINATED;

static void
add(Flow *flow, gint64 at_us, const char *name, ...)
{
  g_autoptr(Attrs) attrs = attrs_new();
  va_list list;
  attrs_add(attrs, "event", name);
  va_start(list, name);
  for (const char *key; (key = va_arg(list, const char *)) != NULL;)
    attrs_add(attrs, key, va_arg(list, const char *));
  va_end(list);
  flow_add(flow, attrs, at_us);
}

static void
route(Flow *flow, gint64 at_us, const char *to, const char *way, const char *detail)
{
  add(flow, at_us, "routed", "from", "A@Own.nl", "to", to, "route", way, "code",
      strcmp(way, "viewer") == 0 ? "Z-R1-VIEWER" : "Z-R1-NTA", "detail", detail, NULL);
}

/* ---- Periods ---- */

static void
test_periods(void)
{
  static const struct {
    FlowStep step;
    guint count;
    const char *first, *last;
  } rows[] = {
      {FLOW_BY_DAY, DAYS, "2026-10-20", "2026-11-03"},
      {FLOW_BY_WEEK, 3, "2026-W43", "2026-W45"},
      {FLOW_BY_MONTH, 2, "2026-10", "2026-11"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(Flow) flow = flow_of(rows[i].step, FALSE);
    const GPtrArray *periods = flow_periods(flow);
    g_assert_cmpuint(periods->len, ==, rows[i].count);
    const FlowPeriod *first = periods->pdata[0], *last = periods->pdata[periods->len - 1];
    g_assert_cmpstr(first->name, ==, rows[i].first);
    g_assert_cmpstr(last->name, ==, rows[i].last);
    g_assert_cmpint(first->start_us, ==, midnight(SINCE));
  }
}

/* The first and the last moment of a day are of it, also when it has 25 hours. */
static void
test_edges(void)
{
  g_autoptr(Flow) flow = flow_of(FLOW_BY_DAY, FALSE);
  static const char *const days[] = {"2026-10-20", "2026-10-25", "2026-10-26",
                                     "2026-11-03"};
  for (guint i = 0; i < G_N_ELEMENTS(days); i++) {
    route(flow, midnight(days[i]), "b@x.nl", "viewer", "-");
    route(flow, midnight(days[i]) + 23 * HOUR + HOUR - 1, "b@x.nl", "viewer", "-");
  }
  route(flow, midnight("2026-10-25") + 25 * HOUR - 1, "b@x.nl", "viewer", "-");
  route(flow, midnight(SINCE) - 1, "b@x.nl", "viewer", "-");
  route(flow, midnight(UNTIL), "b@x.nl", "viewer", "-");
  const GPtrArray *rows = flow_rows(flow);
  guint counts[DAYS] = {0};
  for (guint i = 0; i < rows->len; i++) {
    const FlowRow *row = rows->pdata[i];
    counts[row->period] += (guint) row->count;
  }
  g_assert_cmpuint(counts[0], ==, 2);
  g_assert_cmpuint(counts[5], ==, 3); /* 25 October */
  g_assert_cmpuint(counts[6], ==, 2);
  g_assert_cmpuint(counts[14], ==, 2);
  g_assert_cmpuint(flow_total(flow), ==, 9);
}

/* ---- Partners ---- */

static void
test_partners(void)
{
  static const struct {
    const char *name;
    gint64 direct_before; /* days before, when a message went direct; 0: none did */
    const char *way;      /* of that */
    const char *route, *detail;
    guint direct, fell;
  } rows[] = {
      {"never direct", 0, "", "viewer", "Z-N1-RECORD", 0, 0},
      {"no DNSSEC", 0, "", "viewer", "Z-N1-DNSSEC", 0, 0},
      {"direct before", 30, "direct", "viewer", "Z-N1-RECORD", 0, 1},
      {"direct when it was not sensitive", 30, "prefer", "viewer", "Z-N1-RECORD", 0, 1},
      {"viewer before", 30, "viewer", "viewer", "Z-N1-RECORD", 0, 0},
      {"long ago", 91, "direct", "viewer", "Z-N1-RECORD", 0, 0},
      {"just within", 90, "direct", "viewer", "Z-N1-RECORD", 0, 1},
      {"a record that does not hold", 0, "", "viewer", "Z-N1-DATES", 0, 1},
      {"no host that works", 0, "", "viewer", "Z-N1-TLSA", 0, 1},
      {"next hop", 0, "", "viewer", "Z-R5-CONFLICT", 0, 1},
      {"direct", 0, "", "direct", "Z-N1-READY", 1, 0},
      {"not sensitive", 30, "direct", "prefer", "Z-N1-READY", 0, 0},
      {"own", 30, "direct", "own", "-", 0, 0},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(Flow) flow = flow_of(FLOW_BY_MONTH, FALSE);
    gint64 at_us = midnight(SINCE) + 12 * HOUR;
    if (rows[i].direct_before > 0)
      route(flow, at_us - rows[i].direct_before * DAY, "b@P.nl", rows[i].way, "Z-N1-READY");
    route(flow, at_us, "c@p.NL", rows[i].route, rows[i].detail);
    const GPtrArray *partners = flow_partners(flow);
    g_test_message("%s", rows[i].name);
    g_assert_cmpuint(partners->len, ==, rows[i].direct + rows[i].fell);
    if (partners->len == 0)
      continue;
    const FlowPartner *partner = partners->pdata[0];
    g_assert_cmpstr(partner->domain, ==, "p.nl");
    g_assert_cmpuint(partner->direct, ==, rows[i].direct);
    g_assert_cmpuint(partner->fell, ==, rows[i].fell);
  }
}

/* ---- Opened ---- */

static void
test_opened(void)
{
  g_autoptr(Flow) flow = flow_of(FLOW_BY_MONTH, FALSE);
  gint64 october = midnight("2026-10-21"), november = midnight("2026-11-01");
  add(flow, october, "stored", "ref", "one", "to", "b@x.nl", NULL);
  add(flow, october, "stored", "ref", "one", "to", "b@x.nl", "again", "yes", NULL);
  add(flow, october, "stored", "ref", "two", "to", "b@x.nl", NULL);
  add(flow, october, "stored", "ref", "three", "to", "b@x.nl", NULL);
  add(flow, november, "stored", "ref", "four", "to", "b@x.nl", NULL);
  add(flow, november, "opened", "ref", "one", NULL);
  add(flow, november, "opened", "ref", "one", NULL);
  add(flow, november, "deleted", "ref", "one", NULL);
  add(flow, november, "recalled", "ref", "two", NULL);
  add(flow, november, "opened", "ref", "unknown", NULL);
  add(flow, midnight(UNTIL) + DAY, "opened", "ref", "four", NULL); /* behind the period */
  const FlowPeriod *first = flow_periods(flow)->pdata[0];
  const FlowPeriod *second = flow_periods(flow)->pdata[1];
  g_assert_cmpuint(first->stored, ==, 3);
  g_assert_cmpuint(first->opened, ==, 1);
  g_assert_cmpuint(first->ended, ==, 1);
  g_assert_cmpuint(first->waiting, ==, 1);
  g_assert_cmpuint(second->stored, ==, 1);
  g_assert_cmpuint(second->opened, ==, 1);
  g_assert_cmpuint(second->waiting, ==, 0);
  g_assert_cmpuint(flow_total(flow), ==, 10);
}

/* ---- Sums ---- */

#define MANY 20000

/* Many events of all kinds, senders and domains, the same each time. */
static void
add_many(Flow *flow)
{
  static const char *const ways[] = {"viewer", "direct", "own", "prefer"};
  g_autoptr(GRand) random = g_rand_new_with_seed(7516);
  for (guint i = 0; i < MANY; i++) {
    gint64 at_us = midnight(SINCE) + g_rand_int_range(random, 0, DAYS * 24) * HOUR;
    guint kind = (guint) g_rand_int_range(random, 0, EVENT_COUNT);
    g_autofree char *to = g_strdup_printf("b@d%d.nl", g_rand_int_range(random, 0, 300));
    g_autofree char *from = g_strdup_printf("a%d@own.nl", g_rand_int_range(random, 0, 50));
    g_autofree char *ref = g_strdup_printf("r%d", g_rand_int_range(random, 0, 5000));
    add(flow, at_us, event_facts((EventKind) kind)->name, "from", from, "to", to, "route",
        ways[g_rand_int_range(random, 0, 4)], "ref", ref, "code", "Z-X", "reason", "limit",
        NULL);
  }
}

static guint64
cell(GStrv row, guint column)
{
  guint64 number = 0;
  g_assert_true(g_ascii_string_to_unsigned(row[column], 10, 0, G_MAXUINT64, &number, NULL));
  return number;
}

/* The last line of TABLE is the sum of the others, in each column of numbers; with TOGETHER
 * the last column is the sum of the others. */
static void
check_sums(const SheetPiece *table, guint first, guint end, gboolean together)
{
  g_test_message("%s", table->text);
  for (guint column = first; column < end; column++) {
    guint64 sum = 0;
    for (guint i = 0; i + 1 < table->rows->len; i++)
      sum += cell(table->rows->pdata[i], column);
    g_assert_cmpuint(sum, ==, cell(table->rows->pdata[table->rows->len - 1], column));
  }
  for (guint i = 0; together && i < table->rows->len; i++) {
    guint64 sum = 0;
    for (guint column = first; column + 1 < end; column++)
      sum += cell(table->rows->pdata[i], column);
    g_assert_cmpuint(sum, ==, cell(table->rows->pdata[i], end - 1));
  }
}

static guint64
sum_of(const GPtrArray *rows, EventKind kind)
{
  guint64 sum = 0;
  for (guint i = 0; i < rows->len; i++) {
    const FlowRow *row = rows->pdata[i];
    sum += row->kind == kind ? row->count : 0;
  }
  return sum;
}

static guint64
last_number(const Sheet *sheet, const char *caption)
{
  for (guint i = 0; i < sheet->pieces->len; i++) {
    const SheetPiece *piece = sheet->pieces->pdata[i];
    if (piece->kind == SHEET_TABLE && strcmp(piece->text, caption) == 0)
      return cell(piece->rows->pdata[piece->rows->len - 1],
                  g_strv_length(piece->columns) - 1);
  }
  g_assert_not_reached();
}

static void
test_sums(void)
{
  static const FlowStep steps[] = {FLOW_BY_DAY, FLOW_BY_WEEK, FLOW_BY_MONTH};
  const FlowWords words = {"Linden", "en", "2026-10-20", "2026-11-03", TRUE};
  for (guint s = 0; s < G_N_ELEMENTS(steps); s++) {
    g_autoptr(Flow) flow = flow_of(steps[s], TRUE);
    add_many(flow);
    guint64 all = 0, stored = 0, followed = 0;
    const GPtrArray *rows = flow_rows(flow);
    for (guint i = 0; i < rows->len; i++)
      all += ((const FlowRow *) rows->pdata[i])->count;
    g_assert_cmpuint(all, ==, MANY);
    g_assert_cmpuint(flow_total(flow), ==, MANY);
    for (guint i = 0; i < flow_periods(flow)->len; i++) {
      const FlowPeriod *period = flow_periods(flow)->pdata[i];
      stored += period->stored;
      followed += period->opened + period->ended + period->waiting + period->unfollowed;
    }
    g_assert_cmpuint(stored, >, 0);
    g_assert_cmpuint(stored, ==, followed);
    g_autoptr(Sheet) sheet = flow_sheet_new(flow, &words);
    for (guint i = 0; i < sheet->pieces->len; i++) {
      const SheetPiece *piece = sheet->pieces->pdata[i];
      guint columns = piece->kind == SHEET_TABLE ? g_strv_length(piece->columns) : 0;
      if (columns == 4) /* partners: the last column is a rate */
        check_sums(piece, 1, 3, FALSE);
      else if (columns == 3) /* events: the second is no number */
        check_sums(piece, 2, 3, FALSE);
      else if (columns > 0)
        check_sums(piece, 1, columns, columns > 2);
    }
    guint64 routed = sum_of(rows, EVENT_ROUTED);
    g_assert_cmpuint(last_number(sheet, "Recipients, by their domain"), ==, routed);
    g_assert_cmpuint(last_number(sheet, "Recipients, by who sent"), ==, routed);
    g_assert_cmpuint(last_number(sheet, "Recipients of outgoing mail, by their route"), ==,
                     routed);
    g_assert_cmpuint(last_number(sheet, "Messages that came in"), ==,
                     sum_of(rows, EVENT_VERIFIED));
    g_assert_cmpuint(last_number(sheet, "Refused messages and recipients, by code"), ==,
                     sum_of(rows, EVENT_REFUSED));
    g_assert_cmpuint(last_number(sheet, "All events"), ==, MANY);
  }
}

/* More senders and domains than there is room for: still nothing gets lost. */
static void
test_bounds(void)
{
  g_autoptr(Flow) flow = flow_of(FLOW_BY_MONTH, TRUE);
  guint64 all = 0;
  for (guint i = 0; i < FLOW_MAX_ROWS + 5000; i++) {
    g_autofree char *to = g_strdup_printf("b@d%u.nl", i);
    route(flow, midnight(SINCE), to, "viewer", "-");
  }
  const GPtrArray *rows = flow_rows(flow);
  for (guint i = 0; i < rows->len; i++)
    all += ((const FlowRow *) rows->pdata[i])->count;
  g_assert_true(flow_is_cut(flow));
  g_assert_cmpuint(rows->len, <=, FLOW_MAX_ROWS + 1);
  g_assert_cmpuint(all, ==, FLOW_MAX_ROWS + 5000);
}

/* ---- For programs ---- */

static void
test_csv(void)
{
  g_autoptr(Flow) flow = flow_of(FLOW_BY_MONTH, TRUE);
  add(flow, midnight(SINCE), "refused", "from", "=HYPERLINK(\"x\")@own.nl", "code",
      "Z-S7-NUMBER", "to", "b@x.nl", NULL);
  add(flow, midnight(SINCE), "refused", "from", "o'hara,x@own.nl", "code", "Z-S7-NUMBER",
      "to", "b@-x.nl", NULL);
  g_autofree char *csv = flow_data_csv(flow);
  g_assert_cmpstr(csv, ==,
                  "period,event,nta,route,code,method,sender,recipient_domain,count\r\n"
                  "2026-10,refused,1,,Z-S7-NUMBER,,\"'=hyperlink(\"\"x\"\")@own.nl\",x.nl,1"
                  "\r\n"
                  "2026-10,refused,1,,Z-S7-NUMBER,,\"o'hara,x@own.nl\",\"'-x.nl\",1\r\n");
}

static void
test_senders(void)
{
  static const struct {
    gboolean senders;
    const char *expected;
  } rows[] = {{TRUE, "a@own.nl"}, {FALSE, "own.nl"}};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(Flow) flow = flow_of(FLOW_BY_MONTH, rows[i].senders);
    route(flow, midnight(SINCE), "Jan@X.nl", "viewer", "-");
    add(flow, midnight(SINCE), "told", "to", "A@OWN.nl", NULL);
    add(flow, midnight(SINCE), "opened", "to", "Jan@x.nl", "for", "A@own.nl", NULL);
    for (guint r = 0; r < 3; r++) {
      const FlowRow *row = flow_rows(flow)->pdata[r];
      g_assert_cmpstr(row->sender, ==, rows[i].expected);
      g_assert_cmpstr(row->domain, ==, row->kind == EVENT_TOLD ? "" : "x.nl");
    }
  }
}

int
main(int argc, char **argv)
{
  g_setenv("TZ", "Europe/Amsterdam", TRUE);
  tap_init(argc, argv);
  g_test_add_func("/flow/periods", test_periods);
  g_test_add_func("/flow/edges", test_edges);
  g_test_add_func("/flow/partners", test_partners);
  g_test_add_func("/flow/opened", test_opened);
  g_test_add_func("/flow/sums", test_sums);
  g_test_add_func("/flow/bounds", test_bounds);
  g_test_add_func("/flow/csv", test_csv);
  g_test_add_func("/flow/senders", test_senders);
  return g_test_run();
}
