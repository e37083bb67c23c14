#include "policyd/keeper.h"

#include "common/base/log.h"

#define TOLD_EVERY_S 600 /* that it cannot be written */

/* What was given last of a domain. */
typedef struct {
  char *digest;
  gint64 at_us;
} Given;

struct Keeper {
  char *path;
  GThread *thread;
  GHashTable *given; /* key_of to Given; of the thread that gives */

  GMutex lock; /* of what stands below */
  GCond changed;
  GHashTable *waiting; /* key_of to Sight */
  GHashTable *known;   /* set of key_of */
  gboolean ending;
};

/* What only the thread knows. */
typedef struct {
  Keeper *keeper;
  Seen *seen;                /* NULL: not open */
  gint64 tidied_us, told_us; /* 0: not yet */
} Writer;

static char *
key_of(const char *domain, gboolean ours)
{
  return g_strconcat(ours ? "ours " : "theirs ", domain, NULL);
}

static void
given_free(gpointer p)
{
  Given *given = p;
  g_free(given->digest);
  g_free(given);
}

static void
free_sight(gpointer p)
{
  sight_free(p);
}

static GHashTable *
sights_new(void)
{
  return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_sight);
}

/* ---- The thread ---- */

static void
complain(Writer *writer, const GError *error)
{
  gint64 now_us = g_get_monotonic_time();
  if (writer->told_us != 0 && now_us - writer->told_us < TOLD_EVERY_S * G_TIME_SPAN_SECOND)
    return;
  writer->told_us = now_us;
  log_line(LOG_LEVEL_WARNING, "what domains show is not kept now (mail goes on): %s",
           error->message);
}

/* Those that the file has are known again after a start. */
static gboolean
learn(Writer *writer, GError **error)
{
  Keeper *keeper = writer->keeper;
  g_autoptr(GPtrArray) domains = seen_domains(writer->seen, error);
  if (domains == NULL)
    return FALSE;
  g_mutex_lock(&keeper->lock);
  for (guint i = 0; i < domains->len; i++) {
    const SeenDomain *domain = domains->pdata[i];
    g_hash_table_add(keeper->known, key_of(domain->domain, domain->ours));
  }
  g_mutex_unlock(&keeper->lock);
  return TRUE;
}

static gboolean
open_file(Writer *writer, GError **error)
{
  if (writer->seen != NULL && seen_is_in_place(writer->seen))
    return TRUE;
  g_clear_pointer(&writer->seen, seen_close);
  writer->seen = seen_open(writer->keeper->path, error);
  return writer->seen != NULL && learn(writer, error);
}

static gboolean
tidy(Writer *writer, GError **error)
{
  gint64 now_us = g_get_monotonic_time();
  if (writer->tidied_us != 0 &&
      now_us - writer->tidied_us < KEEPER_TIDY_S * G_TIME_SPAN_SECOND)
    return TRUE;
  writer->tidied_us = now_us;
  return seen_expire(writer->seen, g_get_real_time() / G_USEC_PER_SEC - SEEN_KEEP_S,
                     SEEN_MAX_RECORDS, SEEN_MAX_NAMES, error);
}

/* FALSE: nothing of it was kept. */
static gboolean
write_sights(Writer *writer, GHashTable *sights)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) batch = g_ptr_array_new();
  GHashTableIter iter;
  gpointer sight;
  g_hash_table_iter_init(&iter, sights);
  while (g_hash_table_iter_next(&iter, NULL, &sight))
    g_ptr_array_add(batch, sight);
  if (open_file(writer, &error) && seen_write(writer->seen, batch, &error) &&
      tidy(writer, &error))
    return TRUE;
  complain(writer, error);
  g_clear_pointer(&writer->seen, seen_close); /* it is opened anew: it may be mended */
  return FALSE;
}

/* Puts SIGHTS back, but for those that came anew meanwhile. Locked. */
static void
put_back(Keeper *keeper, GHashTable *sights)
{
  GHashTableIter iter;
  gpointer key, sight;
  g_hash_table_iter_init(&iter, sights);
  while (g_hash_table_iter_next(&iter, &key, &sight)) {
    if (g_hash_table_size(keeper->waiting) >= KEEPER_MAX)
      return;
    if (g_hash_table_contains(keeper->waiting, key))
      continue;
    g_hash_table_iter_steal(&iter);
    g_hash_table_insert(keeper->waiting, key, sight);
  }
}

