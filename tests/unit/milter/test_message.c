/* What the callbacks gather of a message, and the facts that come out of it. */
#include "milter/message.h"

#include <string.h>

#include "common/mail/header.h"
#include "tests/unit/tap.h"

static const char conf_text[] = "[organisation care]\n"
                                "domains = own.nl, tweede.nl\n"
                                "service_domain = s.own.nl\n"
                                "viewer_url = https://v.own.nl/\n"
                                "display_name = Zorg\n"
                                "sensitive_headers = X-Label: Geheim; X-Dossier: *\n"
                                "plain_headers = X-Label: Openbaar; X-News: *\n"
                                "secure_senders = Jan@own.nl tweede.nl both@own.nl\n"
                                "plain_senders = own.nl both@own.nl piet@tweede.nl\n"
                                "machine_senders = scan@own.nl\n";

static Config *config;

static Message *
begin(const char *sender)
{
  const char *const args[] = {sender, "SIZE=1", NULL};
  return message_new(MESSAGE_OUTWARD, config->organisations->pdata[0],
                     (const char *const *) config->sms_countries, args);
}

static void
add_recipient(Message *message, const char *given)
{
  const char *const args[] = {given, NULL};
  message_add_recipient(message, args);
}

/* O3: the sender and one header field; FOREIGN is who must not write, NULL: nobody. */
static void
test_senders(void)
{
  static const struct {
    const char *sender, *name, *value, *foreign;
  } cases[] = {
      {"<jan@own.nl>", "From", "Jan <jan@own.nl>", NULL},
      {"<jan@TWEEDE.nl>", "From", "Jan <jan@OWN.nl>", NULL},
      {"jan@own.nl", "From", "jan@own.nl", NULL},
      {"<>", "From", "jan@own.nl", NULL},
      {"<jan@evil.nl>", "From", "jan@own.nl", "jan@evil.nl"},
      {"<jan@evil.nl>", "From", "jan@EVIL.nl", "jan@evil.nl"},
      {"<jan@sub.own.nl>", "From", "jan@own.nl", "jan@sub.own.nl"},
      {"<@own.nl:jan@evil.nl>", "From", "jan@own.nl", "<@own.nl:jan@evil.nl>"},
      {"<jan>", "From", "jan@own.nl", "<jan>"},
      {"<jan@own.nl>", "From", "jan@evil.nl", "evil.nl"},
      {"<jan@own.nl>", "from", "jan@own.nl, x@evil.nl", "evil.nl"},
      {"<jan@own.nl>", "FROM ", "x@evil.nl", "evil.nl"},
      {"<jan@own.nl>", "From", "G: a@own.nl, x@evil.nl;", "evil.nl"},
      {"<jan@own.nl>", "From", "x@evil.nl <jan@own.nl>", "evil.nl"},
      {"<jan@own.nl>", "From", "\"x@evil.nl\" <jan@own.nl>", NULL},
      {"<jan@own.nl>", "From", "jan@own.nl@evil.nl", "evil.nl"},
      {"<jan@own.nl>", "From", "jan@own.nl; x@evil.nl", "evil.nl"},
      {"<jan@own.nl>", "From", "Jan", "From"},
      {"<jan@own.nl>", "From", "", "From"},
      {"<jan@own.nl>", "From", "\"Jan <jan@own.nl>", "From"},
      {"<jan@own.nl>", "Sender", "jan@own.nl", NULL},
      {"<jan@own.nl>", "Sender", "x@evil.nl", "evil.nl"},
      {"<jan@own.nl>", "Sender", "x", "Sender"},
      {"<jan@own.nl>", "Reply-To", "x@evil.nl", NULL},
      {"<jan@own.nl>", "X-From", "x@evil.nl", NULL},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Message) message = begin(cases[i].sender);
    message_add_header(message, cases[i].name, cases[i].value);
    message_end_header(message);
    g_test_message("case %u: %s", i, cases[i].value);
    g_assert_cmpuint(message->facts.foreign->len, ==, cases[i].foreign != NULL ? 1 : 0);
    if (cases[i].foreign != NULL)
      g_assert_cmpstr(message->facts.foreign->pdata[0], ==, cases[i].foreign);
  }
}

static void
test_two_froms(void)
{
  g_autoptr(Message) message = begin("<jan@own.nl>");
  message_add_header(message, "From", "Jan <jan@own.nl>");
  message_add_header(message, "From", "Eva <x@evil.nl>");
  message_end_header(message);
  g_assert_cmpuint(message->facts.foreign->len, ==, 1);
  g_assert_cmpstr(message->sender_name, ==, "Jan");
}

