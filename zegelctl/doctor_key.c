/*
 * doctor_key.c - the keys: whether they are there, who can read them, and whether they
 * belong to what was sealed with them.
 *
 * Nothing of a key is ever said, but its id.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/crypt/crypt.h"
#include "common/crypt/key_file.h"
#include "common/store/look.h"
#include "zegelctl/apart.h"
#include "zegelctl/doctor_parts.h"
#include "zegelctl/holder.h"

#define KEY_DIRECTORY ZEGEL_SYSCONFDIR "/keys"
#define KEY_DEPTH     5 /* keys/milter/dkim/DOMAIN/SELECTOR.key */
#define OTHERS        (07777 & ~0600)
#define LOOK_S        60

/* The name of user ID: a new string. */
static char *
user_name(uid_t id)
{
  const struct passwd *entry = getpwuid(id);
  return entry != NULL ? g_strdup(entry->pw_name) : g_strdup_printf("%u", (guint) id);
}

/* ---- key-there ---- */

static void
look_at_key(const Holder *holder, DoctorReport *report)
{
  struct stat status;
  g_autoptr(GError) error = NULL;
  const char *name = key_purpose_name(holder->purpose);
  if (lstat(holder->path, &status) < 0) {
    g_autofree char *cure = g_strdup_printf(
        "put the keys back from their backup; only where nothing was sealed with it yet: "
        "\"zegelctl key generate %s\"",
        name);
    doctor_say(report, DOCTOR_WRONG, cure, "%s has no %s key: %s: %s", holder->program,
               name, holder->path, g_strerror(errno));
    return;
  }
  if (!S_ISREG(status.st_mode) || (status.st_mode & OTHERS) != 0)
    return; /* key-rights says so */
  g_autoptr(KeyRing) ring = keyring_load(holder->path, holder->purpose, &error);
  if (ring == NULL)
    doctor_say(report, DOCTOR_WRONG, "put the file back from the backup of the keys",
               "%s cannot read its %s key: %s", holder->program, name, error->message);
}

void
doctor_check_key_there(const DoctorSubject *subject, DoctorReport *report)
{
  for (guint i = 0; i < holder_count(); i++) {
    const Holder holder = holder_nth(subject->config, i);
    look_at_key(&holder, report);
  }
}

/* ---- key-rights ---- */

static void
look_at_mode(const char *path, const struct stat *status, DoctorReport *report)
{
  g_autofree char *cure = g_strdup_printf(
      "\"chmod 0400 %s\"; somebody may have read it: make a new one too, \"zegelctl key "
      "generate\", or a new password where it has one",
      path);
  if (S_ISREG(status->st_mode) && (status->st_mode & OTHERS) != 0)
    doctor_say(report, DOCTOR_WRONG, cure,
               "%s has mode %04o: others than its owner can get at the key, and no program "
               "takes it so",
               path, (guint) (status->st_mode & 07777));
}

static void
say_owner(const Holder *holder, uid_t owner_id, DoctorReport *report)
{
  g_autofree char *cure = g_strdup_printf("chown %s %s", holder->user, holder->path);
  g_autofree char *owner = user_name(owner_id);
  doctor_say(report, DOCTOR_WRONG, cure,
             "%s belongs to %s: %s, which runs as %s, cannot "
             "read it",
             holder->path, owner, holder->program, holder->user);
}

/* As the user of the Holder DATA, who owns the file: the way to it may be closed. */
static void
look_as_holder(const DoctorSubject *subject, gpointer data, Apart *apart)
{
  const Holder *holder = data;
  (void) subject;
  if (faccessat(AT_FDCWD, holder->path, R_OK, AT_EACCESS) == 0 || errno == ENOENT)
    return;
  g_autofree char *reason = g_strdup(g_strerror(errno));
  g_autofree char *cure = g_strdup_printf(
      "\"namei -l %s\" shows the directories above it: %s must be let through",
      holder->path, holder->user);
  apart_say(apart, DOCTOR_WRONG, cure, "%s, which runs as %s, cannot read %s: %s",
            holder->program, holder->user, holder->path, reason);
}

