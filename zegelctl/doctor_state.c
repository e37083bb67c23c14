/*
 * doctor_state.c - the files in which zegel keeps things, and the room for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "zegelctl/apart.h"
#include "zegelctl/doctor_parts.h"

#define LOOK_S      60
#define FILES_MAX   20000 /* of the store's directory that are looked at */
#define TOLD_MAX    3     /* of one kind */
#define STORE_GROUP "zegel-store"

static const char *const suffixes[] = {"", "-wal", "-shm"};

/* ---- state-rights ---- */

/* Who needs what, of the files of CONFIG. */
typedef struct {
  const char *user;
  const char *program;
  const char *database; /* NULL: only DIRECTORY */
  const char *directory;
  const char *owner, *group; /* of all that is there */
} Need;

#define NEEDS 8

static void
find_needs(const Config *config, Need needs[NEEDS])
{
  const char *deliver = config->deliver_user, *viewer = config->viewer_user;
  const char *policyd = config->policyd_user, *auditd = config->audit_user;
  const Need all[NEEDS] = {
      {deliver, "zegel-deliver", config->store_database, NULL, deliver, STORE_GROUP},
      {viewer, "zegel-viewer", config->store_database, NULL, deliver, STORE_GROUP},
      {deliver, "zegel-deliver", NULL, config->store_directory, deliver, STORE_GROUP},
      {viewer, "zegel-viewer", NULL, config->store_directory, deliver, STORE_GROUP},
      {policyd, "zegel-policyd", config->routes_db, NULL, policyd, config->socket_group},
      {policyd, "zegel-policyd", config->phone_db, NULL, policyd, policyd},
      {policyd, "zegel-policyd", config->seen_db, NULL, policyd, policyd},
      {auditd, "zegel-auditd", config->audit_database, NULL, auditd, auditd},
  };
  memcpy(needs, all, sizeof all);
}

/* FALSE, and said, when the file or directory at PATH is there and cannot be used as MODE
 * of access(2) has it. */
static gboolean
try_path(const Need *need, const char *path, int mode, Apart *apart)
{
  if (faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 || errno == ENOENT)
    return TRUE;
  g_autofree char *reason = g_strdup(g_strerror(errno));
  g_autofree char *directory = need->directory != NULL ? g_strdup(need->directory)
                                                       : g_path_get_dirname(need->database);
  g_autofree char *cure = g_strdup_printf(
      "give it back to whom it belongs: \"chown -R %s:%s %s\"; README.postfix, step 1, has "
      "owners and modes",
      need->owner, need->group, directory);
  apart_say(apart, DOCTOR_WRONG, cure, "%s, which runs as %s, cannot use %s: %s",
            need->program, need->user, path, reason);
  return FALSE;
}

static void
try_database(const Need *need, Apart *apart)
{
  g_autofree char *directory = g_path_get_dirname(need->database);
  if (!try_path(need, directory, R_OK | W_OK | X_OK, apart))
    return;
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *path = g_strconcat(need->database, suffixes[i], NULL);
    try_path(need, path, R_OK | W_OK, apart);
  }
}

