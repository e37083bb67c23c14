/*
 * test_daemon.c - what a confined daemon still does, and what it cannot, each tried by a
 * child.
 */
#include "common/sandbox/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/error.h"
#include "config.h"
#include "tests/unit/tap.h"

#define DONE        0
#define NO_SANDBOX  98
#define TOP_READ    "/read"    /* a file is there, and others later */
#define TOP_CHANGE  "/change"  /* empty */
#define TOP_OUTSIDE "/outside" /* a file is there */

typedef int (*Work)(void);

/* What a child does under which duties, and how it must end. */
typedef struct {
  const char *name;
  SandboxDuty duties;
  Work work; /* DONE, or the line that went wrong */
  int signal_number;
} Case;

static char *top; /* of files that are made for this test */

static char *
path_of(const char *name)
{
  return g_strconcat(top, name, NULL);
}

static int
open_there(const char *name, int flags)
{
  g_autofree char *path = path_of(name);
  int fd = open(path, flags | O_CLOEXEC, 0600);
  int open_errno = errno;
  if (fd >= 0)
    close(fd);
  errno = open_errno;
  return fd >= 0 ? 0 : -1;
}

#define CHECK(condition)                                                                   \
  if (!(condition))                                                                        \
    return __LINE__ % NO_SANDBOX + 1;

static gboolean
refused(int result)
{
  return result < 0 && errno == EACCES;
}

static int
use_files(void)
{
  g_autofree char *from = path_of(TOP_CHANGE "/a");
  g_autofree char *to = path_of(TOP_CHANGE "/b");
  g_autofree char *outside = path_of(TOP_OUTSIDE "/moved");
  CHECK(open_there(TOP_READ "/file", O_RDONLY) == 0);
  CHECK(open_there(TOP_READ "/beside", O_RDONLY) == 0); /* of the same directory */
  CHECK(refused(open_there(TOP_READ "/file", O_WRONLY)));
  CHECK(refused(open_there(TOP_READ "/new", O_WRONLY | O_CREAT)));
  CHECK(open_there(TOP_CHANGE "/a", O_RDWR | O_CREAT) == 0);
  CHECK(rename(from, to) == 0 && truncate(to, 10) == 0);
  CHECK(rename(to, outside) < 0 && (errno == EACCES || errno == EXDEV));
  CHECK(unlink(to) == 0);
  CHECK(refused(open_there(TOP_OUTSIDE "/file", O_RDONLY)));
  CHECK(refused(open_there("/new", O_WRONLY | O_CREAT)));
  CHECK(open("/usr/lib/os-release", O_RDONLY) >= 0);
  CHECK(refused(open("/etc/hostname", O_RDONLY)) || errno == ENOENT);
  return DONE;
}

static gpointer
nothing(gpointer data)
{
  return data;
}

static int
use_thread(void)
{
  GThread *thread = g_thread_try_new("test", nothing, NULL, NULL);
  CHECK(thread != NULL);
  g_thread_join(thread);
  return DONE;
}