/* One field, and the facts it makes. */
static void
test_marks(void)
{
  static const struct {
    const char *name, *value;
    Bypass bypass;
    gboolean sensitivity, machine;
  } cases[] = {
      {"x-ezorg-secbypass", "true", BYPASS_PLAIN, FALSE, FALSE},
      {"X-EZORG-SecBypass", " TRUE ", BYPASS_PLAIN, FALSE, FALSE},
      {"X-Ezorg-Secbypass", "False", BYPASS_SECURE, FALSE, FALSE},
      {"X-Ezorg-Secbypass", "\n false", BYPASS_SECURE, FALSE, FALSE},
      {"X-Ezorg-Secbypass", "yes", BYPASS_NONE, FALSE, FALSE},
      /* written another way it still asks for protection, and for nothing less */
      {"X-Ezorg-Secbypass", "\"false\"", BYPASS_SECURE, FALSE, FALSE},
      {"X-Ezorg-Secbypass", "(a (b) c) false ; x", BYPASS_SECURE, FALSE, FALSE},
      {"X-Ezorg-Secbypass", "falsehood", BYPASS_NONE, FALSE, FALSE},
      {"X-Ezorg-Secbypass", "(false)", BYPASS_NONE, FALSE, FALSE},
      {"X-Ezorg-Secbypass", "\"true\"", BYPASS_NONE, FALSE, FALSE},
      {"Sensitivity", "private (x)", BYPASS_NONE, TRUE, FALSE},
      {"Sensitivity", "Company Confidential", BYPASS_NONE, TRUE, FALSE},
      {"X-Ezorg-Secbypass", "", BYPASS_NONE, FALSE, FALSE},
      {"X-Ezorg-Secbypassx", "true", BYPASS_NONE, FALSE, FALSE},
      {"Sensitivity", "Personal", BYPASS_NONE, TRUE, FALSE},
      {"sensitivity", "private", BYPASS_NONE, TRUE, FALSE},
      {"Sensitivity", "COMPANY-CONFIDENTIAL", BYPASS_NONE, TRUE, FALSE},
      {"Sensitivity", "Company-Confidential ", BYPASS_NONE, TRUE, FALSE},
      {"Sensitivity", "Normal", BYPASS_NONE, FALSE, FALSE},
      {"Sensitivity", "Private parts", BYPASS_NONE, FALSE, FALSE},
      {"Auto-Submitted", "no", BYPASS_NONE, FALSE, FALSE},
      {"Auto-Submitted", "No; x=y", BYPASS_NONE, FALSE, FALSE},
      {"Auto-Submitted", "no (by hand)", BYPASS_NONE, FALSE, FALSE},
      {"Auto-Submitted", "auto-replied", BYPASS_NONE, FALSE, TRUE},
      {"AUTO-SUBMITTED", "auto-generated", BYPASS_NONE, FALSE, TRUE},
      {"Auto-Submitted", "nothing", BYPASS_NONE, FALSE, TRUE},
      {"Auto-Submitted", "no-mail", BYPASS_NONE, FALSE, TRUE},
      {"Subject", "true", BYPASS_NONE, FALSE, FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Message) message = begin("<jan@own.nl>");
    message_add_header(message, cases[i].name, cases[i].value);
    message_end_header(message);
    g_test_message("case %u: %s: %s", i, cases[i].name, cases[i].value);
    g_assert_cmpint(message->facts.bypass, ==, cases[i].bypass);
    g_assert_cmpint(message->facts.sensitivity, ==, cases[i].sensitivity);
    g_assert_cmpint(message->facts.machine, ==, cases[i].machine);
  }
}

/* S1: headers of the organisation's own choice. */
static void
test_configured(void)
{
  static const struct {
    const char *name, *value;
    gboolean sensitive, plain;
  } cases[] = {
      {"X-Label", "Geheim", TRUE, FALSE},
      {"x-label", "\n =?utf-8?q?GEHEIM?= ", TRUE, FALSE},
      {"X-Label ", "geheim", TRUE, FALSE},
      {"X-Label", "Geheim!", FALSE, FALSE},
      {"X-Label", "", FALSE, FALSE},
      {"X-Label2", "Geheim", FALSE, FALSE},
      {"X-Label", "openbaar", FALSE, TRUE},
      {"X-Dossier", "12", TRUE, FALSE},
      {"X-Dossier", "", TRUE, FALSE},
      {"X-News", "Geheim", FALSE, TRUE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Message) message = begin("<jan@own.nl>");
    message_add_header(message, cases[i].name, cases[i].value);
    message_add_header(message, "X-Other", "Geheim");
    message_end_header(message);
    g_test_message("case %u: %s: %s", i, cases[i].name, cases[i].value);
    g_assert_cmpint(message->facts.sensitive_header, ==, cases[i].sensitive);
    g_assert_cmpint(message->facts.plain_header, ==, cases[i].plain);
  }
}

