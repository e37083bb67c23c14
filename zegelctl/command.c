#include "zegelctl/command.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/audit/client.h"
#include "common/base/error.h"
#include "common/base/log.h"

#define LOGIN_UID "/proc/self/loginuid" /* audit(8): it stays what it was at login */

static const char *config_path = COMMAND_CONFIG;
/* Who calls, before a command becomes another user. */
static struct {
  uid_t uid;
  gboolean logged_in, root, privileged;
} caller;

static char *audit_socket; /* or NULL: no configuration was read yet */

void
command_set_config_path(const char *path)
{
  if (path != NULL)
    config_path = path;
}

const char *
command_config_path(void)
{
  return config_path;
}

Config *
command_config(GError **error)
{
  Config *config = conf_load(config_path, error);
  if (config == NULL)
    return NULL;
  log_shape(config->log_format, config->log_addresses);
  g_free(audit_socket);
  audit_socket = g_strdup(config->audit_socket);
  return config;
}

/* A sink: what the command did is done, and in the log. */
static void
bring_event(const Event *event, gpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Config) config = NULL;
  (void) data;
  if (audit_socket == NULL)
    config = command_config(&error);
  g_autoptr(GPtrArray) events = g_ptr_array_new();
  g_ptr_array_add(events, (gpointer) event);
  if (audit_socket == NULL || !audit_append(audit_socket, events, AUDIT_TIMEOUT_MS, &error))
    fprintf(stderr, "zegelctl: not in the audit trail, only in the log: %s\n",
            error->message);
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

/* TEXT as a user's number; FALSE when it is none. */
static gboolean
parse_uid(const char *text, uid_t *uid)
{
  guint64 number = 0;
  if (text == NULL ||
      !g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32 - 1, &number, NULL))
    return FALSE;
  *uid = (uid_t) number;
  return TRUE;
}

/*
 * The user who logged in; FALSE when nobody did, or the system does not keep it. Then sudo,
 * which sets SUDO_UID itself, may know; what anybody but root has there is his own word.
 */
static gboolean
login_uid(uid_t *uid)
{
  g_autofree char *text = NULL;
  if (g_file_get_contents(LOGIN_UID, &text, NULL, NULL) &&
      parse_uid(g_strchomp(text), uid)) /* (uid_t) -1 there: nobody */
    return TRUE;
  return getuid() == 0 && parse_uid(g_getenv("SUDO_UID"), uid);
}

static void
find_caller(void)
{
  caller.uid = getuid();
  caller.logged_in = login_uid(&caller.uid);
  caller.root = geteuid() == 0;
  caller.privileged = caller.root || geteuid() != caller.uid;
}

void
command_open_log(void)
{
  find_caller();
  log_open("zegelctl", FALSE);
  event_set_sink(bring_event, NULL);
}

char *
command_user(void)
{
  const struct passwd *entry = getpwuid(caller.uid);
  return entry != NULL ? g_strdup(entry->pw_name)
                       : g_strdup_printf("%u", (guint) caller.uid);
}

gboolean
command_is_privileged(void)
{
  return caller.privileged;
}

gboolean
command_is_system(void)
{
  return caller.root && !caller.logged_in;
}

gboolean
command_config_is_usual(void)
{
  return strcmp(config_path, COMMAND_CONFIG) == 0;
}
