/* What a sender reads of what became of his message (S13, S14), and is asked before a
 * recall. */
#include <string.h>

#include "tests/unit/tap.h"
#include "viewer-cgi/page_status.h"

#define TOKEN  "QUFBQUFBQUFBQUFBQUFBQQ"
#define BASE_S 1770000000

static char *
finish(Html *html)
{
  g_autoptr(GBytes) bytes = html_finish(html);
  gsize len = 0;
  const char *text = g_bytes_get_data(bytes, &len);
  return g_strndup(text, len);
}

static const Frame *
frame(void)
{
  static char colour[] = "#1d5b8f";
  static char name[] = "Care & Co";
  static char empty[] = "";
  static char url[] = "https://mail.example.nl/";
  static const Organisation organisation = {.colour = colour,
                                            .display_name = name,
                                            .contact = empty,
                                            .logo = empty,
                                            .viewer_url = url};
  static const Frame one = {
      .organisation = &organisation, .language = LANGUAGE_EN, .self = "/s/" TOKEN};
  return &one;
}

static DispatchRecipient *
add(Dispatch *dispatch, const char *address, const char *route, const char *reference,
    EntryState state)
{
  DispatchRecipient *recipient = g_new0(DispatchRecipient, 1);
  recipient->address = g_strdup(address);
  recipient->route = g_strdup(route);
  recipient->reference = g_strdup(reference);
  recipient->number = g_strdup(reference != NULL ? "+31687654321" : "");
  recipient->state = state;
  recipient->ended_s = BASE_S + 86400;
  if (reference != NULL)
    recipient->history = g_array_new(FALSE, FALSE, sizeof(HistoryLine));
  g_ptr_array_add(dispatch->recipients, recipient);
  return recipient;
}

static void
happened(DispatchRecipient *recipient, HistoryKind kind, guint count)
{
  HistoryLine line = {
      .kind = kind, .first_s = BASE_S, .last_s = BASE_S + 3600, .count = count};
  g_array_append_val(recipient->history, line);
}

static void
free_recipient(gpointer p)
{
  DispatchRecipient *recipient = p;
  g_free(recipient->address);
  g_free(recipient->route);
  g_free(recipient->reference);
  g_free(recipient->number);
  g_clear_pointer(&recipient->history, g_array_unref);
  g_free(recipient);
}

static void
begin(Dispatch *dispatch)
{
  static char sender[] = "m@first.nl";
  static char name[] = "<b>Marieke</b>";
  *dispatch = (Dispatch){.sender = sender,
                         .sender_name = name,
                         .received_s = BASE_S,
                         .expires_s = BASE_S + 90 * 86400,
                         .recipients = g_ptr_array_new_with_free_func(free_recipient)};
}

static char *
show(const Dispatch *dispatch)
{
  const StatusFacts facts = {.dispatch = dispatch, .token = TOKEN};
  return finish(page_status(frame(), &facts));
}

static guint
count_of(const char *page, const char *text)
{
  guint count = 0;
  for (const char *p = page; (p = strstr(p, text)) != NULL; p++)
    count++;
  return count;
}