/* Waits WAIT_MS, or until the end. Locked. */
static void
rest(Keeper *keeper, guint wait_ms)
{
  gint64 until_us = g_get_monotonic_time() + wait_ms * G_TIME_SPAN_MILLISECOND;
  while (!keeper->ending && g_cond_wait_until(&keeper->changed, &keeper->lock, until_us))
    continue;
}

static gpointer
keep(gpointer data)
{
  Keeper *keeper = data;
  Writer writer = {.keeper = keeper};
  g_autoptr(GHashTable) none = sights_new();
  gboolean ending = FALSE;
  write_sights(&writer, none); /* learns what is known */
  g_mutex_lock(&keeper->lock);
  while (!ending) {
    while (!keeper->ending && g_hash_table_size(keeper->waiting) == 0)
      g_cond_wait(&keeper->changed, &keeper->lock);
    ending = keeper->ending;
    g_autoptr(GHashTable) sights = g_steal_pointer(&keeper->waiting);
    keeper->waiting = sights_new();
    g_mutex_unlock(&keeper->lock);
    gboolean written = g_hash_table_size(sights) == 0 || write_sights(&writer, sights);
    g_mutex_lock(&keeper->lock);
    if (!written)
      put_back(keeper, sights);
    rest(keeper, written ? KEEPER_WRITE_MS : KEEPER_RETRY_MS);
  }
  g_mutex_unlock(&keeper->lock);
  seen_close(writer.seen);
  return NULL;
}

/* ---- Who gives ---- */

Keeper *
keeper_start(const char *path)
{
  Keeper *keeper = g_new0(Keeper, 1);
  keeper->path = g_strdup(path);
  keeper->given = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, given_free);
  keeper->waiting = sights_new();
  keeper->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_mutex_init(&keeper->lock);
  g_cond_init(&keeper->changed);
  keeper->thread = g_thread_new("keeper", keep, keeper);
  return keeper;
}

void
keeper_stop(Keeper *keeper)
{
  if (keeper == NULL)
    return;
  g_mutex_lock(&keeper->lock);
  keeper->ending = TRUE;
  g_cond_signal(&keeper->changed);
  g_mutex_unlock(&keeper->lock);
  g_thread_join(keeper->thread);
  g_hash_table_unref(keeper->given);
  g_hash_table_unref(keeper->waiting);
  g_hash_table_unref(keeper->known);
  g_mutex_clear(&keeper->lock);
  g_cond_clear(&keeper->changed);
  g_free(keeper->path);
  g_free(keeper);
}

gboolean
keeper_knows(Keeper *keeper, const char *domain, gboolean ours)
{
  g_autofree char *key = key_of(domain, ours);
  g_mutex_lock(&keeper->lock);
  gboolean knows = g_hash_table_contains(keeper->known, key);
  g_mutex_unlock(&keeper->lock);
  return knows;
}

/* Whether SIGHT shows what was given a short time ago; it counts as given from now on. */
static gboolean
was_given(Keeper *keeper, const char *key, const Sight *sight)
{
  g_autofree char *digest = sight_digest(sight);
  gint64 now_us = g_get_monotonic_time();
  const Given *last = g_hash_table_lookup(keeper->given, key);
  if (last != NULL && g_str_equal(last->digest, digest) &&
      now_us - last->at_us < KEEPER_AGAIN_S * G_TIME_SPAN_SECOND)
    return TRUE;
  if (g_hash_table_size(keeper->given) >= SEEN_MAX_NAMES)
    g_hash_table_remove_all(keeper->given); /* they are written once more, no worse */
  Given *given = g_new0(Given, 1);
  given->digest = g_steal_pointer(&digest);
  given->at_us = now_us;
  g_hash_table_replace(keeper->given, g_strdup(key), given);
  return FALSE;
}

void
keeper_take(Keeper *keeper, Sight *sight, gboolean news)
{
  g_autofree char *key = key_of(sight->domain, sight->ours);
  if (was_given(keeper, key, sight) && !news) {
    sight_free(sight);
    return;
  }
  g_mutex_lock(&keeper->lock);
  if (g_hash_table_size(keeper->known) < SEEN_MAX_NAMES)
    g_hash_table_add(keeper->known, g_strdup(key));
  if (g_hash_table_size(keeper->waiting) < KEEPER_MAX ||
      g_hash_table_contains(keeper->waiting, key))
    g_hash_table_replace(keeper->waiting, g_steal_pointer(&key), g_steal_pointer(&sight));
  g_cond_signal(&keeper->changed);
  g_mutex_unlock(&keeper->lock);
  sight_free(sight);
}
