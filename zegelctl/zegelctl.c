/*
 * zegelctl - the administrator's command line: tables of subcommands.
 *
 * Does what its caller may do and nothing in secret: what changes something is logged.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/conf/conf.h"
#include "config.h"
#include "zegelctl/command.h"
#include "zegelctl/permit.h"

static int
run_schema(int argc, char **argv)
{
  (void) argc;
  (void) argv;
  g_autofree char *text = conf_schema_text();
  fputs(text, stdout);
  return command_done(EX_OK);
}

static const Command other_commands[] = {
    {{"schema", NULL},
     0,
     0,
     "",
     "Print every section, key and default of zegel.conf",
     NULL,
     run_schema},
    {.words = {NULL}},
};

static const Command *const tables[] = {
    check_commands,     route_commands,  domain_commands,       report_commands,
    dkim_commands,      key_commands,    message_look_commands, message_commands,
    phone_commands,     audit_commands,  role_commands,         watch_commands,
    foresight_commands, expire_commands, setup_commands,        doctor_commands,
    reload_commands,    status_commands, probe_commands,        backup_commands,
    restore_commands,   other_commands,
};

static void
print_command(FILE *to, const Command *command)
{
  fprintf(to, "  %s%s%s%s%s\n      %s\n", command->words[0],
          command->words[1] != NULL ? " " : "",
          command->words[1] != NULL ? command->words[1] : "",
          *command->usage != '\0' ? " " : "", command->usage, command->help);
}

static void
print_usage(FILE *to)
{
  fputs("usage: zegelctl [-c FILE] COMMAND\n\n", to);
  for (guint i = 0; i < G_N_ELEMENTS(tables); i++)
    for (const Command *command = tables[i]; command->words[0] != NULL; command++)
      print_command(to, command);
  fputs("\nzegelctl(8) says more.\n", to);
}

/* How many of the words at ARGV are COMMAND's name; 0 when they are not. */
static int
match(const Command *command, int argc, char **argv)
{
  int n = 0;
  while (n < COMMAND_MAX_WORDS && n < argc && command->words[n] != NULL &&
         strcmp(argv[n], command->words[n]) == 0)
    n++;
  return n == COMMAND_MAX_WORDS || command->words[n] == NULL ? n : 0;
}

/* The command that the words at ARGV name; *USED gets how many words, or NULL. */
static const Command *
find_command(int argc, char **argv, int *used)
{
  for (guint i = 0; i < G_N_ELEMENTS(tables); i++)
    for (const Command *command = tables[i]; command->words[0] != NULL; command++)
      if ((*used = match(command, argc, argv)) > 0)
        return command;
  return NULL;
}

/* Takes COMMAND's own options out of what stands behind its name, and runs it. */
static int
run_command(const Command *command, int argc, char **argv)
{
  g_autoptr(GOptionContext) context = g_option_context_new(command->usage);
  g_autoptr(GError) error = NULL;
  if (command->options != NULL)
    g_option_context_add_main_entries(context, command->options, NULL);
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    fprintf(stderr, "zegelctl: %s\n", error->message);
    return EX_USAGE;
  }
  if (argc - 1 < command->min_argc || argc - 1 > command->max_argc) {
    fputs("usage: zegelctl\n", stderr);
    print_command(stderr, command);
    return EX_USAGE;
  }
  command_open_log();
  int status = permit_command(command);
  return status == EX_OK ? command->run(argc - 1, argv + 1) : status;
}

int
main(int argc, char **argv)
{
  gboolean version = FALSE, help = FALSE;
  g_autofree char *config_path = NULL;
  const GOptionEntry entries[] = {
      {"config", 'c', 0, G_OPTION_ARG_FILENAME, &config_path,
       "Read FILE instead of " ZEGEL_SYSCONFDIR "/zegel.conf", "FILE"},
      {"help", 'h', 0, G_OPTION_ARG_NONE, &help, "Print the commands and exit", NULL},
      {"version", 'V', 0, G_OPTION_ARG_NONE, &version, "Print the version and exit", NULL},
      G_OPTION_ENTRY_NULL,
  };
  g_autoptr(GOptionContext) context = g_option_context_new("COMMAND");
  g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_set_help_enabled(context, FALSE); /* GLib's knows no commands */
  g_option_context_set_strict_posix(context, TRUE);  /* a command has its own options */
  g_autoptr(GError) error = NULL;
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    fprintf(stderr, "zegelctl: %s\n", error->message);
    return EX_USAGE;
  }
  if (help) {
    print_usage(stdout);
    return EX_OK;
  }
  if (version) {
    printf("zegelctl %s\n", PACKAGE_VERSION);
    return EX_OK;
  }
  int used = 0;
  const Command *command = find_command(argc - 1, argv + 1, &used);
  if (command == NULL) {
    print_usage(stderr);
    return EX_USAGE;
  }
  command_set_config_path(config_path);
  return run_command(command, argc - used, argv + used);
}
