/*
 * status.c - zegelctl status: how a running zegel stands, in numbers, for people and for
 * what watches over machines.
 *
 * It changes nothing, records nothing, and says nothing of any person. What cannot be
 * looked at is said, and the rest is there all the same. A look takes no longer for a long
 * trail.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/audit/trail.h"
#include "common/base/error.h"
#include "common/base/unix.h"
#include "common/db/db.h"
#include "common/store/copy.h"
#include "config.h"
#include "zegelctl/audit_format.h"
#include "zegelctl/command.h"
#include "zegelctl/metric.h"
#include "zegelctl/program.h"
#include "zegelctl/queue.h"
#include "zegelctl/site.h"

#define CONNECT_MS  1000
#define DAY_S       86400
#define MINUTE_S    60
#define PROBE_S     3600 /* a probe that is older is none */
#define DELETED     " (deleted)"
#define OUTPUT_MODE 0644

static gboolean option_json, option_prometheus;
static char *option_output;

typedef struct {
  const Config *config;
  Metrics *metrics;
  gint64 now_s;
} Look;

/* Takes ERROR, which says why WHAT could not be looked at. */
static void
problem(Look *look, const char *what, GError *error)
{
  g_autofree char *text = g_strdup_printf("%s: %s", what, error->message);
  metrics_add_problem(look->metrics, text);
  g_error_free(error);
}

/* ---- Programs ---- */

/* Whether the program behind the connection FD runs from a file that is still there; one
 * that was replaced since runs as it was. */
static gboolean
is_current(int fd)
{
  struct ucred peer;
  socklen_t len = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
    return FALSE;
  g_autofree char *link = g_strdup_printf("/proc/%d/exe", (int) peer.pid);
  g_autofree char *path = g_file_read_link(link, NULL);
  return path != NULL && !g_str_has_suffix(path, DELETED);
}

static void
look_at_program(Look *look, const char *name, const char *path)
{
  int fd = unix_connect(path, g_get_monotonic_time() + CONNECT_MS * 1000, NULL);
  metrics_add(look->metrics, METRIC_PROGRAM_UP, name, fd >= 0);
  if (fd < 0)
    return;
  metrics_add(look->metrics, METRIC_PROGRAM_CURRENT, name, is_current(fd));
  close(fd);
}

static void
look_at_programs(Look *look)
{
  const Config *config = look->config;
  look_at_program(look, "milter", config->milter_socket);
  look_at_program(look, "milter-mx", config->mx_socket);
  look_at_program(look, "policyd", config->policyd_socket);
  look_at_program(look, "deliver", config->deliver_socket);
  look_at_program(look, "viewer", config->viewer_socket);
  look_at_program(look, "auditd", config->audit_socket);
}

/* ---- Postfix ---- */

static void
look_at_versions(Look *look)
{
  static const char *const argv[] = {"postconf", "-dh", "mail_version", NULL};
  g_autofree char *version = NULL;
  GError *error = NULL;
  metrics_add_version(look->metrics, "zegel", PACKAGE_VERSION);
  if (program_read(argv, &version, &error))
    metrics_add_version(look->metrics, "postfix", version);
  else
    problem(look, "Postfix's version", error);
}

/* Of all instances together. */
static gboolean
count_queues(QueueCount counts[QUEUE_LABELS], GError **error)
{
  g_autoptr(GPtrArray) sites = site_find_all(error);
  for (guint i = 0; sites != NULL && i < sites->len; i++)
    if (!queue_count(site_directory(sites->pdata[i]), counts, error))
      return FALSE;
  return sites != NULL;
}

static void
look_at_queue(Look *look)
{
  static const char *const names[QUEUE_LABELS] = {
      [LABEL_NONE] = "none",     [LABEL_VIEWER] = "viewer", [LABEL_DIRECT] = "direct",
      [LABEL_PREFER] = "prefer", [LABEL_OWN] = "own",       [LABEL_SEAL] = "seal"};
  GError *error = NULL;
  QueueCount counts[QUEUE_LABELS] = {{0}};
  if (!count_queues(counts, &error)) {
    problem(look, "the queue", error);
    return;
  }
  for (guint i = 0; i < QUEUE_LABELS; i++) {
    metrics_add(look->metrics, METRIC_QUEUE_MESSAGES, names[i], counts[i].messages);
    metrics_add(look->metrics, METRIC_QUEUE_RECIPIENTS, names[i], counts[i].recipients);
    metrics_add_age(look->metrics, METRIC_QUEUE_OLDEST_AGE, names[i], counts[i].oldest_s,
                    look->now_s);
  }
}

