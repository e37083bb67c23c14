#include "zegelctl/role.h"

#include <string.h>

#include "common/base/error.h"

#define BIT(role) (1U << (role))
#define SYSTEM    (1U << 31) /* nobody logged in: a timer */
#define ANYBODY   (~0U)
#define LOG       BIT(ROLE_LOG_MANAGER)
#define HELP      BIT(ROLE_HELP_DESK)

static const char *const names[] = {
    [ROLE_NONE] = "none",
    [ROLE_ADMINISTRATOR] = "administrator",
    [ROLE_LOG_MANAGER] = "log-manager",
    [ROLE_HELP_DESK] = "help-desk",
};

/* Who besides the administrator may run what; without a second word: all of the first. */
static const struct {
  const char *words[COMMAND_MAX_WORDS];
  guint who;
} allowed[] = {
    {{"audit", "verify"}, LOG | SYSTEM},
    {{"audit", NULL}, LOG},
    {{"backup", NULL}, SYSTEM},
    {{"doctor", NULL}, SYSTEM},
    {{"domain", "watch"}, SYSTEM},
    {{"expire", NULL}, SYSTEM},
    {{"key", "complete"}, SYSTEM},
    {{"message", "extend"}, HELP},
    {{"message", "list"}, LOG | HELP},
    {{"message", "notify"}, HELP},
    {{"message", "number"}, HELP},
    {{"message", "search"}, LOG | HELP},
    {{"message", "show"}, LOG | HELP},
    {{"phone", "show"}, HELP},
    {{"probe", NULL}, SYSTEM},
    {{"report", NULL}, LOG},
    {{"role", "list"}, LOG},
    {{"schema", NULL}, ANYBODY},
    {{"status", NULL}, LOG | HELP | SYSTEM},
    {{"watch", NULL}, SYSTEM},
};

typedef struct {
  char *user;
  Role role;
  guint line;
} Grant;

struct Roles {
  GArray *grants; /* of Grant */
};

const char *
role_name(Role role)
{
  return names[role];
}

gboolean
role_parse(const char *name, Role *role)
{
  for (guint i = ROLE_ADMINISTRATOR; i < G_N_ELEMENTS(names); i++)
    if (strcmp(names[i], name) == 0) {
      *role = (Role) i;
      return TRUE;
    }
  return FALSE;
}

gboolean
role_user_is_valid(const char *name)
{
  if (*name == '\0' || strlen(name) > ROLE_USER_MAX_CHARS)
    return FALSE;
  for (const char *p = name; *p != '\0'; p++)
    if (!g_ascii_isgraph(*p) || *p == '#' || *p == ',')
      return FALSE;
  return TRUE;
}

/* The bits of who may run COMMAND; the first row that fits counts. */
static guint
who_may(const Command *command)
{
  for (guint i = 0; i < G_N_ELEMENTS(allowed); i++)
    if (strcmp(allowed[i].words[0], command->words[0]) == 0 &&
        (allowed[i].words[1] == NULL ||
         g_strcmp0(allowed[i].words[1], command->words[1]) == 0))
      return allowed[i].who;
  return 0;
}

gboolean
role_anybody_may_run(const Command *command)
{
  return who_may(command) == ANYBODY;
}

gboolean
role_decide(const RoleFacts *facts, const Command *command)
{
  guint who = who_may(command);
  if (!facts->privileged || facts->users == 0 || facts->role == ROLE_ADMINISTRATOR)
    return TRUE;
  if (!facts->usual_config)
    return FALSE;
  return (facts->system && (who & SYSTEM) != 0) || (who & BIT(facts->role)) != 0;
}

/* ---- The file ---- */

static void
grant_clear(gpointer p)
{
  g_free(((Grant *) p)->user);
}

static const Grant *
grant_at(const Roles *roles, guint i)
{
  return &g_array_index(roles->grants, Grant, i);
}

static const Grant *
find_grant(const Roles *roles, const char *user)
{
  for (guint i = 0; i < roles->grants->len; i++)
    if (strcmp(grant_at(roles, i)->user, user) == 0)
      return grant_at(roles, i);
  return NULL;
}

