#include "zegelctl/expect.h"

#include <string.h>

#include "zegelctl/calendar.h"
#include "zegelctl/flow.h"
#include "zegelctl/partner.h"

#define HOUR_MINUTES 60
#define PERCENT      100

struct Expect {
  const Rule *rule;
  gint64 from_us, until_us;
  guint count;
  Partners *partners;
  GHashTable *by_domain; /* domain -> Share, for viewer_over */
};

typedef struct {
  guint direct, fell;
} Share;

/* What a rule counts: the event, and what must stand in it. */
static const struct {
  const char *event;
  const char *key;       /* or NULL: each of them */
  const char *values[2]; /* one of these */
  const char *peer;      /* who has the rule's domain; of a reader the reader */
  const char *dutch, *english;
} kinds[] = {
    [FLOW_SENT] = {"routed",
                   NULL,
                   {NULL},
                   "to",
                   "geadresseerden van verzonden berichten",
                   "recipients of mail that was sent"},
    [FLOW_VIEWER] = {"routed",
                     "route",
                     {"viewer"},
                     "to",
                     "geadresseerden die een link kregen",
                     "recipients who got a link"},
    [FLOW_DIRECT] = {"routed",
                     "route",
                     {"direct", "prefer"},
                     "to",
                     "geadresseerden die direct bereikt zijn",
                     "recipients who were reached direct"},
    [FLOW_RECEIVED] =
        {"verified", NULL, {NULL}, "from", "ontvangen berichten", "messages that came in"},
    [FLOW_SECURE] = {"verified",
                     "secure",
                     {"nta", "community"},
                     "from",
                     "veilig ontvangen berichten",
                     "messages that came in secure"},
    [FLOW_OPENED] = {"opened",
                     NULL,
                     {NULL},
                     "to",
                     "keer dat een bericht geopend is",
                     "times that a message was opened"},
    [FLOW_ANSWERED] =
        {"answered", NULL, {NULL}, "from", "antwoorden van lezers", "answers of readers"},
};

/* The minute MINUTE of DAY, here; where clocks leap over it, the first that is there. */
static gint64
moment(const GDate *day, guint minute)
{
  g_autoptr(GDateTime) time = g_date_time_new_local(
      g_date_get_year(day), (gint) g_date_get_month(day), g_date_get_day(day),
      (gint) (minute / HOUR_MINUTES), (gint) (minute % HOUR_MINUTES), 0);
  return g_date_time_to_unix(time) * G_USEC_PER_SEC;
}

gboolean
expect_due(const Config *config, const Rule *rule, const GDate *day, gint64 now_us,
           gint64 *from_us, gint64 *until_us)
{
  GDate next = *day;
  g_date_add_days(&next, 1);
  gint64 end_us = moment(&next, 0);
  gint64 by_us = rule->by_minute > 0 ? moment(day, rule->by_minute) : moment(day, 0);
  *from_us = moment(day, 0);
  *until_us = rule->fewer_than > 0 ? by_us : MIN(now_us, end_us);
  return calendar_has(config, rule->days, day) && now_us >= by_us &&
         now_us - end_us <= EXPECT_LATE_US;
}

const char *
expect_event(const Rule *rule)
{
  return rule->fewer_than > 0 ? kinds[rule->kind].event : "routed";
}

gint64
expect_memory_us(const Rule *rule)
{
  return rule->fewer_than > 0 ? 0 : PARTNER_DAYS * G_TIME_SPAN_DAY;
}

Expect *
expect_new(const Rule *rule, gint64 from_us, gint64 until_us)
{
  Expect *expect = g_new0(Expect, 1);
  expect->rule = rule;
  expect->from_us = from_us;
  expect->until_us = until_us;
  expect->partners = partners_new();
  expect->by_domain = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return expect;
}

void
expect_free(Expect *expect)
{
  if (expect == NULL)
    return;
  partners_free(expect->partners);
  g_hash_table_unref(expect->by_domain);
  g_free(expect);
}

static gboolean
domain_fits(const Rule *rule, const char *domain)
{
  return *rule->domain == '\0' || g_ascii_strcasecmp(rule->domain, domain) == 0;
}

static gboolean
is_counted(const Rule *rule, const Attrs *attrs)
{
  const char *event = attrs_get(attrs, "event");
  const char *const *values = kinds[rule->kind].values;
  if (g_strcmp0(event, kinds[rule->kind].event) != 0)
    return FALSE;
  if (kinds[rule->kind].key != NULL) {
    const char *value = attrs_get(attrs, kinds[rule->kind].key);
    if (g_strcmp0(value, values[0]) != 0 &&
        (values[1] == NULL || g_strcmp0(value, values[1]) != 0))
      return FALSE;
  }
  g_autofree char *domain = flow_domain_of(attrs_get(attrs, kinds[rule->kind].peer));
  return domain_fits(rule, domain);
}

