/*
 * landlock.h - one Landlock ruleset, from its making to its enforcement (landlock(7)).
 *
 * For this room only. What a kernel does not know yet it does not refuse; without Landlock
 * nothing begins. One thread.
 */
#pragma once

#include <glib.h>

typedef enum {
  LANDLOCK_MAY_READ,  /* files and lists of directories */
  LANDLOCK_MAY_RUN,   /* the same, and programs */
  LANDLOCK_MAY_CHANGE /* read, and make, write, rename and remove files and directories */
} LandlockAccess;

typedef struct {
  int fd;          /* -1: none */
  guint64 refused; /* rights on files that only rules give */
} Landlock;

/*
 * Begins a ruleset that refuses every access to files, signals and abstract sockets of
 * those outside, and, unless ANY_PORT, TCP. FALSE with ZEGEL_ERROR_CONFIG, also when the
 * kernel has no Landlock.
 */
gboolean
landlock_begin(Landlock *self, gboolean any_port, GError **error);

/*
 * Lets PATH, a file or a directory with all below, be used for ACCESS. A PATH that is not
 * there, or that we cannot see, gives nothing. FALSE with ZEGEL_ERROR_CONFIG.
 */
gboolean
landlock_allow(Landlock *self, const char *path, LandlockAccess access, GError **error);

/* Lets TCP connect to PORT; nothing when the kernel does not refuse that. As
 * landlock_allow. */
gboolean
landlock_allow_port(Landlock *self, guint16 port, GError **error);

/* Puts the ruleset into force, for ever, and ends it. FALSE with ZEGEL_ERROR_CONFIG. */
gboolean
landlock_enforce(Landlock *self, GError **error);

/* Ends a ruleset that is not in force. */
void
landlock_end(Landlock *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Landlock, landlock_end)
