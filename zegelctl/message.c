/*
 * message.c - zegelctl message: what an administrator does to what is
 * stored. What he sees of it is in message_look.c.
 *
 * Runs as zegel-deliver's user, whose store key it needs. Numbers are shown masked.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "common/base/phone.h"
#include "common/store/dispatch.h"
#include "common/store/manage.h"
#include "zegelctl/command.h"
#include "zegelctl/opened.h"

#define DAY_S        86400
#define END_MAX_DAYS 3650 /* the most that retention_days takes (conf/schema.c) */

static gchar *option_until;
static gint option_days;
static gboolean option_yes;

/* The entry REFERENCE, open or not; NULL with an error when there is none. */
static Standing *
find_standing(const Opened *opened, const char *reference, GError **error)
{
  Standing *standing = NULL;
  if (!store_find_standing(opened->store, reference, &standing, error))
    return NULL;
  if (standing == NULL)
    command_error(error, ZEGEL_ERROR_INVALID, "there is no stored message %s", reference);
  return standing;
}

/* The same, of an opened store. */
static Standing *
open_standing(Opened *opened, const char *reference, GError **error)
{
  return opened_store(opened, error) ? find_standing(opened, reference, error) : NULL;
}

static const char *
known(const char *text)
{
  return *text != '\0' ? text : NULL;
}

/* An event of what the administrator does to REFERENCE, as it stands before. */
static Event *
make_event(const Opened *opened, EventKind kind, const Standing *standing,
           const char *reference)
{
  return event_new(kind, NULL, standing->organisation, "ref", reference, "message-id",
                   known(standing->message_id), "from", known(standing->sender), "to",
                   known(standing->address), "by", opened->user, "actor", "admin", NULL);
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
  const char *reference = argv[0];
  g_autoptr(Standing) standing = open_standing(&opened, reference, &error);
  if (standing == NULL || (number = parse_number(opened.config, argv[1], &error)) == NULL)
    return command_fail(error);
  g_autofree char *masked = log_mask_number(number);
  g_autoptr(Event) event = make_event(&opened, EVENT_NUMBER_CHANGED, standing, reference);
  event_add(event, "number", masked);
  if (!store_change_number(opened.store, standing->organisation, reference, number, event,
                           &error))
    return command_fail(error);
  printf("%s: the code goes to %s from now on; older codes and sessions are dead, and what "
         "was forwarded of it is withdrawn\n",
         reference, masked);
  return command_done(EX_OK);
}

/* Ends REFERENCE as KIND, which EVENT tells; DONE is the word for it. */
static int
end_message(const char *reference, HistoryKind kind, EventKind event_kind, const char *done)
{
  GError *error = NULL;
  g_auto(Opened) opened = {.config = NULL};
  gboolean changed = FALSE;
  g_autoptr(Standing) standing = open_standing(&opened, reference, &error);
  if (standing == NULL)
    return command_fail(error);
  g_autoptr(Event) event = make_event(&opened, event_kind, standing, reference);
  if (!store_withdraw(opened.store, standing->organisation, reference, kind, event,
                      &changed, &error))
    return command_fail(error);
  printf("%s: %s\n", reference, changed ? done : "was over already");
  return command_done(EX_OK);
}

static int
run_recall(int argc, char **argv)
{
  (void) argc;
  return end_message(argv[0], HISTORY_RECALLED, EVENT_RECALLED, "recalled");
}

static int
run_remove(int argc, char **argv)
{
  (void) argc;
  if (!option_yes) {
    fprintf(stderr,
            "zegelctl: %s would be gone for good, for its reader too: --yes does it\n",
            argv[0]);
    return EX_USAGE;
  }
  return end_message(argv[0], HISTORY_REMOVED, EVENT_REMOVED,
                     "removed, its key is destroyed");
}

/* ---- Another end ---- */