/* DIRECTORY and all below, as far as *LEFT files; *UNREADABLE counts. */
static void
try_below(const Need *need, const char *directory, guint *left, guint *unreadable,
          Apart *apart)
{
  const char *name = NULL;
  if (!try_path(need, directory, R_OK | W_OK | X_OK, apart)) {
    (*unreadable)++;
    return;
  }
  g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
  while (dir != NULL && *left > 0 && *unreadable < TOLD_MAX &&
         (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    (*left)--;
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
      try_below(need, path, left, unreadable, apart);
    else
      *unreadable += !try_path(need, path, R_OK, apart);
  }
}

/* A sealed message that cannot be read is not shown. */
static void
try_directory(const Need *need, Apart *apart)
{
  guint left = FILES_MAX, unreadable = 0;
  try_below(need, need->directory, &left, &unreadable, apart);
}

static void
try_need(const DoctorSubject *subject, gpointer data, Apart *apart)
{
  const Need *need = data;
  (void) subject;
  if (need->database != NULL)
    try_database(need, apart);
  else
    try_directory(need, apart);
}

void
doctor_check_rights(const DoctorSubject *subject, DoctorReport *report)
{
  Need needs[NEEDS];
  find_needs(subject->config, needs);
  for (guint i = 0; i < NEEDS; i++)
    apart_run(subject, report, needs[i].user, LOOK_S, try_need, &needs[i]);
}

/* ---- state-private ---- */

static void
look_at_others(const char *path, DoctorReport *report)
{
  struct stat status;
  if (lstat(path, &status) < 0 || (status.st_mode & 0007) == 0)
    return;
  g_autofree char *cure = g_strdup_printf("chmod o= %s", path);
  doctor_say(report, DOCTOR_WRONG, cure,
             "%s has mode %04o: everybody on this machine can get at what is in it", path,
             (guint) (status.st_mode & 07777));
}

/* What is only root's: who could rename something in it could put another in its place. */
static void
look_at_top(DoctorReport *report)
{
  struct stat status;
  if (stat(ZEGEL_STATEDIR, &status) == 0 &&
      (status.st_uid != 0 || (status.st_mode & 0022) != 0))
    doctor_say(report, DOCTOR_WRONG,
               "chown root:root " ZEGEL_STATEDIR " && chmod 0755 " ZEGEL_STATEDIR,
               ZEGEL_STATEDIR " has owner %u and mode %04o: others than root can put "
                              "another store in the place of ours",
               (guint) status.st_uid, (guint) (status.st_mode & 07777));
}

void
doctor_check_private(const DoctorSubject *subject, DoctorReport *report)
{
  const Config *config = subject->config;
  const char *const databases[] = {config->store_database, config->audit_database,
                                   config->phone_db, config->routes_db};
  look_at_top(report);
  look_at_others(config->store_directory, report);
  for (guint i = 0; i < G_N_ELEMENTS(databases); i++) {
    g_autofree char *directory = g_path_get_dirname(databases[i]);
    look_at_others(directory, report);
    for (guint n = 0; n < G_N_ELEMENTS(suffixes); n++) {
      g_autofree char *path = g_strconcat(databases[i], suffixes[n], NULL);
      look_at_others(path, report);
    }
  }
}

/* ---- routes-db ---- */

#define HEADER_BYTES 20 /* of a database of SQLite; the last two are its format */
#define FORMAT_WAL   2

/* Opens PATH as Postfix has to; -1, and said, when that cannot be. */
static int
open_routes(const char *path, Apart *apart)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd >= 0)
    return fd;
  const char *cure =
      errno == ENOENT
          ? "systemctl restart zegel-policyd"
          : "give the files back to policyd and the group of Postfix, \"chown -R "
            "zegel-policyd:postfix\" and \"chmod 2750\" for their directory, 0640 for "
            "them; "
            "then \"systemctl restart zegel-policyd\"";
  apart_say(apart, DOCTOR_WRONG, cure,
            "Postfix cannot open %s: %s; a table that cannot be opened stops all mail",
            path, g_strerror(errno));
  return -1;
}

static void
look_at_routes(const DoctorSubject *subject, gpointer data, Apart *apart)
{
  (void) data;
  guint8 header[HEADER_BYTES] = {0};
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *path = g_strconcat(subject->config->routes_db, suffixes[i], NULL);
    int fd = open_routes(path, apart);
    if (fd >= 0 && i == 0 &&
        (read(fd, header, sizeof header) != sizeof header ||
         memcmp(header, "SQLite format 3", 16) != 0 || header[18] != FORMAT_WAL ||
         header[19] != FORMAT_WAL))
      apart_say(apart, DOCTOR_WRONG, "systemctl restart zegel-policyd",
                "%s is no database with a write-ahead log: while it is written Postfix "
                "cannot read it, and stops mail",
                path);
    if (fd >= 0)
      close(fd);
  }
}

/* The value of dbpath in TEXT, a table of sqlite_table(5): a new string, or NULL. */
static char *
find_dbpath(const char *text)
{
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    g_auto(GStrv) pair = g_strsplit(*line, "=", 2);
    if (pair[0] != NULL && pair[1] != NULL && strcmp(g_strstrip(pair[0]), "dbpath") == 0)
      return g_strdup(g_strstrip(pair[1]));
  }
  return NULL;
}

/* Whether the table NAME of SITE is made of the file that policyd writes. */
static void
look_at_table(const DoctorSubject *subject, const Site *site, const char *name,
              DoctorReport *report)
{
  g_autofree char *path = g_build_filename(site_directory(site), name, NULL);
  g_autofree char *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, NULL))
    return; /* it is not set up; that is looked at with main.cf */
  g_autofree char *dbpath = find_dbpath(text);
  if (g_strcmp0(dbpath, subject->config->routes_db) == 0)
    return;
  g_autofree char *cure = g_strdup_printf(
      "write \"dbpath = %s\" there, then \"postfix reload\"", subject->config->routes_db);
  doctor_say(report, DOCTOR_WRONG, cure,
             "%s reads %s, and zegel-policyd writes %s: what it promises never reaches "
             "Postfix",
             path, dbpath != NULL ? dbpath : "no file", subject->config->routes_db);
}

