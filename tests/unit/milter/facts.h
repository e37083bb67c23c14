/*
 * facts.h - facts for tests of decide, with all that they point to.
 */
#pragma once

#include "milter/decide.h"

/* Everything in it is owned, and FACTS points to it. */
typedef struct {
  Facts facts;
  GPtrArray *foreign, *triggers, *numbers, *recipients, *odd, *answers;
} Fixture;

/* Facts of a message without header or recipients; freed with fixture_free. */
Fixture *
fixture_new(SensitiveDefault sensitive_default);

/* Frees F. */
void
fixture_free(Fixture *f);

/* Adds a Subject field. */
void
fixture_subject(Fixture *f, const char *subject);

/* Adds an X-Zegel-SMS field; both may be NULL. */
void
fixture_number(Fixture *f, const char *address, const char *number);

/* Adds a recipient, and the answer of policyd. */
void
fixture_recipient(Fixture *f, const char *address, Route route);

/* The phone book has NUMBER for the recipient that was added last. */
void
fixture_book(Fixture *f, const char *number);

/* What is decided when policyd has answered. */
Decision *
fixture_decide(Fixture *f);

/* DECISION is REFUSAL. */
void
assert_refused(const Decision *decision, Refusal refusal);

/* Recipient I of DECISION has LABEL and NUMBER (may be NULL). */
void
assert_outcome(const Decision *decision, guint i, Label label, const char *number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)
