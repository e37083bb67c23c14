/*
 * phone.c - zegelctl phone: what the phone book has of a recipient, and taking him out.
 *
 * policyd has the book and answers root alone; it logs who asked. Numbers come masked.
 */
#include <stdio.h>
#include <sysexits.h>

#include "common/ask/phone_book.h"
#include "common/base/error.h"
#include "zegelctl/command.h"

/* CONFIG for the organisation NAME; NULL with an error. */
static Config *
config_with(const char *name, GError **error)
{
  g_autoptr(Config) config = command_config(error);
  if (config == NULL)
    return NULL;
  if (conf_organisation(config, name) != NULL)
    return g_steal_pointer(&config);
  command_error(error, ZEGEL_ERROR_INVALID, "there is no organisation %s in zegel.conf",
                name);
  return NULL;
}

static PhoneEntry
entry_of(char **argv, const char *user)
{
  return (PhoneEntry){
      .organisation = argv[0], .recipient = argv[1], .sender = user, .reference = ""};
}

static int
run_show(int argc, char **argv)
{
  GError *error = NULL;
  g_autofree char *user = command_user();
  g_autofree char *number = NULL;
  g_autofree char *waiting = NULL;
  PhoneEntry entry = entry_of(argv, user);
  (void) argc;
  g_autoptr(Config) config = config_with(argv[0], &error);
  if (config == NULL ||
      !ask_phone_show(config->phone_socket, &entry, &number, &waiting, &error))
    return command_fail(error);
  printf("%s: %s\n", argv[1], number != NULL ? number : "no number is known");
  if (waiting != NULL)
    printf("%s waits for its first code\n", waiting);
  return command_done(EX_OK);
}

static int
run_forget(int argc, char **argv)
{
  GError *error = NULL;
  gboolean known = FALSE;
  g_autofree char *user = command_user();
  PhoneEntry entry = entry_of(argv, user);
  (void) argc;
  g_autoptr(Config) config = config_with(argv[0], &error);
  if (config == NULL || !ask_phone_forget(config->phone_socket, &entry, &known, &error))
    return command_fail(error);
  printf("%s: %s\n", argv[1], known ? "forgotten" : "no number was known");
  return command_done(EX_OK);
}

const Command phone_commands[] = {
    {{"phone", "show"},
     2,
     2,
     "ORGANISATION ADDRESS",
     "Print the number that is remembered for ADDRESS, masked",
     NULL,
     run_show},
    {{"phone", "forget"},
     2,
     2,
     "ORGANISATION ADDRESS",
     "Remember no number for ADDRESS any more",
     NULL,
     run_forget},
    {.words = {NULL}},
};
