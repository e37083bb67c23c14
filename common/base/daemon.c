#include "common/base/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "config.h"

#define LISTEN_BACKLOG 512

void
daemon_options(DaemonOptions *options, int *argc, char ***argv, const char *summary,
               const GOptionEntry *extra)
{
  gboolean version = FALSE;
  const GOptionEntry entries[] = {
      {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options->config_path,
       "Read FILE instead of " ZEGEL_SYSCONFDIR "/zegel.conf", "FILE"},
      {"check", 'n', 0, G_OPTION_ARG_NONE, &options->check_only,
       "Check the configuration and exit", NULL},
      {"foreground", 'f', 0, G_OPTION_ARG_NONE, &options->foreground,
       "Log to standard error as well", NULL},
      {"version", 'V', 0, G_OPTION_ARG_NONE, &version, "Print the version and exit", NULL},
      G_OPTION_ENTRY_NULL,
  };
  memset(options, 0, sizeof *options);

  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_option_context_set_summary(context, summary);
  g_option_context_add_main_entries(context, entries, NULL);
  if (extra != NULL)
    g_option_context_add_main_entries(context, extra, NULL);
  g_autoptr(GError) error = NULL;
  if (!g_option_context_parse(context, argc, argv, &error)) {
    fprintf(stderr, "%s: %s\n", g_get_prgname(), error->message);
    exit(EX_USAGE);
  }
  if (options->config_path == NULL)
    options->config_path = g_strdup(ZEGEL_SYSCONFDIR "/zegel.conf");
  if (version) {
    printf("%s %s\n", g_get_prgname(), PACKAGE_VERSION);
    exit(EX_OK);
  }
  daemon_find_manager();
}

/* Whether somebody answers at ADDRESS. */
static gboolean
is_answered(const struct sockaddr_un *address)
{
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return FALSE;
  gboolean answered =
      connect(fd, (const struct sockaddr *) address, sizeof *address) == 0 ||
      errno == EAGAIN;
  close(fd);
  return answered;
}

/* What made the socket may not have read our configuration. Whom the directory keeps out
 * sees nothing of it: that is no reason to stop. */
static gboolean
has_group(const char *path, const char *group, GError **error)
{
  const struct group *entry = group != NULL ? getgrnam(group) : NULL;
  struct stat status;
  if (group == NULL || stat(path, &status) != 0 ||
      (entry != NULL && status.st_gid == entry->gr_gid))
    return TRUE;
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
              "%s is not of group %s: SocketGroup= of its .socket unit must be what "
              "zegel.conf has (systemctl edit)",
              path, group);
  return FALSE;
}

/* Gives the socket at PATH to GROUP when we are root and GROUP is not NULL. */
static gboolean
give_unix(const char *path, const char *group, GError **error)
{
  if (group == NULL || geteuid() != 0)
    return TRUE;
  const struct group *entry = getgrnam(group);
  if (entry == NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "group %s does not exist", group);
    return FALSE;
  }
  if (chown(path, (uid_t) -1, entry->gr_gid) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    return FALSE;
  }
  return TRUE;
}

gboolean
daemon_give_unix(const char *path, const char *user, GError **error)
{
  if (geteuid() != 0)
    return TRUE;
  const struct passwd *entry = getpwnam(user);
  if (entry == NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "user %s does not exist", user);
    return FALSE;
  }
  if (chown(path, entry->pw_uid, (gid_t) -1) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    return FALSE;
  }
  return TRUE;
}

static int
bind_and_listen(int fd, const struct sockaddr_un *address, guint mode, const char *group,
                GError **error)
{
  /* No window in which others could connect: the mode is there from the first moment. */
  mode_t old_mask = umask(0777 & ~mode);
  int bound = bind(fd, (const struct sockaddr *) address, sizeof *address);
  int bind_errno = errno;
  umask(old_mask);
  if (bound < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, bind_errno, address->sun_path);
    return -1;
  }
  if (!give_unix(address->sun_path, group, error))
    return -1;
  if (listen(fd, LISTEN_BACKLOG) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, address->sun_path);
    return -1;
  }
  return 0;
}