/* ---- Databases ---- */

/* routes.db is a table of Postfix's, which zegel-policyd(8) describes. */
static gboolean
read_routes(Look *look, GError **error)
{
  static const char sql[] =
      "SELECT source, count(*), min(promised) FROM route GROUP BY source";
  static const char *const names[] = {"book", "nta", "nobody"};
  g_autoptr(Db) db = db_open(look->config->routes_db, DB_READER, error);
  g_autoptr(Query) query = db != NULL ? db_query(db, sql, DB_NO_VALUES, error) : NULL;
  guint64 counts[G_N_ELEMENTS(names)] = {0};
  int step = query != NULL ? 1 : -1;
  while (step > 0 && (step = query_step(query, error)) > 0) {
    gint64 source = query_int(query, 0);
    if (source < 0 || source >= (gint64) G_N_ELEMENTS(names))
      continue;
    counts[source] = (guint64) query_int(query, 1);
    metrics_add_age(look->metrics, METRIC_ROUTES_OLDEST_AGE, names[source],
                    query_int(query, 2), look->now_s);
  }
  for (guint i = 0; step == 0 && i < G_N_ELEMENTS(names); i++)
    metrics_add(look->metrics, METRIC_ROUTES, names[i], counts[i]);
  return step == 0;
}

static gboolean
read_store(Look *look, GError **error)
{
  StoreStatus status;
  if (!store_status(look->config->store_database, &status, error))
    return FALSE;
  metrics_add(look->metrics, METRIC_STORE_ENTRIES, NULL, status.entries);
  metrics_add(look->metrics, METRIC_STORE_UNNOTIFIED, NULL, status.unnotified);
  metrics_add_age(look->metrics, METRIC_STORE_UNNOTIFIED_AGE, NULL,
                  status.oldest_unnotified_s, look->now_s);
  metrics_add(look->metrics, METRIC_STORE_EVENTS_WAITING, NULL, status.waiting_events);
  return TRUE;
}

/* The newest probe of all, with what was wrong for one organisation beside it. */
typedef struct {
  gint64 at_s;
  gboolean good;
} Probe;

/* For trail_each: those of the newest minute count. Some come late, and in no order. */
static gboolean
take_probe(const TrailRecord *record, gpointer data, GError **error)
{
  Probe *probe = data;
  gint64 at_s = record->at_us / G_USEC_PER_SEC;
  gboolean good = g_strcmp0(audit_value(record->attrs, "outcome"), "ok") == 0;
  (void) error;
  if (at_s / MINUTE_S > probe->at_s / MINUTE_S)
    *probe = (Probe){at_s, good};
  else if (at_s / MINUTE_S == probe->at_s / MINUTE_S)
    probe->good = probe->good && good;
  return TRUE;
}

static gboolean
read_probe(Look *look, Trail *trail, GError **error)
{
  Probe probe = {0, FALSE};
  const TrailQuery query = {.event = event_facts(EVENT_PROBE)->name,
                            .from_us = (look->now_s - PROBE_S) * G_USEC_PER_SEC};
  if (!trail_each(trail, &query, take_probe, &probe, error))
    return FALSE;
  if (probe.at_s != 0)
    metrics_add(look->metrics, METRIC_PROBE_GOOD, NULL, probe.good);
  metrics_add_age(look->metrics, METRIC_PROBE_AGE, NULL, probe.at_s, look->now_s);
  return TRUE;
}

/* Without the key: what is counted says nothing of persons. */
static gboolean
read_trail(Look *look, GError **error)
{
  TrailStatus status;
  g_autoptr(Trail) trail = trail_open(look->config->audit_database, NULL, error);
  gint64 since_us = (look->now_s - DAY_S) * G_USEC_PER_SEC;
  if (trail == NULL || !trail_status(trail, since_us, &status, error))
    return FALSE;
  metrics_add(look->metrics, METRIC_AUDIT_RECORDS, NULL, status.last);
  metrics_add_age(look->metrics, METRIC_AUDIT_CHECKPOINT_AGE, NULL, status.checkpoint_s,
                  look->now_s);
  for (guint i = 0; i < EVENT_COUNT; i++) {
    const EventFacts *facts = event_facts((EventKind) i);
    metrics_add(look->metrics, METRIC_EVENTS_DAY, facts->name, status.counts[i]);
    if (strcmp(facts->outcome, "ok") != 0)
      metrics_add(look->metrics, METRIC_ERRORS_DAY, facts->name, status.counts[i]);
  }
  return read_probe(look, trail, error);
}