/* S5: the address counts before its domain, and secure wins. */
static void
test_sender_tables(void)
{
  static const struct {
    const char *sender;
    SenderTable table;
    gboolean machine;
  } cases[] = {
      {"<jan@own.nl>", SENDER_SECURE, FALSE},
      {"<JAN@OWN.nl>", SENDER_SECURE, FALSE},
      {"<eva@own.nl>", SENDER_PLAIN, FALSE},
      {"<both@own.nl>", SENDER_SECURE, FALSE},
      {"<eva@tweede.nl>", SENDER_SECURE, FALSE},
      {"<Piet@tweede.nl>", SENDER_PLAIN, FALSE},
      {"<jan@sub.own.nl>", SENDER_UNKNOWN, FALSE},
      {"<scan@own.nl>", SENDER_PLAIN, TRUE},
      {"<Scan@own.NL>", SENDER_PLAIN, TRUE},
      {"<>", SENDER_UNKNOWN, TRUE},
      {"", SENDER_UNKNOWN, TRUE},
      {"<jan>", SENDER_UNKNOWN, FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Message) message = begin(cases[i].sender);
    message_end_header(message);
    g_test_message("case %u: %s", i, cases[i].sender);
    g_assert_cmpint(message->facts.table, ==, cases[i].table);
    g_assert_cmpint(message->facts.machine, ==, cases[i].machine);
  }
}

/* A login of no organisation has no rules, and brings nobody down. */
static void
test_stranger(void)
{
  const char *const args[] = {"<scan@own.nl>", NULL};
  g_autoptr(Message) message = message_new(
      MESSAGE_STRANGER, NULL, (const char *const *) config->sms_countries, args);
  message_add_header(message, "X-Label", "Geheim");
  message_end_header(message);
  g_assert_false(message->facts.sensitive_header);
  g_assert_false(message->facts.machine);
  g_assert_cmpint(message->facts.table, ==, SENDER_UNKNOWN);
}

/* Of several that disagree the safe one counts, in whatever order. */
static void
test_disagree(void)
{
  for (guint order = 0; order < 2; order++) {
    g_autoptr(Message) message = begin("<>");
    message_add_header(message, "x-ezorg-secbypass", order == 0 ? "true" : "false");
    message_add_header(message, "x-ezorg-secbypass", order == 0 ? "false" : "true");
    message_add_header(message, "Sensitivity", order == 0 ? "Private" : "Normal");
    message_add_header(message, "Sensitivity", order == 0 ? "Normal" : "Private");
    message_end_header(message);
    g_assert_cmpint(message->facts.bypass, ==, BYPASS_SECURE);
    g_assert_true(message->facts.sensitivity);
    g_assert_true(message->facts.machine); /* the sender is <> */
  }
}

static void
test_number_headers(void)
{
  static const struct {
    const char *value, *address, *number;
  } cases[] = {
      {"an@ext.nl +31612345678", "an@ext.nl", "+31612345678"},
      {"<An@EXT.nl>  06-12345678 ", "An@ext.nl", "+31612345678"},
      {"an@ext.nl\n\t06 12 34 56 78", "an@ext.nl", "+31612345678"},
      {"an@ext.nl 0900-1234", "an@ext.nl", NULL},
      {"an@ext.nl 0612345678 bo@ext.nl", "an@ext.nl", NULL},
      {"an@ext.nl 0612345678, 0687654321", "an@ext.nl", NULL},
      {"an@ext.nl", "an@ext.nl", NULL},
      {"0612345678", NULL, NULL},
      {"0612345678 an@ext.nl", NULL, NULL},
      {"<> 0612345678", NULL, "+31612345678"},
      {"", NULL, NULL},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Message) message = begin("<jan@own.nl>");
    message_add_header(message, "x-ZEGEL-sms", cases[i].value);
    message_end_header(message);
    g_test_message("case %u: %s", i, cases[i].value);
    g_assert_cmpuint(message->facts.numbers->len, ==, 1);
    const HeaderNumber *number = message->facts.numbers->pdata[0];
    g_assert_cmpstr(number->address, ==, cases[i].address);
    g_assert_cmpstr(number->number, ==, cases[i].number);
  }
}

