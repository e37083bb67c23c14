#include <string.h>
#include <time.h>

#include "deliver/prose.h"
#include "deliver/tell.h"
#include "tests/unit/tap.h"

#define STATUS     "https://mail.zorg.example/s/AAECAwQFBgcICQoLDA0ODw"
#define CORRECT    "nummer-abc-00000001-xyz@veilig.zorg.example"
#define RECEIVED_S 1771156800 /* 15 February 2026, 12:00 UTC */

static char name[] = "noord";
static char display_name[] = "Zorg Noord";
static char service_domain[] = "veilig.zorg.example";
static const Organisation organisation = {
    .name = name, .display_name = display_name, .service_domain = service_domain};

static TellFacts
usual_facts(void)
{
  return (TellFacts){
      .organisation = &organisation,
      .sender = "jan@zorg.example",
      .message_id = "<1.2@zorg.example>",
      .recipient = "els@example.com",
      .number = "+31612345678",
      .received_s = RECEIVED_S,
      .expires_s = RECEIVED_S + 90 * 24 * 3600,
      .now_s = RECEIVED_S + 60,
  };
}

/* Frees MESSAGE; its text without soft line breaks, with "\n" for line ends. */
static char *
text_of(GString *message)
{
  g_autoptr(GRegex) soft = g_regex_new("=\r\n", 0, 0, NULL);
  g_autofree char *joined = g_regex_replace_literal(soft, message->str, -1, 0, "", 0, NULL);
  g_auto(GStrv) lines = g_strsplit(joined, "\r\n", -1);
  g_string_free(message, TRUE);
  return g_strjoinv("\n", lines);
}

static void
assert_all(const char *text, const char *const *words, gboolean there)
{
  for (; *words != NULL; words++) {
    g_test_message("%s", *words);
    g_assert_cmpint(strstr(text, *words) != NULL, ==, there);
  }
}

/* Each letter stands under the original, and nothing answers it by itself. */
static void
check_head(const char *text, const char *id)
{
  g_autofree char *line = g_strdup_printf("\nMessage-ID: <%s@veilig.zorg.example>\n", id);
  const char *const words[] = {"\nTo: <jan@zorg.example>\n",
                               " <noreply@veilig.zorg.example>\n",
                               "\nIn-Reply-To: <1.2@zorg.example>\n",
                               "\nReferences: <1.2@zorg.example>\n",
                               "\nAuto-Submitted: auto-generated\n",
                               "\nX-Auto-Response-Suppress: OOF, AutoReply\n",
                               "\n(English below)\n",
                               line,
                               NULL};
  assert_all(text, words, TRUE);
}

static void
test_confirmation_of_one(void)
{
  const TellRecipient one = {.address = "els@example.com",
                             .route = "viewer",
                             .number = "+31612345678",
                             .correct = CORRECT};
  TellFacts facts = usual_facts();
  facts.status_url = STATUS;
  g_autofree char *text = text_of(tell_confirmation(&facts, &one, 1, "confirm.1"));
  check_head(text, "confirm.1");
  const char *const words[] = {"\n- els@example.com\n",
                               "eindigt op 78.",
                               "ends in 78.",
                               "tot 16 mei 2026.",
                               "until 16 May 2026.",
                               "\n" STATUS "\n",
                               "\nReply-To: <" CORRECT ">\n",
                               "SMS 0612345678\n",
                               "Beantwoord dan",
                               NULL};
  assert_all(text, words, TRUE);
  const char *const never[] = {"5678.", "\n  " CORRECT, NULL};
  assert_all(text, never, FALSE);
}

