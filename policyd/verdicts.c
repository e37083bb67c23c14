#include "policyd/verdicts.h"

#include "common/base/event.h"
#include "policyd/observe.h"

#define SIDES 2

/* What is known of one domain on one side. */
typedef struct {
  Verdicts *verdicts;
  Side side;
  char *domain;
  Verdict *verdict; /* NULL: none yet */
  gint64 expires_us;
  gboolean seen;  /* there was a verdict once */
  Readiness last; /* what the log knows */
  Lookup *lookup; /* not NULL: sought */
  GQueue waits;   /* of VerdictWait */
  guint users;    /* who look at it now: it stays */
} Entry;

struct VerdictWait {
  GList link; /* in Entry.waits; its data is the wait */
  Entry *entry;
  VerdictDone done;
  gpointer data;
};

struct Verdicts {
  Loop *loop;
  Dns *dns;
  Spf *spf;
  Keeper *keeper;
  const Config *config;
  const Book *book;
  GHashTable *entries[SIDES]; /* domain to Entry */
  guint sought;
};

/* ---- Verdicts ---- */

Verdict *
verdict_of(Readiness readiness, const char *code)
{
  Verdict *verdict = g_rc_box_new0(Verdict);
  verdict->readiness = readiness;
  verdict->code = code;
  return verdict;
}

static void
clear(gpointer verdict)
{
  verdict_clear(verdict);
}

Verdict *
verdict_ref(Verdict *verdict)
{
  return verdict != NULL ? g_rc_box_acquire(verdict) : NULL;
}

void
verdict_unref(Verdict *verdict)
{
  if (verdict != NULL)
    g_rc_box_release_full(verdict, clear);
}

/* ---- Entries ---- */

static void
stop_seeking(Entry *entry)
{
  if (entry->lookup == NULL)
    return;
  g_clear_pointer(&entry->lookup, lookup_free);
  entry->verdicts->sought--;
}

static void
entry_free(gpointer p)
{
  Entry *entry = p;
  stop_seeking(entry);
  for (VerdictWait *wait; (wait = g_queue_peek_head(&entry->waits)) != NULL;)
    verdicts_cancel(wait);
  verdict_unref(entry->verdict);
  g_free(entry->domain);
  g_free(entry);
}

Verdicts *
verdicts_new(Loop *loop, Dns *dns, Spf *spf, Keeper *keeper)
{
  Verdicts *verdicts = g_new0(Verdicts, 1);
  verdicts->loop = loop;
  verdicts->dns = dns;
  verdicts->spf = spf;
  verdicts->keeper = keeper;
  for (guint i = 0; i < SIDES; i++)
    verdicts->entries[i] = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
  return verdicts;
}

void
verdicts_free(Verdicts *verdicts)
{
  if (verdicts == NULL)
    return;
  for (guint i = 0; i < SIDES; i++)
    g_hash_table_unref(verdicts->entries[i]);
  g_free(verdicts);
}

static void
make_stale(gpointer key, gpointer value, gpointer data)
{
  Entry *entry = value;
  (void) key;
  (void) data;
  entry->expires_us = 0;
}

void
verdicts_follow(Verdicts *verdicts, const Config *config, const Book *book)
{
  verdicts->config = config;
  verdicts->book = book;
  for (guint i = 0; i < SIDES; i++)
    g_hash_table_foreach(verdicts->entries[i], make_stale, NULL);
}

static gboolean
is_in_use(const Entry *entry)
{
  return entry->lookup != NULL || entry->users > 0;
}

static gboolean
is_stale(gpointer key, gpointer value, gpointer data)
{
  const Entry *entry = value;
  (void) key;
  (void) data;
  return !is_in_use(entry) && entry->expires_us <= g_get_monotonic_time();
}

static gboolean
is_idle(gpointer key, gpointer value, gpointer data)
{
  (void) key;
  (void) data;
  return !is_in_use(value);
}

/* Room for one more: the stale ones go, and when that is not enough all others. */
static void
make_room(GHashTable *entries)
{
  if (g_hash_table_size(entries) >= VERDICTS_MAX)
    g_hash_table_foreach_remove(entries, is_stale, NULL);
  if (g_hash_table_size(entries) >= VERDICTS_MAX)
    g_hash_table_foreach_remove(entries, is_idle, NULL);
}

static Entry *
find_entry(Verdicts *verdicts, Side side, const char *domain)
{
  GHashTable *entries = verdicts->entries[side];
  Entry *entry = g_hash_table_lookup(entries, domain);
  if (entry != NULL)
    return entry;
  make_room(entries);
  entry = g_new0(Entry, 1);
  entry->verdicts = verdicts;
  entry->side = side;
  entry->domain = g_strdup(domain);
  g_queue_init(&entry->waits);
  g_hash_table_insert(entries, entry->domain, entry);
  return entry;
}

/* ---- What is found ---- */

/* What is new in ENTRY goes to the log, when whoever waited has it. A stranger's domain
 * counts as one that was not ready: nothing is said of most. */
static void
log_change(Entry *entry)
{
  static const char *const names[] = {
      [READINESS_NO] = "no",
      [READINESS_YES] = "yes",
      [READINESS_UNKNOWN] = "unknown",
  };
  const Verdict *verdict = entry->verdict;
  gboolean ours = entry->side == SIDE_OURS;
  gboolean changed = entry->last != verdict->readiness || (ours && !entry->seen);
  entry->seen = TRUE;
  entry->last = verdict->readiness;
  if (!changed)
    return;
  const Organisation *organisation =
      ours ? conf_organisation_of_author(entry->verdicts->config, entry->domain) : NULL;
  event_log(EVENT_READINESS, NULL, organisation != NULL ? organisation->name : NULL,
            "domain", entry->domain, "side", ours ? "ours" : "theirs", "ready",
            names[verdict->readiness], "reason", verdict->code, NULL);
}