/* The end of the day TEXT ("2027-03-01") here, Unix time; 0 when it is none. */
static gint64
end_of_day(const char *text)
{
  g_autoptr(GTimeZone) zone = g_time_zone_new_local();
  g_autofree char *full = g_strconcat(text, "T23:59:59", NULL);
  g_autoptr(GDateTime) end = strlen(text) == strlen("YYYY-MM-DD")
                                 ? g_date_time_new_from_iso8601(full, zone)
                                 : NULL;
  return end != NULL ? g_date_time_to_unix(end) : 0;
}

/* The end that the options ask for, into *EXPIRES_S. */
static gboolean
parse_end(gint64 now_s, gint64 *expires_s, GError **error)
{
  if ((option_until != NULL) == (option_days != 0))
    return command_error(error, ZEGEL_ERROR_INVALID, "say either --until DATE or --days N");
  *expires_s = option_until != NULL ? end_of_day(option_until)
                                    : now_s + (gint64) option_days * DAY_S;
  if (*expires_s == 0)
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "--until takes a date such as 2027-03-01");
  if (*expires_s > now_s && *expires_s <= now_s + (gint64) END_MAX_DAYS * DAY_S)
    return TRUE;
  return command_error(error, ZEGEL_ERROR_INVALID,
                       "the end must be later than now, and at most %d days from now",
                       END_MAX_DAYS);
}

static int
run_extend(int argc, char **argv)
{
  (void) argc;
  GError *error = NULL;
  g_auto(Opened) opened = {.config = NULL};
  gint64 expires_s = 0;
  const char *reference = argv[0];
  if (!parse_end(g_get_real_time() / G_USEC_PER_SEC, &expires_s, &error))
    return command_fail(error);
  g_autoptr(Standing) standing = open_standing(&opened, reference, &error);
  if (standing == NULL)
    return command_fail(error);
  g_autoptr(GDateTime) end = g_date_time_new_from_unix_utc(expires_s);
  g_autoptr(GDateTime) here = g_date_time_to_local(end);
  g_autofree char *until = g_date_time_format(end, "%Y-%m-%dT%H:%M:%SZ");
  g_autofree char *shown = g_date_time_format(here, "%Y-%m-%d %H:%M:%S %Z");
  g_autoptr(Event) event = make_event(&opened, EVENT_EXTENDED, standing, reference);
  event_add(event, "until", until);
  if (!store_extend(opened.store, standing->organisation, reference, expires_s, event,
                    &error))
    return command_fail(error);
  printf("%s: can be read until %s\n", reference, shown);
  return command_done(EX_OK);
}

/* ---- The notification again ---- */

static int
run_notify(int argc, char **argv)
{
  (void) argc;
  GError *error = NULL;
  g_auto(Opened) opened = {.config = NULL};
  const char *reference = argv[0];
  g_autoptr(Standing) standing = open_standing(&opened, reference, &error);
  if (standing == NULL || !store_ask_again(opened.store, standing->organisation, reference,
                                           opened.user, &error))
    return command_fail(error);
  printf("%s: zegel-deliver sends the notification again within seconds; message show says "
         "what became of it\n",
         reference);
  return command_done(EX_OK);
}

static const GOptionEntry extend_options[] = {
    {"until", 0, 0, G_OPTION_ARG_STRING, &option_until, "To the end of that day", "DATE"},
    {"days", 0, 0, G_OPTION_ARG_INT, &option_days, "That many days from now", "N"},
    G_OPTION_ENTRY_NULL,
};

static const GOptionEntry remove_options[] = {
    {"yes", 0, 0, G_OPTION_ARG_NONE, &option_yes, "Do it", NULL},
    G_OPTION_ENTRY_NULL,
};

const Command message_commands[] = {
    {{"message", "extend"},
     1,
     1,
     "REFERENCE --until DATE | --days N",
     "Give a stored message another end",
     extend_options,
     run_extend},
    {{"message", "notify"},
     1,
     1,
     "REFERENCE",
     "Send the notification of a stored message again, with the same link",
     NULL,
     run_notify},
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
     "Take a stored message back, for its sender: its reader cannot open it any more",
     NULL,
     run_recall},
    {{"message", "remove"},
     1,
     1,
     "REFERENCE --yes",
     "Remove a stored message for good",
     remove_options,
     run_remove},
    {.words = {NULL}},
};
