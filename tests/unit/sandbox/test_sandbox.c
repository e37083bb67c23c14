/*
 * test_sandbox.c - every way out of the sandbox is tried by a child, and must be shut.
 */
#include "common/sandbox/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "tests/unit/tap.h"

#define CPU_S        1
#define MEMORY_BYTES (256 * 1024 * 1024)
#define HIGH_FD      9

#define EXIT_HELD     0  /* what had to be refused was refused */
#define EXIT_NO_SETUP 98 /* the sandbox could not be installed */
#define EXIT_ESCAPED  99 /* the forbidden thing succeeded */

typedef int (*Escape)(void);

typedef struct {
  const char *name;
  Escape escape;
  int signals[2];      /* one of these ends the child; 0 when it must exit with EXIT_HELD */
  gboolean with_fonts; /* sandbox_confine_font_reader */
} Case;

/* Stands for a directory of fonts. */
static const char *const readable[] = {"/usr/lib", "/there/is/none", NULL};

static int
escape_open(void)
{
  return open("/etc/passwd", O_RDONLY) < 0 ? EXIT_HELD : EXIT_ESCAPED;
}

static int
escape_create(void)
{
  return open("/tmp/zegel-escaped", O_WRONLY | O_CREAT, 0600) < 0 ? EXIT_HELD
                                                                  : EXIT_ESCAPED;
}

static int
escape_unlink(void)
{
  return unlink("/tmp/zegel-escaped") < 0 ? EXIT_HELD : EXIT_ESCAPED;
}

static int
escape_stat(void)
{
  struct stat status;
  return stat("/etc/passwd", &status) < 0 ? EXIT_HELD : EXIT_ESCAPED;
}

static int
escape_socket(void)
{
  return socket(AF_INET, SOCK_STREAM, 0) < 0 ? EXIT_HELD : EXIT_ESCAPED;
}

static int
escape_unix_socket(void)
{
  return socket(AF_UNIX, SOCK_DGRAM, 0) < 0 ? EXIT_HELD : EXIT_ESCAPED;
}

static int
escape_exec(void)
{
  execl("/bin/true", "true", (char *) NULL);
  return EXIT_HELD;
}

static int
escape_fork(void)
{
  return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) < 0 ? EXIT_HELD : EXIT_ESCAPED;
}

static int
escape_kill(void)
{
  return kill(getppid(), 0) < 0 ? EXIT_HELD : EXIT_ESCAPED;
}

static int
escape_ptrace(void)
{
  return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? EXIT_HELD : EXIT_ESCAPED;
}

static int
escape_prctl(void)
{
  return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ? EXIT_HELD : EXIT_ESCAPED;
}

static int
escape_limit(void)
{
  const struct rlimit more = {4096, 4096};
  return setrlimit(RLIMIT_NOFILE, &more) < 0 ? EXIT_HELD : EXIT_ESCAPED;
}

static int
escape_ioctl(void)
{
  int ready = 0;
  return ioctl(0, FIONREAD, &ready) < 0 ? EXIT_HELD : EXIT_ESCAPED;
}

static int
escape_executable_map(void)
{
  void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return map == MAP_FAILED ? EXIT_HELD : EXIT_ESCAPED;
}

static int
escape_executable_protect(void)
{
  void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mprotect(map, 4096, PROT_READ | PROT_EXEC) < 0 ? EXIT_HELD : EXIT_ESCAPED;
}

static int
escape_inherited(void)
{
  char byte;
  return read(HIGH_FD, &byte, 1) < 0 && errno == EBADF ? EXIT_HELD : EXIT_ESCAPED;
}

static int
escape_write_file(void)
{
  return write(STDOUT_FILENO, "x", 1) < 0 ? EXIT_HELD : EXIT_ESCAPED;
}

static int
escape_time(void)
{
  for (volatile guint64 turns = 0; turns < G_MAXUINT64; turns++)
    ;
  return EXIT_ESCAPED;
}

#ifndef ZEGEL_SANITIZERS
static int
escape_memory(void)
{
  /* In pieces, so that no single request is refused for its size alone. */
  for (guint i = 0; i < 64; i++)
    if (mmap(NULL, MEMORY_BYTES / 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
             -1, 0) == MAP_FAILED)
      return EXIT_HELD;
  return EXIT_ESCAPED;
}
#endif

