/*
 * daemon.c - the walls around a daemon while it works.
 *
 * They hold without any service manager; units and AppArmor profiles (contrib) stand around
 * them. A daemon has more to do than zegel-reader, so it keeps more; what it starts
 * inherits its walls and, where it has walls of its own, adds them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "common/sandbox/filter.h"
#include "common/sandbox/landlock.h"
#include "common/sandbox/sandbox.h"
#include "config.h"

/* Public files that the C library, GLib, OpenSSL and loaded programs read. */
static const char *const system_reads[] = {
    ZEGEL_LOCALEDIR,
    "/usr/share",
    "/usr/local/share",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/group",
    "/etc/ssl/openssl.cnf",
    "/dev/urandom",
    "/dev/random",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
#ifdef ZEGEL_SANITIZERS
    "/proc", /* maps of memory, names of functions */
    "/usr/bin",
    "/usr/lib/debug",
#endif
    NULL,
};

/* Where libraries are, and the loader, which is run for each program. */
static const char *const system_runs[] = {
    "/usr/lib", "/usr/lib32", "/usr/lib64",     "/usr/libx32",
    "/lib",     "/lib64",     "/usr/local/lib", NULL,
};

/* For commands of the site. */
static const char *const command_runs[] = {
    "/usr/bin",       "/usr/sbin",       "/bin", "/sbin", "/opt",
    "/usr/local/bin", "/usr/local/sbin", NULL,
};

static const char *const system_changes[] = {"/dev/null", NULL};

/* To find the address of a name, and to know a server by its certificate. */
static const char *const internet_reads[] = {
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ssl/certs",
    /* What /etc/resolv.conf may be a link to. */
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager",
    NULL,
};

static gboolean
is_directory(const char *path)
{
  struct stat status;
  return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* PATHS as they are. */
static gboolean
allow_each(Landlock *landlock, const char *const *paths, LandlockAccess access,
           GError **error)
{
  for (gsize i = 0; paths != NULL && paths[i] != NULL; i++)
    if (!landlock_allow(landlock, paths[i], access, error))
      return FALSE;
  return TRUE;
}

/* A directory that was left to this process. */
typedef struct {
  LandlockAccess access;
  char *path;
} Left;

static GArray *all_left; /* NULL before it was confined */

/*
 * The directories that PATH is in, as it is written and behind symbolic links: a file that
 * is replaced is another file.
 */
static GStrv
directories_of(const char *path)
{
  g_autoptr(GStrvBuilder) found = g_strv_builder_new();
  g_autofree char *real = realpath(path, NULL);
  const char *const names[] = {path, real};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    if (names[i] == NULL || *names[i] != '/')
      continue;
    gboolean itself = g_str_has_suffix(names[i], "/") || is_directory(names[i]);
    g_autofree char *parent = g_path_get_dirname(names[i]);
    g_autofree char *directory = g_canonicalize_filename(itself ? names[i] : parent, "/");
    if (strcmp(directory, "/") != 0)
      g_strv_builder_add(found, directory);
  }
  return g_strv_builder_end(found);
}

/* PATHS, or the directories that they are in. */
static gboolean
allow_near(Landlock *landlock, const char *const *paths, LandlockAccess access,
           GError **error)
{
  for (gsize i = 0; paths != NULL && paths[i] != NULL; i++) {
    g_auto(GStrv) directories = directories_of(paths[i]);
    for (char **directory = directories; *directory != NULL; directory++) {
      const Left left = {access, g_strdup(*directory)};
      g_array_append_val(all_left, left);
      if (!landlock_allow(landlock, *directory, access, error))
        return FALSE;
    }
  }
  return TRUE;
}

/* Whether DIRECTORY is below one that was left for ACCESS; what can be changed can be read.
 */
static gboolean
is_left(const char *directory, LandlockAccess access)
{
  for (guint i = 0; i < all_left->len; i++) {
    const Left *left = &g_array_index(all_left, Left, i);
    gsize len = strlen(left->path);
    gboolean enough = left->access == access ||
                      (left->access == LANDLOCK_MAY_CHANGE && access == LANDLOCK_MAY_READ);
    if (enough && strncmp(directory, left->path, len) == 0 &&
        (directory[len] == '/' || directory[len] == '\0'))
      return TRUE;
  }
  return FALSE;
}

static gboolean
are_left(const char *const *paths, LandlockAccess access, GError **error)
{
  for (gsize i = 0; paths != NULL && paths[i] != NULL; i++) {
    g_auto(GStrv) directories = directories_of(paths[i]);
    for (char **directory = directories; *directory != NULL; directory++)
      if (!is_left(*directory, access)) {
        g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                    "%s lies where this program gave up what it may: restart it", paths[i]);
        return FALSE;
      }
  }
  return TRUE;
}

static gboolean
confine_files(const SandboxDaemon *daemon, GError **error)
{
  const gboolean any_port = (daemon->duties & SANDBOX_ANY_PORT) != 0;
  const gboolean internet = (daemon->duties & SANDBOX_INTERNET) != 0;
  const gboolean commands = (daemon->duties & SANDBOX_COMMANDS) != 0;
  g_auto(Landlock) landlock = {.fd = -1};
  return landlock_begin(&landlock, any_port, error) &&
         allow_each(&landlock, system_reads, LANDLOCK_MAY_READ, error) &&
         allow_each(&landlock, system_runs, LANDLOCK_MAY_RUN, error) &&
         allow_each(&landlock, system_changes, LANDLOCK_MAY_CHANGE, error) &&
         (!internet || allow_each(&landlock, internet_reads, LANDLOCK_MAY_READ, error)) &&
         (!commands || allow_each(&landlock, command_runs, LANDLOCK_MAY_RUN, error)) &&
         allow_near(&landlock, daemon->reads, LANDLOCK_MAY_READ, error) &&
         allow_near(&landlock, daemon->changes, LANDLOCK_MAY_CHANGE, error) &&
         allow_near(&landlock, daemon->runs, LANDLOCK_MAY_RUN, error) &&
         (any_port || daemon->port == 0 ||
          landlock_allow_port(&landlock, daemon->port, error)) &&
         landlock_enforce(&landlock, error);
}

/* A thread that runs already would stay outside. */
static gboolean
is_alone(GError **error)
{
  g_autoptr(GDir) threads = g_dir_open("/proc/self/task", 0, NULL);
  guint count = 0;
  while (threads != NULL && g_dir_read_name(threads) != NULL)
    count++;
  if (count <= 1) /* without /proc nobody can tell */
    return TRUE;
  zegel_error_errno(error, ZEGEL_ERROR_CONFIG, EBUSY, "threads run outside the sandbox");
  return FALSE;
}

gboolean
sandbox_confine_daemon(const SandboxDaemon *daemon, GError **error)
{
  if (all_left != NULL)
    return are_left(daemon->reads, LANDLOCK_MAY_READ, error) &&
           are_left(daemon->changes, LANDLOCK_MAY_CHANGE, error) &&
           are_left(daemon->runs, LANDLOCK_MAY_RUN, error);
  all_left = g_array_new(FALSE, FALSE, sizeof(Left));
  return is_alone(error) && sandbox_harden(error) && confine_files(daemon, error) &&
         filter_install(daemon->duties, error);
}
