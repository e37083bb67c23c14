/*
 * filter.c - which system calls a daemon keeps.
 *
 * systemd's @system-service is the model, less what zegel and its helpers never use. A call
 * without a condition costs next to nothing: the kernel keeps those in a bitmap
 * (Linux 5.11).
 */
#include "common/sandbox/filter.h"

#include <errno.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "common/base/error.h"
#include "config.h"

#define OPTIMIZE_BY_TREE 2 /* seccomp_attr_set(3): the filter is searched, not walked */

#define NAMESPACES                                                                         \
  (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |           \
   CLONE_NEWPID | CLONE_NEWNET)

/* Files and directories; Landlock says which. */
static const int file_calls[] = {
    SCMP_SYS(access),
    SCMP_SYS(chdir),
    SCMP_SYS(chmod),
    SCMP_SYS(chown),
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(copy_file_range),
    SCMP_SYS(creat),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(fadvise64),
    SCMP_SYS(fallocate),
    SCMP_SYS(fchdir),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(fchown),
    SCMP_SYS(fchownat),
    SCMP_SYS(fcntl),
    SCMP_SYS(fdatasync),
    SCMP_SYS(fgetxattr),
    SCMP_SYS(flock),
    SCMP_SYS(fstat),
    SCMP_SYS(fstatfs),
    SCMP_SYS(fsync),
    SCMP_SYS(ftruncate),
    SCMP_SYS(getcwd),
    SCMP_SYS(getdents),
    SCMP_SYS(getdents64),
    SCMP_SYS(getxattr),
    SCMP_SYS(ioctl),
    SCMP_SYS(lchown),
    SCMP_SYS(lgetxattr),
    SCMP_SYS(link),
    SCMP_SYS(linkat),
    SCMP_SYS(lseek),
    SCMP_SYS(lstat),
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv),
    SCMP_SYS(pwrite64),
    SCMP_SYS(pwritev),
    SCMP_SYS(read),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(readv),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(rmdir),
    SCMP_SYS(sendfile),
    SCMP_SYS(splice),
    SCMP_SYS(stat),
    SCMP_SYS(statfs),
    SCMP_SYS(statx),
    SCMP_SYS(sync_file_range),
    SCMP_SYS(truncate),
    SCMP_SYS(umask),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(utime),
    SCMP_SYS(utimensat),
    SCMP_SYS(utimes),
    SCMP_SYS(write),
    SCMP_SYS(writev),
};

/* Sockets that are there, and waiting for whatever is there. */
static const int wait_calls[] = {
    SCMP_SYS(accept),          SCMP_SYS(accept4),
    SCMP_SYS(alarm),           SCMP_SYS(bind),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(connect),
    SCMP_SYS(epoll_create),    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),       SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),    SCMP_SYS(epoll_wait),
    SCMP_SYS(eventfd),         SCMP_SYS(eventfd2),
    SCMP_SYS(getitimer),       SCMP_SYS(getpeername),
    SCMP_SYS(getsockname),     SCMP_SYS(getsockopt),
    SCMP_SYS(listen),          SCMP_SYS(nanosleep),
    SCMP_SYS(pause),           SCMP_SYS(pipe),
    SCMP_SYS(pipe2),           SCMP_SYS(poll),
    SCMP_SYS(ppoll),           SCMP_SYS(pselect6),
    SCMP_SYS(recvfrom),        SCMP_SYS(recvmmsg),
    SCMP_SYS(recvmsg),         SCMP_SYS(select),
    SCMP_SYS(sendmmsg),        SCMP_SYS(sendmsg),
    SCMP_SYS(sendto),          SCMP_SYS(setitimer),
    SCMP_SYS(setsockopt),      SCMP_SYS(shutdown),
    SCMP_SYS(socketpair),      SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_gettime), SCMP_SYS(timerfd_settime),
};

/* The process itself: memory, threads, signals, time, and what it is. */
static const int process_calls[] = {
    SCMP_SYS(arch_prctl),
    SCMP_SYS(brk),
    SCMP_SYS(capget),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(futex),
    SCMP_SYS(futex_waitv),
    SCMP_SYS(get_robust_list),
    SCMP_SYS(getcpu),
    SCMP_SYS(getegid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getgroups),
    SCMP_SYS(getpgid),
    SCMP_SYS(getpgrp),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(getpriority),
    SCMP_SYS(getrandom),
    SCMP_SYS(getresgid),
    SCMP_SYS(getresuid),
    SCMP_SYS(getrlimit),
    SCMP_SYS(getrusage),
    SCMP_SYS(getsid),
    SCMP_SYS(gettid),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getuid),
    SCMP_SYS(kill),
    SCMP_SYS(madvise),
    SCMP_SYS(membarrier),
    SCMP_SYS(mincore),
    SCMP_SYS(mlock),
    SCMP_SYS(mlock2),
    SCMP_SYS(mremap),
    SCMP_SYS(msync),
    SCMP_SYS(munlock),
    SCMP_SYS(munmap),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(prctl),
    SCMP_SYS(prlimit64),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigpending),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigqueueinfo),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigsuspend),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(rt_tgsigqueueinfo),
    SCMP_SYS(sched_get_priority_max),
    SCMP_SYS(sched_get_priority_min),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_getattr),
    SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler),
    SCMP_SYS(sched_yield),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(setrlimit),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(signalfd),
    SCMP_SYS(signalfd4),
    SCMP_SYS(sysinfo),
    SCMP_SYS(tgkill),
    SCMP_SYS(time),
    SCMP_SYS(times),
    SCMP_SYS(tkill),
    SCMP_SYS(uname),
    SCMP_SYS(wait4),
    SCMP_SYS(waitid),
