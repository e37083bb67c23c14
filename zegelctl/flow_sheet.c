#include "zegelctl/flow_sheet.h"

#include <string.h>

#include "zegelctl/language.h"

#define MAX_COLUMNS 8

/* The columns of a table by route; all that is routed stands in one of them. */
typedef enum {
  COLUMN_VIEWER,
  COLUMN_DIRECT,
  COLUMN_OWN,
  COLUMN_PREFER,
  COLUMN_COUNT
} Column;

/* Names with their numbers, in a table: one row of it is one name. */
typedef struct {
  GHashTable *rows; /* name -> guint64[MAX_COLUMNS] */
  guint columns;
} Pivot;

static Pivot
pivot_new(guint columns)
{
  return (Pivot){g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free), columns};
}

static void
pivot_clear(Pivot *pivot)
{
  g_hash_table_unref(pivot->rows);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pivot, pivot_clear)

/* Adds COUNT to COLUMN of NAME (borrowed as long as PIVOT lives). */
static void
pivot_add(Pivot *pivot, const char *name, guint column, guint64 count)
{
  guint64 *numbers = g_hash_table_lookup(pivot->rows, name);
  if (numbers == NULL) {
    numbers = g_new0(guint64, MAX_COLUMNS);
    g_hash_table_insert(pivot->rows, (gpointer) name, numbers);
  }
  numbers[column] += count;
}

static guint64
sum_of(const Pivot *pivot, gconstpointer name)
{
  const guint64 *numbers = g_hash_table_lookup(pivot->rows, name);
  guint64 sum = 0;
  for (guint i = 0; i < pivot->columns; i++)
    sum += numbers[i];
  return sum;
}

static gint
compare_names(gconstpointer p, gconstpointer q, gpointer pivot)
{
  const char *a = *(const char *const *) p, *b = *(const char *const *) q;
  guint64 m = sum_of(pivot, a), n = sum_of(pivot, b);
  return m != n ? (m > n ? -1 : 1) : strcmp(a, b);
}

/* The names, those with the most first. */
static GPtrArray *
pivot_names(Pivot *pivot)
{
  GPtrArray *names = g_ptr_array_new();
  GHashTableIter iter;
  gpointer name;
  g_hash_table_iter_init(&iter, pivot->rows);
  while (g_hash_table_iter_next(&iter, &name, NULL))
    g_ptr_array_add(names, name);
  g_ptr_array_sort_with_data(names, compare_names, pivot);
  return names;
}

static char *
number_text(guint64 number)
{
  return g_strdup_printf("%" G_GUINT64_FORMAT, number);
}

/* A row of NAME and COUNT of NUMBERS, with their sum behind them when WITH_SUM. */
static GStrv
row_of(const char *name, const guint64 *numbers, guint count, gboolean with_sum)
{
  GStrv row = g_new0(char *, count + (with_sum ? 3 : 2));
  guint64 sum = 0;
  row[0] = g_strdup(name);
  for (guint i = 0; i < count; i++) {
    row[i + 1] = number_text(numbers[i]);
    sum += numbers[i];
  }
  if (with_sum)
    row[count + 1] = number_text(sum);
  return row;
}

/* The rows of PIVOT into TABLE, which gets a sum of all; what is beyond the most a table
 * has is one line. */
static void
take_pivot(SheetPiece *table, Pivot *pivot, gboolean with_sum)
{
  g_autoptr(GPtrArray) names = pivot_names(pivot);
  guint64 rest[MAX_COLUMNS] = {0}, all[MAX_COLUMNS] = {0};
  for (guint i = 0; i < names->len; i++) {
    const char *name = names->pdata[i];
    const guint64 *numbers = g_hash_table_lookup(pivot->rows, name);
    for (guint c = 0; c < pivot->columns; c++) {
      all[c] += numbers[c];
      rest[c] += i >= FLOW_SHEET_MAX_ROWS ? numbers[c] : 0;
    }
    if (i < FLOW_SHEET_MAX_ROWS)
      sheet_take_row(table, row_of(*name != '\0' ? name : _("(not known)"), numbers,
                                   pivot->columns, with_sum));
  }
  if (names->len > FLOW_SHEET_MAX_ROWS) {
    g_autofree char *others =
        g_strdup_printf(_("%u others"), names->len - FLOW_SHEET_MAX_ROWS);
    sheet_take_row(table, row_of(others, rest, pivot->columns, with_sum));
  }
  sheet_take_row(table, row_of(_("In total"), all, pivot->columns, with_sum));
  table->total = TRUE;
}

