/*
 * sandbox.h - what a program gives up before it meets the world.
 *
 * If a step cannot be taken the program must stop: every function returns FALSE with
 * ZEGEL_ERROR_CONFIG then. None of it can be undone.
 */
#pragma once

#include <glib.h>

/*
 * For a daemon that holds keys: no new privileges, not dumpable, no core files. Children
 * inherit it (dumpable but for execve).
 */
gboolean
sandbox_harden(GError **error);

/*
 * Landlock without any path: from now on no file can be opened, made, renamed or removed
 * and, as far as the kernel knows these rights, no TCP port used and no process outside
 * signalled. Needs sandbox_harden first. Part of sandbox_confine_reader.
 */
gboolean
sandbox_deny_files(GError **error);

/*
 * For zegel-reader: sandbox_harden, every descriptor above 2 closed, limits on CPU time
 * (after CPU_S seconds SIGXCPU, a second later SIGKILL), memory (MEMORY_BYTES of address
 * space; not under sanitizers) and files (none may be written), sandbox_deny_files, and a
 * seccomp filter that leaves reading from and writing to open descriptors, memory and exit.
 * Any other system call kills the process with SIGSYS. For a process with one thread.
 */
gboolean
sandbox_confine_reader(guint cpu_s, guint64 memory_bytes, GError **error);

/*
 * As sandbox_confine_reader, for a program that must find and read fonts while it works:
 * files below DIRECTORIES (a NULL-ended list of absolute paths) can be opened to read. They
 * should hold nothing that is not public. Whether a file exists can be seen everywhere.
 */
gboolean
sandbox_confine_font_reader(guint cpu_s, guint64 memory_bytes,
                            const char *const *directories, GError **error);

/* What a daemon does beside reading and writing its files and unix sockets. */
typedef enum {
  SANDBOX_INTERNET = 1 << 0, /* talks to others by IPv4 and IPv6, and looks up names */
  SANDBOX_ANY_PORT = 1 << 1, /* connects by TCP to any port, and not to one only */
  SANDBOX_PROGRAMS = 1 << 2, /* starts programs, which inherit all this */
  SANDBOX_COMMANDS = 1 << 3  /* among them one of the site's: scripts and system programs */
} SandboxDuty;

/*
 * A daemon's place in the system. The lists end with NULL, and may be NULL. A path in them
 * that is no directory stands for the directory that it is in, so that files can be made
 * and replaced while the daemon runs, unless it ends with '/'. A directory that is not
 * there when the daemon starts cannot be used later; "/" and what is not absolute give
 * nothing.
 */
typedef struct {
  SandboxDuty duties;
  guint16 port;               /* to which TCP may connect; 0: none */
  const char *const *reads;   /* files that are read */
  const char *const *changes; /* that are made, written, renamed and removed as well */
  const char *const *runs;    /* programs that are started, and read */
} SandboxDaemon;

/*
 * For a daemon that is about to serve: sandbox_harden; Landlock, which leaves what DAEMON
 * names, libraries and public files of the system such as /usr/share; and a seccomp filter
 * that leaves what daemons use. System calls that only somebody who took it over makes kill
 * it with SIGSYS (ptrace, mount, bpf, unshare, ...); others that it does not need fail with
 * ENOSYS. Sockets of other families than its duties ask for cannot be made, nor memory that
 * is executable and was written, nor name spaces. DAEMON is borrowed for the call.
 *
 * To be called by the daemon's own user, with one thread and its listening sockets open;
 * children and threads made later inherit it. A kernel without Landlock's rights for TCP
 * (before 6.7) leaves all ports of TCP, one before 6.12 signals to other processes of the
 * same user.
 *
 * Called again, for the DAEMON of a configuration that was read anew, it changes nothing,
 * and fails with ZEGEL_ERROR_CONFIG when that names a directory which was not left.
 *
 * Sanitizers are also left /proc, /usr/bin, ptrace and processes: their reports name
 * functions, and leaks are looked for by a process that stops this one.
 */
gboolean
sandbox_confine_daemon(const SandboxDaemon *daemon, GError **error);
