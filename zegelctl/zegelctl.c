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
#include "config.h"
#include "zegelctl/key.h"

#define MAX_WORDS 2 /* of a subcommand's name */

/* Runs a subcommand with the ARGC arguments behind its name; an exit status. */
typedef int (*Run)(int argc, char **argv);

typedef struct {
  const char *words[MAX_WORDS]; /* "key", "generate"; the second may be NULL */
  int min_argc, max_argc;       /* how many arguments it takes */
  const char *usage;            /* the arguments, for people */
  const char *help;
  Run run;
} Command;

static char *config_path; /* -c, or NULL */

static int
fail(GError *error)
{
  int status =
      g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG) ? EX_CONFIG : EX_TEMPFAIL;
  fprintf(stderr, "zegelctl: %s\n", error->message);
  g_error_free(error);
  return status;
}

/* A key in every file that the configuration names for it. */
static int
generate_everywhere(KeyPurpose purpose)
{
  GError *error = NULL;
  g_autofree char *restart = NULL;
  g_autoptr(Config) config =
      conf_load(config_path != NULL ? config_path : ZEGEL_SYSCONFDIR "/zegel.conf", &error);
  if (config == NULL || !key_distribute(config, purpose, &restart, &error))
    return fail(error);
  log_line(LOG_LEVEL_INFO, "key generated, purpose=%s", key_purpose_name(purpose));
  printf("A new %s key is there. Restart, in this order: %s\n", key_purpose_name(purpose),
         restart);
  return EX_OK;
}

static int
run_key_generate(int argc, char **argv)
{
  KeyPurpose purpose;
  GError *error = NULL;
  if (!key_purpose_parse(argv[0], &purpose)) {
    fprintf(stderr, "zegelctl: %s: link, store or ticket is expected\n", argv[0]);
    return EX_USAGE;
  }
  if (argc == 1)
    return generate_everywhere(purpose);
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
     1,
     2,
     "link|store|ticket [FILE]",
     "Put a new key into FILE, in front of those that are there; without FILE into the\n"
     "      files of every program that holds it",
     run_key_generate},
    {{"schema", NULL},
     0,
     0,
     "",
     "Print every section, key and default of zegel.conf",
     run_schema},
};

static void
print_usage(FILE *to)
{
  fputs("usage: zegelctl [-c FILE] COMMAND\n\n", to);
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
  gboolean version = FALSE;
  const GOptionEntry entries[] = {
      {"config", 'c', 0, G_OPTION_ARG_FILENAME, &config_path,
       "Read FILE instead of " ZEGEL_SYSCONFDIR "/zegel.conf", "FILE"},
      {"version", 'V', 0, G_OPTION_ARG_NONE, &version, "Print the version and exit", NULL},
      G_OPTION_ENTRY_NULL,
  };
  g_autoptr(GOptionContext) context = g_option_context_new("COMMAND");
  g_option_context_add_main_entries(context, entries, NULL);
  g_autoptr(GError) error = NULL;
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    fprintf(stderr, "zegelctl: %s\n", error->message);
    return EX_USAGE;
  }
  if (version) {
    printf("zegelctl %s\n", PACKAGE_VERSION);
    return EX_OK;
  }
  int used = 0;
  const Command *command = find_command(argc - 1, argv + 1, &used);
  int left = argc - 1 - used;
  if (command == NULL || left < command->min_argc || left > command->max_argc) {
    print_usage(stderr);
    return EX_USAGE;
  }
  log_open("zegelctl", FALSE);
  return command->run(left, argv + 1 + used);
}
