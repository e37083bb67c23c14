/* The one place where an adapter's outcome and errors become exit statuses. */
#include "sms/adapter.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/sandbox/sandbox.h"

void
adapter_die(GError *error)
{
  int status = EX_TEMPFAIL;
  if (g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG))
    status = EX_CONFIG;
  else if (g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID))
    status = EX_DATAERR;
  log_line(LOG_LEVEL_ALARM, "not sent: %s", error->message);
  g_error_free(error);
  exit(status);
}

void
adapter_begin(const char *ident, int argc, Message *message)
{
  const struct rlimit nothing = {0, 0};
  const struct sigaction ignore = {.sa_handler = SIG_IGN};
  GError *error = NULL;
  log_open(ident, isatty(STDERR_FILENO));
  if (argc > 1) {
    log_line(LOG_LEVEL_ALARM, "not sent: number and text come on standard input");
    exit(EX_USAGE);
  }
  sigaction(SIGPIPE, &ignore, NULL);
  setrlimit(RLIMIT_FSIZE, &nothing);
  if (!sandbox_harden(&error) || !message_read(STDIN_FILENO, message, &error))
    adapter_die(error);
}

int
adapter_status(Outcome outcome)
{
  switch (outcome) {
  case OUTCOME_SENT:
    return EX_OK;
  case OUTCOME_LATER:
    return EX_TEMPFAIL;
  case OUTCOME_REFUSED:
    return EX_UNAVAILABLE;
  case OUTCOME_UNKNOWN:
    return EX_PROTOCOL;
  }
  return EX_PROTOCOL;
}
