#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/daemon.h"
#include "tests/unit/tap.h"

#define WATCHDOG_US "3000000"

static int manager_fd; /* what a service manager hears */

static void
assert_hears(const char *words)
{
  char text[100] = "";
  gssize len = recv(manager_fd, text, sizeof text - 1, MSG_DONTWAIT);
  g_assert_cmpint(len, ==, words != NULL ? (gssize) strlen(words) : -1);
  g_assert_cmpstr(text, ==, words != NULL ? words : "");
}

/* That we live is said once in a third of the period, and what takes long is announced. */
static void
test_watchdog(void)
{
  daemon_ready();
  assert_hears("READY=1");
  g_assert_cmpint(daemon_alive(), <=, 1001);
  assert_hears("WATCHDOG=1");
  g_assert_cmpint(daemon_alive(), >, 0);
  assert_hears(NULL);
  daemon_busy(60);
  assert_hears("WATCHDOG_USEC=60000000");
  daemon_busy(0);
  assert_hears("WATCHDOG_USEC=" WATCHDOG_US);
  daemon_alive();
  assert_hears("WATCHDOG=1");
}

/* Where systemd starts its children, they have its environment from the beginning. */
static void
be_managed(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_assert_cmpuint(g_strlcpy(address.sun_path, path, sizeof address.sun_path), <,
                   sizeof address.sun_path);
  manager_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint(bind(manager_fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_setenv("NOTIFY_SOCKET", path, TRUE);
  g_setenv("WATCHDOG_USEC", WATCHDOG_US, TRUE);
  g_unsetenv("WATCHDOG_PID");
  daemon_find_manager();
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_autofree char *directory = g_dir_make_tmp("notify-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(directory, "socket", NULL);
  be_managed(path);
  g_test_add_func("/base/notify/watchdog", test_watchdog);
  int status = g_test_run();
  g_unlink(path);
  g_rmdir(directory);
  close(manager_fd);
  return status;
}
