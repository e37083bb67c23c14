#include "zegelctl/setup_postfix.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/label.h"
#include "zegelctl/command.h"
#include "zegelctl/program.h"
#include "zegelctl/queue.h"

#define PROXY_WAIT_S 10 /* until master(8) has read its file again */
#define LOOK_MS      200
/* Fields of /proc/PID/stat behind the command (proc(5)), from 0 */
#define STAT_PARENT   2
#define STAT_STARTED  20
#define SETPRIV_WORDS 6 /* before the command that setpriv(1) runs */

/* Runs ARGV; what it says is the error when its exit status is not 0. */
static gboolean
must_run(const char *const *argv, char **output, GError **error)
{
  int status = -1;
  g_autofree char *said = NULL;
  if (!program_run(argv, &status, &said, error))
    return FALSE;
  if (status != 0) {
    g_autofree char *line = g_strjoinv(" ", (char **) argv);
    return command_error(error, ZEGEL_ERROR_CONFIG, "%s: %s", line, said);
  }
  if (output != NULL)
    *output = g_steal_pointer(&said);
  return TRUE;
}

gboolean
setup_postfix_runs(const char *directory)
{
  const char *const argv[] = {"postfix", "-c", directory, "status", NULL};
  int status = -1;
  return program_run(argv, &status, NULL, NULL) && status == 0;
}

gboolean
setup_postfix_reload(const char *directory, GError **error)
{
  const char *const argv[] = {"postfix", "-c", directory, "reload", NULL};
  return !setup_postfix_runs(directory) || must_run(argv, NULL, error);
}

gboolean
setup_postfix_check(const char *directory, GError **error)
{
  const char *const argv[] = {"postfix", "-c", directory, "check", NULL};
  return must_run(argv, NULL, error);
}

/* Whether the index of the table at PATH was made behind it; not in the same moment. */
static gboolean
is_indexed(const char *path)
{
  struct stat table, made;
  g_autofree char *index = g_strconcat(path, ".db", NULL);
  if (stat(path, &table) != 0 || stat(index, &made) != 0)
    return FALSE;
  return made.st_mtim.tv_sec != table.st_mtim.tv_sec
             ? made.st_mtim.tv_sec > table.st_mtim.tv_sec
             : made.st_mtim.tv_nsec > table.st_mtim.tv_nsec;
}

gboolean
setup_postfix_index(const char *directory, const char *path, GError **error)
{
  if (is_indexed(path))
    return TRUE;
  g_autofree char *table = g_strconcat("hash:", path, NULL);
  const char *const argv[] = {"postmap", "-c", directory, table, NULL};
  return must_run(argv, NULL, error);
}

/* ---- Tables ---- */

/* Nothing was promised to example.com, so these are the answers of a table that works. */
static const struct {
  const char *table, *key, *answer;
} lookups[] = {
    {"zegel-routes.cf", "x@example.com.direct.zegel.internal",
     "retry:4.4.4 zegel: no secure"},
    {"zegel-seal.cf", "@example.com", "@example.com.seal.zegel.internal"},
};

/* Asks lookup I in DIRECTORY of TYPE "sqlite" or "proxy:sqlite", as USER when one is given.
 */
static gboolean
look_up(const char *directory, guint i, const char *type, const char *user,
        const char *group, GError **error)
{
  g_autofree char *table = g_strdup_printf("%s:%s/%s", type, directory, lookups[i].table);
  g_autofree char *said = NULL;
  const char *const argv[] = {"setpriv",        "--reuid", user, "--regid", group,
                              "--clear-groups", "postmap", "-c", directory, "-q",
                              lookups[i].key,   table,     NULL};
  if (!must_run(user != NULL ? argv : argv + SETPRIV_WORDS, &said, error)) {
    g_prefix_error(error, "Postfix cannot read %s: ", table);
    return FALSE;
  }
  return g_str_has_prefix(said, lookups[i].answer) ||
         command_error(error, ZEGEL_ERROR_CONFIG, "%s says \"%s\" of %s, not \"%s ...\"",
                       table, said, lookups[i].key, lookups[i].answer);
}

/* proxymap(8) knows its tables some moments after a reload. */
static gboolean
look_up_by_proxy(const char *directory, guint i, GError **error)
{
  gint64 end_us = g_get_monotonic_time() + PROXY_WAIT_S * G_USEC_PER_SEC;
  for (;;) {
    g_autoptr(GError) reason = NULL;
    if (look_up(directory, i, "proxy:sqlite", NULL, NULL, &reason))
      return TRUE;
    if (g_get_monotonic_time() >= end_us) {
      g_propagate_error(error, g_steal_pointer(&reason));
      return FALSE;
    }
    g_usleep(LOOK_MS * 1000);
  }
}

