/*
 * process.h - what zegel-reader and zegel-reader-export do around their work: memory and
 * time that run out end the process with status 75, and there are pipes to read and write.
 */
#pragma once

#include <glib.h>

#define PROCESS_CPU_S        10
#define PROCESS_MEMORY_BYTES (G_GUINT64_CONSTANT(384) * 1024 * 1024)

/* Prepares for limits that are reached. Call it first. */
void
process_init(void);

/* Writes TEXT to standard error. */
void
process_say(const char *text);

/* Whether standard output is a file, which may not be: the sandbox lets nothing grow. */
gboolean
process_output_is_file(void);

/*
 * All that stands on standard input, for the caller to unref; NULL, and a word about it,
 * when that is more than MAX bytes or cannot be read.
 */
GByteArray *
process_read_all(gsize max);

/*
 * Writes LEN bytes at BYTES to standard output; a MessageSink. DATA is a gboolean that
 * becomes TRUE when that failed.
 */
gboolean
process_write(const char *bytes, gsize len, gpointer data);