/* ---- Recipients by their route ---- */

static Column
column_of(const char *route)
{
  if (strcmp(route, "viewer") == 0)
    return COLUMN_VIEWER;
  if (strcmp(route, "direct") == 0)
    return COLUMN_DIRECT;
  return strcmp(route, "own") == 0 ? COLUMN_OWN : COLUMN_PREFER;
}

typedef const char *(*NameOf)(const FlowRow *row);

static const char *
domain_name(const FlowRow *row)
{
  return row->domain;
}

static const char *
sender_name(const FlowRow *row)
{
  return row->sender;
}

static SheetPiece *
add_route_table(Sheet *sheet, const char *caption, const char *first)
{
  const char *const columns[] = {
      first,         _("viewer"), _("direct"), _("own"), _("not sensitive, direct"),
      _("together"), NULL};
  return sheet_add_table(sheet, caption, columns);
}

static void
add_routes(Sheet *sheet, Flow *flow, const char *caption, const char *first, NameOf name)
{
  const GPtrArray *rows = flow_rows(flow);
  g_auto(Pivot) pivot = pivot_new(COLUMN_COUNT);
  for (guint i = 0; i < rows->len; i++) {
    const FlowRow *row = rows->pdata[i];
    if (row->kind == EVENT_ROUTED)
      pivot_add(&pivot, name(row), column_of(row->route), row->count);
  }
  take_pivot(add_route_table(sheet, caption, first), &pivot, TRUE);
}

/* The numbers of each period: COUNT for one, in the order of the periods. */
static guint64 *
numbers_by_period(Flow *flow, guint columns)
{
  return g_new0(guint64, flow_periods(flow)->len * columns);
}

/* NUMBERS into TABLE, period by period, with their sum at the end. */
static void
take_periods(SheetPiece *table, const Flow *flow, const guint64 *numbers, guint columns,
             gboolean with_sum)
{
  const GPtrArray *periods = flow_periods(flow);
  guint64 all[MAX_COLUMNS] = {0};
  for (guint i = 0; i < periods->len; i++) {
    const FlowPeriod *period = periods->pdata[i];
    sheet_take_row(table, row_of(period->name, numbers + i * columns, columns, with_sum));
    for (guint c = 0; c < columns; c++)
      all[c] += numbers[i * columns + c];
  }
  sheet_take_row(table, row_of(_("In total"), all, columns, with_sum));
  table->total = TRUE;
}

static void
add_sent(Sheet *sheet, Flow *flow)
{
  const GPtrArray *rows = flow_rows(flow);
  g_autofree guint64 *numbers = numbers_by_period(flow, COLUMN_COUNT);
  for (guint i = 0; i < rows->len; i++) {
    const FlowRow *row = rows->pdata[i];
    if (row->kind == EVENT_ROUTED)
      numbers[row->period * COLUMN_COUNT + column_of(row->route)] += row->count;
  }
  SheetPiece *table =
      add_route_table(sheet, _("Recipients of outgoing mail, by their route"), _("Period"));
  take_periods(table, flow, numbers, COLUMN_COUNT, TRUE);
  table->bars = COLUMN_COUNT;
}

/* ---- What came in ---- */

static void
add_received(Sheet *sheet, Flow *flow)
{
  static const char *const secure[] = {"nta", "community"};
  const char *const columns[] = {_("Period"),   _("secure by NTA 7516"), _("community"),
                                 _("ordinary"), _("together"),           NULL};
  const GPtrArray *rows = flow_rows(flow);
  g_autofree guint64 *numbers = numbers_by_period(flow, 3);
  for (guint i = 0; i < rows->len; i++) {
    const FlowRow *row = rows->pdata[i];
    guint column = 0;
    while (column < G_N_ELEMENTS(secure) && strcmp(row->route, secure[column]) != 0)
      column++;
    if (row->kind == EVENT_VERIFIED)
      numbers[row->period * 3 + column] += row->count;
  }
  SheetPiece *table = sheet_add_table(sheet, _("Messages that came in"), columns);
  take_periods(table, flow, numbers, 3, TRUE);
  table->bars = 3;
}