static void
test_subjects(void)
{
  g_autoptr(Message) message = begin("<jan@own.nl>");
  message_add_header(message, "Subject",
                     "=?utf-8?B?U01TIDA2MTI=?=\n =?utf-8?B?MzQ1Njc4?= x");
  message_add_header(message, "Thread-Topic", "SMS 0612345678 x");
  message_add_header(message, "SUBJECT", "uitslag");
  message_add_header(message, "thread-topic", "SMS 0687654321 y");
  message_end_header(message);
  g_assert_cmpuint(message->subjects->len, ==, 4);
  static const struct {
    const char *name, *cleaned;
    guint index;
  } expected[] = {{"Subject", "x", 1},
                  {"Thread-Topic", "x", 1},
                  {"SUBJECT", NULL, 2},
                  {"thread-topic", "y", 2}};
  for (guint i = 0; i < 4; i++) {
    const MessageSubject *subject = message->subjects->pdata[i];
    g_assert_cmpstr(subject->name, ==, expected[i].name);
    g_assert_cmpuint(subject->index, ==, expected[i].index);
    g_assert_cmpstr(subject->trigger->cleaned, ==, expected[i].cleaned);
  }
  g_assert_cmpuint(message->facts.triggers->len, ==, 2); /* Thread-Topic triggers nothing */
  const Trigger *trigger = message->facts.triggers->pdata[0];
  g_assert_cmpstr(trigger->number, ==, "+31612345678");
}

static void
test_recipients(void)
{
  g_autoptr(Message) message = begin("<jan@own.nl>");
  static const char *const given[] = {
      "<an@ext.nl>", "<an@EXT.nl>", "an@ext.nl", "<\"an\"@ext.nl>",
      "<An@ext.nl>", "<@a:b@c.nl>", "<>",        "<root>"};
  for (guint i = 0; i < G_N_ELEMENTS(given); i++)
    add_recipient(message, given[i]);
  message_end_header(message);
  g_assert_cmpuint(message->facts.recipients->len, ==, 2);
  g_assert_cmpstr(message->facts.recipients->pdata[0], ==, "an@ext.nl");
  g_assert_cmpstr(message->facts.recipients->pdata[1], ==, "An@ext.nl");
  g_assert_cmpuint(message->facts.odd->len, ==, 3);
  g_assert_cmpstr(message->facts.odd->pdata[1], ==, "<>");
}

static void
test_identity(void)
{
  g_autoptr(Message) message = begin("<jan@own.nl>");
  message_add_header(message, "From", "=?utf-8?Q?J=C3=A1n?= <jan@own.nl>");
  message_add_header(message, "Message-Id", " <1@own.nl>");
  message_add_header(message, "Message-ID", "<2@own.nl>");
  g_assert_cmpstr(message->sender_name, ==, "J\xc3\xa1n");
  g_assert_cmpstr(message->message_id, ==, "<1@own.nl>");
  g_assert_cmpstr(message->sender, ==, "jan@own.nl");
  g_assert_cmpstr(message->sender_args[0], ==, "SIZE=1");
}

static void
test_limit(void)
{
  g_autoptr(Fields) fields = fields_new();
  g_autoptr(Message) cut = begin("<jan@own.nl>");
  cut->fields = fields;
  for (guint i = 0; i < FIELDS_MAX; i++)
    fields_add(fields, "Received", "x");
  message_end_header(cut);
  g_assert_false(cut->facts.too_many_headers);
  fields_add(fields, "Received", "x");
  message_end_header(cut);
  g_assert_true(cut->facts.too_many_headers);
}

/* From, for signatures: the first address, and how many there are. */
static void
test_authors(void)
{
  static const struct {
    const char *values[3];
    const char *domain;
    guint authors;
  } cases[] = {
      {{NULL}, NULL, 0},
      {{" Jan <jan@OWN.nl>"}, "own.nl", 1},
      {{"jan@own.nl, eva@tweede.nl"}, "own.nl", 2},
      {{"jan@own.nl", "eva@tweede.nl"}, "own.nl", 2},
      {{"Jan"}, NULL, 0},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_test_message("case %u", i);
    g_autoptr(Message) message = begin("<jan@own.nl>");
    for (guint n = 0; cases[i].values[n] != NULL; n++)
      message_add_header(message, "From", cases[i].values[n]);
    g_assert_cmpstr(message->from_domain, ==, cases[i].domain);
    g_assert_cmpuint(message->authors, ==, cases[i].authors);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  mail_init();
  config = conf_parse("test", conf_text, strlen(conf_text), NULL);
  g_assert_nonnull(config);
  g_test_add_func("/message/O3-senders", test_senders);
  g_test_add_func("/message/T28-two-froms", test_two_froms);
  g_test_add_func("/message/S5-marks", test_marks);
  g_test_add_func("/message/S1-configured", test_configured);
  g_test_add_func("/message/S5-sender-tables", test_sender_tables);
  g_test_add_func("/message/O3-stranger", test_stranger);
  g_test_add_func("/message/authors", test_authors);
  g_test_add_func("/message/S5-disagree", test_disagree);
  g_test_add_func("/message/S7-number-headers", test_number_headers);
  g_test_add_func("/message/S4-subjects", test_subjects);
  g_test_add_func("/message/recipients", test_recipients);
  g_test_add_func("/message/identity", test_identity);
  g_test_add_func("/message/limit", test_limit);
  int result = g_test_run();
  conf_free(config);
  return result;
}
