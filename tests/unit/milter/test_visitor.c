/* What a visitor of the viewer writes: its mark, and what is decided (V5, V6, R8). */
#include "milter/visitor.h"

#include <string.h>

#include "common/mail/header.h"
#include "tests/unit/crypt/ring.h"
#include "tests/unit/tap.h"

static const char conf_text[] = "[organisation zorg]\n"
                                "domains = own.nl\n"
                                "service_domain = s.own.nl\n"
                                "viewer_url = https://v.own.nl/\n"
                                "display_name = Zorg\n";

static Config *config;

/* The mark that a good message has, as the milter gets it. */
static char *
seal(const KeyRing *ring, const char *organisation, const char *recipient, const char *body)
{
  char *recipients[] = {(char *) "dokter@own.nl", (char *) recipient, NULL};
  Origin origin = {.kind = ORIGIN_ANSWER,
                   .organisation = (char *) organisation,
                   .author = (char *) "jan@ext.nl",
                   .recipients = recipients};
  CryptHash *hash = crypt_hash_new();
  crypt_hash_update(hash, body, strlen(body));
  crypt_hash_finish(hash, origin.body_sha256);
  crypt_hash_free(hash);
  g_autofree char *value = origin_seal(ring, &origin, NULL);
  g_auto(GStrv) lines = g_strsplit(value, "\r\n", -1);
  return g_strjoinv("\n", lines);
}

static void
add(Message *message, Fields *fields, const char *name, const char *value)
{
  fields_add(fields, name, value);
  message_add_header(message, name, value);
}

/* A message to RECIPIENT with VALUE COUNT times as its mark, and the fields in HEADER
 * ("Name:value|Name:value"). FIELDS must live as long. */
static Message *
message_with(const char *value, guint count, const char *recipient, const char *header,
             Fields *fields)
{
  const char *const sender[] = {"<noreply@s.own.nl>", NULL};
  const char *const args[] = {recipient, NULL};
  Message *message = message_new(MESSAGE_VISITOR, NULL, NULL, sender);
  message->fields = fields;
  message_add_recipient(message, args);
  g_auto(GStrv) lines = g_strsplit(header, "|", -1);
  for (char **line = lines; *line != NULL; line++) {
    g_auto(GStrv) words = g_strsplit(*line, ":", 2);
    add(message, fields, words[0], words[1]);
  }
  for (guint i = 0; i < count; i++)
    add(message, fields, "x-zegel-ORIGIN", value);
  message_end_header(message);
  return message;
}

#define FROM  " Jan via Zorg <noreply@s.own.nl>"
#define HEAD  "From:" FROM
#define TO    "<dokter@own.nl>"
#define GOOD  DECISION_ASK
#define NEVER DECISION_REFUSE

static void
test_open(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, FALSE);
  g_autoptr(KeyRing) newer = ring_new(KEY_ORIGIN, TRUE);
  g_autofree char *good = seal(ring, "zorg", "huis@own.nl", "body");
  g_autofree char *elsewhere = seal(ring, "elders", "huis@own.nl", "body");
  g_autofree char *unknown = seal(newer, "zorg", "huis@own.nl", "body");
  g_autofree char *bent = g_strdup(good);
  bent[strlen(bent) - 8] ^= 1;
  const struct {
    const char *value;
    guint count;
    const char *to, *header;
    DecisionKind kind;
    Refusal refusal;
  } cases[] = {
      {good, 1, TO, HEAD, GOOD, 0},
      {good, 1, "<dokter@OWN.nl>", HEAD, GOOD, 0},
      {good, 1, "<huis@own.nl>", "From: <NoReply@S.own.NL>", GOOD, 0},
      {good, 0, TO, HEAD, NEVER, REFUSAL_MARK_NONE},
      {good, 2, TO, HEAD, NEVER, REFUSAL_MARK_FORGED},
      {bent, 1, TO, HEAD, NEVER, REFUSAL_MARK_FORGED},
      {"", 1, TO, HEAD, NEVER, REFUSAL_MARK_FORGED},
      {"geheim", 1, TO, HEAD, NEVER, REFUSAL_MARK_FORGED},
      {unknown, 1, TO, HEAD, NEVER, REFUSAL_MARK_KEY},
      {elsewhere, 1, TO, HEAD, NEVER, REFUSAL_ORGANISATION},
      {good, 1, "<Dokter@own.nl>", HEAD, NEVER, REFUSAL_MARK_RECIPIENT},
      {good, 1, "<ander@own.nl>", HEAD, NEVER, REFUSAL_MARK_RECIPIENT},
      {good, 1, "<dokter@own.nl.evil.nl>", HEAD, NEVER, REFUSAL_MARK_RECIPIENT},
      {good, 1, "<@own.nl:dokter@own.nl>", HEAD, NEVER, REFUSAL_MARK_RECIPIENT},
      {good, 1, "<dokter@[192.0.2.1]>", HEAD, NEVER, REFUSAL_MARK_RECIPIENT},
      {good, 1, TO, "Subject: x", NEVER, REFUSAL_MARK_FROM},
      {good, 1, TO, "From: dokter@own.nl", NEVER, REFUSAL_MARK_FROM},
      {good, 1, TO, "From: jan@ext.nl", NEVER, REFUSAL_MARK_FROM},
      {good, 1, TO, HEAD ", x@s.own.nl", NEVER, REFUSAL_MARK_FROM},
      {good, 1, TO, HEAD "|" HEAD, NEVER, REFUSAL_MARK_FROM},
      {good, 1, TO, HEAD "|Sender: dokter@own.nl", NEVER, REFUSAL_MARK_FROM},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Fields) fields = fields_new();
    g_autoptr(Message) message =
        message_with(cases[i].value, cases[i].count, cases[i].to, cases[i].header, fields);
    visitor_open(message, config, ring);
    g_autoptr(Decision) decision = decide_visitor(&message->visitor);
    g_test_message("case %u", i);
    g_assert_cmpint(decision->kind, ==, cases[i].kind);
    g_assert_cmpint(decision->refusal, ==, cases[i].refusal);
    g_assert_true(decision->sensitive);
    if (cases[i].kind == GOOD)
      g_assert_cmpstr(message->organisation->name, ==, "zorg");
  }
}