/* Calls FUNC for each regular file in FOLDER and below. */
static void
each_file(const char *folder, guint depth,
          void (*func)(const char *path, const struct stat *status, gpointer data),
          gpointer data)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name = NULL;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    struct stat status;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (lstat(path, &status) < 0)
      continue;
    if (S_ISREG(status.st_mode))
      func(path, &status, data);
    else if (S_ISDIR(status.st_mode) && depth > 0)
      each_file(path, depth - 1, func, data);
  }
}

static void
look_at_file(const char *path, const struct stat *status, gpointer data)
{
  look_at_mode(path, status, data);
}

/* Whether PATH lies where each_file finds it. */
static gboolean
is_in_directory(const char *path)
{
  return g_str_has_prefix(path, KEY_DIRECTORY "/");
}

void
doctor_check_key_rights(const DoctorSubject *subject, DoctorReport *report)
{
  const char *dkim = subject->config->dkim_keys;
  each_file(KEY_DIRECTORY, KEY_DEPTH, look_at_file, report);
  if (!is_in_directory(dkim))
    each_file(dkim, KEY_DEPTH, look_at_file, report);
  for (guint i = 0; i < holder_count(); i++) {
    struct stat status;
    Holder holder = holder_nth(subject->config, i);
    if (lstat(holder.path, &status) < 0)
      continue; /* key-there says so */
    if (!is_in_directory(holder.path))
      look_at_mode(holder.path, &status, report);
    const struct passwd *entry = getpwnam(holder.user);
    if (entry != NULL && status.st_uid != entry->pw_uid)
      say_owner(&holder, status.st_uid, report);
    else
      apart_run(subject, report, holder.user, LOOK_S, look_as_holder, &holder);
  }
}

/* ---- key-web ---- */

/* As whom web servers run. */
static const char *const web_users[] = {"www-data", "nginx", "apache", "lighttpd", "http"};
static const char *const web_programs[] = {"nginx", "apache2", "httpd", "lighttpd"};

static gboolean
is_ours(const Config *config, const char *user)
{
  const char *const ours[] = {config->milter_user,  config->mx_user,
                              config->policyd_user, config->deliver_user,
                              config->viewer_user,  config->audit_user};
  for (guint i = 0; i < G_N_ELEMENTS(ours); i++)
    if (strcmp(user, ours[i]) == 0)
      return TRUE;
  return strcmp(user, "root") == 0;
}

/* One of our own may run a web server too (zegel-viewer(8), CGI): it is no stranger. */
static void
add_user(const Config *config, GHashTable *users, const char *user)
{
  if (getpwnam(user) != NULL && !is_ours(config, user))
    g_hash_table_add(users, g_strdup(user));
}

static void
add_members(const Config *config, GHashTable *users)
{
  const struct group *group = getgrnam(config->viewer_group);
  for (char **user = group != NULL ? group->gr_mem : NULL; user != NULL && *user != NULL;
       user++)
    add_user(config, users, *user);
}

/* Who runs a web server just now. */
static void
add_running(const Config *config, GHashTable *users)
{
  g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
  const char *name = NULL;
  while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
    struct stat status;
    g_autofree char *text = NULL;
    g_autofree char *folder = g_build_filename("/proc", name, NULL);
    g_autofree char *comm = g_build_filename(folder, "comm", NULL);
    if (!g_ascii_isdigit(*name) || stat(folder, &status) < 0 ||
        !g_file_get_contents(comm, &text, NULL, NULL))
      continue;
    g_autofree char *user = user_name(status.st_uid);
    for (guint i = 0; i < G_N_ELEMENTS(web_programs); i++)
      if (strcmp(g_strchomp(text), web_programs[i]) == 0)
        add_user(config, users, user);
  }
}

/* What a web server may not read. */
static GPtrArray *
secret_files(const Config *config)
{
  GPtrArray *paths = g_ptr_array_new();
  for (guint i = 0; i < holder_count(); i++)
    g_ptr_array_add(paths, (gpointer) holder_nth(config, i).path);
  g_ptr_array_add(paths, config->store_database);
  g_ptr_array_add(paths, config->audit_database);
  g_ptr_array_add(paths, config->phone_db);
  return paths;
}