/* Each way has its own words, and each number its own address; an answer leads nowhere. */
static void
test_confirmation_of_several(void)
{
  const TellRecipient many[] = {
      {.address = "a@x.example",
       .route = "viewer",
       .number = "+31611111111",
       .correct = "na@v"},
      {.address = "b@x.example",
       .route = "viewer",
       .number = "+31622222222",
       .correct = "nb@v"},
      {.address = "c@x.example", .route = "viewer", .number = ""},
      {.address = "d@x.example", .route = "direct", .number = ""},
      {.address = "e@x.example", .route = "own", .number = ""},
      {.address = "f@x.example", .route = "", .number = ""},
  };
  TellFacts facts = usual_facts();
  g_autofree char *text =
      text_of(tell_confirmation(&facts, many, G_N_ELEMENTS(many), "confirm.2"));
  check_head(text, "confirm.2");
  const char *const words[] = {
      "\n- a@x.example\n  krijgt een e-mail met een link",
      "eindigt op 11.",
      "eindigt op 22.",
      "\n- c@x.example\n  krijgt een e-mail met een link. De code om het bericht te\n"
      "  openen komt in een aparte e-mail.",
      "\n- d@x.example\n  krijgt het bericht in de eigen mailbox, over een beveiligde",
      "\n- e@x.example\n  krijgt het bericht in de eigen mailbox, bij uw organisatie.",
      "\n- f@x.example\n  krijgt het bericht beveiligd.",
      "\n- f@x.example\n  gets the message in a secure way.",
      "\n- a@x.example\n  na@v\n- b@x.example\n  nb@v\n",
      NULL};
  assert_all(text, words, TRUE);
  const char *const never[] = {"Reply-To: <n", "\nBeantwoord", "https://", NULL};
  assert_all(text, never, FALSE);
}

/* Without a number there is none to correct. */
static void
test_confirmation_by_mail(void)
{
  const TellRecipient one = {.address = "els@example.com", .route = "viewer", .number = ""};
  TellFacts facts = usual_facts();
  g_autofree char *text = text_of(tell_confirmation(&facts, &one, 1, "confirm.3"));
  const char *const never[] = {"\nReply-To:", "SMS", "sms", "mobiel", "mobile", NULL};
  assert_all(text, never, FALSE);
}

static void
test_reasons(void)
{
  static const struct {
    const char *status;
    TellReason reason;
  } rows[] = {
      {"5.1.1", TELL_NO_SUCH}, {"5.1.10", TELL_UNREACHABLE}, {"5.2.2", TELL_FULL},
      {"4.2.2", TELL_FULL},    {"5.1.2", TELL_UNREACHABLE},  {"4.4.1", TELL_UNREACHABLE},
      {"5.7.1", TELL_REFUSED}, {"", TELL_REFUSED},           {"5.1.12", TELL_REFUSED}};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    g_assert_cmpint(tell_reason(rows[i].status), ==, rows[i].reason);
}

/* No link, and no word of what the other side said. */
static void
test_bounced(void)
{
  static const char *const words_nl[] = {[TELL_REFUSED] = "nam de e-mail niet aan",
                                         [TELL_NO_SUCH] = "bestaat niet",
                                         [TELL_FULL] = "is vol",
                                         [TELL_UNREACHABLE] = "geen mailserver"};
  for (guint i = 0; i < G_N_ELEMENTS(words_nl); i++) {
    TellFacts facts = usual_facts();
    g_autofree char *text = text_of(tell_bounced(&facts, (TellReason) i, "bounced.ABC"));
    check_head(text, "bounced.ABC");
    const char *const words[] = {"\nels@example.com\n", "15 februari 2026", words_nl[i],
                                 "did not arrive",      "15 February 2026", NULL};
    assert_all(text, words, TRUE);
    const char *const never[] = {"http", "Reply-To: <n", NULL};
    assert_all(text, never, FALSE);
  }
}

/* What a visitor wrote came back: no word of it, no link, no name of who should read it. */
static void
test_lost(void)
{
  TellFacts facts = usual_facts();
  g_autofree char *text = text_of(tell_lost(&facts, "0123456789abcdez", "lost.ABC.1"));
  check_head(text, "lost.ABC.1");
  const char *const words[] = {"is niet aangekomen", "could not be delivered",
                               "Referentie: 0123456789abcdez", NULL};
  assert_all(text, words, TRUE);
  const char *const never[] = {"http", "els@example.com", "612345678", NULL};
  assert_all(text, never, FALSE);
}