static void
test_limit(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, FALSE);
  g_autofree char *good = seal(ring, "zorg", "huis@own.nl", "body");
  g_autoptr(Fields) fields = fields_new();
  fields->cut = TRUE;
  g_autoptr(Message) message = message_with(good, 1, TO, HEAD, fields);
  visitor_open(message, config, ring);
  g_autoptr(Decision) decision = decide_visitor(&message->visitor);
  g_assert_cmpint(decision->refusal, ==, REFUSAL_HEADERS);
}

static void
test_body(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, FALSE);
  g_autofree char *value = seal(ring, "zorg", "huis@own.nl", "body");
  static const struct {
    const char *body;
    gboolean changed;
  } cases[] = {{"body", FALSE}, {"Body", TRUE}, {"", TRUE}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Fields) fields = fields_new();
    g_autoptr(Message) message = message_with(value, 1, TO, HEAD, fields);
    visitor_open(message, config, ring);
    message->body = crypt_hash_new();
    crypt_hash_update(message->body, cases[i].body, strlen(cases[i].body));
    g_assert_cmpint(visitor_check_body(message), ==, cases[i].changed);
    g_autoptr(Decision) decision = decide_visitor(&message->visitor);
    g_assert_cmpint(decision->kind, ==, cases[i].changed ? NEVER : GOOD);
    if (cases[i].changed)
      g_assert_cmpint(decision->refusal, ==, REFUSAL_MARK_BODY);
  }
}

/* One recipient, his route and number; V6, R1: the viewer only for whom the book has one.
 */
static void
test_routes(void)
{
  static const struct {
    Route route;
    const char *number;
    gboolean viewer;
    DecisionKind kind;
    Refusal refusal;
    Label label;
  } cases[] = {
      {ROUTE_OWN, NULL, TRUE, DECISION_SEAL, 0, LABEL_OWN},
      {ROUTE_OWN, NULL, FALSE, DECISION_SEAL, 0, LABEL_OWN},
      {ROUTE_DIRECT, NULL, TRUE, DECISION_SEAL, 0, LABEL_DIRECT},
      {ROUTE_VIEWER, "+31612345678", TRUE, DECISION_SEAL, 0, LABEL_VIEWER},
      {ROUTE_VIEWER, NULL, TRUE, NEVER, REFUSAL_VISITOR_ROUTE, 0},
      {ROUTE_VIEWER, "+31612345678", FALSE, NEVER, REFUSAL_VISITOR_ROUTE, 0},
      {ROUTE_ORDINARY, NULL, TRUE, NEVER, REFUSAL_LATER, 0},
      {ROUTE_PREFER, NULL, TRUE, NEVER, REFUSAL_ADDRESS, 0},
  };
  g_autoptr(GPtrArray) nobody = g_ptr_array_new();
  g_autoptr(GPtrArray) recipients = g_ptr_array_new();
  g_ptr_array_add(recipients, (gpointer) "an@ext.nl");
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GPtrArray) answers =
        g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free);
    RouteAnswer *answer = route_answer_new(cases[i].route, "Z-TEST", "-");
    answer->number = g_strdup(cases[i].number);
    g_ptr_array_add(answers, answer);
    const VisitorFacts facts = {.marks = 1,
                                .unmarked = nobody,
                                .viewer = cases[i].viewer,
                                .recipients = recipients,
                                .answers = answers};
    g_autoptr(Decision) decision = decide_visitor(&facts);
    g_test_message("case %u", i);
    g_assert_cmpint(decision->kind, ==, cases[i].kind);
    g_assert_cmpint(decision->refusal, ==, cases[i].refusal);
    if (decision->kind != DECISION_SEAL)
      continue;
    const Outcome *outcome = &g_array_index(decision->outcomes, Outcome, 0);
    g_assert_cmpint(outcome->label, ==, cases[i].label);
    g_assert_cmpstr(outcome->number, ==, cases[i].number);
    g_assert_false(outcome->learn);
    g_assert_false(outcome->by_mail);
  }
}

static void
test_unanswered(void)
{
  g_autoptr(GPtrArray) nobody = g_ptr_array_new();
  const VisitorFacts facts = {
      .marks = 1, .unmarked = nobody, .recipients = nobody, .unanswered = TRUE};
  g_autoptr(Decision) decision = decide_visitor(&facts);
  g_assert_cmpint(decision->refusal, ==, REFUSAL_LATER);
  g_assert_true(refusal_is_temporary(decision->refusal));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  mail_init();
  config = conf_parse("test", conf_text, strlen(conf_text), NULL);
  g_assert_nonnull(config);
  g_test_add_func("/visitor/V5-mark", test_open);
  g_test_add_func("/visitor/limit", test_limit);
  g_test_add_func("/visitor/V5-body", test_body);
  g_test_add_func("/visitor/V6-routes", test_routes);
  g_test_add_func("/visitor/R6-unanswered", test_unanswered);
  int result = g_test_run();
  conf_free(config);
  return result;
}
