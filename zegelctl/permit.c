#include "zegelctl/permit.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/log.h"
#include "zegelctl/rolefile.h"

#define USUAL_ROLES ZEGEL_SYSCONFDIR "/roles"

/* Where the roles are; before there is a configuration, the usual place. NULL with an
 * error when that cannot be known. */
static char *
find_path(GError **error)
{
  if (access(COMMAND_CONFIG, F_OK) != 0 && errno == ENOENT)
    return g_strdup(USUAL_ROLES);
  g_autoptr(Config) config = conf_load(COMMAND_CONFIG, error);
  return config != NULL ? g_strdup(config->audit_roles) : NULL;
}

static int
refuse(const Command *command, const char *user, const char *path, Role role)
{
  const char *second = command->words[1];
  log_line(LOG_LEVEL_WARNING, "zegelctl %s%s%s refused, by=%s, role=%s", command->words[0],
           second != NULL ? " " : "", second != NULL ? second : "", user, role_name(role));
  fprintf(stderr,
          "zegelctl: %s may not do this: his role in %s is %s; an administrator can give "
          "another with zegelctl role grant\n",
          user, path, role_name(role));
  return EX_NOPERM;
}

int
permit_command(const Command *command)
{
  GError *error = NULL;
  if (!command_is_privileged() || role_anybody_may_run(command))
    return EX_OK;
  g_autofree char *path = find_path(&error);
  g_autoptr(Roles) roles = path != NULL ? role_file_load(path, &error) : NULL;
  if (roles == NULL)
    return command_fail(error);
  g_autofree char *user = command_user();
  const RoleFacts facts = {.privileged = TRUE,
                           .system = command_is_system(),
                           .usual_config = command_config_is_usual(),
                           .users = roles_count(roles),
                           .role = roles_of(roles, user)};
  return role_decide(&facts, command) ? EX_OK : refuse(command, user, path, facts.role);
}
