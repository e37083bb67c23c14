/* sd_notify(3) and sd_listen_fds(3) in full are a library; a message is one datagram. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/daemon.h"
#include "common/base/error.h"
#include "common/base/log.h"

#define FIRST_INHERITED_FD 3   /* sd_listen_fds(3) */
#define MAX_INHERITED_FDS  16  /* we have three at most */
#define MAX_SEARCHED_FDS   256 /* at the start there are a few */
#define MAX_WATCHDOG_US    (24 * G_TIME_SPAN_HOUR)
#define TIMES_EACH_PERIOD  3 /* that we say that we live; two may come too late */
#define LISTEN_BACKLOG     512

static int notify_fd = -1;
static gint64 watchdog_us; /* how often we say that we live; 0: never */
static gint64 said_us;     /* when we did */

/* A number of the environment that is at most MAX, or 0. */
static guint64
environment_number(const char *name, guint64 max)
{
  const char *text = g_getenv(name);
  guint64 number = 0;
  if (text == NULL || !g_ascii_string_to_unsigned(text, 10, 0, max, &number, NULL))
    return 0;
  return number;
}

void
daemon_find_manager(void)
{
  const char *path = g_getenv("NOTIFY_SOCKET");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (path == NULL || strlen(path) < 2 || strlen(path) >= sizeof address.sun_path)
    return;
  memcpy(address.sun_path, path, strlen(path));
  if (address.sun_path[0] == '@') /* abstract */
    address.sun_path[0] = '\0';
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return;
  socklen_t len = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(path));
  if (connect(fd, (const struct sockaddr *) &address, len) < 0) {
    log_line(LOG_LEVEL_WARNING, "no service manager at %s: %s", path, g_strerror(errno));
    close(fd);
    return;
  }
  notify_fd = fd;
  guint64 owner = environment_number("WATCHDOG_PID", G_MAXINT32);
  if (owner == 0 || owner == (guint64) getpid())
    watchdog_us =
        (gint64) environment_number("WATCHDOG_USEC", MAX_WATCHDOG_US) / TIMES_EACH_PERIOD;
}

static void
tell_manager(const char *words)
{
  if (notify_fd >= 0 && send(notify_fd, words, strlen(words), MSG_NOSIGNAL) < 0)
    log_line(LOG_LEVEL_WARNING, "cannot notify the service manager: %s", g_strerror(errno));
}

void
daemon_ready(void)
{
  tell_manager("READY=1");
}

int
daemon_alive(void)
{
  if (watchdog_us == 0)
    return -1;
  gint64 now_us = g_get_monotonic_time();
  if (said_us == 0 || now_us - said_us >= watchdog_us) {
    tell_manager("WATCHDOG=1");
    said_us = now_us;
  }
  gint64 left_us = said_us + watchdog_us - now_us;
  return (int) (left_us / G_TIME_SPAN_MILLISECOND) + 1;
}

void
daemon_busy(guint limit_s)
{
  if (watchdog_us == 0)
    return;
  gint64 period_us =
      limit_s > 0 ? limit_s * G_USEC_PER_SEC : watchdog_us * TIMES_EACH_PERIOD;
  g_autofree char *words = g_strdup_printf("WATCHDOG_USEC=%" G_GINT64_FORMAT, period_us);
  tell_manager(words);
  said_us = 0;
}

/* Whether FD is a unix stream socket at PATH that listens. */
static gboolean
listens_at(int fd, const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNSPEC};
  socklen_t len = sizeof address;
  int listens = 0;
  socklen_t listens_len = sizeof listens;
  return getsockname(fd, (struct sockaddr *) &address, &len) == 0 &&
         address.sun_family == AF_UNIX && len > offsetof(struct sockaddr_un, sun_path) &&
         strncmp(address.sun_path, path, sizeof address.sun_path) == 0 &&
         getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_len) == 0 &&
         listens != 0;
}

int
daemon_find_listener(const char *path)
{
  for (int fd = 0; fd < MAX_SEARCHED_FDS; fd++)
    if (listens_at(fd, path))
      return fd;
  return -1;
}

int
daemon_inherited_unix(const char *path)
{
  guint64 count = environment_number("LISTEN_FDS", MAX_INHERITED_FDS);
  if (environment_number("LISTEN_PID", G_MAXINT32) != (guint64) getpid())
    return -1;
  for (int fd = FIRST_INHERITED_FD; fd < FIRST_INHERITED_FD + (int) count; fd++)
    /* Listening once more makes us the peer that who connects sees (SO_PEERCRED). */
    if (listens_at(fd, path) && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
        fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
      return fd;
  return -1;
}
