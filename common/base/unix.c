#include "common/base/unix.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/child.h"
#include "common/base/error.h"

#define CONNECT_WAIT_MS 10 /* between tries while the backlog is full */

/* A full backlog shows as EAGAIN, which poll(2) cannot wait for. */
int
unix_connect(const char *path, gint64 deadline_us, GError **error)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >=
      sizeof address.sun_path) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                "%s: the socket's path is too long", path);
    return -1;
  }
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, "socket");
    return -1;
  }
  while (connect(fd, (const struct sockaddr *) &address, sizeof address) < 0) {
    int reason = errno;
    if ((reason != EAGAIN && reason != EINTR) || child_poll_timeout_ms(deadline_us) == 0) {
      zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, reason, path);
      close(fd);
      return -1;
    }
    poll(NULL, 0, CONNECT_WAIT_MS);
  }
  return fd;
}

gboolean
unix_wait(int fd, short events, gint64 deadline_us)
{
  for (;;) {
    struct pollfd entry = {.fd = fd, .events = events};
    int left_ms = child_poll_timeout_ms(deadline_us);
    int count = poll(&entry, 1, left_ms);
    if (count > 0)
      return TRUE;
    if ((count < 0 && errno != EINTR) || left_ms == 0)
      return FALSE;
  }
}