/* As the user called DATA. */
static void
look_as_web(const DoctorSubject *subject, gpointer data, Apart *apart)
{
  const char *user = data;
  g_autoptr(GPtrArray) paths = secret_files(subject->config);
  for (guint i = 0; i < paths->len; i++) {
    const char *path = paths->pdata[i];
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
      continue;
    close(fd);
    g_autofree char *cure = g_strdup_printf(
        "see with \"namei -l %s\" and \"id %s\" by which right, and take that away; keys "
        "that it could read must be made anew",
        path, user);
    apart_say(
        apart, DOCTOR_WRONG, cure,
        "%s, as whom the web server runs, can read %s: who breaks into the web server "
        "has it",
        user, path);
  }
}

void
doctor_check_key_web(const DoctorSubject *subject, DoctorReport *report)
{
  const Config *config = subject->config;
  g_autoptr(GHashTable) users =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(web_users); i++)
    add_user(config, users, web_users[i]);
  add_members(config, users);
  add_running(config, users);
  GHashTableIter iter;
  gpointer user = NULL;
  g_hash_table_iter_init(&iter, users);
  while (g_hash_table_iter_next(&iter, &user, NULL))
    apart_run(subject, report, user, LOOK_S, look_as_web, user);
}

/* ---- key-copies ---- */

static gboolean
are_alike(const char *a, const char *b)
{
  g_autoptr(Secret) one = key_file_read(a, NULL);
  g_autoptr(Secret) other = key_file_read(b, NULL);
  if (one == NULL || other == NULL)
    return TRUE; /* key-there and key-rights say why */
  return secret_size(one) == secret_size(other) &&
         crypt_equal(secret_peek(one), secret_peek(other), secret_size(one));
}

void
doctor_check_key_copies(const DoctorSubject *subject, DoctorReport *report)
{
  for (guint i = 1; i < holder_count(); i++) {
    const Holder before = holder_nth(subject->config, i - 1);
    const Holder here = holder_nth(subject->config, i);
    if (before.purpose != here.purpose || are_alike(before.path, here.path))
      continue;
    g_autofree char *cure = g_strdup_printf(
        "put the lines of both into both, the newest first, and restart %s and %s",
        before.program, here.program);
    doctor_say(report, DOCTOR_WRONG, cure,
               "%s and %s are not alike: what %s makes with its %s key may mean nothing to "
               "%s",
               before.path, here.path, here.program, key_purpose_name(here.purpose),
               before.program);
  }
}

/* ---- key-store ---- */

static void
look_at_store(const DoctorSubject *subject, gpointer data, Apart *apart)
{
  (void) data;
  const Config *config = subject->config;
  g_autoptr(GError) error = NULL;
  g_autofree char *problem = NULL;
  g_autoptr(KeyRing) keys = keyring_load(config->deliver_store_key, KEY_STORE, &error);
  g_autoptr(KeyRing) links =
      keys != NULL ? keyring_load(config->deliver_link_key, KEY_LINK, &error) : NULL;
  if (links == NULL)
    return; /* key-there and key-rights say why */
  if (access(config->store_database, F_OK) != 0 && errno == ENOENT)
    apart_say(apart, DOCTOR_ABSENT, NULL, "nothing was stored yet");
  else if (!store_look_keys(config->store_database, keys, links, &problem, &error))
    apart_say(apart, DOCTOR_UNKNOWN, NULL, "%s", error->message);
  else if (problem != NULL)
    apart_say(apart, DOCTOR_WRONG,
              "restore store and keys of the same backup, or add the lines of the old key "
              "files below those that are there; do not make new keys",
              "keys and store are not of the same day: %s", problem);
}

void
doctor_check_key_store(const DoctorSubject *subject, DoctorReport *report)
{
  apart_run(subject, report, subject->config->deliver_user, LOOK_S, look_at_store, NULL);
}
