#include "zegelctl/setup_make.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/unix.h"
#include "common/crypt/key.h"
#include "zegelctl/command.h"
#include "zegelctl/program.h"

#define START_WAIT_S 15
#define LOOK_MS      100
#define OURSELVES    "/proc/self/exe"
#define GROUP_STORE  "zegel-store"

/* ---- Commands ---- */

static gboolean
run_command(const char *const *argv, GError **error)
{
  int status = -1;
  g_autofree char *said = NULL;
  if (!program_run(argv, &status, &said, error))
    return FALSE;
  g_autofree char *line = g_strjoinv(" ", (char **) argv);
  return status == 0 || command_error(error, ZEGEL_ERROR_CONFIG, "%s: %s", line, said);
}

/* ---- Users ---- */

static gboolean
is_member(const char *user, const char *group)
{
  const struct passwd *entry = getpwnam(user);
  const struct group *members = getgrnam(group);
  if (entry == NULL || members == NULL)
    return FALSE;
  if (entry->pw_gid == members->gr_gid)
    return TRUE;
  for (char **member = members->gr_mem; *member != NULL; member++)
    if (strcmp(*member, user) == 0)
      return TRUE;
  return FALSE;
}

/* The commands that are still to be run for CONFIG, each an array (GStrv), in their order.
 */
static GPtrArray *
user_commands(const Config *config)
{
  GPtrArray *commands = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
  const char *const users[] = {config->policyd_user, config->milter_user,
                               config->mx_user,      config->deliver_user,
                               config->viewer_user,  config->audit_user};
  const struct {
    const char *user, *group;
  } members[] = {{config->milter_user, config->socket_group},
                 {config->mx_user, config->socket_group},
                 {config->deliver_user, GROUP_STORE},
                 {config->viewer_user, GROUP_STORE}};
  for (guint i = 0; i < G_N_ELEMENTS(users); i++)
    if (getpwnam(users[i]) == NULL) {
      const char *const argv[] = {"adduser",          "--system", "--group",
                                  "--no-create-home", users[i],   NULL};
      g_ptr_array_add(commands, g_strdupv((char **) argv));
    }
  if (getgrnam(GROUP_STORE) == NULL) {
    const char *const argv[] = {"addgroup", "--system", GROUP_STORE, NULL};
    g_ptr_array_add(commands, g_strdupv((char **) argv));
  }
  for (guint i = 0; i < G_N_ELEMENTS(members); i++)
    if (!is_member(members[i].user, members[i].group)) {
      const char *const argv[] = {"adduser", members[i].user, members[i].group, NULL};
      g_ptr_array_add(commands, g_strdupv((char **) argv));
    }
  return commands;
}

/* ---- Directories ---- */

typedef struct {
  char *path;
  const char *user, *group;
  mode_t mode;
} Place;

static void
place_clear(gpointer p)
{
  g_free(((Place *) p)->path);
}

static void
add_place(GArray *places, char *path, const char *user, const char *group, mode_t mode)
{
  Place place = {path, user, group, mode};
  g_array_append_val(places, place);
}

/* The directories that programs share, which none of them can make itself. */
static GArray *
places_of(const Config *config, const char *queue)
{
  GArray *places = g_array_new(FALSE, FALSE, sizeof(Place));
  g_array_set_clear_func(places, place_clear);
  add_place(places, g_build_filename(queue, "zegel", NULL), "root", config->socket_group,
            02750);
  add_place(places, g_path_get_dirname(config->routes_db), config->policyd_user,
            config->socket_group, 02750);
  add_place(places, g_path_get_dirname(config->store_database), config->deliver_user,
            GROUP_STORE, 02770);
  add_place(places, g_strdup(config->store_directory), config->deliver_user, GROUP_STORE,
            02770);
  add_place(places, g_path_get_dirname(config->audit_database), config->audit_user,
            config->audit_user, 0700);
  return places;
}

/* A directory that is there stays as it is: zegelctl doctor says when it is wrong. So it
 * gets its name when it is right. */
static gboolean
make_place(const Place *place, GError **error)
{
  if (g_file_test(place->path, G_FILE_TEST_IS_DIR))
    return TRUE;
  const struct passwd *user = getpwnam(place->user);
  uid_t uid = user != NULL ? user->pw_uid : (uid_t) -1;
  const struct group *group = getgrnam(place->group);
  if (user == NULL || group == NULL)
    return command_error(error, ZEGEL_ERROR_CONFIG, "%s or %s is unknown", place->user,
                         place->group);
  g_autofree char *parent = g_path_get_dirname(place->path);
  g_autofree char *temporary = g_strconcat(place->path, ".new", NULL);
  rmdir(temporary); /* of a run that was cut off */
  if (g_mkdir_with_parents(parent, 0755) == 0 && mkdir(temporary, 0700) == 0 &&
      chown(temporary, uid, group->gr_gid) == 0 && chmod(temporary, place->mode) == 0 &&
      rename(temporary, place->path) == 0)
    return TRUE;
  zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, place->path);
  return FALSE;
}