/* Keeps VERDICT (taken: cleared), which was read from LOOKUP. Nothing is logged yet. NEWS:
 * somebody looked on purpose. */
static void
keep(Entry *entry, Lookup *lookup, Verdict *verdict, gboolean news)
{
  NtaRules rules = verdicts_rules(entry->verdicts->config);
  observe_keep(entry->verdicts->keeper, lookup, &rules, entry->domain,
               entry->side == SIDE_OURS, verdict, news);
  Verdict *kept = g_rc_box_new0(Verdict);
  *kept = *verdict;
  *verdict = (Verdict){.code = kept->code};
  gint64 now_us = g_get_monotonic_time();
  gint64 most_s = entry->verdicts->config->recheck_s;
  if (kept->readiness == READINESS_UNKNOWN)
    most_s = MIN(most_s, VERDICTS_UNKNOWN_S);
  kept->expires_us =
      CLAMP(lookup_expires_us(lookup), now_us + VERDICTS_KEEP_MIN_S * G_TIME_SPAN_SECOND,
            now_us + most_s * G_TIME_SPAN_SECOND);
  entry->expires_us = kept->expires_us;
  verdict_unref(entry->verdict);
  entry->verdict = kept;
}

void
verdicts_keep(Verdicts *verdicts, Side side, const char *domain, Lookup *lookup,
              Verdict *verdict)
{
  Entry *entry = find_entry(verdicts, side, domain);
  keep(entry, lookup, verdict, TRUE);
  log_change(entry);
}

NtaRules
verdicts_rules(const Config *config)
{
  return (NtaRules){
      .old_syntax = config->nta_old_syntax,
      .long_span = config->nta_long_span == LONG_SPAN_WARN,
      .month = nta_month(g_get_real_time() / G_USEC_PER_SEC),
  };
}

const BookEntry *
verdicts_partner(const Book *book, const char *domain)
{
  const BookEntry *entry = book_find(book, domain);
  return entry != NULL && entry->nta ? entry : NULL;
}

void
verdicts_read(const Verdicts *verdicts, Side side, const char *domain, Lookup *lookup,
              GPtrArray *lines, Verdict *verdict)
{
  const Config *config = verdicts->config;
  NtaRules rules = verdicts_rules(config);
  if (side == SIDE_THEIRS) {
    ready_theirs(lookup, &rules, domain, verdicts_partner(verdicts->book, domain), lines,
                 verdict);
    return;
  }
  const Organisation *organisation = conf_organisation_of_author(config, domain);
  const OwnFacts own = {
      .relay_addresses = (const char *const *) config->relay_addresses,
      .hostname = config->hostname,
      .dkim_directory = config->dkim_directory,
      .declaration = organisation != NULL ? organisation->nta_declaration : "",
  };
  ready_ours(lookup, &rules, domain, &own, lines, verdict);
}

/* Reads what is sought: TRUE when it is found, and kept. */
static gboolean
read_entry(Entry *entry)
{
  g_auto(Verdict) verdict = {.readiness = READINESS_UNKNOWN};
  verdicts_read(entry->verdicts, entry->side, entry->domain, entry->lookup, NULL, &verdict);
  if (lookup_missing(entry->lookup) > 0)
    return FALSE;
  keep(entry, entry->lookup, &verdict, FALSE);
  stop_seeking(entry);
  return TRUE;
}

/* Those who wait get it. They may ask anything in turn, also of this entry. */
static void
tell(Entry *entry)
{
  entry->users++;
  for (VerdictWait *wait; (wait = g_queue_peek_head(&entry->waits)) != NULL;) {
    VerdictDone done = wait->done;
    gpointer data = wait->data;
    verdicts_cancel(wait);
    done(data, entry->verdict);
  }
  log_change(entry);
  entry->users--;
}

static void
on_came(gpointer data)
{
  Entry *entry = data;
  if (read_entry(entry))
    tell(entry);
}

/* Begins to seek. TRUE when everything was there. */
static gboolean
seek(Entry *entry)
{
  Verdicts *verdicts = entry->verdicts;
  entry->lookup = lookup_new(verdicts->dns, verdicts->spf, FALSE, on_came, entry);
  verdicts->sought++;
  if (read_entry(entry)) {
    log_change(entry);
    return TRUE;
  }
  lookup_limit(entry->lookup, verdicts->loop, VERDICTS_TIMEOUT_MS);
  return FALSE;
}

Verdict *
verdicts_find(Verdicts *verdicts, Side side, const char *domain, VerdictDone done,
              gpointer data, VerdictWait **wait)
{
  Entry *entry = find_entry(verdicts, side, domain);
  if (entry->lookup == NULL) {
    if (entry->expires_us > g_get_monotonic_time())
      return verdict_ref(entry->verdict);
    if (verdicts->sought >= VERDICTS_MAX_SOUGHT)
      return verdict_of(READINESS_UNKNOWN, "Z-R6-BUSY");
    if (seek(entry))
      return verdict_ref(entry->verdict);
  }
  *wait = g_new0(VerdictWait, 1);
  (*wait)->link.data = *wait;
  (*wait)->entry = entry;
  (*wait)->done = done;
  (*wait)->data = data;
  g_queue_push_tail_link(&entry->waits, &(*wait)->link);
  return NULL;
}

void
verdicts_cancel(VerdictWait *wait)
{
  if (wait == NULL)
    return;
  g_queue_unlink(&wait->entry->waits, &wait->link);
  g_free(wait);
}
