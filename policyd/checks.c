#include "policyd/checks.h"

void
checks_init(Checks *checks, Lookup *lookup, const char *domain, GPtrArray *lines)
{
  *checks = (Checks){.lookup = lookup, .domain = domain, .lines = lines};
  checks->result = CHECK_PASS;
  if (lines == NULL)
    return;
  checks->evidence = g_string_new(NULL);
  checks->cure = g_string_new(NULL);
}

void
checks_clear(Checks *checks)
{
  if (checks->lines == NULL)
    return;
  g_string_free(g_steal_pointer(&checks->evidence), TRUE);
  g_string_free(g_steal_pointer(&checks->cure), TRUE);
  checks->lines = NULL;
}

static void
append(GString *text, const char *format, va_list args) G_GNUC_PRINTF(2, 0);

static void
append(GString *text, const char *format, va_list args)
{
  g_string_append(text, text->len > 0 ? "; " : "");
  g_string_append_vprintf(text, format, args);
}

void
checks_found(Checks *checks, const char *format, ...)
{
  va_list args;
  if (checks->lines == NULL)
    return;
  va_start(args, format);
  append(checks->evidence, format, args);
  va_end(args);
}

void
checks_mend(Checks *checks, const char *format, ...)
{
  va_list args;
  if (checks->lines == NULL)
    return;
  va_start(args, format);
  append(checks->cure, format, args);
  va_end(args);
}

static void
end_rule(Checks *checks, const char *code, CheckResult result, gboolean required,
         const char *title)
{
  if (checks->lines == NULL)
    return;
  if (result == CHECK_UNKNOWN && checks->cure->len == 0)
    checks_mend(checks, "try again later");
  g_ptr_array_add(checks->lines,
                  check_line_new(code, result, required, title, checks->evidence->str,
                                 result == CHECK_PASS ? "" : checks->cure->str));
  g_string_truncate(checks->evidence, 0);
  g_string_truncate(checks->cure, 0);
}

void
checks_require(Checks *checks, const char *code, CheckResult result, const char *title)
{
  CheckResult worse = check_worse(checks->result, result);
  if (worse != checks->result)
    checks->code = code;
  checks->result = worse;
  end_rule(checks, code, result, TRUE, title);
}

void
checks_advise(Checks *checks, const char *code, CheckResult result, const char *title)
{
  end_rule(checks, code, result, FALSE, title);
}

Readiness
checks_readiness(const Checks *checks)
{
  if (checks->result == CHECK_UNKNOWN)
    return READINESS_UNKNOWN;
  return checks->result == CHECK_PASS ? READINESS_YES : READINESS_NO;
}

CheckResult
check_worse(CheckResult a, CheckResult b)
{
  if (a == CHECK_FAIL || b == CHECK_FAIL)
    return CHECK_FAIL;
  return a == CHECK_UNKNOWN ? a : b;
}

CheckResult
check_answer(const DnsAnswer *answer, gboolean proved)
{
  if (answer == NULL || answer->outcome == DNS_FAILURE)
    return CHECK_UNKNOWN;
  return !proved || dns_answer_is_proved(answer) ? CHECK_PASS : CHECK_FAIL;
}

const char *
check_answer_text(const DnsAnswer *answer)
{
  if (answer == NULL)
    return "no answer yet";
  if (answer->outcome == DNS_FAILURE)
    return answer->failure != NULL ? answer->failure : "no answer";
  if (answer->alias)
    return answer->secure ? "an alias leads to it" : "an alias leads to it, not secure";
  return answer->secure ? "secure" : "not secure";
}
