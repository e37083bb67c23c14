/*
 * command.h - what a subcommand of zegelctl is, and what all of them need.
 */
#pragma once

#include <glib.h>

#include "common/conf/conf.h"

#define COMMAND_MAX_WORDS 2 /* of a subcommand's name */
#define COMMAND_CONFIG    ZEGEL_SYSCONFDIR "/zegel.conf"

typedef struct {
  const char *words[COMMAND_MAX_WORDS]; /* "key", "generate"; the second may be NULL */
  int min_argc, max_argc;               /* how many arguments it takes */
  const char *usage;                    /* the arguments, for people */
  const char *help;
  const GOptionEntry *options;       /* or NULL; ends with G_OPTION_ENTRY_NULL */
  int (*run)(int argc, char **argv); /* with the arguments alone; an exit status */
} Command;

/* The commands of each file; each table ends with one without words. */
extern const Command audit_commands[];
extern const Command backup_commands[];
extern const Command check_commands[];
extern const Command dkim_commands[];
extern const Command doctor_commands[];
extern const Command domain_commands[];
extern const Command expire_commands[];
extern const Command foresight_commands[];
extern const Command key_commands[];
extern const Command message_commands[];
extern const Command message_look_commands[];
extern const Command phone_commands[];
extern const Command probe_commands[];
extern const Command reload_commands[];
extern const Command report_commands[];
extern const Command restore_commands[];
extern const Command role_commands[];
extern const Command route_commands[];
extern const Command setup_commands[];
extern const Command status_commands[];
extern const Command watch_commands[];

/* What -c said; NULL for the usual place. Borrowed. */
void
command_set_config_path(const char *path);

/* Where zegel.conf is, as -c has it. Borrowed. */
const char *
command_config_path(void);

/* zegel.conf as -c has it, freed by the caller; NULL with ZEGEL_ERROR_CONFIG. */
Config *
command_config(GError **error);

/*
 * Opens the log. Each event goes to zegel-auditd as well, at once; when that cannot be,
 * standard error says so, and the command goes on.
 */
void
command_open_log(void);

/*
 * Says ERROR on standard error and frees it; returns the exit status that belongs to it:
 * this is the one place where errors become statuses.
 */
int
command_fail(GError *error);

/* Sets ERROR to CODE with a printf-formatted text and returns FALSE. */
gboolean
command_error(GError **error, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* EX_OK when all that was printed has been written, else EX_IOERR. STATUS is returned as it
 * is unless it is EX_OK. */
int
command_done(int status);

/* Who runs us, for the log: the user who logged in, also behind sudo. New string. */
char *
command_user(void);

/* Whether we have rights that are not those of who logged in: root's, or through sudo. */
gboolean
command_is_privileged(void);

/* Whether we run as root and nobody logged in: a timer started us. */
gboolean
command_is_system(void);

/* Whether -c named no configuration but the usual one. */
gboolean
command_config_is_usual(void);
