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
