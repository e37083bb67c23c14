/*
 * answer_fake.h - for test_answer: a resolver and rules of readiness that follow a table.
 *
 * Takes the place of dns.c, spf.c and ready.c. What the first label of a domain says:
 * "yes", "no", "failure", "silent" (no answer ever), "slow" (yes, after 1.5 seconds).
 */
#pragma once

#include "policyd/clients.h"
#include "policyd/ready.h"

#define FAKE_ANSWER_MS 20
#define FAKE_SLOW_MS   1500

struct Dns {
  Loop *loop;
  guint asked;       /* questions that were asked */
  guint waiting;     /* of them those without an answer */
  gint64 keep_us;    /* how long an answer is kept by who asked; 0: a minute */
  const char *first; /* for the first label "ours": what it says now */
};

/* Who is at PORT of 192.0.2.7 now shows FINGERPRINT; NULL: nothing. */
void
fake_certificate(Clients *clients, guint16 port, const char *fingerprint);