/* Each kind of thing that happens has its own words, and its times. */
static void
test_history(void)
{
  static const char *const words[HISTORY_COUNT] = {
      [HISTORY_STORED] = "Stored safely",
      [HISTORY_NOTIFIED] = "E-mail with the link sent",
      [HISTORY_DELAYED] = "is delayed: we keep trying",
      [HISTORY_BOUNCED] = "could not be delivered",
      [HISTORY_CODE_SENT] = "Access code sent",
      [HISTORY_OPENED] = ">Opened<",
      [HISTORY_DOWNLOADED] = "Downloaded",
      [HISTORY_ANSWERED] = "Answered",
      [HISTORY_FORWARDED] = "Forwarded",
      [HISTORY_WRONG_NUMBER] = "says that the mobile number is wrong",
      [HISTORY_NUMBER_CHANGED] = "Mobile number changed",
      [HISTORY_TOLD] = "We told you",
      [HISTORY_REMINDED] = "We reminded",
      [HISTORY_EXPIRED] = "Expired and removed",
      [HISTORY_RECALLED] = ">Recalled<",
      [HISTORY_DELETED] = "Deleted by the recipient",
      [HISTORY_ANSWER_BOUNCED] = "What the recipient sent from here",
      [HISTORY_NOTIFIED_AGAIN] = "E-mail with the link sent again",
      [HISTORY_EXTENDED] = "until which it can be read was changed",
      [HISTORY_REMOVED] = "Removed by your organisation",
  };
  for (guint kind = 0; kind < HISTORY_COUNT; kind++) {
    Dispatch dispatch;
    begin(&dispatch);
    DispatchRecipient *jan =
        add(&dispatch, "jan@example.com", "viewer", "ref1", ENTRY_OPEN);
    g_autofree char *before = show(&dispatch);
    happened(jan, (HistoryKind) kind, 3);
    g_autofree char *page = show(&dispatch);
    g_test_message("kind %u", kind);
    g_assert_nonnull(words[kind]);
    g_assert_cmpuint(count_of(page, words[kind]), >, count_of(before, words[kind]));
    g_assert_nonnull(strstr(page, "3 times, the last time on"));
    g_assert_null(strstr(before, "What happened"));
    g_ptr_array_unref(dispatch.recipients);
  }
}