#ifdef ZEGEL_SANITIZERS
    SCMP_SYS(personality),
    SCMP_SYS(ptrace), /* of leaks, at the end */
#endif
};

/* To start a program; the last four are what zegel-reader confines itself with. */
static const int program_calls[] = {
    SCMP_SYS(execve),
    SCMP_SYS(setpgid),
    SCMP_SYS(setsid),
    SCMP_SYS(vfork),
    SCMP_SYS(fork),
    SCMP_SYS(landlock_add_rule),
    SCMP_SYS(landlock_create_ruleset),
    SCMP_SYS(landlock_restrict_self),
    SCMP_SYS(seccomp),
};

/* Of workers that count together (zegel-viewer), and of scripts. A file without a name can
 * be run, Landlock or not, so only who may run commands gets it. */
static const int command_calls[] = {
    SCMP_SYS(memfd_create), SCMP_SYS(mknod), SCMP_SYS(mknodat), /* pipes with a name */
};

/* No program of ours makes these, and no library that it uses tries whether it can. */
static const int deadly_calls[] = {
    SCMP_SYS(acct),
    SCMP_SYS(bpf),
    SCMP_SYS(chroot),
    SCMP_SYS(clock_settime),
    SCMP_SYS(delete_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fsopen),
    SCMP_SYS(init_module),
    SCMP_SYS(ioperm),
    SCMP_SYS(iopl),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(kexec_load),
    SCMP_SYS(mount),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(open_tree),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(pivot_root),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(quotactl),
    SCMP_SYS(reboot),
    SCMP_SYS(setdomainname),
    SCMP_SYS(sethostname),
    SCMP_SYS(setns),
    SCMP_SYS(settimeofday),
    SCMP_SYS(swapoff),
    SCMP_SYS(swapon),
    SCMP_SYS(umount2),
    SCMP_SYS(unshare),
    SCMP_SYS(userfaultfd),
#ifndef ZEGEL_SANITIZERS
    SCMP_SYS(ptrace),
#endif
};

static int
add_all(scmp_filter_ctx filter, guint32 action, const int *calls, gsize count)
{
  int failed = 0;
  for (gsize i = 0; failed == 0 && i < count; i++)
    failed = seccomp_rule_add(filter, action, calls[i], 0);
  return failed;
}

/* Memory may be written or be executable. Programs are loaded, so it may be made executable
 * when it is mapped, and not later. */
static int
add_memory(scmp_filter_ctx filter)
{
  int failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  if (failed == 0)
    failed =
        seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                         SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC));
  if (failed == 0)
    failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  return failed;
}

/* Threads, and with SANDBOX_PROGRAMS processes, but none in other name spaces. clone3,
 * whose flags a filter cannot see, is not known: the C library takes clone then. */
static int
add_clone(scmp_filter_ctx filter, gboolean processes)
{
  const guint64 mask = processes ? NAMESPACES : NAMESPACES | CLONE_THREAD;
  const guint64 wanted = processes ? 0 : CLONE_THREAD;
  return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                          SCMP_A0(SCMP_CMP_MASKED_EQ, mask, wanted));
}

static int
add_sockets(scmp_filter_ctx filter, gboolean internet)
{
  /* The C library asks netlink which addresses this machine has, to sort those of a name.
   */
  static const int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
  const gsize count = internet ? G_N_ELEMENTS(families) : 1;
  int failed = 0;
  for (gsize i = 0; failed == 0 && i < count; i++)
    failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                              SCMP_A0(SCMP_CMP_EQ, families[i]));
  return failed;
}

static int
fill(scmp_filter_ctx filter, SandboxDuty duties)
{
  gboolean processes = (duties & SANDBOX_PROGRAMS) != 0;
#ifdef ZEGEL_SANITIZERS
  processes = TRUE; /* that of leaks forks, and dies with its parent */
#endif
  int failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  if (failed == 0)
    failed = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_BY_TREE);
  if (failed == 0)
    failed = add_all(filter, SCMP_ACT_ALLOW, file_calls, G_N_ELEMENTS(file_calls));
  if (failed == 0)
    failed = add_all(filter, SCMP_ACT_ALLOW, wait_calls, G_N_ELEMENTS(wait_calls));
  if (failed == 0)
    failed = add_all(filter, SCMP_ACT_ALLOW, process_calls, G_N_ELEMENTS(process_calls));
  if (failed == 0 && (duties & SANDBOX_PROGRAMS) != 0)
    failed = add_all(filter, SCMP_ACT_ALLOW, program_calls, G_N_ELEMENTS(program_calls));
  if (failed == 0 && (duties & SANDBOX_COMMANDS) != 0)
    failed = add_all(filter, SCMP_ACT_ALLOW, command_calls, G_N_ELEMENTS(command_calls));
  if (failed == 0)
    failed =
        add_all(filter, SCMP_ACT_KILL_PROCESS, deadly_calls, G_N_ELEMENTS(deadly_calls));
  if (failed == 0)
    failed = add_memory(filter);
  if (failed == 0)
    failed = add_clone(filter, processes);
  if (failed == 0)
    failed = add_sockets(filter, (duties & SANDBOX_INTERNET) != 0);
  return failed;
}

gboolean
filter_install(SandboxDuty duties, GError **error)
{
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
  int failed = filter == NULL ? -ENOMEM : fill(filter, duties);
  if (failed == 0)
    failed = seccomp_load(filter);
  seccomp_release(filter);
  if (failed == 0)
    return TRUE;
  zegel_error_errno(error, ZEGEL_ERROR_CONFIG, -failed,
                    "cannot install the seccomp filter");
  return FALSE;
}
