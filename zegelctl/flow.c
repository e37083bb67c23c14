#include "zegelctl/flow.h"

#include <string.h>

#include "zegelctl/partner.h"

/* What became of a message in the viewer; beside it, the period in which it was stored. */
typedef enum {
  FATE_WAITING,
  FATE_OPENED,
  FATE_ENDED
} Fate;

#define FATE_BITS 2

struct Flow {
  FlowOptions options;
  GPtrArray *periods;     /* of FlowPeriod */
  GHashTable *texts;      /* text -> itself: equal texts are one pointer in rows */
  GHashTable *rows;       /* of FlowRow, to itself */
  GPtrArray *sorted;      /* of FlowRow */
  GHashTable *references; /* reference -> period and Fate */
  Partners *partners;
  GHashTable *by_domain; /* domain -> FlowPartner */
  GPtrArray *fallen;     /* of FlowPartner */
  guint64 total;
  gboolean is_cut;
};

/* ---- Periods ---- */

static GDateTime *
midnight(GDateTime *time)
{
  gint year, month, day;
  g_date_time_get_ymd(time, &year, &month, &day);
  return g_date_time_new_local(year, month, day, 0, 0, 0);
}

/* The start of the period behind that of START. */
static GDateTime *
next_start(GDateTime *start, FlowStep step)
{
  g_autoptr(GDateTime) next = NULL;
  switch (step) {
  case FLOW_BY_DAY:
    next = g_date_time_add_days(start, 1);
    break;
  case FLOW_BY_WEEK:
    next = g_date_time_add_days(start, 8 - g_date_time_get_day_of_week(start));
    break;
  case FLOW_BY_MONTH: {
    g_autoptr(GDateTime) first =
        g_date_time_add_days(start, 1 - g_date_time_get_day_of_month(start));
    next = g_date_time_add_months(first, 1);
    break;
  }
  }
  return midnight(next); /* a night may have 23 or 25 hours */
}

static void
period_free(gpointer p)
{
  FlowPeriod *period = p;
  g_free(period->name);
  g_free(period);
}

static void
make_periods(Flow *flow)
{
  static const char *const formats[] = {
      [FLOW_BY_DAY] = "%Y-%m-%d", [FLOW_BY_WEEK] = "%G-W%V", [FLOW_BY_MONTH] = "%Y-%m"};
  const FlowOptions *options = &flow->options;
  g_autoptr(GDateTime) start =
      g_date_time_new_from_unix_local(options->since_us / G_USEC_PER_SEC);
  do {
    FlowPeriod *period = g_new0(FlowPeriod, 1);
    period->name = g_date_time_format(start, formats[options->step]);
    period->start_us = g_date_time_to_unix(start) * G_USEC_PER_SEC;
    g_ptr_array_add(flow->periods, period);
    GDateTime *next = next_start(start, options->step);
    g_date_time_unref(start);
    start = next;
  } while (g_date_time_to_unix(start) * G_USEC_PER_SEC < options->until_us);
}