/* PATH as an address; FALSE with ZEGEL_ERROR_CONFIG when it is too long. */
static gboolean
make_address(const char *path, struct sockaddr_un *address, GError **error)
{
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  if (g_strlcpy(address->sun_path, path, sizeof address->sun_path) <
      sizeof address->sun_path)
    return TRUE;
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "socket path %s is too long", path);
  return FALSE;
}

gboolean
daemon_clear_unix(const char *path, GError **error)
{
  struct sockaddr_un address;
  struct stat status;
  if (!make_address(path, &address, error))
    return FALSE;
  if (lstat(path, &status) < 0 || !S_ISSOCK(status.st_mode))
    return TRUE;
  if (is_answered(&address)) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                "another process answers at %s: stop it first", path);
    return FALSE;
  }
  unlink(path);
  return TRUE;
}

int
daemon_listen_unix(const char *path, guint mode, const char *group, GError **error)
{
  struct sockaddr_un address;
  int inherited = daemon_inherited_unix(path);
  if (inherited >= 0)
    return has_group(path, group, error) ? inherited : -1;
  if (!make_address(path, &address, error) || !daemon_clear_unix(path, error))
    return -1;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, "socket");
    return -1;
  }
  if (g_getenv("LISTEN_FDS") != NULL)
    log_line(LOG_LEVEL_WARNING, "the service manager has no socket at %s", path);
  if (bind_and_listen(fd, &address, mode, group, error) < 0) {
    close(fd);
    return -1;
  }
  return fd;
}

void
daemon_need_files(guint count)
{
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= count)
    return;
  limit.rlim_cur = MIN(limit.rlim_max, count);
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
    log_line(LOG_LEVEL_WARNING, "the limit of open files cannot be raised");
}

gboolean
daemon_become(const char *user, GError **error)
{
  if (user == NULL) {
    if (geteuid() != 0)
      return TRUE;
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                        "refusing to run as root: set user in the configuration");
    return FALSE;
  }
  const struct passwd *entry = getpwnam(user);
  if (entry == NULL || entry->pw_uid == 0) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "user %s %s", user,
                entry == NULL ? "does not exist" : "is root");
    return FALSE;
  }
  if (geteuid() == entry->pw_uid)
    return TRUE;
  if (initgroups(user, entry->pw_gid) < 0 || setgid(entry->pw_gid) < 0 ||
      setuid(entry->pw_uid) < 0 || setuid(0) == 0) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "cannot become user %s: %s", user,
                g_strerror(errno));
    return FALSE;
  }
  return TRUE;
}

gboolean
daemon_make_directory(const char *path, const char *user, GError **error)
{
  g_autofree char *directory = g_path_get_dirname(path);
  g_autofree char *parent = g_path_get_dirname(directory);
  if (geteuid() != 0 || g_file_test(directory, G_FILE_TEST_EXISTS))
    return TRUE;
  const struct passwd *owner = getpwnam(user);
  if (owner == NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s: user %s does not exist",
                directory, user);
    return FALSE;
  }
  if (g_mkdir_with_parents(parent, 0755) < 0 || mkdir(directory, 0700) < 0 ||
      chown(directory, owner->pw_uid, owner->pw_gid) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, directory);
    return FALSE;
  }
  return TRUE;
}

/* sd_notify(3) in full is a library; the message is one datagram. */
void
daemon_die(GError *error)
{
  int status =
      g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG) ? EX_CONFIG : EX_TEMPFAIL;
  fprintf(stderr, "%s: %s\n", g_get_prgname(), error->message);
  log_line(LOG_LEVEL_ALARM, "stopped: %s", error->message);
  g_error_free(error);
  exit(status);
}

void
daemon_must(gboolean done, GError **error)
{
  if (!done)
    daemon_die(g_steal_pointer(error));
}