void
doctor_check_routes(const DoctorSubject *subject, DoctorReport *report)
{
  apart_run(subject, report, subject->config->socket_user, LOOK_S, look_at_routes, NULL);
  for (guint i = 0; i < subject->sites->len; i++) {
    look_at_table(subject, subject->sites->pdata[i], "zegel-routes.cf", report);
    look_at_table(subject, subject->sites->pdata[i], "zegel-tls.cf", report);
  }
}

/* ---- disk-space ---- */

#define MEGABYTE        (1024.0 * 1024.0)
#define LOW_PART        0.1   /* of a file system: less room than this, */
#define LOW_MB          10240 /* and less than this, is little */
#define MINFREE         1.5   /* of a message: Postfix then takes none (queue_minfree) */
#define INODES_PART     0.05
#define UPLOADS_AT_ONCE 2
#define UPLOADS         "/dev/shm" /* where contrib/ of the web servers has them */

/* FS holds WHAT, at PATH; NEEDED_MB is what one message may take. */
static void
judge_space(const char *path, const char *what, const struct statvfs *fs, double needed_mb,
            DoctorReport *report)
{
  double block = (double) fs->f_frsize;
  double free_mb = (double) fs->f_bavail * block / MEGABYTE;
  double size_mb = (double) fs->f_blocks * block / MEGABYTE;
  static const char cure[] = "make room, or put it on a larger file system";
  if ((fs->f_flag & ST_RDONLY) != 0)
    doctor_say(report, DOCTOR_WRONG,
               "see with \"dmesg\" whether the disk is damaged, then mount it anew",
               "%s (%s) is mounted read-only", path, what);
  else if (free_mb < needed_mb)
    doctor_say(report, DOCTOR_WRONG, cure,
               "%s (%s) has %.0f MB left: a message may need %.0f MB", path, what, free_mb,
               needed_mb);
  else if (free_mb < LOW_PART * size_mb && free_mb < LOW_MB)
    doctor_say(report, DOCTOR_WARNING, cure, "%s (%s) has %.0f MB left of %.0f MB", path,
               what, free_mb, size_mb);
  else if (fs->f_files > 0 && (double) fs->f_favail < INODES_PART * (double) fs->f_files)
    doctor_say(report, DOCTOR_WARNING, "remove files that nobody needs, see \"df -i\"",
               "%s (%s) has room for %lu more files only", path, what,
               (unsigned long) fs->f_favail);
}

/* Each file system (DONE: a set of them) is told of once, with what needs most. */
static void
look_at_space(GHashTable *done, const char *path, const char *what, double needed_mb,
              DoctorReport *report)
{
  struct statvfs fs;
  struct stat status;
  if (stat(path, &status) == 0 && statvfs(path, &fs) == 0) {
    if (g_hash_table_add(done, GSIZE_TO_POINTER((gsize) status.st_dev)))
      judge_space(path, what, &fs, needed_mb, report);
  } else if (errno != ENOENT) { /* what is missing is somebody else's finding */
    doctor_say(report, DOCTOR_UNKNOWN, NULL, "%s: %s", path, g_strerror(errno));
  }
}

/* What comes in over the web waits in memory, whole. */
static double
uploads_mb(const Config *config)
{
  guint largest = 0;
  for (guint i = 0; i < config->organisations->len; i++) {
    const Organisation *organisation = config->organisations->pdata[i];
    largest = MAX(largest, organisation->attachments_max_mb);
  }
  return (double) largest * UPLOADS_AT_ONCE;
}

void
doctor_check_disk(const DoctorSubject *subject, DoctorReport *report)
{
  const Config *config = subject->config;
  double message_mb = MINFREE * config->message_max_bytes / MEGABYTE;
  g_autoptr(GHashTable) done = g_hash_table_new(g_direct_hash, g_direct_equal);
  g_autofree char *store = g_path_get_dirname(config->store_database);
  g_autofree char *trail = g_path_get_dirname(config->audit_database);
  g_autofree char *routes = g_path_get_dirname(config->routes_db);
  for (guint i = 0; i < subject->sites->len; i++) {
    g_autofree char *queue =
        site_expanded(subject->sites->pdata[i], "queue_directory", NULL);
    if (queue != NULL)
      look_at_space(done, queue, "the queue of Postfix", message_mb, report);
  }
  look_at_space(done, store, "the store", message_mb, report);
  look_at_space(done, config->store_directory, "large messages", message_mb, report);
  look_at_space(done, trail, "the audit trail", 1, report);
  look_at_space(done, routes, "the routes", 1, report);
  look_at_space(done, UPLOADS, "what visitors send", uploads_mb(config), report);
}
