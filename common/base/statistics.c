#include "common/base/statistics.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "config.h"

#define OTHER "other"

typedef struct {
  char name[STATISTICS_NAME_BYTES]; /* "" in the first that is free */
  guint64 count;
} Counter;

/* A process that is killed may hold the lock: it is robust. Nothing that it leaves behind
 * is worse than a name without its count. */
typedef struct {
  pthread_mutex_t lock;
  guint64 fixed[STATISTIC_COUNT];
  Counter counters[STATISTICS_NAMES_MAX];
  guint64 other;
} Table;

static const char *const fixed_names[STATISTIC_COUNT] = {
    [STATISTIC_SESSIONS] = "sessions", [STATISTIC_MESSAGES] = "messages",
    [STATISTIC_WARNINGS] = "warnings", [STATISTIC_ALARMS] = "alarms",
    [STATISTIC_RELOADS] = "reloads",   [STATISTIC_RELOADS_REFUSED] = "reloads-refused",
};

static Table *table; /* NULL: nothing is counted */
static gint64 started_us, config_read_s;

void
statistics_open(void)
{
  pthread_mutexattr_t attributes;
  void *shared =
      mmap(NULL, sizeof(Table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED)
    g_error("no memory for statistics");
  Table *fresh = shared;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&fresh->lock, &attributes);
  pthread_mutexattr_destroy(&attributes);
  started_us = g_get_monotonic_time();
  statistics_config_read();
  table = fresh;
}

static void
lock(void)
{
  if (pthread_mutex_lock(&table->lock) == EOWNERDEAD)
    pthread_mutex_consistent(&table->lock);
}

void
statistics_count(Statistic which)
{
  if (table == NULL)
    return;
  lock();
  table->fixed[which]++;
  pthread_mutex_unlock(&table->lock);
}

/* The counter called NAME, or the one for what has no room. The lock is held. */
static guint64 *
find_counter(const char *name)
{
  for (guint i = 0; i < STATISTICS_NAMES_MAX; i++) {
    Counter *counter = &table->counters[i];
    if (counter->name[0] == '\0')
      g_strlcpy(counter->name, name, sizeof counter->name);
    if (strncmp(counter->name, name, sizeof counter->name - 1) == 0)
      return &counter->count;
  }
  return &table->other;
}

void
statistics_count_value(const char *kind, const char *value)
{
  char name[STATISTICS_NAME_BYTES];
  if (table == NULL || value == NULL)
    return;
  g_snprintf(name, sizeof name, "%s.%s", kind, value);
  lock();
  (*find_counter(name))++;
  pthread_mutex_unlock(&table->lock);
}

void
statistics_config_read(void)
{
  config_read_s = g_get_real_time() / G_USEC_PER_SEC;
}

static gint
compare_counters(gconstpointer a, gconstpointer b)
{
  return strcmp(((const Counter *) a)->name, ((const Counter *) b)->name);
}

static void
append_count(GString *line, const char *name, guint64 count)
{
  g_string_append_printf(line, ", %s=%" G_GUINT64_FORMAT, name, count);
}

char *
statistics_line(void)
{
  if (table == NULL)
    return NULL;
  lock();
  g_autofree Table *copy = g_memdup2(table, sizeof *table);
  pthread_mutex_unlock(&table->lock);
  guint used = 0;
  while (used < STATISTICS_NAMES_MAX && copy->counters[used].name[0] != '\0')
    used++;
  qsort(copy->counters, used, sizeof(Counter), compare_counters);
  g_autoptr(GDateTime) read_at = g_date_time_new_from_unix_utc(config_read_s);
  g_autofree char *config = g_date_time_format(read_at, "%Y-%m-%dT%H:%M:%SZ");
  GString *line = g_string_new("statistics: age=");
  g_string_append_printf(line,
                         "%" G_GINT64_FORMAT ", version=" PACKAGE_VERSION ", config=%s",
                         (g_get_monotonic_time() - started_us) / G_USEC_PER_SEC, config);
  for (guint i = 0; i < STATISTIC_COUNT; i++)
    append_count(line, fixed_names[i], copy->fixed[i]);
  for (guint i = 0; i < used; i++)
    append_count(line, copy->counters[i].name, copy->counters[i].count);
  if (copy->other > 0)
    append_count(line, OTHER, copy->other);
  return g_string_free(line, FALSE);
}
