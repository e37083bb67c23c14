/*
 * role.h - who may do what with zegelctl: the roles, and the file that gives them.
 *
 *     USER ROLE        # a comment
 *
 * one line for each user, who has one role. Pure: rolefile.h has the file on disk.
 */
#pragma once

#include <glib.h>

#include "zegelctl/command.h"
#include "zegelctl/edit.h"

#define ROLE_USER_MAX_CHARS 64
#define ROLE_MAX_USERS      1000

typedef enum {
  ROLE_NONE,          /* no line of the file names him */
  ROLE_ADMINISTRATOR, /* everything */
  ROLE_LOG_MANAGER,   /* the audit trail, reports, and looking at messages */
  ROLE_HELP_DESK      /* helping one sender or reader with one message */
} Role;

typedef struct Roles Roles;

/* "administrator", "log-manager", "help-desk", or "none": static. */
const char *
role_name(Role role);

/* The role called NAME into *ROLE; FALSE when there is none. */
gboolean
role_parse(const char *name, Role *role);

/* Whether NAME can be a user: no space, '#', or control character, and not too long. */
gboolean
role_user_is_valid(const char *name);

/* Whether COMMAND tells nobody anything: roles do not matter. */
gboolean
role_anybody_may_run(const Command *command);

/* What is known of who calls. */
typedef struct {
  gboolean privileged;   /* with rights that are not those of who logged in: roles count */
  gboolean system;       /* as root, and nobody logged in: a timer */
  gboolean usual_config; /* not one that he chose with -c */
  guint users;           /* how many have a role; 0: there are no roles yet */
  Role role;             /* his */
} RoleFacts;

/*
 * Whether he of FACTS may run COMMAND: the table of role.c. A pure function. Another
 * configuration is for administrators: it could name another trail.
 */
gboolean
role_decide(const RoleFacts *facts, const Command *command);

/*
 * Reads LEN bytes at TEXT; NAME stands in messages. A list that the caller frees, or NULL
 * with ZEGEL_ERROR_CONFIG and "NAME:LINE: what is wrong". Any thread.
 */
Roles *
roles_parse(const char *name, const char *text, gsize len, GError **error);

/* Frees ROLES; NULL is allowed. */
void
roles_free(Roles *roles);

/* How many users have a role. */
guint
roles_count(const Roles *roles);

/* User I (from 0, less than roles_count), owned by ROLES, in the order of the file. */
const char *
roles_nth(const Roles *roles, guint i, Role *role);

/* The role of USER. */
Role
roles_of(const Roles *roles, const char *user);

/*
 * What must change in the text that ROLES was read from so that USER has ROLE (ROLE_NONE:
 * no more). The caller frees it; NULL with ZEGEL_ERROR_INVALID when nothing would change,
 * or nobody would be administrator then.
 */
Edit *
roles_change(const Roles *roles, const char *user, Role role, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Roles, roles_free)