static void
add_share(Expect *expect, const Attrs *attrs, gint64 at_us)
{
  g_autofree char *domain = flow_domain_of(attrs_get(attrs, "to"));
  PartnerFact fact = partners_take(expect->partners, attrs, domain, at_us);
  if (fact == PARTNER_NONE || at_us < expect->from_us || !domain_fits(expect->rule, domain))
    return;
  Share *share = g_hash_table_lookup(expect->by_domain, domain);
  if (share == NULL) {
    share = g_new0(Share, 1);
    g_hash_table_insert(expect->by_domain, g_strdup(domain), share);
  }
  if (fact == PARTNER_DIRECT)
    share->direct++;
  else
    share->fell++;
}

void
expect_add(Expect *expect, const Attrs *attrs, gint64 at_us)
{
  if (at_us >= expect->until_us)
    return;
  if (expect->rule->fewer_than == 0)
    add_share(expect, attrs, at_us);
  else if (at_us >= expect->from_us && is_counted(expect->rule, attrs))
    expect->count++;
}

static void
alarm_free(gpointer p)
{
  Alarm *alarm = p;
  g_free(alarm->domain);
  g_free(alarm);
}

static gint
compare_alarms(gconstpointer p, gconstpointer q)
{
  return strcmp((*(const Alarm *const *) p)->domain, (*(const Alarm *const *) q)->domain);
}

static void
add_alarm(GPtrArray *alarms, const char *domain, guint count, guint limit, guint percent)
{
  Alarm *alarm = g_new0(Alarm, 1);
  *alarm = (Alarm){g_strdup(domain), count, limit, percent};
  g_ptr_array_add(alarms, alarm);
}

GPtrArray *
expect_alarms(const Expect *expect)
{
  const Rule *rule = expect->rule;
  GPtrArray *alarms = g_ptr_array_new_with_free_func(alarm_free);
  GHashTableIter iter;
  gpointer domain, value;
  if (rule->fewer_than > 0 && expect->count < rule->fewer_than)
    add_alarm(alarms, EXPECT_ANY, expect->count, rule->fewer_than, 0);
  g_hash_table_iter_init(&iter, expect->by_domain);
  while (g_hash_table_iter_next(&iter, &domain, &value)) {
    const Share *share = value;
    guint64 all = (guint64) share->direct + share->fell;
    if (all >= rule->minimum && share->fell * (guint64) PERCENT > all * rule->viewer_over)
      add_alarm(alarms, domain, share->fell, rule->viewer_over,
                (guint) (share->fell * (guint64) PERCENT / all));
  }
  g_ptr_array_sort(alarms, compare_alarms);
  return alarms;
}

static char *
fewer_text(const Rule *rule, const Alarm *alarm, const char *day)
{
  guint hour = rule->by_minute / HOUR_MINUTES, minute = rule->by_minute % HOUR_MINUTES;
  g_autofree char *domain =
      *rule->domain != '\0' ? g_strconcat(" (", rule->domain, ")", NULL) : g_strdup("");
  return g_strdup_printf(
      "Regel %s van %s: op %s waren er om %02u:%02u %u %s%s. Verwacht: minstens %u.\n\n"
      "Rule %s of %s: on %s at %02u:%02u there were %u %s%s. Expected: at least %u.\n",
      rule->name, rule->organisation, day, hour, minute, alarm->count,
      kinds[rule->kind].dutch, domain, alarm->limit, rule->name, rule->organisation, day,
      hour, minute, alarm->count, kinds[rule->kind].english, domain, alarm->limit);
}

char *
expect_text(const Rule *rule, const Alarm *alarm, const char *day)
{
  if (rule->fewer_than > 0)
    return fewer_text(rule, alarm, day);
  return g_strdup_printf(
      "Regel %s van %s: op %s kregen %u geadresseerden bij %s (%u %%) een link, terwijl "
      "dat domein direct bereikt werd of kan worden. Toegestaan: %u %%.\n\n"
      "Rule %s of %s: on %s, %u recipients at %s (%u %%) got a link, though that domain "
      "was or can be reached direct. Allowed: %u %%.\n\n"
      "Waarom / why: zegelctl domain check %s\n",
      rule->name, rule->organisation, day, alarm->count, alarm->domain, alarm->percent,
      alarm->limit, rule->name, rule->organisation, day, alarm->count, alarm->domain,
      alarm->percent, alarm->limit, alarm->domain);
}
