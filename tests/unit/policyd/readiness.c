#include "tests/unit/policyd/readiness.h"

#include <string.h>

char *
verdict_text(const Verdict *verdict)
{
  static const char *const names[] = {
      [READINESS_NO] = "no", [READINESS_YES] = "yes", [READINESS_UNKNOWN] = "unknown"};
  return g_strdup_printf("%s %s%s%s", names[verdict->readiness], verdict->code,
                         verdict->nexthop != NULL ? " " : "",
                         verdict->nexthop != NULL ? verdict->nexthop : "");
}

GPtrArray *
lines_new(void)
{
  return g_ptr_array_new_with_free_func((GDestroyNotify) check_line_free);
}

/* The required lines that do not pass; every line must be one that can be shown. */
static char *
lines_text(const GPtrArray *lines)
{
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < lines->len; i++) {
    const CheckLine *line = lines->pdata[i];
    g_assert_cmpint(*line->cure == '\0', ==, line->result == CHECK_PASS);
    g_assert_true(*line->title != '\0' && *line->evidence != '\0');
    g_assert_true(g_str_is_ascii(line->evidence) && g_str_is_ascii(line->cure));
    g_assert_null(strpbrk(line->evidence, "\r\n\t"));
    for (guint j = 0; j < i; j++)
      g_assert_cmpstr(line->code, !=, ((const CheckLine *) lines->pdata[j])->code);
    if (line->required && line->result != CHECK_PASS)
      g_string_append_printf(text, "%s%s%s", text->len > 0 ? " " : "",
                             line->result == CHECK_UNKNOWN ? "?" : "", line->code);
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

void
came(gpointer data)
{
  (void) data;
}

void
decide_once(Lookup *lookup, const Question *question, GPtrArray *lines, Verdict *verdict)
{
  if (lines != NULL)
    g_ptr_array_set_size(lines, 0);
  if (question->own != NULL)
    ready_ours(lookup, &question->rules, "a.nl", question->own, lines, verdict);
  else
    ready_theirs(lookup, &question->rules, "a.nl", question->partner, lines, verdict);
}

void
decide(Dns *dns, const Question *question, guint rounds, GPtrArray *lines, Verdict *verdict)
{
  Spf spf = {dns};
  g_autoptr(Lookup) lookup = lookup_new(dns, &spf, FALSE, came, NULL);
  *verdict = (Verdict){.readiness = READINESS_YES, .code = "never set"};
  decide_once(lookup, question, lines, verdict);
  g_assert_cmpuint(lookup_missing(lookup), >, 0);
  g_assert_cmpint(verdict->readiness, !=, READINESS_YES);
  for (guint i = 0; lookup_missing(lookup) > 0; i++) {
    g_assert_cmpuint(i, <, rounds);
    zone_deliver(dns);
    verdict_clear(verdict);
    decide_once(lookup, question, lines, verdict);
  }
}

void
check_row(const Row *row, const char *base, const Question *question, guint rounds)
{
  Dns *dns = zone_new(base);
  g_autoptr(GPtrArray) lines = lines_new();
  g_auto(Verdict) told = {.readiness = READINESS_UNKNOWN};
  g_auto(Verdict) fast = {.readiness = READINESS_UNKNOWN};
  g_test_message("%s", row->name);
  zone_add(dns, row->zone);
  decide(dns, question, rounds, lines, &told);
  g_autofree char *text = verdict_text(&told);
  g_autofree char *bad = lines_text(lines);
  g_assert_cmpstr(text, ==, row->expected);
  g_assert_cmpstr(bad, ==, row->lines);
  g_assert_cmpint(check_lines_result(lines), ==,
                  told.readiness == READINESS_YES  ? CHECK_PASS
                  : told.readiness == READINESS_NO ? CHECK_FAIL
                                                   : CHECK_UNKNOWN);
  decide(dns, question, rounds, NULL, &fast);
  g_autofree char *fast_text = verdict_text(&fast);
  g_assert_cmpstr(fast_text, ==, row->expected);
  g_assert_cmpstr(fast.policy, ==, told.policy);
  gboolean with_policy = question->partner != NULL && told.readiness == READINESS_YES;
  g_assert_cmpstr(told.policy, ==, with_policy ? question->partner->policy : NULL);
  zone_free(dns);
}

NtaRules
rules_of(const char *words)
{
  return (NtaRules){.old_syntax = strcmp(words, "old") == 0,
                    .long_span = strcmp(words, "long") == 0,
                    .month = 2026 * 12 + 10};
}
