/*
 * checks.h - the rules of readiness as they are gone through, one after the other.
 *
 * A rule says what it found and what would mend it, and ends as a line. The first required
 * line that fails decides, else the first that is unknown. Without lines no text is made:
 * the decision is the same, and faster. One thread.
 */
#pragma once

#include "common/ask/check.h"
#include "policyd/decide.h"
#include "policyd/lookup.h"

typedef struct {
  Lookup *lookup;
  const char *domain;
  GPtrArray *lines;  /* of CheckLine; NULL: no text is needed */
  GString *evidence; /* of the rule at hand */
  GString *cure;
  CheckResult result; /* of all required lines so far */
  const char *code;   /* of the one that decided; NULL: all passed */
} Checks;

/* Begins CHECKS of DOMAIN; all is borrowed. LINES may be NULL. */
void
checks_init(Checks *checks, Lookup *lookup, const char *domain, GPtrArray *lines);

/* Frees what CHECKS holds. */
void
checks_clear(Checks *checks);

/* Something that was found, for the evidence of the rule at hand. */
void
checks_found(Checks *checks, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* What would mend it, for the line of the rule at hand when it does not pass. */
void
checks_mend(Checks *checks, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Ends the rule at hand with RESULT, as a line that readiness hangs on. CODE is static. */
void
checks_require(Checks *checks, const char *code, CheckResult result, const char *title);

/* The same, as a line that is advice only. */
void
checks_advise(Checks *checks, const char *code, CheckResult result, const char *title);

/* What the required lines say together. */
Readiness
checks_readiness(const Checks *checks);

/* The worse of A and B: a failure counts more than what is unknown. Pure. */
CheckResult
check_worse(CheckResult a, CheckResult b);

/*
 * What ANSWER is worth. NULL or a failure: unknown; not proved by DNSSEC, or led to by an
 * alias: fail, unless PROVED is FALSE; else pass, also for "not there".
 */
CheckResult
check_answer(const DnsAnswer *answer, gboolean proved);

/* "secure", "not secure", "an alias leads to it", "SERVFAIL": what there is to say of
 * ANSWER besides its records, owned by it or static. NULL is allowed. */
const char *
check_answer_text(const DnsAnswer *answer);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Checks, checks_clear)