static void
test_delayed_and_changed(void)
{
  TellFacts facts = usual_facts();
  g_autofree char *delayed = text_of(tell_delayed(&facts, "delayed.ABC"));
  check_head(delayed, "delayed.ABC");
  const char *const late[] = {"\nels@example.com\n", "nog onderweg", "We keep trying",
                              NULL};
  assert_all(delayed, late, TRUE);
  g_autofree char *changed = text_of(tell_number_changed(&facts, "number.1"));
  check_head(changed, "number.1");
  const char *const words[] = {"eindigt op 78:", "ends in 78:", "\nels@example.com\n",
                               NULL};
  assert_all(changed, words, TRUE);
  const char *const never[] = {"http", "612345678", NULL};
  assert_all(changed, never, FALSE);
}

static void
test_unopened(void)
{
  TellFacts facts = usual_facts();
  facts.correct = CORRECT;
  facts.status_url = STATUS;
  g_autofree char *text = text_of(tell_unopened(&facts, "unopened.ABC"));
  check_head(text, "unopened.ABC");
  const char *const words[] = {"\nels@example.com\n",
                               "eindigt op 78.",
                               "ends in 78.",
                               "tot 16 mei 2026.",
                               "\n" STATUS "\n",
                               "\nReply-To: <" CORRECT ">\n",
                               NULL};
  assert_all(text, words, TRUE);
  facts.correct = facts.status_url = NULL;
  facts.number = "";
  g_autofree char *bare = text_of(tell_unopened(&facts, "unopened.ABC"));
  const char *const never[] = {"http", "mobiel", "SMS", "\nReply-To:", NULL};
  assert_all(bare, never, FALSE);
}

/* What people typed begins neither a header nor a line. */
static void
test_hostile(void)
{
  static const char *const ids[] = {
      "<a@b>\r\nBcc: x@y.nl", "<a b@c>",     "a@b", "<>", "<a>", "<a@b",
      "<a@b> <c@d>",          "<\xc3\xab@b>"};
  for (guint i = 0; i < G_N_ELEMENTS(ids); i++) {
    TellFacts facts = usual_facts();
    facts.message_id = ids[i];
    facts.recipient = "els@example.com\r\nhttps://evil.example/";
    facts.sender = "jan@zorg.example>\r\nBcc: <x@y.nl";
    g_autofree char *text = text_of(tell_delayed(&facts, "delayed.ABC"));
    const char *const never[] = {
        "\nIn-Reply-To:", "\nReferences:", "\nBcc:", "\nhttps:", NULL};
    assert_all(text, never, FALSE);
  }
  TellFacts facts = usual_facts();
  g_autofree char *local = g_strnfill(1200, 'a');
  g_autofree char *longest = g_strconcat("<", local, "@b>", NULL);
  facts.message_id = longest;
  g_autofree char *text = text_of(tell_delayed(&facts, "delayed.ABC"));
  g_assert_null(strstr(text, "\nIn-Reply-To:"));
}

int
main(int argc, char **argv)
{
  g_setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", TRUE);
  tzset();
  tap_init(argc, argv);
  g_test_add_func("/deliver/tell/confirmation of one", test_confirmation_of_one);
  g_test_add_func("/deliver/tell/confirmation of several", test_confirmation_of_several);
  g_test_add_func("/deliver/tell/confirmation by mail", test_confirmation_by_mail);
  g_test_add_func("/deliver/tell/reasons", test_reasons);
  g_test_add_func("/deliver/tell/bounced", test_bounced);
  g_test_add_func("/deliver/tell/lost", test_lost);
  g_test_add_func("/deliver/tell/delayed and changed", test_delayed_and_changed);
  g_test_add_func("/deliver/tell/unopened", test_unopened);
  g_test_add_func("/deliver/tell/hostile", test_hostile);
  return g_test_run();
}