gboolean
setup_postfix_reads(const char *directory, const char *user, const char *group,
                    GError **error)
{
  gboolean runs = setup_postfix_runs(directory);
  for (guint i = 0; i < G_N_ELEMENTS(lookups); i++)
    if (!look_up(directory, i, "sqlite", user, group, error) ||
        (runs && !look_up_by_proxy(directory, i, error)))
      return FALSE;
  return TRUE;
}

GHashTable *
setup_postfix_complaints(const char *directory, GError **error)
{
  const char *const argv[] = {"postconf", "-c", directory, "-n", NULL};
  g_autofree char *said = NULL;
  if (!must_run(argv, &said, error))
    return NULL;
  GHashTable *complaints = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_auto(GStrv) lines = g_strsplit(said, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (g_str_has_prefix(*line, "postconf: ")) {
      g_auto(GStrv) parts = g_strsplit(*line, directory, -1);
      g_hash_table_add(complaints, g_strjoinv("", parts));
    }
  return complaints;
}

/* ---- Queue and ports ---- */

int
setup_postfix_labelled(const char *directory, GError **error)
{
  QueueCount counts[QUEUE_LABELS] = {{0}};
  guint64 count = 0;
  if (!queue_count(directory, counts, error))
    return -1;
  for (guint label = LABEL_NONE + 1; label < QUEUE_LABELS; label++)
    count += counts[label].recipients;
  return (int) MIN(count, G_MAXINT);
}

/* The process that runs the Postfix of DIRECTORY, as text; NULL when there is none. */
static char *
master_of(const char *directory)
{
  g_autoptr(Site) site = site_open(directory, NULL);
  g_autofree char *queue =
      site != NULL ? site_expanded(site, "queue_directory", NULL) : NULL;
  g_autofree char *path =
      g_build_filename(queue != NULL ? queue : "", "pid/master.pid", NULL);
  char *text = NULL;
  return g_file_get_contents(path, &text, NULL, NULL) ? g_strstrip(text) : NULL;
}

/* Process PID as "PID STARTED" when it is a child of MASTER that takes mail in, else NULL.
 */
static char *
describe(const char *pid, const char *master)
{
  g_autofree char *path = g_build_filename("/proc", pid, "stat", NULL);
  g_autofree char *text = NULL;
  if (!g_ascii_isdigit(*pid) || !g_file_get_contents(path, &text, NULL, NULL))
    return NULL;
  char *end = strrchr(text, ')'); /* "PID (COMMAND) STATE PARENT ..." */
  const char *command = strchr(text, '(');
  if (end == NULL || command == NULL)
    return NULL;
  *end = '\0';
  g_auto(GStrv) fields = g_strsplit(end + 1, " ", -1);
  static const char *const takers[] = {"smtpd", "cleanup", "local", NULL};
  gboolean takes = g_strv_contains(takers, command + 1);
  return takes && g_strv_length(fields) > STAT_STARTED &&
                 strcmp(fields[STAT_PARENT], master) == 0
             ? g_strdup_printf("%s %s", pid, fields[STAT_STARTED])
             : NULL;
}

GHashTable *
setup_postfix_processes(const char *directory)
{
  GHashTable *found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *master = master_of(directory);
  g_autoptr(GDir) all = g_dir_open("/proc", 0, NULL);
  for (const char *pid; master != NULL && all != NULL && (pid = g_dir_read_name(all));) {
    char *process = describe(pid, master);
    if (process != NULL)
      g_hash_table_add(found, process);
  }
  return found;
}

gboolean
setup_postfix_lives(const char *directory, GHashTable *processes)
{
  g_autoptr(GHashTable) now = setup_postfix_processes(directory);
  GHashTableIter iter;
  gpointer process;
  g_hash_table_iter_init(&iter, processes);
  while (g_hash_table_iter_next(&iter, &process, NULL))
    if (g_hash_table_contains(now, process))
      return TRUE;
  return FALSE;
}

gboolean
setup_port_is_free(guint port)
{
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t) port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int reuse = 1;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return FALSE;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  gboolean is_free =
      bind(fd, (struct sockaddr *) &address, sizeof address) == 0 && listen(fd, 1) == 0;
  close(fd);
  return is_free;
}
