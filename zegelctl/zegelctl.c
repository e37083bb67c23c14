/*
 * zegelctl - the administrator's command line: one table of subcommands.
 *
 * Does what its caller may do and nothing in secret: what changes something is logged.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/conf/conf.h"
#include "common/crypt/key.h"
#include "config.h"

#define MAX_WORDS 2 /* of a subcommand's name */

/* Runs a subcommand with the ARGC arguments behind its name; an exit status. */
typedef int (*Run)(int argc, char **argv);

typedef struct {
  const char *words[MAX_WORDS]; /* "key", "generate"; the second may be NULL */
  int argc;                     /* how many arguments it takes */
  const char *usage;            /* the arguments, for people */
  const char *help;
  Run run;
} Command;

static int
fail(GError *error)
{
  int status =
      g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG) ? EX_CONFIG : EX_TEMPFAIL;
  fprintf(stderr, "zegelctl: %s\n", error->message);
  g_error_free(error);
  return status;
}

static int
run_key_generate(int argc, char **argv)
{
  (void) argc;
  KeyPurpose purpose;
  GError *error = NULL;
  if (!key_purpose_parse(argv[0], &purpose)) {
    fprintf(stderr, "zegelctl: %s: link, store or ticket is expected\n", argv[0]);
    return EX_USAGE;
  }
  if (!key_file_generate(argv[1], purpose, &error))
    return fail(error);
  log_line(LOG_LEVEL_INFO, "key generated, purpose=%s, file=%s", key_purpose_name(purpose),
           argv[1]);
  return EX_OK;
}

static int
run_schema(int argc, char **argv)
{
  (void) argc;
  (void) argv;
  g_autofree char *text = conf_schema_text();
  return fputs(text, stdout) < 0 || fflush(stdout) != 0 ? EX_IOERR : EX_OK;
}

static const Command commands[] = {
    {{"key", "generate"},
     2,
     "link|store|ticket FILE",
     "Put a new key into FILE, in front of those that are there",
     run_key_generate},
    {{"schema", NULL},
     0,
     "",
     "Print every section, key and default of zegel.conf",
     run_schema},
};

static void
print_usage(FILE *to)
{
  fputs("usage: zegelctl COMMAND\n\n", to);
  for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
    const Command *command = &commands[i];
    fprintf(to, "  %s%s%s %s\n      %s\n", command->words[0],
            command->words[1] != NULL ? " " : "",
            command->words[1] != NULL ? command->words[1] : "", command->usage,
            command->help);
  }
}

/* The command that the words at ARGV name; *USED gets how many words, or NULL. */
static const Command *
find_command(int argc, char **argv, int *used)
{
  for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
    const Command *command = &commands[i];
    int n = 0;
    while (n < MAX_WORDS && n < argc && command->words[n] != NULL &&
           strcmp(argv[n], command->words[n]) == 0)
      n++;
    if (n == MAX_WORDS || command->words[n] == NULL) {
      *used = n;
      return command;
    }
  }
  return NULL;
}

int
main(int argc, char **argv)
{
  g_set_prgname("zegelctl");
  if (argc == 2 && (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0)) {
    printf("zegelctl %s\n", PACKAGE_VERSION);
    return EX_OK;
  }
  if (argc == 2 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)) {
    print_usage(stdout);
    return EX_OK;
  }
  int used = 0;
  const Command *command = find_command(argc - 1, argv + 1, &used);
  if (command == NULL || argc - 1 - used != command->argc) {
    print_usage(stderr);
    return EX_USAGE;
  }
  log_open("zegelctl", FALSE);
  return command->run(command->argc, argv + 1 + used);
}
