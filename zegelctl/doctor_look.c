#include "zegelctl/doctor_look.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/network.h"
#include "zegelctl/program.h"

#define USUAL_DIRECTORY "/etc/postfix"
#define GROUPS_MAX      256
#define CONNECT_S       5 /* for a peer that does not take connections any more */
#define FILE_MAX_BYTES  (16 << 20)

/* ---- One Postfix after the other ---- */

static void
look_at(const DoctorSubject *subject, DoctorReport *report, const Site *site,
        void (*look)(const Visit *visit))
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) services = site_services(site, &error);
  g_autofree char *queue =
      services != NULL ? site_expanded(site, "queue_directory", &error) : NULL;
  if (queue == NULL) {
    doctor_say(report, DOCTOR_UNKNOWN, NULL, "%s: %s", site_directory(site),
               error->message);
    return;
  }
  const Visit visit = {subject, report, site, services, queue};
  look(&visit);
}

void
look_at_each(const DoctorSubject *subject, DoctorReport *report,
             void (*look)(const Visit *visit))
{
  guint count = 0;
  for (guint i = 0; i < subject->sites->len; i++)
    if (site_is_set(subject->sites->pdata[i], "zegel_milter")) {
      look_at(subject, report, subject->sites->pdata[i], look);
      count++;
    }
  if (count == 0)
    doctor_say(report, DOCTOR_ABSENT, NULL, "no Postfix here knows zegel");
}

