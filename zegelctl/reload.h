/*
 * reload.h - has a program read its configuration, and zegel-policyd the domain book,
 * again.
 */
#pragma once

#include <glib.h>

/*
 * Sends SIGHUP to the program that listens on the unix socket at PATH (SO_PEERCRED names
 * it), when that is PROGRAM ("zegel-policyd"); *TOLD says whether one was there. FALSE with
 * ZEGEL_ERROR_TEMPORARY when one is there that cannot be told: the message says what to do.
 */
gboolean
reload_program(const char *program, const char *path, gboolean *told, GError **error);

/* The same for zegel-policyd. */
gboolean
reload_policyd(const char *path, gboolean *told, GError **error);
