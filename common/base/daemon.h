/*
 * daemon.h - the steps that every zegel daemon shares.
 *
 * main of a daemon reads: options, configuration, log, sockets and keys, drop rights,
 * sandbox, loop. This room holds what is the same in all of them.
 */
#pragma once

#include <glib.h>

typedef struct {
  char *config_path;   /* -c FILE; owned */
  gboolean check_only; /* -n: check the configuration and exit */
  gboolean foreground; /* -f: log to standard error as well */
} DaemonOptions;

/*
 * Parses the options that all programs share (-c FILE, -n, -f, -V, -h) and those in EXTRA
 * (NULL, or an array as g_option_context_add_main_entries takes it). SUMMARY is one line.
 * Exits with 64 (EX_USAGE) and a message on standard error when they are wrong.
 */
void
daemon_options(DaemonOptions *options, int *argc, char ***argv, const char *summary,
               const GOptionEntry *extra);

/*
 * Makes a listening unix stream socket at PATH with MODE and, when GROUP is not NULL and
 * we are root, that group. A stale socket is removed; one that answers is not: another
 * instance runs. One that the service manager made there for us is taken unless its
 * group is seen to be another. Returns the descriptor (non-blocking, close-on-exec), or -1
 * with ZEGEL_ERROR_CONFIG.
 */
int
daemon_listen_unix(const char *path, guint mode, const char *group, GError **error);

/*
 * Removes a stale socket at PATH. FALSE with ZEGEL_ERROR_CONFIG when one answers there:
 * another instance runs. For libraries that make their own socket.
 */
gboolean
daemon_clear_unix(const char *path, GError **error);

/*
 * Raises the limit of open files to COUNT, or as near to it as is allowed; what service
 * managers give is 1024. Never lowers it. Says in the log when it cannot be raised.
 */
void
daemon_need_files(guint count);

/* Makes USER the owner of the socket at PATH when we are root. FALSE with
 * ZEGEL_ERROR_CONFIG. */
gboolean
daemon_give_unix(const char *path, const char *user, GError **error);

/*
 * Becomes USER with its groups when we are root; does nothing when we are USER already, or
 * when USER is NULL and we are not root. FALSE with ZEGEL_ERROR_CONFIG, also for root.
 */
gboolean
daemon_become(const char *user, GError **error);

/*
 * Makes the directory of the file PATH, when it is missing, for USER alone (0700). Only
 * root can do it; does nothing when we are not, or when the directory is there. FALSE with
 * ZEGEL_ERROR_CONFIG.
 */
gboolean
daemon_make_directory(const char *path, const char *user, GError **error);

/*
 * The socket that listens at PATH and that the service manager handed down (LISTEN_FDS,
 * sd_listen_fds(3)), non-blocking and close-on-exec, or -1: there is none.
 * daemon_listen_unix looks there first.
 */
int
daemon_inherited_unix(const char *path);

/*
 * The descriptor of ours that listens at the unix socket PATH, or -1: for those that a
 * library keeps to itself.
 */
int
daemon_find_listener(const char *path);

/*
 * Connects to the service manager (NOTIFY_SOCKET, sd_notify(3)), when there is one: a
 * sandbox may forbid it later. Part of daemon_options.
 */
void
daemon_find_manager(void);

/* Says to the service manager that we are ready, when there is one. */
void
daemon_ready(void);

/*
 * Says to a service manager that watches us (WATCHDOG_USEC) that we still work; to be
 * called on each turn of what would stand still otherwise, by one thread. It is said no
 * more often than is needed. Returns in how many milliseconds it is to be called again at
 * the latest, or -1: nobody watches.
 */
int
daemon_alive(void);

/*
 * Says to it that what follows may stand still for LIMIT_S seconds; 0: it is over. By the
 * thread of daemon_alive.
 */
void
daemon_busy(guint limit_s);

/*
 * Prints "PROGRAM: MESSAGE" to standard error and the log and exits with 78 (EX_CONFIG) for
 * ZEGEL_ERROR_CONFIG, else with 75 (EX_TEMPFAIL). Takes ERROR.
 */
void
daemon_die(GError *error) G_GNUC_NORETURN;

/*
 * daemon_die with *ERROR unless DONE. It is given the place of the error: C does not say
 * which argument of `must(act(&error), error)` is evaluated first.
 */
void
daemon_must(gboolean done, GError **error);
