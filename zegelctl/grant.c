/*
 * grant.c - zegelctl role: who may do what with zegelctl (A1: rights).
 *
 * What changes stands in the audit trail before it counts.
 */
#include <pwd.h>
#include <stdio.h>
#include <sysexits.h>

#include "common/base/error.h"
#include "zegelctl/command.h"
#include "zegelctl/record.h"
#include "zegelctl/rolefile.h"

static gboolean
is_user(const char *name, GError **error)
{
  if (role_user_is_valid(name) && getpwnam(name) != NULL)
    return TRUE;
  return command_error(error, ZEGEL_ERROR_INVALID,
                       "there is no user %s on this system; nothing was changed", name);
}

/* The event of USER's having ROLE instead of WAS. */
static Event *
event_of(const char *user, Role was, Role role)
{
  g_autofree char *by = command_user();
  EventKind kind = role == ROLE_NONE  ? EVENT_ROLE_WITHDRAWN
                   : was == ROLE_NONE ? EVENT_ROLE_GRANTED
                                      : EVENT_ROLE_CHANGED;
  return event_new(kind, NULL, NULL, "by", by, "about", user, "role",
                   role_name(role != ROLE_NONE ? role : was), "was",
                   was != ROLE_NONE && role != ROLE_NONE ? role_name(was) : NULL, NULL);
}

/* The change as EVENT, and then the change; when that fails, that it did. */
static gboolean
record_and_change(const Config *config, RoleFile *file, const char *user, Role role,
                  GError **error)
{
  Role was = roles_of(file->roles, user);
  g_autoptr(Edit) edit = roles_change(file->roles, user, role, error);
  if (edit == NULL)
    return FALSE;
  g_autoptr(Event) event = event_of(user, was, role);
  if (!record_first(config, event, error))
    return FALSE;
  if (role_file_change(file, edit, error))
    return TRUE;
  g_autoptr(Event) failed = event_of(user, was, role);
  event_add(failed, "outcome", "failed");
  event_send(failed);
  return FALSE;
}

static gboolean
change(const char *user, Role role, GError **error)
{
  g_autoptr(Config) config = command_config(error);
  if (config == NULL)
    return FALSE;
  g_autoptr(RoleFile) file = role_file_open(config->audit_roles, error);
  if (file == NULL)
    return FALSE;
  gboolean first = roles_count(file->roles) == 0;
  if (!record_and_change(config, file, user, role, error))
    return FALSE;
  if (role == ROLE_NONE)
    printf("%s: has no role any more\n", user);
  else
    printf("%s: is %s now\n", user, role_name(role));
  if (first)
    puts("From now on only users with a role may use zegelctl as root.");
  return TRUE;
}

static int
run_grant(int argc, char **argv)
{
  GError *error = NULL;
  Role role;
  (void) argc;
  if (!role_parse(argv[1], &role)) {
    fprintf(stderr, "zegelctl: %s: administrator, log-manager or help-desk is expected\n",
            argv[1]);
    return EX_USAGE;
  }
  if (!is_user(argv[0], &error) || !change(argv[0], role, &error))
    return command_fail(error);
  return command_done(EX_OK);
}

/* Of a user who left the system too. */
static int
run_withdraw(int argc, char **argv)
{
  GError *error = NULL;
  (void) argc;
  if (!change(argv[0], ROLE_NONE, &error))
    return command_fail(error);
  return command_done(EX_OK);
}

static int
run_list(int argc, char **argv)
{
  GError *error = NULL;
  (void) argc;
  (void) argv;
  g_autoptr(Config) config = command_config(&error);
  g_autoptr(Roles) roles =
      config != NULL ? role_file_load(config->audit_roles, &error) : NULL;
  if (roles == NULL)
    return command_fail(error);
  if (roles_count(roles) == 0)
    printf("Nobody has a role in %s: root may do everything.\n", config->audit_roles);
  for (guint i = 0; i < roles_count(roles); i++) {
    Role role;
    const char *user = roles_nth(roles, i, &role);
    printf("%-20s %s\n", user, role_name(role));
  }
  return command_done(EX_OK);
}

const Command role_commands[] = {
    {{"role", "grant"},
     2,
     2,
     "USER administrator|log-manager|help-desk",
     "Give USER this role with zegelctl, instead of the one he has",
     NULL,
     run_grant},
    {{"role", "withdraw"},
     1,
     1,
     "USER",
     "Take the role of USER away; not of the last administrator",
     NULL,
     run_withdraw},
    {{"role", "list"}, 0, 0, "", "Print who has which role", NULL, run_list},
    {.words = {NULL}},
};