/* What must stay possible: it returns 0 only when all of it worked. */
static int
ordinary_work(void)
{
  char line[8] = {0};
  if (read(STDIN_FILENO, line, sizeof line) != 5 || strcmp(line, "hello") != 0)
    return 1;
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < 1000000; i++)
    g_string_append_printf(text, "%u ", i);
  g_autofree char *large = g_malloc(16 * 1024 * 1024);
  memset(large, 'x', 16 * 1024 * 1024);
  return text->len > 1000000 ? EXIT_HELD : 2;
}

/* What must be possible, and what not, when fonts are read. */
static int
font_work(void)
{
  char byte;
  int fd = open("/usr/lib/os-release", O_RDONLY | O_CLOEXEC);
  if (fd < 0 || read(fd, &byte, 1) != 1 || close(fd) < 0)
    return 1;
  if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES)
    return EXIT_ESCAPED;
  if (open("/usr/lib/zegel-escaped", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EACCES)
    return EXIT_ESCAPED;
  if (open("/usr/lib/os-release", O_RDWR) >= 0 || errno != EACCES)
    return EXIT_ESCAPED;
  return open("/proc/self/environ", O_RDONLY) < 0 ? ordinary_work() : EXIT_ESCAPED;
}

static const Case cases[] = {
    {"ordinary work", ordinary_work, {0, 0}, FALSE},
    {"open", escape_open, {SIGSYS, 0}, FALSE},
    {"create", escape_create, {SIGSYS, 0}, FALSE},
    {"unlink", escape_unlink, {SIGSYS, 0}, FALSE},
    {"stat", escape_stat, {0, 0}, FALSE},
    {"socket", escape_socket, {SIGSYS, 0}, FALSE},
    {"unix socket", escape_unix_socket, {SIGSYS, 0}, FALSE},
    {"exec", escape_exec, {SIGSYS, 0}, FALSE},
    {"fork", escape_fork, {SIGSYS, 0}, FALSE},
    {"kill", escape_kill, {SIGSYS, 0}, FALSE},
    {"ptrace", escape_ptrace, {SIGSYS, 0}, FALSE},
    {"prctl", escape_prctl, {SIGSYS, 0}, FALSE},
    {"raise a limit", escape_limit, {SIGSYS, 0}, FALSE},
    {"ioctl", escape_ioctl, {SIGSYS, 0}, FALSE},
    {"executable map", escape_executable_map, {SIGSYS, 0}, FALSE},
    {"executable protect", escape_executable_protect, {SIGSYS, 0}, FALSE},
    {"inherited descriptor", escape_inherited, {0, 0}, FALSE},
    {"write a file", escape_write_file, {SIGXFSZ, 0}, FALSE},
    {"CPU time", escape_time, {SIGXCPU, SIGKILL}, FALSE},
#ifndef ZEGEL_SANITIZERS
    {"memory", escape_memory, {0, 0}, FALSE},
#endif
    {"fonts: work", font_work, {0, 0}, TRUE},
    {"fonts: unlink", escape_unlink, {SIGSYS, 0}, TRUE},
    {"fonts: socket", escape_socket, {SIGSYS, 0}, TRUE},
    {"fonts: unix socket", escape_unix_socket, {SIGSYS, 0}, TRUE},
    {"fonts: exec", escape_exec, {SIGSYS, 0}, TRUE},
    {"fonts: fork", escape_fork, {SIGSYS, 0}, TRUE},
    {"fonts: kill", escape_kill, {SIGSYS, 0}, TRUE},
    {"fonts: ptrace", escape_ptrace, {SIGSYS, 0}, TRUE},
    {"fonts: prctl", escape_prctl, {SIGSYS, 0}, TRUE},
    {"fonts: raise a limit", escape_limit, {SIGSYS, 0}, TRUE},
    {"fonts: ioctl", escape_ioctl, {SIGSYS, 0}, TRUE},
    {"fonts: executable map", escape_executable_map, {SIGSYS, 0}, TRUE},
    {"fonts: executable protect", escape_executable_protect, {SIGSYS, 0}, TRUE},
    {"fonts: inherited descriptor", escape_inherited, {0, 0}, TRUE},
    {"fonts: write a file", escape_write_file, {SIGXFSZ, 0}, TRUE},
    {"fonts: CPU time", escape_time, {SIGXCPU, SIGKILL}, TRUE},
#ifndef ZEGEL_SANITIZERS
    {"fonts: memory", escape_memory, {0, 0}, TRUE},
#endif
};

