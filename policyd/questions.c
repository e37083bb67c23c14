#include "policyd/questions.h"

#include <string.h>

#include "policyd/tester.h"
#include "policyd/verifier.h"

struct Questions {
  QuestionsParts parts;
  Tester *tester;
  Verifier *verifier;
};

static void
answer(const Questions *questions, guint64 peer, const Attrs *attrs, gboolean checked)
{
  questions->parts.answer(questions->parts.data, peer, attrs, checked);
}

static void
on_checked(gpointer data, guint64 peer, const Attrs *attrs)
{
  answer(data, peer, attrs, TRUE);
}

static void
on_verified(gpointer data, guint64 peer, const Attrs *attrs)
{
  answer(data, peer, attrs, FALSE);
}

Questions *
questions_new(const QuestionsParts *parts)
{
  Questions *questions = g_new0(Questions, 1);
  questions->parts = *parts;
  const TesterParts tester = {.loop = parts->loop,
                              .dns = parts->dns,
                              .spf = parts->spf,
                              .verdicts = parts->verdicts,
                              .answer = on_checked,
                              .data = questions};
  questions->tester = tester_new(&tester);
  const VerifierParts verifier = {.loop = parts->loop,
                                  .dns = parts->dns,
                                  .spf = parts->spf,
                                  .answer = on_verified,
                                  .data = questions};
  questions->verifier = verifier_new(&verifier);
  return questions;
}

void
questions_free(Questions *questions)
{
  if (questions == NULL)
    return;
  tester_free(questions->tester);
  verifier_free(questions->verifier);
  g_free(questions);
}

void
questions_follow(Questions *questions, const Config *config)
{
  tester_follow(questions->tester, config);
}

/* ---- Takers ---- */

static gboolean
take_domain(Questions *questions, guint64 peer, const Attrs *attrs, GError **error)
{
  return tester_question(questions->tester, peer, attrs, error);
}

static gboolean
take_verify(Questions *questions, guint64 peer, const Attrs *attrs, GError **error)
{
  return verifier_question(questions->verifier, peer, attrs, error);
}

static gboolean
take_client(Questions *questions, guint64 peer, const Attrs *attrs, GError **error)
{
  static const ClientCertificate nothing = {NULL, NULL, NULL};
  const QuestionsParts *parts = &questions->parts;
  const ClientCertificate *known = NULL;
  const char *address;
  guint16 port;
  if (!client_question_parse(attrs, &address, &port, error))
    return FALSE;
  if (parts->clients != NULL)
    known = clients_find(parts->clients, address, port, loop_now_us(parts->loop));
  g_autoptr(Attrs) found = client_certificate_format(known != NULL ? known : &nothing);
  answer(questions, peer, found, FALSE);
  return TRUE;
}

static const struct {
  const char *request;
  gboolean (*take)(Questions *questions, guint64 peer, const Attrs *attrs, GError **error);
} takers[] = {
    {"domain", take_domain},
    {"verify", take_verify},
    {"client", take_client},
};

/* The number of the taker of ATTRS, or that of takers. */
static guint
taker_of(const Attrs *attrs)
{
  const char *request = attrs_get(attrs, "request");
  guint i = 0;
  while (i < G_N_ELEMENTS(takers) && g_strcmp0(takers[i].request, request) != 0)
    i++;
  return i;
}

gboolean
questions_has(const Attrs *attrs)
{
  return taker_of(attrs) < G_N_ELEMENTS(takers);
}

gboolean
questions_take(Questions *questions, guint64 peer, const Attrs *attrs, GError **error)
{
  return takers[taker_of(attrs)].take(questions, peer, attrs, error);
}
