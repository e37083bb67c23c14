/*
 * unix.h - a client's side of a unix stream socket, with a deadline for all of it.
 *
 * Deadlines are monotonic time in microseconds.
 */
#pragma once

#include <glib.h>

/* Connects to the socket at PATH: a descriptor (non-blocking, close-on-exec), or -1 with
 * ZEGEL_ERROR_TEMPORARY. Any thread. */
int
unix_connect(const char *path, gint64 deadline_us, GError **error);

/* Waits for EVENTS of poll(2) on FD. FALSE when the deadline came first. Any thread. */
gboolean
unix_wait(int fd, short events, gint64 deadline_us);