/* In the child: descriptors as the viewer gives them, and one too many. */
static void
prepare_descriptors(void)
{
  int fds[2];
  if (pipe(fds) < 0 || write(fds[1], "hello", 5) != 5 || dup2(fds[0], STDIN_FILENO) < 0)
    _exit(EXIT_NO_SETUP);
  char path[] = "/tmp/zegel-sandbox-XXXXXX";
  int file = mkstemp(path);
  if (file < 0 || unlink(path) < 0 || dup2(file, STDOUT_FILENO) < 0 ||
      dup2(fds[0], HIGH_FD) < 0)
    _exit(EXIT_NO_SETUP);
}

static gboolean
confine_reader(void)
{
  return sandbox_confine_reader(CPU_S, MEMORY_BYTES, NULL);
}

static gboolean
confine_font_reader(void)
{
  return sandbox_confine_font_reader(CPU_S, MEMORY_BYTES, readable, NULL);
}

static int
run_child(Escape escape, gboolean (*confine)(void))
{
  pid_t pid = fork();
  g_assert_cmpint(pid, >=, 0);
  if (pid == 0) {
    prepare_descriptors();
    if (confine != NULL && !confine())
      _exit(EXIT_NO_SETUP);
    _exit(escape());
  }
  int status = -1;
  g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
  return status;
}

static void
test_case(gconstpointer data)
{
  const Case *c = data;
  int status = run_child(c->escape, c->with_fonts ? confine_font_reader : confine_reader);
  if (c->signals[0] == 0) {
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_HELD);
    return;
  }
  g_assert_true(WIFSIGNALED(status));
  g_assert_false(WCOREDUMP(status));
  if (WTERMSIG(status) != c->signals[1])
    g_assert_cmpint(WTERMSIG(status), ==, c->signals[0]);
}

/* Landlock alone: without the filter the calls are made, and refused. */
static int
landlock_work(void)
{
  if (!sandbox_harden(NULL) || !sandbox_deny_files(NULL))
    return EXIT_NO_SETUP;
  if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES)
    return EXIT_ESCAPED;
  if (open("/tmp/zegel-escaped", O_WRONLY | O_CREAT, 0600) >= 0 || errno != EACCES)
    return EXIT_ESCAPED;
  if (mkdir("/tmp/zegel-escaped", 0700) == 0 || errno != EACCES)
    return EXIT_ESCAPED;
  execl("/bin/true", "true", (char *) NULL);
  return errno == EACCES ? EXIT_HELD : EXIT_ESCAPED;
}

static void
test_landlock(void)
{
  int status = run_child(landlock_work, NULL);
  g_assert_true(WIFEXITED(status));
  g_assert_cmpint(WEXITSTATUS(status), ==, EXIT_HELD);
}

static int
harden_work(void)
{
  /* A core would be allowed by these limits before; the hardened process takes them away.
   */
  if (!sandbox_harden(NULL))
    return EXIT_NO_SETUP;
  struct rlimit core;
  if (getrlimit(RLIMIT_CORE, &core) < 0 || core.rlim_cur != 0 || core.rlim_max != 0)
    return EXIT_ESCAPED;
  if (prctl(PR_GET_DUMPABLE) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
    return EXIT_ESCAPED;
  signal(SIGABRT, SIG_DFL);
  raise(SIGABRT);
  return EXIT_ESCAPED;
}

static void
test_harden(void)
{
  int status = run_child(harden_work, NULL);
  g_assert_true(WIFSIGNALED(status));
  g_assert_cmpint(WTERMSIG(status), ==, SIGABRT);
  g_assert_false(WCOREDUMP(status));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *path = g_strdup_printf("/sandbox/T35/%s", cases[i].name);
    g_test_add_data_func(path, &cases[i], test_case);
  }
  g_test_add_func("/sandbox/T35/Landlock alone", test_landlock);
  g_test_add_func("/sandbox/T35/no core", test_harden);
  return g_test_run();
}
