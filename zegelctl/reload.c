#include "zegelctl/reload.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/error.h"
#include "zegelctl/command.h"

#define PROGRAM "zegel-policyd"
#define CURE    "run \"systemctl reload " PROGRAM "\" or send it SIGHUP"

/* The process that listens at PATH, 0 when we cannot see it, or -1 with errno. */
static pid_t
find_listener(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct ucred peer = {.pid = 0};
  socklen_t len = sizeof peer;
  errno = ENAMETOOLONG;
  if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
    return -1;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -1;
  if (connect(fd, (const struct sockaddr *) &address, sizeof address) != 0 ||
      getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
    peer.pid = -1;
  int reason = errno;
  close(fd);
  errno = reason;
  return peer.pid;
}

/* A socket that somebody else made (a service manager) is no reason to signal that. */
static gboolean
is_policyd(pid_t pid)
{
  g_autofree char *path = g_strdup_printf("/proc/%d/comm", (int) pid);
  g_autofree char *name = NULL;
  return g_file_get_contents(path, &name, NULL, NULL) &&
         strcmp(g_strchomp(name), PROGRAM) == 0;
}

gboolean
reload_policyd(const char *path, gboolean *told, GError **error)
{
  pid_t pid = find_listener(path);
  *told = FALSE;
  if (pid < 0 && (errno == ENOENT || errno == ECONNREFUSED))
    return TRUE;
  if (pid < 0)
    return command_error(error, ZEGEL_ERROR_TEMPORARY,
                         PROGRAM " was not told: %s: %s; " CURE, path, g_strerror(errno));
  if (pid < 2 || !is_policyd(pid))
    return command_error(error, ZEGEL_ERROR_TEMPORARY,
                         PROGRAM " was not told: process %d listens at %s; " CURE,
                         (int) pid, path);
  if (kill(pid, SIGHUP) != 0)
    return command_error(error, ZEGEL_ERROR_TEMPORARY, PROGRAM " was not told: %s; " CURE,
                         g_strerror(errno));
  *told = TRUE;
  return TRUE;
}