gboolean
setup_make_places(const Config *config, const char *queue, GError **error)
{
  g_autoptr(GPtrArray) commands = user_commands(config);
  for (guint i = 0; i < commands->len; i++)
    if (!run_command(commands->pdata[i], error))
      return FALSE;
  g_autoptr(GArray) places = places_of(config, queue);
  for (guint i = 0; i < places->len; i++)
    if (!make_place(&g_array_index(places, Place, i), error))
      return FALSE;
  return TRUE;
}

/* ---- Keys ---- */

#define HOLDERS_MAX 3

typedef struct {
  KeyPurpose purpose;
  const char *paths[HOLDERS_MAX + 1]; /* where it is made first; end with NULL */
} KeyFiles;

/* As zegelctl key generate fills them. */
static gboolean
key_is_missing(const KeyFiles *key)
{
  for (const char *const *path = key->paths; *path != NULL; path++)
    if (access(*path, F_OK) != 0)
      return TRUE;
  return FALSE;
}

/* The keys of CONFIG into KEYS; returns how many. */
static guint
keys_of(const Config *config, KeyFiles *keys)
{
  const KeyFiles all[] = {
      {KEY_TICKET, {config->deliver_ticket_key, config->milter_ticket_key, NULL}},
      {KEY_LINK, {config->deliver_link_key, NULL}},
      {KEY_STORE, {config->viewer_store_key, config->deliver_store_key, NULL}},
      {KEY_ORIGIN,
       {config->milter_origin_key, config->deliver_origin_key, config->viewer_origin_key,
        NULL}},
      {KEY_PHONE, {config->phone_key, NULL}},
      {KEY_AUDIT, {config->audit_key, NULL}},
  };
  memcpy(keys, all, sizeof all);
  return G_N_ELEMENTS(all);
}

#define KEYS 6

/* A key that is with some of its programs only was cut off while it was given to them,
 * which doing it again heals, unless the first copy is the one that was lost: then the
 * others have what the new one has not. */
static gboolean
make_key(const KeyFiles *key, GError **error)
{
  const char *name = key_purpose_name(key->purpose);
  g_autofree char *ourselves = g_file_read_link(OURSELVES, NULL);
  const char *const argv[] = {ourselves != NULL ? ourselves : "zegelctl", "key", "generate",
                              name, NULL};
  for (const char *const *path = key->paths + 1; *path != NULL; path++)
    if (access(key->paths[0], F_OK) != 0 && access(*path, F_OK) == 0)
      return command_error(error, ZEGEL_ERROR_CONFIG,
                           "%s is there and %s is not: they hold the same key, copy it",
                           *path, key->paths[0]);
  return run_command(argv, error);
}

gboolean
setup_make_keys(const Config *config, GError **error)
{
  KeyFiles keys[KEYS];
  guint count = keys_of(config, keys);
  for (guint i = 0; i < count; i++)
    if (key_is_missing(&keys[i]) && !make_key(&keys[i], error))
      return FALSE;
  return TRUE;
}

/* ---- Programs ---- */

typedef struct {
  const char *unit;
  const char *socket;
} Daemon;

#define DAEMONS 6

/* In the order in which they are started: the trail has all events. */
static void
daemons_of(const Config *config, Daemon *daemons)
{
  const Daemon all[DAEMONS] = {
      {"zegel-auditd", config->audit_socket},    {"zegel-policyd", config->policyd_socket},
      {"zegel-milter", config->milter_socket},   {"zegel-milter-mx", config->mx_socket},
      {"zegel-deliver", config->deliver_socket}, {"zegel-viewer", config->viewer_socket}};
  memcpy(daemons, all, sizeof all);
}

static gboolean
answers(const Daemon *daemon, gint64 wait_us)
{
  gint64 end_us = g_get_monotonic_time() + wait_us;
  for (;;) {
    int fd = unix_connect(daemon->socket, g_get_monotonic_time() + G_USEC_PER_SEC, NULL);
    if (fd >= 0)
      close(fd);
    if (fd >= 0 || g_get_monotonic_time() >= end_us)
      return fd >= 0;
    g_usleep(LOOK_MS * 1000);
  }
}