/* ---- Messages in the viewer ---- */

static void
add_opened(Sheet *sheet, Flow *flow)
{
  const char *const columns[] = {_("Stored in"),
                                 _("opened"),
                                 _("over, never opened"),
                                 _("not opened yet"),
                                 _("not followed"),
                                 _("together"),
                                 NULL};
  const GPtrArray *periods = flow_periods(flow);
  g_autofree guint64 *numbers = numbers_by_period(flow, 4);
  for (guint i = 0; i < periods->len; i++) {
    const FlowPeriod *period = periods->pdata[i];
    numbers[i * 4] = period->opened;
    numbers[i * 4 + 1] = period->ended;
    numbers[i * 4 + 2] = period->waiting;
    numbers[i * 4 + 3] = period->unfollowed;
  }
  SheetPiece *table =
      sheet_add_table(sheet, _("Messages in the viewer, and what became of them"), columns);
  take_periods(table, flow, numbers, 4, TRUE);
  table->bars = 3;
}

/* ---- Partners ---- */

const char *
flow_sheet_definition(void)
{
  return _(
      "A recipient of sensitive mail fell back when he got the viewer though his domain "
      "is a partner. A domain is a partner at that moment when mail for it went direct "
      "in the 90 days before, or when it publishes an NTA 7516 record that could not be "
      "used now, or the direct way was closed on our side (another TLS rule for its next "
      "hop, or no key to sign with). The rate is fallen back, out of fallen back and "
      "reached direct together.");
}

static char *
rate_text(guint64 fell, guint64 direct)
{
  guint64 all = fell + direct;
  guint64 tenths = all > 0 ? (fell * 1000 + all / 2) / all : 0;
  g_autofree char *whole = number_text(tenths / 10);
  g_autofree char *part = number_text(tenths % 10);
  /* a percentage with one decimal */
  return all > 0 ? g_strdup_printf(_("%s.%s %%"), whole, part) : g_strdup("-");
}

static void
take_partner(SheetPiece *table, const char *name, guint64 direct, guint64 fell)
{
  GStrv row = g_new0(char *, 5);
  row[0] = g_strdup(name);
  row[1] = number_text(direct);
  row[2] = number_text(fell);
  row[3] = rate_text(fell, direct);
  sheet_take_row(table, row);
}

static void
add_partners(Sheet *sheet, Flow *flow)
{
  const char *const columns[] = {_("Partner domain"), _("direct"), _("fell back"),
                                 _("rate"), NULL};
  const GPtrArray *partners = flow_partners(flow);
  guint64 direct[2] = {0}, fell[2] = {0}; /* of all, and of those without a line */
  sheet_take_text(sheet, g_strdup(flow_sheet_definition()));
  SheetPiece *table = sheet_add_table(sheet, _("Recipients at partner domains"), columns);
  for (guint i = 0; i < partners->len; i++) {
    const FlowPartner *partner = partners->pdata[i];
    gboolean shown = i < FLOW_SHEET_MAX_ROWS;
    direct[0] += partner->direct;
    fell[0] += partner->fell;
    direct[1] += shown ? 0 : partner->direct;
    fell[1] += shown ? 0 : partner->fell;
    if (shown)
      take_partner(table, partner->domain, partner->direct, partner->fell);
  }
  if (partners->len > FLOW_SHEET_MAX_ROWS) {
    g_autofree char *others =
        g_strdup_printf(_("%u others"), partners->len - FLOW_SHEET_MAX_ROWS);
    take_partner(table, others, direct[1], fell[1]);
  }
  take_partner(table, _("In total"), direct[0], fell[0]);
  table->total = TRUE;
}

/* ---- Codes, and all there is ---- */

static void
add_counts(Sheet *sheet, Flow *flow, EventKind kind, const char *caption,
           const char *const *columns)
{
  const GPtrArray *rows = flow_rows(flow);
  g_auto(Pivot) pivot = pivot_new(1);
  for (guint i = 0; i < rows->len; i++) {
    const FlowRow *row = rows->pdata[i];
    if (row->kind == kind)
      pivot_add(&pivot, row->code, 0, row->count);
  }
  take_pivot(sheet_add_table(sheet, caption, columns), &pivot, FALSE);
}