/* How it went and how it is now, for each way and each end. */
static void
test_states(void)
{
  static const struct {
    const char *route, *reference;
    EntryState state;
    HistoryKind last; /* HISTORY_COUNT: nothing */
    const char *words;
    gboolean recall; /* may be recalled */
  } rows[] = {
      {"viewer", "r", ENTRY_OPEN, HISTORY_COUNT, "Not opened yet<", TRUE},
      {"viewer", "r", ENTRY_OPEN, HISTORY_DELAYED, "Not opened yet: the e-mail", TRUE},
      {"viewer", "r", ENTRY_OPEN, HISTORY_OPENED, "<dd><bdi>Opened</bdi>", TRUE},
      {"viewer", "r", ENTRY_EXPIRED, HISTORY_OPENED, "Expired on", FALSE},
      {"viewer", "r", ENTRY_WITHDRAWN, HISTORY_RECALLED, "Recalled on", FALSE},
      {"viewer", "r", ENTRY_WITHDRAWN, HISTORY_BOUNCED, "Not delivered: the e-mail", FALSE},
      {"viewer", "r", ENTRY_DELETED, HISTORY_DELETED, "Deleted by the recipient on", FALSE},
      {"viewer", NULL, ENTRY_NONE, HISTORY_COUNT, "On its way to this website", FALSE},
      {"own", NULL, ENTRY_NONE, HISTORY_COUNT, "Inside your own organisation", FALSE},
      {"direct", NULL, ENTRY_NONE, HISTORY_COUNT, "Straight to the", FALSE},
      {"", NULL, ENTRY_NONE, HISTORY_COUNT, "what becomes of it there", FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    Dispatch dispatch;
    begin(&dispatch);
    DispatchRecipient *one =
        add(&dispatch, "jan@example.com", rows[i].route, rows[i].reference, rows[i].state);
    if (rows[i].last != HISTORY_COUNT)
      happened(one, rows[i].last, 1);
    g_autofree char *page = show(&dispatch);
    g_test_message("row %u", i);
    g_assert_nonnull(strstr(page, rows[i].words));
    g_assert_cmpint(strstr(page, "/recall?ref=r\"") != NULL, ==, rows[i].recall);
    g_assert_null(strstr(page, " times, the last time"));
    g_ptr_array_unref(dispatch.recipients);
  }
}

/* Names are text; a number shows its end only; nobody sees more (T16, T30). */
static void
test_remote_data(void)
{
  Dispatch dispatch;
  begin(&dispatch);
  add(&dispatch, "<i>@x.nl\xE2\x80\xAE", "viewer", "r\"><script>", ENTRY_OPEN);
  g_autofree char *page = show(&dispatch);
  g_assert_null(strstr(page, "<b>Marieke"));
  g_assert_null(strstr(page, "<i>@x.nl"));
  g_assert_null(strstr(page, "\xE2\x80\xAE"));
  g_assert_null(strstr(page, "<script"));
  g_assert_nonnull(strstr(page, "ends in 21"));
  g_assert_null(strstr(page, "321"));
  g_assert_null(strstr(page, "<form")); /* nothing here can be pressed by a program (T6) */
  g_ptr_array_unref(dispatch.recipients);
}

/* "Recall for everyone" stands there when there are more than one, and no word of numbers
 * when there is none to put right. */
static void
test_sections(void)
{
  static const char all[] = "href=\"/s/" TOKEN "/recall\"";
  Dispatch dispatch;
  begin(&dispatch);
  DispatchRecipient *jan = add(&dispatch, "jan@example.com", "viewer", "r1", ENTRY_OPEN);
  g_autofree char *one = show(&dispatch);
  g_assert_null(strstr(one, all));
  g_assert_nonnull(strstr(one, "SMS 0612345678"));
  *jan->number = '\0';
  g_autofree char *by_mail = show(&dispatch);
  g_assert_null(strstr(by_mail, "SMS 0612345678"));
  g_assert_null(strstr(by_mail, "ends in"));
  add(&dispatch, "els@example.com", "viewer", "r2", ENTRY_OPEN);
  g_autofree char *two = show(&dispatch);
  g_assert_nonnull(strstr(two, all));
  g_assert_nonnull(strstr(two, "Can be read until"));
  jan->state = ENTRY_WITHDRAWN;
  g_autofree char *left = show(&dispatch);
  g_assert_null(strstr(left, all));
  g_ptr_array_unref(dispatch.recipients);
}

static void
test_recall(void)
{
  Dispatch dispatch;
  begin(&dispatch);
  add(&dispatch, "jan@example.com", "viewer", "r1", ENTRY_OPEN);
  add(&dispatch, "els@example.com", "viewer", "r2", ENTRY_OPEN);
  add(&dispatch, "gone@example.com", "viewer", "r3", ENTRY_DELETED);
  RecallFacts facts = {
      .dispatch = &dispatch, .token = TOKEN, .form_token = "FORM", .reference = "r2"};
  g_autofree char *one = finish(page_recall(frame(), &facts));
  g_assert_null(strstr(one, "jan@example.com"));
  g_assert_nonnull(strstr(one, "els@example.com"));
  g_assert_nonnull(strstr(one, "name=\"ref\" value=\"r2\""));
  g_assert_nonnull(strstr(one, "action=\"/s/" TOKEN "/recall\""));
  g_assert_nonnull(strstr(one, "name=\"token\" value=\"FORM\""));
  g_assert_nonnull(strstr(one, "type=\"checkbox\""));
  g_assert_null(strstr(one, "checked"));
  g_assert_null(strstr(one, "role=\"alert\""));
  facts.reference = NULL;
  facts.unticked = TRUE;
  g_autofree char *all = finish(page_recall(frame(), &facts));
  g_assert_nonnull(strstr(all, "jan@example.com"));
  g_assert_nonnull(strstr(all, "els@example.com"));
  g_assert_null(strstr(all, "gone@example.com"));
  g_assert_null(strstr(all, "name=\"ref\""));
  g_assert_nonnull(strstr(all, "role=\"alert\""));
  g_ptr_array_unref(dispatch.recipients);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_set_nonfatal_assertions();
  g_test_add_func("/status-page/history (S14)", test_history);
  g_test_add_func("/status-page/states (S14)", test_states);
  g_test_add_func("/status-page/remote-data (T16, T30)", test_remote_data);
  g_test_add_func("/status-page/sections", test_sections);
  g_test_add_func("/status-page/recall (S13, T6)", test_recall);
  return g_test_run();
}