/* The viewer is a package of its own, and may be on another machine's list. */
static gboolean
is_installed(const Daemon *daemon)
{
  if (strcmp(daemon->unit, "zegel-viewer") != 0)
    return TRUE;
  g_autofree char *path = program_find("zegel-viewer");
  return path != NULL;
}

gboolean
setup_make_units(GError **error)
{
  static const char *const reload[] = {"systemctl", "daemon-reload", NULL};
  static const char *const stop[] = {"systemctl", "stop", "zegel-policyd.socket",
                                     "zegel-deliver.socket", NULL};
  return run_command(reload, error) && run_command(stop, error);
}

static const char *const timers[] = {"zegel-probe.timer", "zegel-watch.timer",
                                     "zegel-expire.timer", "zegel-audit-verify.timer",
                                     "zegel-domain-watch.timer"};

#define TIMERS_OF_SERVICE 2 /* the first ones: nobody asks when zegel is out of Postfix */

/* "enable" or "disable" for COUNT timers; mail does not depend on them. */
static void
switch_timers(const char *verb, guint count)
{
  for (guint i = 0; i < count; i++) {
    const char *const argv[] = {"systemctl", verb, "--now", timers[i], NULL};
    g_autoptr(GError) error = NULL;
    if (!run_command(argv, &error))
      printf("%s\n", error->message);
  }
}

/* What ran before may have read another zegel.conf. What could not be told says it. */
static void
tell_programs(void)
{
  g_autofree char *ourselves = g_file_read_link(OURSELVES, NULL);
  const char *const argv[] = {ourselves != NULL ? ourselves : "zegelctl", "reload", NULL};
  g_autoptr(GError) error = NULL;
  if (!run_command(argv, &error))
    printf("%s\n", error->message);
}

gboolean
setup_start_programs(const Config *config, GError **error)
{
  Daemon daemons[DAEMONS];
  daemons_of(config, daemons);
  for (guint i = 0; i < DAEMONS; i++) {
    const char *const argv[] = {"systemctl", "enable", "--now", daemons[i].unit, NULL};
    g_autoptr(GError) reason = NULL;
    if (!is_installed(&daemons[i]))
      continue;
    gboolean running = answers(&daemons[i], 0);
    gboolean started = run_command(argv, &reason);
    if (running || (started && answers(&daemons[i], START_WAIT_S * G_USEC_PER_SEC)))
      continue;
    return command_error(
        error, ZEGEL_ERROR_TEMPORARY,
        "%s does not answer at %s (%s). Start it, and run zegelctl setup again; "
        "it goes on from here.",
        daemons[i].unit, daemons[i].socket,
        reason != NULL ? reason->message : "it was started; see its log");
  }
  switch_timers("enable", G_N_ELEMENTS(timers));
  tell_programs();
  return TRUE;
}

void
setup_stop_programs(void)
{
  static const char *const units[] = {"zegel-milter", "zegel-milter-mx", "zegel-policyd",
                                      "zegel-deliver"};
  switch_timers("disable", TIMERS_OF_SERVICE);
  for (guint i = 0; i < G_N_ELEMENTS(units); i++) {
    const char *const argv[] = {"systemctl", "disable", "--now", units[i], NULL};
    g_autoptr(GError) error = NULL;
    if (!run_command(argv, &error))
      printf("%s could not be ended: %s\n", units[i], error->message);
  }
}

/* ---- Showing ---- */

void
setup_make_show(const Config *config, const char *queue)
{
  g_autoptr(GPtrArray) commands = user_commands(config);
  g_autoptr(GArray) places = places_of(config, queue);
  KeyFiles keys[KEYS];
  guint count = keys_of(config, keys);
  for (guint i = 0; i < commands->len; i++) {
    g_autofree char *line = g_strjoinv(" ", commands->pdata[i]);
    printf("  %s\n", line);
  }
  for (guint i = 0; i < places->len; i++) {
    const Place *place = &g_array_index(places, Place, i);
    if (!g_file_test(place->path, G_FILE_TEST_IS_DIR))
      printf("  install -d -o %s -g %s -m %04o %s\n", place->user, place->group,
             (guint) place->mode, place->path);
  }
  for (guint i = 0; i < count; i++)
    if (key_is_missing(&keys[i]))
      printf("  zegelctl key generate %s\n", key_purpose_name(keys[i].purpose));
  printf(
      "  systemctl enable --now zegel-auditd zegel-policyd zegel-milter zegel-milter-mx "
      "\\\n"
      "      zegel-deliver zegel-viewer\n"
      "  systemctl enable --now zegel-probe.timer zegel-watch.timer zegel-expire.timer \\\n"
      "      zegel-audit-verify.timer zegel-domain-watch.timer\n");
}
