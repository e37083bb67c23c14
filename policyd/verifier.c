#include "policyd/verifier.h"

#include "common/ask/ask.h"
#include "policyd/verify.h"

struct Verifier {
  VerifierParts parts;
  GHashTable *asked; /* set of Asked: those that wait */
};

/* A message that is asked about. */
typedef struct {
  Verifier *verifier;
  guint64 peer;
  VerifyQuestion *question;
  Lookup *lookup;
} Asked;

static void
asked_free(gpointer p)
{
  Asked *asked = p;
  lookup_free(asked->lookup);
  verify_question_free(asked->question);
  g_free(asked);
}

Verifier *
verifier_new(const VerifierParts *parts)
{
  Verifier *verifier = g_new0(Verifier, 1);
  verifier->parts = *parts;
  verifier->asked = g_hash_table_new_full(NULL, NULL, asked_free, NULL);
  return verifier;
}

void
verifier_free(Verifier *verifier)
{
  if (verifier == NULL)
    return;
  g_hash_table_unref(verifier->asked);
  g_free(verifier);
}

/* ATTRS is taken. */
static void
answer(const Verifier *verifier, guint64 peer, Attrs *attrs)
{
  verifier->parts.answer(verifier->parts.data, peer, attrs);
  attrs_free(attrs);
}

/* Reads what is there; answers and frees ASKED when nothing is missing. */
static void
read_asked(Asked *asked)
{
  Verifier *verifier = asked->verifier;
  g_autoptr(VerifyAnswer) found = verify_read(asked->lookup, asked->question);
  if (lookup_missing(asked->lookup) > 0)
    return;
  guint64 peer = asked->peer;
  g_hash_table_remove(verifier->asked, asked);
  answer(verifier, peer, verify_answer_format(found));
}

static void
on_came(gpointer data)
{
  read_asked(data);
}

gboolean
verifier_question(Verifier *verifier, guint64 peer, const Attrs *attrs, GError **error)
{
  VerifyQuestion *question = verify_question_parse(attrs, error);
  if (question == NULL)
    return FALSE;
  if (g_hash_table_size(verifier->asked) >= VERIFIER_MAX) {
    verify_question_free(question);
    answer(verifier, peer, route_failure_format("too many messages wait for the DNS"));
    return TRUE;
  }
  Asked *asked = g_new0(Asked, 1);
  asked->verifier = verifier;
  asked->peer = peer;
  asked->question = question;
  asked->lookup =
      lookup_new(verifier->parts.dns, verifier->parts.spf, question->fresh, on_came, asked);
  lookup_limit(asked->lookup, verifier->parts.loop, VERIFIER_WAIT_MS);
  g_hash_table_add(verifier->asked, asked);
  read_asked(asked);
  return TRUE;
}
