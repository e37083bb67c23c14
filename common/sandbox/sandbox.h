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
 * For zegel-reader: sandbox_harden, limits on CPU time (CPU_S seconds), memory
 * (MEMORY_BYTES of address space) and files (none may be written), Landlock without any
 * path, and a seccomp filter that leaves reading from and writing to open descriptors,
 * memory and exit. Any other system call kills the process.
 */
gboolean
sandbox_confine_reader(guint cpu_s, guint64 memory_bytes, GError **error);