/* The period of AT_US, which lies in one. */
static guint
period_of(const Flow *flow, gint64 at_us)
{
  guint low = 0, high = flow->periods->len;
  while (high - low > 1) {
    guint middle = (low + high) / 2;
    const FlowPeriod *period = flow->periods->pdata[middle];
    if (period->start_us <= at_us)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* ---- Rows ---- */

static guint
row_hash(gconstpointer p)
{
  const FlowRow *row = p;
  guint hash = row->period * 64 + (guint) row->kind;
  hash = hash * 31 + g_direct_hash(row->route);
  hash = hash * 31 + g_direct_hash(row->code);
  hash = hash * 31 + g_direct_hash(row->method);
  hash = hash * 31 + g_direct_hash(row->sender);
  hash = hash * 31 + g_direct_hash(row->domain);
  return hash ^ hash >> 15;
}

static gboolean
row_equal(gconstpointer p, gconstpointer q)
{
  const FlowRow *a = p, *b = q;
  return a->period == b->period && a->kind == b->kind && a->route == b->route &&
         a->code == b->code && a->method == b->method && a->sender == b->sender &&
         a->domain == b->domain;
}

/* The one pointer for TEXT (NULL: ""). */
static const char *
intern(Flow *flow, const char *text)
{
  if (text == NULL)
    text = "";
  const char *known = g_hash_table_lookup(flow->texts, text);
  if (known == NULL) {
    char *copy = g_strdup(text);
    g_hash_table_add(flow->texts, copy);
    known = copy;
  }
  return known;
}

/* The same for a sender or domain: when there is no room for another one, FLOW_OTHERS. */
static const char *
intern_bounded(Flow *flow, const char *text)
{
  if (g_hash_table_contains(flow->texts, text) ||
      g_hash_table_size(flow->texts) < FLOW_MAX_ROWS)
    return intern(flow, text);
  flow->is_cut = TRUE;
  return intern(flow, FLOW_OTHERS);
}

static void
count_row(Flow *flow, FlowRow *row)
{
  FlowRow *known = g_hash_table_lookup(flow->rows, row);
  if (known == NULL && g_hash_table_size(flow->rows) >= FLOW_MAX_ROWS) {
    flow->is_cut = TRUE;
    row->sender = row->domain = intern(flow, FLOW_OTHERS);
    known = g_hash_table_lookup(flow->rows, row);
  }
  if (known == NULL) {
    known = g_memdup2(row, sizeof *row);
    known->count = 0;
    g_hash_table_add(flow->rows, known);
  }
  known->count++;
}

char *
flow_domain_of(const char *address)
{
  const char *at = address != NULL ? strrchr(address, '@') : NULL;
  return at != NULL ? g_ascii_strdown(at + 1, -1) : g_strdup("");
}

/* Who sent, and whose domain it went to, by what the event of KIND calls them. Letters to
 * the sender of a message have him as "to". */
static void
find_parties(EventKind kind, const Attrs *attrs, const char **sender,
             const char **recipient)
{
  const char *to = attrs_get(attrs, "to");
  const char *from = attrs_get(attrs, "from");
  gboolean to_sender = kind == EVENT_CONFIRMED || kind == EVENT_TOLD;
  *sender = to_sender ? to : from != NULL ? from : attrs_get(attrs, "for");
  *recipient = to_sender ? NULL : to;
}

static char *
sender_of(const Flow *flow, const char *address)
{
  if (flow->options.senders && address != NULL)
    return g_ascii_strdown(address, -1);
  return flow_domain_of(address);
}

static void
count_event(Flow *flow, EventKind kind, const Attrs *attrs, guint period)
{
  gboolean inward = kind == EVENT_VERIFIED;
  const char *from, *to;
  find_parties(kind, attrs, &from, &to);
  g_autofree char *sender = sender_of(flow, from);
  g_autofree char *domain = flow_domain_of(to);
  const char *code = attrs_get(attrs, kind == EVENT_CODE_REFUSED ? "reason" : "code");
  FlowRow row = {
      .period = period,
      .kind = kind,
      .route = intern(flow, attrs_get(attrs, inward ? "secure" : "route")),
      .code = intern(flow, code),
      .method = intern(flow, attrs_get(attrs, "method")),
      .sender = intern_bounded(flow, sender),
      .domain = intern_bounded(flow, domain),
  };
  flow->total++;
  count_row(flow, &row);
}

/* ---- Messages in the viewer ---- */

static guint64 *
fate_count(FlowPeriod *period, Fate fate)
{
  return fate == FATE_OPENED  ? &period->opened
         : fate == FATE_ENDED ? &period->ended
                              : &period->waiting;
}

static void
follow_stored(Flow *flow, const char *reference, guint period)
{
  FlowPeriod *stored = flow->periods->pdata[period];
  if (g_hash_table_contains(flow->references, reference))
    return;
  stored->stored++;
  if (g_hash_table_size(flow->references) >= FLOW_MAX_REFERENCES) {
    stored->unfollowed++;
    return;
  }
  stored->waiting++;
  g_hash_table_insert(flow->references, g_strdup(reference),
                      GUINT_TO_POINTER(period << FATE_BITS | FATE_WAITING));
}

static void
follow_fate(Flow *flow, const char *reference, Fate fate)
{
  gpointer value;
  if (!g_hash_table_lookup_extended(flow->references, reference, NULL, &value))
    return;
  Fate before = (Fate) (GPOINTER_TO_UINT(value) & ((1 << FATE_BITS) - 1));
  guint period = GPOINTER_TO_UINT(value) >> FATE_BITS;
  if (before != FATE_WAITING) /* what was opened once stays so */
    return;
  (*fate_count(flow->periods->pdata[period], before))--;
  (*fate_count(flow->periods->pdata[period], fate))++;
  g_hash_table_replace(flow->references, g_strdup(reference),
                       GUINT_TO_POINTER(period << FATE_BITS | fate));
}

/* The events that say that there is no message to open any more. */
static gboolean
is_end(EventKind kind)
{
  return kind == EVENT_BOUNCED || kind == EVENT_RECALLED || kind == EVENT_EXPIRED ||
         kind == EVENT_DELETED || kind == EVENT_REMOVED;
}

static void
follow(Flow *flow, EventKind kind, const Attrs *attrs, gint64 at_us)
{
  const char *reference = attrs_get(attrs, "ref");
  gboolean within = at_us >= flow->options.since_us && at_us < flow->options.until_us;
  if (reference == NULL || *reference == '\0')
    return;
  if (kind == EVENT_STORED && within)
    follow_stored(flow, reference, period_of(flow, at_us));
  else if (kind == EVENT_OPENED)
    follow_fate(flow, reference, FATE_OPENED);
  else if (is_end(kind))
    follow_fate(flow, reference, FATE_ENDED);
}

/* ---- Partners ---- */

static void
count_partner(Flow *flow, const Attrs *attrs, gint64 at_us)
{
  g_autofree char *domain = flow_domain_of(attrs_get(attrs, "to"));
  PartnerFact fact = partners_take(flow->partners, attrs, domain, at_us);
  if (fact == PARTNER_NONE || at_us < flow->options.since_us ||
      at_us >= flow->options.until_us)
    return;
  const char *key = intern_bounded(flow, domain);
  FlowPartner *partner = g_hash_table_lookup(flow->by_domain, key);
  if (partner == NULL) {
    partner = g_new0(FlowPartner, 1);
    partner->domain = key;
    g_hash_table_insert(flow->by_domain, (gpointer) key, partner);
  }
  if (fact == PARTNER_DIRECT)
    partner->direct++;
  else
    partner->fell++;
}

/* ---- The whole ---- */

Flow *
flow_new(const FlowOptions *options)
{
  Flow *flow = g_new0(Flow, 1);
  flow->options = *options;
  flow->periods = g_ptr_array_new_with_free_func(period_free);
  flow->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  flow->rows = g_hash_table_new_full(row_hash, row_equal, g_free, NULL);
  flow->sorted = g_ptr_array_new();
  flow->references = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  flow->partners = partners_new();
  flow->by_domain = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
  flow->fallen = g_ptr_array_new();
  make_periods(flow);
  return flow;
}

void
flow_free(Flow *flow)
{
  if (flow == NULL)
    return;
  g_ptr_array_unref(flow->fallen);
  g_hash_table_unref(flow->by_domain);
  partners_free(flow->partners);
  g_hash_table_unref(flow->references);
  g_ptr_array_unref(flow->sorted);
  g_hash_table_unref(flow->rows);
  g_hash_table_unref(flow->texts);
  g_ptr_array_unref(flow->periods);
  g_free(flow);
}

void
flow_add(Flow *flow, const Attrs *attrs, gint64 at_us)
{
  EventKind kind;
  const char *name = attrs_get(attrs, "event");
  if (name == NULL || !event_kind_parse(name, &kind))
    return;
  if (kind == EVENT_ROUTED)
    count_partner(flow, attrs, at_us);
  follow(flow, kind, attrs, at_us);
  if (at_us >= flow->options.since_us && at_us < flow->options.until_us)
    count_event(flow, kind, attrs, period_of(flow, at_us));
}

guint64
flow_total(const Flow *flow)
{
  return flow->total;
}

const GPtrArray *
flow_periods(const Flow *flow)
{
  return flow->periods;
}

gboolean
flow_is_cut(const Flow *flow)
{
  return flow->is_cut;
}

static gint
compare_rows(gconstpointer p, gconstpointer q)
{
  const FlowRow *a = *(const FlowRow *const *) p, *b = *(const FlowRow *const *) q;
  if (a->period != b->period)
    return a->period < b->period ? -1 : 1;
  if (a->kind != b->kind)
    return a->kind < b->kind ? -1 : 1;
  gint order = strcmp(a->route, b->route);
  order = order != 0 ? order : strcmp(a->code, b->code);
  order = order != 0 ? order : strcmp(a->method, b->method);
  order = order != 0 ? order : strcmp(a->sender, b->sender);
  return order != 0 ? order : strcmp(a->domain, b->domain);
}

static void
fill(GPtrArray *list, GHashTable *table)
{
  GHashTableIter iter;
  gpointer value;
  g_ptr_array_set_size(list, 0);
  g_hash_table_iter_init(&iter, table);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    g_ptr_array_add(list, value);
}

const GPtrArray *
flow_rows(Flow *flow)
{
  fill(flow->sorted, flow->rows);
  g_ptr_array_sort(flow->sorted, compare_rows);
  return flow->sorted;
}

static gint
compare_partners(gconstpointer p, gconstpointer q)
{
  const FlowPartner *a = *(const FlowPartner *const *) p;
  const FlowPartner *b = *(const FlowPartner *const *) q;
  if (a->fell != b->fell)
    return a->fell > b->fell ? -1 : 1;
  if (a->direct != b->direct)
    return a->direct > b->direct ? -1 : 1;
  return strcmp(a->domain, b->domain);
}

const GPtrArray *
flow_partners(Flow *flow)
{
  fill(flow->fallen, flow->by_domain);
  g_ptr_array_sort(flow->fallen, compare_partners);
  return flow->fallen;
}
