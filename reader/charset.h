/*
 * charset.h - the character sets of mail, as UTF-8.
 *
 * The C library loads most converters from files when they are first asked for, which the
 * sandbox forbids. charset_open loads those that mail uses, once and for good. Because
 * GMime and GLib ask the C library by themselves, charset.c also takes the place of
 * iconv_open(3) in this program: a character set that is not in the table is unknown,
 * whoever asks, and nobody touches a file.
 */
#pragma once

#include <glib.h>

/*
 * Loads the converters; call it before the sandbox and once. A converter that the system
 * does not have is left out: its text is shown as a guess. Returns how many were loaded.
 */
guint
charset_open(void);

/* Closes what charset_open opened. For tests; zegel-reader just ends. */
void
charset_close(void);

/*
 * LEN bytes at BYTES in the character set that LABEL names (in any spelling that mail uses;
 * NULL or an unknown name: a guess, UTF-8 when it is valid, else windows-1252) as a new,
 * valid UTF-8 string. Bytes that mean nothing become U+FFFD, NUL too; a byte order mark is
 * taken away. Never NULL and never an error; the caller frees it.
 */
char *
charset_to_utf8(const char *bytes, gsize len, const char *label);
