/*
 * message.c - zegelctl message and zegelctl expire: what an administrator does to what is
 * stored.
 *
 * Runs as zegel-deliver's user, whose store key it needs: root's files would lock the
 * programs out. Numbers are shown masked.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "common/base/daemon.h"
#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "common/base/phone.h"
#include "common/store/dispatch.h"
#include "zegelctl/command.h"

#define STORE_UMASK 0007 /* the viewer's group shares the store */

/* The store, opened as the user who owns it. */
typedef struct {
  Config *config;
  KeyRing *keys;
  Store *store;
} Opened;

static void
opened_clear(Opened *opened)
{
  store_close(opened->store);
  keyring_free(opened->keys);
  if (opened->config != NULL)
    conf_free(opened->config);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Opened, opened_clear)

static gboolean
open_store(Opened *opened, GError **error)
{
  Config *config = opened->config = command_config(error);
  if (config == NULL || !daemon_become(config->deliver_user, error))
    return FALSE;
  opened->keys = keyring_load(config->deliver_store_key, KEY_STORE, error);
  if (opened->keys == NULL)
    return FALSE;
  umask(STORE_UMASK);
  opened->store =
      store_open(config->store_database, config->store_directory, opened->keys, error);
  return opened->store != NULL;
}

/* The organisation that has an entry REFERENCE, owned by the configuration, or NULL. */
static const char *
find_organisation(const Opened *opened, const char *reference, GError **error)
{
  const GPtrArray *all = opened->config->organisations;
  for (guint i = 0; i < all->len; i++) {
    const Organisation *organisation = all->pdata[i];
    g_autoptr(GError) reason = NULL;
    g_autoptr(GArray) history =
        store_history(opened->store, organisation->name, reference, &reason);
    if (history != NULL)
      return organisation->name;
    if (!g_error_matches(reason, ZEGEL_ERROR, ZEGEL_ERROR_INVALID)) {
      g_propagate_error(error, g_steal_pointer(&reason));
      return NULL;
    }
  }
  command_error(error, ZEGEL_ERROR_INVALID, "there is no message %s", reference);
  return NULL;
}

/* TEXT as E.164; NULL when it is no mobile number to which codes may go. */
static char *
parse_number(const Config *config, const char *text, GError **error)
{
  char *number = NULL;
  gsize length = 0;
  PhoneResult result =
      phone_parse(text, (const char *const *) config->sms_countries, &number, &length);
  if (result == PHONE_VALID && text[length] == '\0')
    return number;
  g_free(number);
  command_error(error, ZEGEL_ERROR_INVALID,
                "this is no mobile number of a country that section sms names");
  return NULL;
}

static int
run_number(int argc, char **argv)
{
  (void) argc;
  GError *error = NULL;
  g_auto(Opened) opened = {.config = NULL};
  g_autofree char *number = NULL;
  g_autofree char *user = command_user();
  const char *reference = argv[0];
  const char *organisation =
      open_store(&opened, &error) ? find_organisation(&opened, reference, &error) : NULL;
  if (organisation == NULL ||
      (number = parse_number(opened.config, argv[1], &error)) == NULL)
    return command_fail(error);
  g_autofree char *masked = log_mask_number(number);
  g_autoptr(Event) event =
      event_new(EVENT_NUMBER_CHANGED, NULL, organisation, "ref", reference, "number",
                masked, "by", user, "actor", "admin", NULL);
  if (!store_change_number(opened.store, organisation, reference, number, event, &error))
    return command_fail(error);
  printf("%s: the code goes to %s from now on; older codes and sessions are dead\n",
         reference, masked);
  return command_done(EX_OK);
}

static int
run_recall(int argc, char **argv)
{
  (void) argc;
  GError *error = NULL;
  g_auto(Opened) opened = {.config = NULL};
  gboolean changed = FALSE;
  const char *reference = argv[0];
  g_autofree char *user = command_user();
  const char *organisation =
      open_store(&opened, &error) ? find_organisation(&opened, reference, &error) : NULL;
  g_autoptr(Event) event = event_new(EVENT_RECALLED, NULL, organisation, "ref", reference,
                                     "by", user, "actor", "admin", NULL);
  if (organisation == NULL || !store_withdraw(opened.store, organisation, reference,
                                              HISTORY_RECALLED, event, &changed, &error))
    return command_fail(error);
  printf("%s: %s\n", reference, changed ? "recalled" : "was over already");
  return command_done(EX_OK);
}

static int
run_expire(int argc, char **argv)
{
  (void) argc;
  (void) argv;
  GError *error = NULL;
  g_auto(Opened) opened = {.config = NULL};
  guint removed = 0;
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
  if (!open_store(&opened, &error) || !store_expire(opened.store, now_s, &removed, &error))
    return command_fail(error);
  if (removed > 0)
    log_line(LOG_LEVEL_INFO, "removed %u messages that were past their time", removed);
  printf("removed %u messages that were past their time\n", removed);
  return command_done(EX_OK);
}

const Command message_commands[] = {
    {{"message", "number"},
     2,
     2,
     "REFERENCE NUMBER",
     "Send the codes of a stored message to NUMBER from now on",
     NULL,
     run_number},
    {{"message", "recall"},
     1,
     1,
     "REFERENCE",
     "Take a stored message back: its reader cannot open it any more",
     NULL,
     run_recall},
    {{"expire", NULL},
     0,
     0,
     "",
     "Remove stored messages that are past their time",
     NULL,
     run_expire},
    {.words = {NULL}},
};
