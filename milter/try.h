/*
 * try.h - zegel-milter -t: what would happen to a message, without sending it.
 *
 * The message takes the way of every other one (flow.h); only nobody promises anything, no
 * event is logged, and the plan is printed instead of carried out.
 */
#pragma once

#include "milter/arrival.h"
#include "milter/tools.h"

/* As they stand on the command line; NULL: not given. */
typedef struct {
  char *file;
  char *sender;
  char **recipients;
  char *login;
  char *client; /* its address */
} TryOptions;

/* What OPTIONS ask to be tried. All owned. */
typedef struct {
  Arrival *arrival;
  GString *body; /* with CRLF line ends */
} Trial;

/*
 * Reads the file that OPTIONS name, a message with LF or CRLF line ends. A client of which
 * nothing is said is sendmail(1) on this machine. Freed with trial_free; NULL with
 * ZEGEL_ERROR_CONFIG (an option is missing) or ZEGEL_ERROR_INVALID (the file).
 */
Trial *
trial_read(const TryOptions *options, GError **error);

/* Frees TRIAL; NULL is allowed. */
void
trial_free(Trial *trial);

/* Tries it with TOOLS and prints the outcome, as JSON if so asked. The exit status: EX_OK,
 * TRY_REFUSED or EX_TEMPFAIL. */
int
trial_run(Trial *trial, const Tools *tools, gboolean json);

#define TRY_REFUSED 1 /* exit status: it would be refused for good */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Trial, trial_free)