/* CURE with DIRECTORY named in the commands of Postfix: a new string. */
static char *
adapt(const char *cure, const char *directory)
{
  static const char *const commands[] = {"postconf -", "postmap ", "postfix reload"};
  g_autoptr(GString) text = g_string_new(cure);
  for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
    const char *space = strchr(commands[i], ' ');
    g_autofree char *with = g_strdup_printf("%.*s -c %s%s", (int) (space - commands[i]),
                                            commands[i], directory, space);
    g_string_replace(text, commands[i], with, 0);
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

void
look_say(const Visit *visit, DoctorState state, const char *cure, const char *what, ...)
{
  const char *directory = site_directory(visit->site);
  gboolean usual = strcmp(directory, USUAL_DIRECTORY) == 0;
  va_list args;
  va_start(args, what);
  g_autofree char *text = g_strdup_vprintf(what, args);
  va_end(args);
  g_autofree char *adapted = usual || cure == NULL ? NULL : adapt(cure, directory);
  doctor_say(visit->report, state, adapted != NULL ? adapted : cure, "%s%s%s",
             usual ? "" : directory, usual ? "" : ": ", text);
}

/* VALUE, or an empty one after saying why. Takes both. */
static char *
value_or_empty(const Visit *visit, char *value, GError *error)
{
  g_autoptr(GError) reason = error;
  if (value != NULL)
    return value;
  look_say(visit, DOCTOR_UNKNOWN, NULL, "%s", reason->message);
  return g_strdup("");
}

char *
look_value(const Visit *visit, const char *name)
{
  GError *error = NULL;
  char *value = site_expanded(visit->site, name, &error);
  return value_or_empty(visit, value, error);
}

char *
look_service_value(const Visit *visit, const SiteService *service, const char *name)
{
  GError *error = NULL;
  char *value = site_service_value(visit->site, service, name, &error);
  return value_or_empty(visit, value, error);
}

/* Whether HOST ("127.0.0.1", "[::1]", "localhost") is this machine to itself. */
static gboolean
is_loopback(const char *host)
{
  gsize len = strlen(host);
  gboolean braced = len > 2 && host[0] == '[' && host[len - 1] == ']';
  g_autofree char *bare = braced ? g_strndup(host + 1, len - 2) : g_strdup(host);
  Network address;
  return g_ascii_strcasecmp(bare, "localhost") == 0 ||
         (network_parse_address(bare, &address) && network_is_loopback(&address));
}

gboolean
look_is_public(const SiteService *service)
{
  const char *log_name = g_hash_table_lookup(service->options, "syslog_name");
  if (strcmp(service->command, "smtpd") != 0 ||
      (strcmp(service->type, "inet") != 0 && strcmp(service->type, "pass") != 0) ||
      (log_name != NULL && g_str_has_prefix(log_name, "postfix/zegel-")))
    return FALSE;
  const char *colon = strrchr(service->name, ':');
  g_autofree char *host =
      g_strndup(service->name, colon != NULL ? (gsize) (colon - service->name) : 0);
  return !is_loopback(host);
}

gboolean
look_is_submission(const Visit *visit, const SiteService *service)
{
  static const char *const names[] = {"submission", "submissions", "smtps",
                                      "587",        "465",         NULL};
  const char *colon = strrchr(service->name, ':');
  if (g_strv_contains(names, colon != NULL ? colon + 1 : service->name))
    return TRUE;
  g_autofree char *login = look_service_value(visit, service, "smtpd_sasl_auth_enable");
  return g_ascii_strcasecmp(login, "yes") == 0;
}

/* ---- Tables ---- */

char *
look_inner(const char *value)
{
  const char *open = strchr(value, '{'), *close = strrchr(value, '}');
  if (open == NULL || close == NULL || close < open)
    return g_strdup(value);
  return g_strstrip(g_strndup(open + 1, (gsize) (close - open - 1)));
}

const char *
look_plain_table(const char *table)
{
  while (g_str_has_prefix(table, "proxy:"))
    table += strlen("proxy:");
  return table;
}

const char *
look_table_name(const char *table)
{
  const char *colon = strchr(look_plain_table(table), ':');
  const char *path = colon != NULL ? colon + 1 : table;
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

static gboolean
is_of_type(const char *table, const char *const *types)
{
  table = look_plain_table(table);
  const char *colon = strchr(table, ':');
  g_autofree char *type = g_strndup(table, colon != NULL ? (gsize) (colon - table) : 0);
  return g_strv_contains(types, type);
}

gboolean
look_is_pattern(const char *table)
{
  static const char *const types[] = {"regexp", "pcre", "cidr", NULL};
  return is_of_type(table, types);
}

char *
look_ask(const Visit *visit, const char *table, const char *key)
{
  const char *const argv[] = {"postmap", "-c", site_directory(visit->site),
                              "-q",      key,  look_plain_table(table),
                              NULL};
  g_autofree char *said = NULL;
  g_autoptr(GError) error = NULL;
  int status = -1;
  if (!program_run(argv, &status, &said, &error))
    look_say(visit, DOCTOR_UNKNOWN, NULL, "%s", error->message);
  else if (status == 0)
    return g_steal_pointer(&said);
  else if (*said != '\0')
    look_say(visit, DOCTOR_UNKNOWN, NULL, "%s cannot be asked: %s", table, said);
  return NULL;
}

char *
look_ask_all(const Visit *visit, const char *list, const char *key, gboolean patterns,
             char **answer)
{
  g_auto(GStrv) tables = site_words(list);
  *answer = NULL;
  for (char **table = tables; *table != NULL; table++) {
    if (strchr(*table, ':') == NULL || (!patterns && look_is_pattern(*table)))
      continue;
    *answer = look_ask(visit, *table, key);
    if (*answer != NULL)
      return g_strdup(*table);
  }
  return NULL;
}

/* TEXT as Postfix reads tables: no comments, a line that begins with space goes on with the
 * one before, white space behind the key is one space. */
static void
read_lines(GPtrArray *entries, const char *text)
{
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    gboolean more = **line == ' ' || **line == '\t';
    char *bare = g_strstrip(*line);
    if (*bare == '\0' || *bare == '#')
      continue;
    gsize key = strcspn(bare, " \t");
    char *rest = g_strstrip(g_strdup(bare + key));
    if (more && entries->len > 0) {
      char **last = (char **) &entries->pdata[entries->len - 1];
      char *joined = g_strconcat(*last, " ", bare, NULL);
      g_free(*last);
      *last = joined;
    } else {
      g_ptr_array_add(entries, g_strdup_printf("%.*s %s", (int) key, bare, rest));
    }
    g_free(rest);
  }
}

/* What an indexed table holds itself. */
static char *
dump(const Visit *visit, const char *table)
{
  const char *const argv[] = {"postmap", "-c",  site_directory(visit->site),
                              "-s",      table, NULL};
  char *said = NULL;
  return program_read(argv, &said, NULL) ? said : NULL;
}

static void
add_entries(const Visit *visit, const char *table, GPtrArray *entries)
{
  static const char *const joined[] = {"pipemap", "unionmap", NULL};
  static const char *const files[] = {"texthash", "regexp", "pcre", "cidr", NULL};
  static const char *const indexed[] = {"hash", "btree", "lmdb", "cdb", "dbm", NULL};
  g_autofree char *text = NULL;
  table = look_plain_table(table);
  if (is_of_type(table, joined)) {
    g_autofree char *inner = look_inner(table);
    g_auto(GStrv) tables = site_words(inner);
    for (char **one = tables; *one != NULL; one++)
      add_entries(visit, *one, entries);
  } else if (is_of_type(table, files)) {
    gsize len = 0;
    if (!g_file_get_contents(strchr(table, ':') + 1, &text, &len, NULL) ||
        len > FILE_MAX_BYTES)
      return;
  } else if (is_of_type(table, indexed)) {
    text = dump(visit, table);
  }
  if (text != NULL)
    read_lines(entries, text);
}

GStrv
look_entries(const Visit *visit, const char *table)
{
  GPtrArray *entries = g_ptr_array_new();
  add_entries(visit, table, entries);
  g_ptr_array_add(entries, NULL);
  return (GStrv) g_ptr_array_free(entries, FALSE);
}

/* ---- Addresses ---- */

/* Whether DOMAIN stands in the list of Postfix's parameter NAME itself. */
static gboolean
is_listed(const Visit *visit, const char *name, const char *domain)
{
  g_autofree char *value = look_value(visit, name);
  g_auto(GStrv) words = site_words(value);
  for (char **word = words; *word != NULL; word++)
    if (g_ascii_strcasecmp(*word, domain) == 0)
      return TRUE;
  return FALSE;
}

gboolean
look_is_ours(const Visit *visit, const char *address)
{
  const Config *config = visit->subject->config;
  const char *at = strrchr(address, '@');
  if (at == NULL)
    return TRUE;
  return conf_organisation_of_author(config, at + 1) != NULL ||
         g_str_has_suffix(at + 1, ".zegel.internal") ||
         is_listed(visit, "mydestination", at + 1) ||
         is_listed(visit, "virtual_mailbox_domains", at + 1);
}

gboolean
look_hop_is_here(const char *hop)
{
  const char *colon = strchr(hop, ':');
  const char *next = colon != NULL && *hop != '[' ? colon + 1 : hop;
  if (colon == NULL && *hop != '[' && strchr(hop, '.') == NULL)
    return TRUE; /* a transport alone, such as a pipe(8) */
  if (*next == '\0' || g_str_has_prefix(next, "unix:"))
    return TRUE;
  next += g_str_has_prefix(next, "inet:") ? strlen("inet:") : 0;
  const char *end = *next == '[' ? strchr(next, ']') : NULL;
  gsize len = end != NULL ? (gsize) (end + 1 - next) : strcspn(next, ":");
  g_autofree char *host = g_strndup(next, len);
  /* "127.0.0.1:10025", without a transport, was cut behind the address. */
  g_autofree char *whole = g_strndup(hop, colon != NULL ? (gsize) (colon - hop) : 0);
  return is_loopback(host) || is_loopback(whole);
}

gboolean
look_protocols_are_good(const char *protocols)
{
  static const char *const high[] = {"tlsv1.2", "tlsv1.3", NULL};
  gboolean floor = FALSE, named = FALSE, low = FALSE, no_1_0 = FALSE, no_1_1 = FALSE;
  g_autofree char *lower = g_ascii_strdown(protocols, -1);
  g_auto(GStrv) words = g_strsplit_set(lower, ", \t:", -1);
  for (char **word = words; *word != NULL; word++) {
    const char *bound = g_str_has_prefix(*word, ">=") ? *word + 2 : NULL;
    floor = floor || (bound != NULL && g_strv_contains(high, bound));
    no_1_0 = no_1_0 || strcmp(*word, "!tlsv1") == 0;
    no_1_1 = no_1_1 || strcmp(*word, "!tlsv1.1") == 0;
    if (!g_ascii_isalpha(**word))
      continue;
    named = TRUE;
    low = low || !g_strv_contains(high, *word);
  }
  return floor || (named && !low) || (no_1_0 && no_1_1);
}

/* ---- Sockets ---- */

void
peer_parse(const char *text, Peer *peer)
{
  g_autofree char *inner = look_inner(text);
  g_auto(GStrv) words = site_words(inner);
  *peer = (Peer){.place = g_strdup(words[0] != NULL ? words[0] : "")};
  for (char **word = words; *word != NULL; word++)
    if (g_str_has_prefix(*word, "default_action=")) {
      g_free(peer->action);
      peer->action = g_strdup(strchr(*word, '=') + 1);
    }
}

void
peer_clear(Peer *peer)
{
  g_clear_pointer(&peer->place, g_free);
  g_clear_pointer(&peer->action, g_free);
}

char *
look_socket_path(const Visit *visit, const char *place, gboolean chroot)
{
  if (!g_str_has_prefix(place, "unix:"))
    return NULL;
  place += strlen("unix:");
  return g_path_is_absolute(place) && !chroot ? g_strdup(place)
                                              : g_build_filename(visit->queue, place, NULL);
}

gboolean
look_same_file(const char *path, const char *other)
{
  struct stat a, b;
  g_autofree char *one = g_canonicalize_filename(path, "/");
  g_autofree char *two = g_canonicalize_filename(other, "/");
  return strcmp(one, two) == 0 || (stat(path, &a) == 0 && stat(other, &b) == 0 &&
                                   a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

/* In the child: becomes USER and connects; returns errno. */
static int
connect_as(const struct passwd *user, const gid_t *groups, int count,
           const struct sockaddr_un *address)
{
  alarm(CONNECT_S);
  if (setgroups((size_t) count, groups) != 0 || setgid(user->pw_gid) != 0 ||
      setuid(user->pw_uid) != 0)
    return errno;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (const struct sockaddr *) address, sizeof *address) != 0)
    return errno;
  return 0;
}

int
look_connect(const Visit *visit, const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  gid_t groups[GROUPS_MAX];
  int count = GROUPS_MAX, status = 0;
  g_autofree char *name = look_value(visit, "mail_owner");
  const struct passwd *user = getpwnam(name);
  if (user == NULL)
    return ENOENT;
  if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
    return ENAMETOOLONG;
  if (getgrouplist(name, user->pw_gid, groups, &count) < 0)
    return E2BIG;
  pid_t pid = fork();
  if (pid == 0)
    _exit(connect_as(user, groups, count, &address));
  if (pid < 0)
    return errno;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      return errno;
  return WIFEXITED(status) ? WEXITSTATUS(status) : ETIMEDOUT;
}