static void
add_codes(Sheet *sheet, Flow *flow)
{
  const char *const columns[] = {_("Access codes"), _("number"), NULL};
  const GPtrArray *rows = flow_rows(flow);
  g_auto(Pivot) pivot = pivot_new(1);
  for (guint i = 0; i < rows->len; i++) {
    const FlowRow *row = rows->pdata[i];
    if (row->kind == EVENT_CODE_SENT)
      pivot_add(&pivot,
                strcmp(row->method, "email") == 0 ? _("sent by e-mail") : _("sent by SMS"),
                0, row->count);
    else if (row->kind == EVENT_CODE_REFUSED)
      pivot_add(&pivot, _("not sent: a limit, or the gateway"), 0, row->count);
    else if (row->kind == EVENT_CODE_WRONG)
      pivot_add(&pivot, _("typed wrong"), 0, row->count);
  }
  take_pivot(sheet_add_table(sheet, _("Access codes"), columns), &pivot, FALSE);
}

/* One line for each kind; together they are all that was counted. */
static void
add_events(Sheet *sheet, Flow *flow)
{
  const char *const columns[] = {_("Event"), _("kind of NTA 7516"), _("number"), NULL};
  const GPtrArray *rows = flow_rows(flow);
  guint64 counts[EVENT_COUNT] = {0};
  SheetPiece *table = sheet_add_table(sheet, _("All events"), columns);
  for (guint i = 0; i < rows->len; i++) {
    const FlowRow *row = rows->pdata[i];
    counts[row->kind] += row->count;
  }
  for (guint kind = 0; kind < EVENT_COUNT; kind++) {
    const EventFacts *facts = event_facts((EventKind) kind);
    const char *cells[] = {facts->name, NULL, NULL, NULL};
    g_autofree char *count = number_text(counts[kind]);
    g_autofree char *nta = g_strdup_printf("%u", (guint) facts->nta);
    cells[1] = facts->nta != NTA_NONE ? nta : "-";
    cells[2] = count;
    if (counts[kind] > 0)
      sheet_take_row(table, g_strdupv((char **) cells));
  }
  g_autofree char *all = number_text(flow_total(flow));
  const char *total[] = {_("In total"), "", all, NULL};
  sheet_take_row(table, g_strdupv((char **) total));
  table->total = TRUE;
}

Sheet *
flow_sheet_new(Flow *flow, const FlowWords *words)
{
  const char *const refused[] = {_("Code"), _("number"), NULL};
  g_autofree char *title = g_strdup_printf(_("Mail flow of %s, from %s to %s"),
                                           words->organisation, words->first, words->last);
  Sheet *sheet = sheet_new(title, words->language);
  sheet_take_text(sheet,
                  g_strdup(_("Counted from the audit trail: each event of this time once. "
                             "One message to several recipients counts once for each.")));
  sheet_add_heading(sheet, _("Sent"));
  add_sent(sheet, flow);
  sheet_add_heading(sheet, _("Opened and never opened"));
  add_opened(sheet, flow);
  sheet_add_heading(sheet, _("Partners that fell back on the viewer"));
  add_partners(sheet, flow);
  sheet_add_heading(sheet, _("Came in"));
  add_received(sheet, flow);
  sheet_add_heading(sheet, _("Recipients' domains"));
  add_routes(sheet, flow, _("Recipients, by their domain"), _("Domain"), domain_name);
  sheet_add_heading(sheet, _("Senders"));
  add_routes(sheet, flow, _("Recipients, by who sent"),
             words->senders ? _("Sender") : _("Sender's domain"), sender_name);
  sheet_add_heading(sheet, _("Refused"));
  add_counts(sheet, flow, EVENT_REFUSED, _("Refused messages and recipients, by code"),
             refused);
  sheet_add_heading(sheet, _("Access codes"));
  add_codes(sheet, flow);
  sheet_add_heading(sheet, _("All events"));
  add_events(sheet, flow);
  if (flow_is_cut(flow))
    sheet_take_text(sheet,
                    g_strdup(_("There were too many senders and domains to count each "
                               "by itself: the rest stands as (others).")));
  return sheet;
}