/* Says what is wrong with line NUMBER; NULL: nothing. */
static const char *
add_line(Roles *roles, char *line, guint number)
{
  line[strcspn(line, "#")] = '\0';
  g_auto(GStrv) words = g_strsplit_set(g_strstrip(line), " \t", 0);
  const char *found[2] = {NULL};
  guint count = 0;
  for (char **word = words; *word != NULL; word++)
    if (**word != '\0' && count++ < G_N_ELEMENTS(found))
      found[count - 1] = *word;
  Grant grant = {.line = number};
  if (count == 0)
    return NULL;
  if (count != 2)
    return "a user and a role are expected";
  if (!role_user_is_valid(found[0]))
    return "this cannot be a user";
  if (!role_parse(found[1], &grant.role))
    return "the role must be administrator, log-manager or help-desk";
  if (find_grant(roles, found[0]) != NULL)
    return "this user has a role already";
  if (roles->grants->len >= ROLE_MAX_USERS)
    return "these are too many users";
  grant.user = g_strdup(found[0]);
  g_array_append_val(roles->grants, grant);
  return NULL;
}

Roles *
roles_parse(const char *name, const char *text, gsize len, GError **error)
{
  g_autoptr(Roles) roles = g_new0(Roles, 1);
  roles->grants = g_array_new(FALSE, TRUE, sizeof(Grant));
  g_array_set_clear_func(roles->grants, grant_clear);
  g_autofree char *copy = len > 0 ? g_strndup(text, len) : g_strdup("");
  g_auto(GStrv) lines = g_strsplit(copy, "\n", 0);
  const char *wrong = strlen(copy) == len ? NULL : "a NUL cannot be here";
  guint number = 0;
  while (wrong == NULL && lines[number] != NULL) {
    wrong = add_line(roles, lines[number], number + 1);
    number++;
  }
  if (wrong == NULL)
    return g_steal_pointer(&roles);
  command_error(error, ZEGEL_ERROR_CONFIG, "%s:%u: %s", name, MAX(number, 1), wrong);
  return NULL;
}

void
roles_free(Roles *roles)
{
  if (roles == NULL)
    return;
  g_array_unref(roles->grants);
  g_free(roles);
}

guint
roles_count(const Roles *roles)
{
  return roles->grants->len;
}

const char *
roles_nth(const Roles *roles, guint i, Role *role)
{
  *role = grant_at(roles, i)->role;
  return grant_at(roles, i)->user;
}

Role
roles_of(const Roles *roles, const char *user)
{
  const Grant *grant = find_grant(roles, user);
  return grant != NULL ? grant->role : ROLE_NONE;
}

/* Whether somebody besides USER is an administrator. */
static gboolean
is_administered_without(const Roles *roles, const char *user)
{
  for (guint i = 0; i < roles->grants->len; i++)
    if (grant_at(roles, i)->role == ROLE_ADMINISTRATOR &&
        strcmp(grant_at(roles, i)->user, user) != 0)
      return TRUE;
  return FALSE;
}

Edit *
roles_change(const Roles *roles, const char *user, Role role, GError **error)
{
  const Grant *grant = find_grant(roles, user);
  if ((grant != NULL ? grant->role : ROLE_NONE) == role) {
    command_error(error, ZEGEL_ERROR_INVALID, "%s has %s; nothing was changed", user,
                  role == ROLE_NONE ? "no role" : "this role already");
    return NULL;
  }
  if (role != ROLE_ADMINISTRATOR && !is_administered_without(roles, user)) {
    command_error(error, ZEGEL_ERROR_INVALID,
                  "nobody would be administrator then: grant that to somebody else first; "
                  "nothing was changed");
    return NULL;
  }
  Edit *edit = edit_new();
  g_autofree char *line = g_strdup_printf("%s %s", user, role_name(role));
  if (role == ROLE_NONE)
    edit_drop(edit, grant->line);
  else if (grant != NULL)
    edit_replace(edit, grant->line, line);
  else
    edit_add(edit, line);
  return edit;
}
