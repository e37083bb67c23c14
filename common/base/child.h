/*
 * child.h - another program, fed and read through pipes.
 *
 * It gets nothing of ours: no environment but what is said, no open file but its pipes, no
 * blocked signal, and a process group of its own that dies as a whole.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct {
  pid_t pid; /* 0 when there is none */
  int pidfd;
  int in;  /* write here what it reads; -1 when closed; non-blocking */
  int out; /* read here what it writes; -1 when closed; non-blocking */
} Child;

typedef enum {
  CHILD_EXITED,  /* the status says how */
  CHILD_RUNNING, /* still, at the deadline */
} ChildState;

/*
 * Starts ARGV[0] (an absolute path) with ARGV and ENVIRONMENT into *CHILD. WITH_OUTPUT: its
 * output comes at child->out, else it is thrown away; its errors are always. FALSE with
 * ZEGEL_ERROR_TEMPORARY. Any thread.
 */
gboolean
child_start(Child *child, const char *const *argv, const char *const *environment,
            gboolean with_output, GError **error);

/* Closes the pipe to its input: it reads the end. */
void
child_close_input(Child *child);

/*
 * Waits until it has ended, or DEADLINE_US (g_get_monotonic_time) is over. *EXIT_STATUS
 * gets what it exited with, or -1 when a signal ended it.
 */
ChildState
child_wait(Child *child, gint64 deadline_us, int *exit_status);

/* Kills it with all its group when it still runs, and closes what is open. */
void
child_end(Child *child);

/* The milliseconds until DEADLINE_US, for poll(2): 0 when it is over. */
int
child_poll_timeout_ms(gint64 deadline_us);
