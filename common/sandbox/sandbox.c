/*
 * sandbox.c - privileges, limits, Landlock and seccomp.
 *
 * Four layers, each of which alone stops a parser that was taken over from reaching files:
 * a hole in one of them must not be a hole in zegel (T9, T13, T35).
 */
#include "common/sandbox/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/sandbox/landlock.h"
#include "config.h"

#define FIRST_CLOSED_FD 3  /* standard input, output and error stay */
#define FONT_MAX_FDS    64 /* those, and fonts and directories of fonts */

static gboolean
fail(GError **error, int errnum, const char *what)
{
  zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errnum, what);
  return FALSE;
}

static gboolean
set_limit(__rlimit_resource_t resource, guint64 soft, guint64 hard, const char *what,
          GError **error)
{
  const struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
  if (setrlimit(resource, &limit) < 0)
    return fail(error, errno, what);
  return TRUE;
}

gboolean
sandbox_harden(GError **error)
{
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
    return fail(error, errno, "cannot give up new privileges");
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
    return fail(error, errno, "cannot make the process undumpable");
  return set_limit(RLIMIT_CORE, 0, 0, "cannot forbid core files", error);
}

/* Landlock; READABLE (a NULL-ended list, or NULL) are the directories that can be read. */
static gboolean
restrict_files(const char *const *readable, GError **error)
{
  g_auto(Landlock) landlock = {.fd = -1};
  if (!landlock_begin(&landlock, FALSE, error))
    return FALSE;
  for (gsize i = 0; readable != NULL && readable[i] != NULL; i++)
    if (!landlock_allow(&landlock, readable[i], LANDLOCK_MAY_READ, error))
      return FALSE;
  return landlock_enforce(&landlock, error);
}

gboolean
sandbox_deny_files(GError **error)
{
  return restrict_files(NULL, error);
}

static gboolean
set_reader_limits(guint cpu_s, guint64 memory_bytes, guint fds, GError **error)
{
#ifdef ZEGEL_SANITIZERS
  /* Their shadow takes terabytes of address space. */
  memory_bytes = RLIM_INFINITY;
#endif
  return set_limit(RLIMIT_CPU, cpu_s, cpu_s + 1, "cannot limit CPU time", error) &&
         set_limit(RLIMIT_AS, memory_bytes, memory_bytes, "cannot limit memory", error) &&
         set_limit(RLIMIT_FSIZE, 0, 0, "cannot limit file size", error) &&
         set_limit(RLIMIT_NPROC, 0, 0, "cannot limit processes", error) &&
         set_limit(RLIMIT_NOFILE, fds, fds, "cannot limit descriptors", error);
}

static const int allowed_calls[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(writev), /* stdio, when a long text follows buffered bytes */
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime), /* only without a vDSO clock */
    SCMP_SYS(getrandom),     /* the heap of glibc 2.36 and newer */
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(getpid), /* GLib, to say who ran out of memory */
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
#ifdef ZEGEL_SANITIZERS
    SCMP_SYS(sigaltstack),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(sched_yield),
    SCMP_SYS(gettid),
#endif
};

/* To find and read fonts; Landlock says which files. */
static const int font_calls[] = {
    SCMP_SYS(openat), SCMP_SYS(close),     SCMP_SYS(newfstatat), SCMP_SYS(fstatfs),
    SCMP_SYS(statfs), SCMP_SYS(access),    SCMP_SYS(readlink),   SCMP_SYS(getdents64),
    SCMP_SYS(fcntl),  SCMP_SYS(fadvise64), SCMP_SYS(pread64),
};

static int
allow(scmp_filter_ctx filter, const int *calls, gsize count)
{
  int failed = 0;
  for (gsize i = 0; failed == 0 && i < count; i++)
    failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
  return failed;
}

/*
 * The filter. Memory may not become executable; newfstatat, which stdio calls on its own
 * descriptors, is answered "no such call" and not fatal, because its path cannot be
 * checked by a filter.
 */
static int
fill_filter(scmp_filter_ctx filter, gboolean with_fonts)
{
  int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  if (failed == 0)
    failed = allow(filter, allowed_calls, G_N_ELEMENTS(allowed_calls));
  const int executable_calls[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
  for (gsize i = 0; failed == 0 && i < G_N_ELEMENTS(executable_calls); i++)
    failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, executable_calls[i], 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  if (failed == 0 && with_fonts)
    failed = allow(filter, font_calls, G_N_ELEMENTS(font_calls));
  else if (failed == 0)
    failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(newfstatat), 0);
  return failed;
}

static gboolean
install_filter(gboolean with_fonts, GError **error)
{
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
  if (filter == NULL)
    return fail(error, ENOMEM, "cannot make a seccomp filter");
  int failed = fill_filter(filter, with_fonts);
  if (failed == 0)
    failed = seccomp_load(filter);
  seccomp_release(filter);
  if (failed != 0)
    return fail(error, -failed, "cannot install the seccomp filter");
  return TRUE;
}

/* FONTS are the directories that can be read, or NULL. */
static gboolean
confine(guint cpu_s, guint64 memory_bytes, const char *const *fonts, GError **error)
{
  guint fds = fonts != NULL ? FONT_MAX_FDS : FIRST_CLOSED_FD;
  if (!sandbox_harden(error))
    return FALSE;
  if (syscall(SYS_close_range, FIRST_CLOSED_FD, ~0U, 0) < 0)
    return fail(error, errno, "cannot close inherited descriptors");
  return restrict_files(fonts, error) &&
         set_reader_limits(cpu_s, memory_bytes, fds, error) &&
         install_filter(fonts != NULL, error);
}

gboolean
sandbox_confine_reader(guint cpu_s, guint64 memory_bytes, GError **error)
{
  return confine(cpu_s, memory_bytes, NULL, error);
}

gboolean
sandbox_confine_font_reader(guint cpu_s, guint64 memory_bytes,
                            const char *const *directories, GError **error)
{
  return confine(cpu_s, memory_bytes, directories, error);
}