static void
look_at_databases(Look *look)
{
  static const struct {
    const char *what;
    gboolean (*read)(Look *look, GError **error);
  } all[] = {
      {"routes.db", read_routes}, {"the store", read_store}, {"the trail", read_trail}};
  for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
    GError *error = NULL;
    if (!all[i].read(look, &error))
      problem(look, all[i].what, error);
  }
}

/* ---- Disks ---- */

static void
look_at_disk(Look *look, const char *of, const char *path)
{
  struct statvfs disk;
  g_autofree char *directory = g_path_get_dirname(path);
  if (statvfs(directory, &disk) < 0) {
    GError *error = NULL;
    zegel_error_errno(&error, ZEGEL_ERROR_TEMPORARY, errno, directory);
    problem(look, "the disk", error);
    return;
  }
  metrics_add(look->metrics, METRIC_DISK_FREE, of, (guint64) disk.f_bavail * disk.f_frsize);
  metrics_add(look->metrics, METRIC_DISK_SIZE, of, (guint64) disk.f_blocks * disk.f_frsize);
}

static void
look_at_disks(Look *look)
{
  const Config *config = look->config;
  look_at_disk(look, "store", config->store_database);
  look_at_disk(look, "messages", config->store_directory);
  look_at_disk(look, "trail", config->audit_database);
  look_at_disk(look, "routes", config->routes_db);
  look_at_disk(look, "queue", config->deliver_socket); /* in Postfix's queue directory */
}

/* ---- The command ---- */

static gboolean
write_out(const GString *out, GError **error)
{
  g_autoptr(GError) reason = NULL;
  if (option_output == NULL) {
    fputs(out->str, stdout);
    return TRUE;
  }
  /* In one step: whoever reads it never sees half of it. */
  if (g_file_set_contents_full(option_output, out->str, (gssize) out->len,
                               G_FILE_SET_CONTENTS_CONSISTENT, OUTPUT_MODE, &reason))
    return TRUE;
  return command_error(error, ZEGEL_ERROR_INVALID, "%s", reason->message);
}

static int
run_status(int argc, char **argv)
{
  GError *error = NULL;
  (void) argc;
  (void) argv;
  if (option_json && option_prometheus) {
    fputs("zegelctl: --json goes without --prometheus\n", stderr);
    return EX_USAGE;
  }
  g_autoptr(Config) config = command_config(&error);
  if (config == NULL)
    return command_fail(error);
  g_autoptr(Metrics) metrics = metrics_new();
  g_autoptr(GString) out = g_string_new(NULL);
  Look look = {config, metrics, g_get_real_time() / G_USEC_PER_SEC};
  look_at_versions(&look);
  look_at_programs(&look);
  look_at_queue(&look);
  look_at_databases(&look);
  look_at_disks(&look);
  if (option_json)
    metrics_append_json(out, metrics, look.now_s);
  else if (option_prometheus)
    metrics_append_prometheus(out, metrics);
  else
    metrics_append_text(out, metrics);
  if (!write_out(out, &error))
    return command_fail(error);
  return command_done(metrics_problems(metrics) > 0 ? EX_TEMPFAIL : EX_OK);
}

static const GOptionEntry status_options[] = {
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "As JSON", NULL},
    {"prometheus", 0, 0, G_OPTION_ARG_NONE, &option_prometheus, "As Prometheus reads it",
     NULL},
    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &option_output, "Into this file, in one step",
     "FILE"},
    G_OPTION_ENTRY_NULL,
};

const Command status_commands[] = {
    {{"status", NULL},
     0,
     0,
     "[--json|--prometheus] [-o FILE]",
     "Say how zegel stands: programs, queue, routes, store, audit trail, disks",
     status_options,
     run_status},
    {.words = {NULL}},
};
