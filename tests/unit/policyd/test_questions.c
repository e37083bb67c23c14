#include "policyd/questions.h"

#include <string.h>

#include "common/ask/ask.h"
#include "common/ask/verify.h"
#include "common/base/error.h"
#include "policyd/verifier.h"
#include "tests/unit/policyd/zone.h"
#include "tests/unit/tap.h"

#define ZONE                                                                               \
  "192.0.2.1 SPF pass\n_dmarc.a.nl TXT s v=DMARC1; p=reject\n"                             \
  "s._domainkey.a.nl TXT s p=ab"

typedef struct {
  Loop *loop;
  Dns *dns;
  Spf spf;
  Clients *clients;
  Questions *questions;
  guint answers;
  guint64 peer; /* of the last answer */
  Attrs *last;  /* the last answer */
} Fixture;

static void
on_answer(gpointer data, guint64 peer, const Attrs *attrs, gboolean checked)
{
  Fixture *f = data;
  g_assert_false(checked);
  f->answers++;
  f->peer = peer;
  attrs_free(f->last);
  g_autofree char *text = attrs_format(attrs, ATTR_ESCAPED);
  f->last = attrs_parse(text, strlen(text), ATTR_ESCAPED, NULL);
  loop_stop(f->loop);
}

static void
set_up(Fixture *f, gconstpointer data)
{
  (void) data;
  f->loop = loop_new(NULL);
  f->dns = zone_new(ZONE);
  f->spf.dns = f->dns;
  f->clients = clients_new();
  const QuestionsParts parts = {.loop = f->loop,
                                .dns = f->dns,
                                .spf = &f->spf,
                                .clients = f->clients,
                                .answer = on_answer,
                                .data = f};
  f->questions = questions_new(&parts);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  (void) data;
  questions_free(f->questions);
  zone_free(f->dns); /* nothing waits any more */
  clients_free(f->clients);
  loop_free(f->loop);
  attrs_free(f->last);
}

static void
ask_message(Fixture *f, guint64 peer)
{
  g_autoptr(VerifyQuestion) question = verify_question_new();
  question->client_address = g_strdup("192.0.2.1");
  question->helo = g_strdup("mx.a.nl");
  question->sender = g_strdup("jan@a.nl");
  question->from_domain = g_strdup("a.nl");
  verify_question_add_key(question, "a.nl", "s");
  g_autoptr(Attrs) attrs = verify_question_format(question);
  g_assert_true(questions_has(attrs));
  g_assert_true(questions_take(f->questions, peer, attrs, NULL));
}

static void
test_verify(Fixture *f, gconstpointer data)
{
  (void) data;
  ask_message(f, 7);
  g_assert_cmpuint(f->answers, ==, 0);
  zone_deliver(f->dns);
  g_assert_cmpuint(f->answers, ==, 1);
  g_assert_cmpuint(f->peer, ==, 7);
  g_autoptr(VerifyAnswer) answer = verify_answer_parse(f->last, 1, NULL);
  g_assert_nonnull(answer);
  g_assert_cmpstr(answer->spf, ==, "pass");
  g_assert_cmpstr(answer->dmarc_policy, ==, "reject");
  g_assert_cmpstr(((VerifyKeyAnswer *) answer->keys->pdata[0])->text, ==, "p=ab");
}

/* A DNS that says nothing: answered in time all the same. */
static void
test_silent(Fixture *f, gconstpointer data)
{
  (void) data;
  gint64 begin_us = g_get_monotonic_time();
  ask_message(f, 7);
  g_assert_true(loop_run(f->loop, NULL));
  gint64 took_ms = (g_get_monotonic_time() - begin_us) / G_TIME_SPAN_MILLISECOND;
  g_assert_cmpint(took_ms, >=, VERIFIER_WAIT_MS);
  G_STATIC_ASSERT(VERIFIER_WAIT_MS < VERIFY_TIMEOUT_MS);
  g_assert_cmpint(took_ms, <, 4 * VERIFY_TIMEOUT_MS);
  g_autoptr(VerifyAnswer) answer = verify_answer_parse(f->last, 1, NULL);
  g_assert_cmpstr(answer->spf, ==, "temperror");
  g_assert_cmpint(answer->dmarc, ==, VERIFY_UNKNOWN);
}

/* So many wait and no more; whoever waits when we end hears nothing. */
static void
test_bounded(Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < VERIFIER_MAX; i++)
    ask_message(f, i);
  g_assert_cmpuint(f->answers, ==, 0);
  ask_message(f, VERIFIER_MAX);
  g_assert_cmpuint(f->answers, ==, 1);
  g_assert_cmpuint(f->peer, ==, VERIFIER_MAX);
  g_autoptr(GError) error = NULL;
  g_assert_null(verify_answer_parse(f->last, 1, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
}

static char *
fingerprint_of(Fixture *f, guint16 port)
{
  g_autoptr(Attrs) attrs = client_question_format("192.0.2.7", port);
  g_assert_true(questions_take(f->questions, 1, attrs, NULL));
  g_autoptr(ClientCertificate) found = client_certificate_parse(f->last, NULL);
  g_assert_nonnull(found);
  return g_strdup(found->fingerprint);
}

static void
test_client(Fixture *f, gconstpointer data)
{
  static const char digits[] =
      "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789";
  (void) data;
  ClientCertificate *certificate = g_new0(ClientCertificate, 1);
  certificate->fingerprint = g_strdup(digits);
  clients_note(f->clients, "192.0.2.7", 4000, certificate, loop_now_us(f->loop));
  g_autofree char *known = fingerprint_of(f, 4000);
  g_autofree char *unknown = fingerprint_of(f, 4001);
  g_assert_cmpstr(known, ==, digits);
  g_assert_null(unknown);
}

static void
test_nonsense(Fixture *f, gconstpointer data)
{
  static const char *const texts[] = {"request=verify\nversion=2\n\n",
                                      "request=client\nversion=3\n\n",
                                      "request=domain\nversion=3\n\n"};
  (void) data;
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Attrs) attrs = attrs_parse(texts[i], strlen(texts[i]), ATTR_ESCAPED, NULL);
    g_assert_true(questions_has(attrs));
    g_assert_false(questions_take(f->questions, 1, attrs, &error));
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  }
  g_autoptr(RouteQuestion) question = route_question_new();
  question->organisation = g_strdup("zorg");
  g_autoptr(Attrs) route = route_question_format(question);
  g_assert_false(questions_has(route));
}

static void
add(const char *path, void (*test)(Fixture *, gconstpointer))
{
  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  add("/questions/verify", test_verify);
  add("/questions/silent", test_silent);
  add("/questions/bounded", test_bounded);
  add("/questions/client", test_client);
  add("/questions/nonsense", test_nonsense);
  return g_test_run();
}