static int
run(const char *program)
{
  char *argv[] = {(char *) program, NULL};
  char *environment[] = {NULL};
  pid_t pid;
  int status;
  if (posix_spawn(&pid, program, NULL, NULL, argv, environment) != 0)
    return -1;
  return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
run_named(void)
{
  g_autofree char *program = path_of(TOP_READ "/program");
  CHECK(run(program) == 0);
#ifndef ZEGEL_SANITIZERS /* names of functions are looked up by programs there */
  CHECK(run("/usr/bin/true") != 0);
#endif
  return DONE;
}

static int
run_any(void)
{
  CHECK(run("/usr/bin/true") == 0);
  return DONE;
}

static int
run_nothing(void)
{
  g_autofree char *program = path_of(TOP_READ "/program");
  CHECK(run(program) != 0);
  return DONE;
}

static int
connect_to(int fd, guint16 port)
{
  const struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons(port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return connect(fd, (const struct sockaddr *) &address, sizeof address);
}

static int
use_internet(void)
{
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  CHECK(fd >= 0 && socket(AF_INET6, SOCK_DGRAM, 0) >= 0);
  CHECK(connect_to(fd, 1) < 0 && errno == ECONNREFUSED); /* the port that is named */
  CHECK(connect_to(fd, 2) < 0 && (errno == EACCES || errno == ECONNREFUSED));
  CHECK(socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == ENOSYS);
  return DONE;
}

static int
use_no_internet(void)
{
  CHECK(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == ENOSYS);
  CHECK(socket(AF_NETLINK, SOCK_RAW, 0) < 0 && errno == ENOSYS);
  CHECK(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
  return DONE;
}

static int
run_written_memory(void)
{
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
  CHECK(mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, flags, -1, 0) == MAP_FAILED);
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
  CHECK(page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0);
  CHECK(memfd_create("test", 0) < 0 && errno == ENOSYS);
  return DONE;
}

static int
enter_namespace(void)
{
  return unshare(CLONE_NEWUSER) + 2;
}

static int
clone_namespace(void)
{
  CHECK(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) < 0);
  return DONE;
}

static const Case cases[] = {
    {"files", 0, use_files, 0},
    {"thread", 0, use_thread, 0},
    {"programs: none", 0, run_nothing, 0},
    {"programs: those that are named", SANDBOX_PROGRAMS, run_named, 0},
    {"programs: of the system", SANDBOX_PROGRAMS | SANDBOX_COMMANDS, run_any, 0},
    {"internet: none", SANDBOX_PROGRAMS, use_no_internet, 0},
    {"internet", SANDBOX_INTERNET, use_internet, 0},
    {"memory", SANDBOX_PROGRAMS, run_written_memory, 0},
    {"name space", SANDBOX_PROGRAMS | SANDBOX_COMMANDS, enter_namespace, SIGSYS},
    {"process in a name space", SANDBOX_PROGRAMS, clone_namespace, 0},
};

static gboolean
confine(SandboxDuty duties, GError **error)
{
  g_autofree char *file = path_of(TOP_READ "/file");
  g_autofree char *change = path_of(TOP_CHANGE);
  g_autofree char *missing = path_of("/missing/");
  g_autofree char *deep = path_of("/missing/file");
  const char *const reads[] = {file, missing, "/", NULL};
  const char *const changes[] = {change, missing, deep, "/missing", NULL};
  const char *const runs[] = {file, NULL};
  const SandboxDaemon daemon = {
      .duties = duties, .port = 1, .reads = reads, .changes = changes, .runs = runs};
  return sandbox_confine_daemon(&daemon, error);
}

static void
test_case(gconstpointer data)
{
  const Case *c = data;
  pid_t pid = fork();
  g_assert_cmpint(pid, >=, 0);
  if (pid == 0)
    _exit(confine(c->duties, NULL) ? c->work() : NO_SANDBOX);
  int status = -1;
  g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
  if (c->signal_number != 0) {
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, c->signal_number);
    return;
  }
  g_assert_true(WIFEXITED(status));
  g_assert_cmpint(WEXITSTATUS(status), ==, DONE);
}

static gpointer
wait_long(gpointer data)
{
  g_usleep(60 * G_USEC_PER_SEC);
  return data;
}

/* A thread that runs already would stay outside. */
static void
test_threads(void)
{
  pid_t pid = fork();
  g_assert_cmpint(pid, >=, 0);
  if (pid == 0) {
    g_autoptr(GError) error = NULL;
    g_thread_unref(g_thread_new("test", wait_long, NULL));
    gboolean confined = confine(0, &error);
    _exit(!confined && g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG) ? DONE : 1);
  }
  int status = -1;
  g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
  g_assert_true(WIFEXITED(status));
  g_assert_cmpint(WEXITSTATUS(status), ==, DONE);
}

static void
write_file(const char *name, const char *text, int mode)
{
  g_autofree char *path = path_of(name);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
  g_assert_cmpint(chmod(path, (mode_t) mode), ==, 0);
}

static void
make_files(void)
{
  static const char *const directories[] = {TOP_READ, TOP_CHANGE, TOP_OUTSIDE};
  g_autofree char *program = NULL;
  gsize len;
  top = g_dir_make_tmp("zegel-daemon-XXXXXX", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
    g_autofree char *path = path_of(directories[i]);
    g_assert_cmpint(mkdir(path, 0700), ==, 0);
  }
  write_file(TOP_READ "/file", "x", 0600);
  write_file(TOP_READ "/beside", "x", 0600);
  write_file(TOP_OUTSIDE "/file", "x", 0600);
  g_assert_true(g_file_get_contents("/usr/bin/true", &program, &len, NULL));
  g_autofree char *path = path_of(TOP_READ "/program");
  g_assert_true(g_file_set_contents(path, program, (gssize) len, NULL));
  g_assert_cmpint(chmod(path, 0700), ==, 0);
}

static void
remove_files(void)
{
  static const char *const names[] = {
      TOP_READ "/file", TOP_READ "/beside", TOP_READ "/program", TOP_OUTSIDE "/file",
      TOP_READ,         TOP_CHANGE,         TOP_OUTSIDE,         ""};
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = path_of(names[i]);
    g_remove(path);
  }
  g_free(top);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  make_files();
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strdup_printf("/sandbox/T19/daemon/%s", cases[i].name);
    g_test_add_data_func(path, &cases[i], test_case);
  }
  g_test_add_func("/sandbox/T19/daemon/with threads", test_threads);
  int status = g_test_run();
  remove_files();
  return status;
}
