#include "zegelctl/command.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/error.h"

#define LOGIN_UID "/proc/self/loginuid" /* audit(8): it stays what it was at login */

static const char *config_path = ZEGEL_SYSCONFDIR "/zegel.conf";

void
command_set_config_path(const char *path)
{
  if (path != NULL)
    config_path = path;
}

Config *
command_config(GError **error)
{
  return conf_load(config_path, error);
}

static int
status_of(const GError *error)
{
  if (error->domain != ZEGEL_ERROR)
    return EX_TEMPFAIL;
  switch ((ZegelError) error->code) {
  case ZEGEL_ERROR_CONFIG:
    return EX_CONFIG;
  case ZEGEL_ERROR_INVALID:
  case ZEGEL_ERROR_LIMIT:
    return EX_DATAERR;
  case ZEGEL_ERROR_TEMPORARY:
  case ZEGEL_ERROR_FORGED:
  case ZEGEL_ERROR_KEY_UNKNOWN:
  case ZEGEL_ERROR_FULL:
  case ZEGEL_ERROR_CONFLICT:
    break;
  }
  return EX_TEMPFAIL;
}

int
command_fail(GError *error)
{
  int status = status_of(error);
  /* It may quote a file of somebody else: nothing of that may steer the terminal. */
  for (char *p = error->message; *p != '\0'; p++)
    if (g_ascii_iscntrl(*p) && *p != '\n')
      *p = '?';
  fprintf(stderr, "zegelctl: %s\n", error->message);
  g_error_free(error);
  return status;
}

gboolean
command_error(GError **error, int code, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  g_autofree char *message = g_strdup_vprintf(format, args);
  va_end(args);
  g_set_error_literal(error, ZEGEL_ERROR, code, message);
  return FALSE;
}

int
command_done(int status)
{
  if (fflush(stdout) == 0 && !ferror(stdout))
    return status;
  fprintf(stderr, "zegelctl: the output could not be written\n");
  return status == EX_OK ? EX_IOERR : status;
}

/* The number in LOGIN_UID, or our own; (uid_t) -1 there means that nobody logged in. */
static uid_t
login_uid(void)
{
  g_autofree char *text = NULL;
  guint64 number = 0;
  if (!g_file_get_contents(LOGIN_UID, &text, NULL, NULL) ||
      !g_ascii_string_to_unsigned(g_strchomp(text), 10, 0, G_MAXUINT32 - 1, &number, NULL))
    return getuid();
  return (uid_t) number;
}

char *
command_user(void)
{
  uid_t uid = login_uid();
  const struct passwd *entry = getpwuid(uid);
  return entry != NULL ? g_strdup(entry->pw_name) : g_strdup_printf("%u", (guint) uid);
}
