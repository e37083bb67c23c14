#include "policyd/tester.h"

#include "common/ask/ask.h"
#include "common/ask/check.h"
#include "common/book/domain.h"

struct Tester {
  TesterParts parts;
  const Config *config;
  GHashTable *checks; /* set of Check */
};

/* A domain that is checked. */
typedef struct {
  Tester *tester;
  guint64 peer;
  char *domain;
  Lookup *lookup;
} Check;

static void
check_free(gpointer p)
{
  Check *check = p;
  lookup_free(check->lookup);
  g_free(check->domain);
  g_free(check);
}

Tester *
tester_new(const TesterParts *parts)
{
  Tester *tester = g_new0(Tester, 1);
  tester->parts = *parts;
  tester->checks = g_hash_table_new_full(NULL, NULL, check_free, NULL);
  return tester;
}

void
tester_free(Tester *tester)
{
  if (tester == NULL)
    return;
  g_hash_table_unref(tester->checks);
  g_free(tester);
}

void
tester_follow(Tester *tester, const Config *config)
{
  tester->config = config;
}

/* ATTRS is taken. */
static void
answer(const Tester *tester, guint64 peer, Attrs *attrs)
{
  tester->parts.answer(tester->parts.data, peer, attrs);
  attrs_free(attrs);
}

/* Reads every line; answers and frees CHECK when none is missing. */
static void
read_check(Check *check)
{
  Tester *tester = check->tester;
  const char *domain = check->domain;
  gboolean own = conf_organisation_of_author(tester->config, domain) != NULL;
  Side side = own ? SIDE_OURS : SIDE_THEIRS;
  g_autoptr(GPtrArray) lines =
      g_ptr_array_new_with_free_func((GDestroyNotify) check_line_free);
  g_auto(Verdict) verdict = {.readiness = READINESS_UNKNOWN};
  verdicts_read(tester->parts.verdicts, side, domain, check->lookup, lines, &verdict);
  if (lookup_missing(check->lookup) > 0)
    return;
  verdicts_keep(tester->parts.verdicts, side, domain, check->lookup, &verdict);
  guint64 peer = check->peer;
  g_hash_table_remove(tester->checks, check);
  answer(tester, peer, check_answer_format(lines, own));
}

static void
on_came(gpointer data)
{
  read_check(data);
}

gboolean
tester_question(Tester *tester, guint64 peer, const Attrs *attrs, GError **error)
{
  g_autoptr(CheckQuestion) question = check_question_parse(attrs, error);
  if (question == NULL)
    return FALSE;
  g_autofree char *domain = domain_canonical(question->domain);
  if (domain == NULL) {
    answer(tester, peer, route_failure_format("this is no domain name"));
    return TRUE;
  }
  if (g_hash_table_size(tester->checks) >= TESTER_MAX) {
    answer(tester, peer, route_failure_format("too many domains are checked now"));
    return TRUE;
  }
  Check *check = g_new0(Check, 1);
  check->tester = tester;
  check->peer = peer;
  check->domain = g_steal_pointer(&domain);
  check->lookup =
      lookup_new(tester->parts.dns, tester->parts.spf, question->fresh, on_came, check);
  lookup_limit(check->lookup, tester->parts.loop, TESTER_WAIT_MS);
  g_hash_table_add(tester->checks, check);
  read_check(check);
  return TRUE;
}
