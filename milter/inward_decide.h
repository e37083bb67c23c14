/*
 * inward_decide.h - what is to be done with a message that comes in: a pure function over
 * facts (N5, T28).
 *
 * It is asked at the end of the message, and again when policyd has said whether sender and
 * recipients are known to each other (INWARD_ASK).
 */
#pragma once

#include <glib.h>

#include "common/ask/ask.h"
#include "common/ask/verify.h"
#include "common/conf/conf.h"
#include "milter/author.h"
#include "milter/dkim.h"
#include "milter/refusal.h"

/* RFC 9989, with the words of RFC 8601 2.7. */
typedef enum {
  DMARC_NONE, /* the author's domain has no policy */
  DMARC_PASS,
  DMARC_FAIL,
  DMARC_TEMPERROR,
  DMARC_PERMERROR /* there is no author to ask about */
} DmarcResult;

/* Whether a message came in securely (N5), and by what. */
typedef enum {
  SECURE_NO,
  SECURE_NTA,
  SECURE_COMMUNITY
} Secure;

/* All borrowed for the time of the call, and as long as the decision is used. */
typedef struct {
  gboolean cut;     /* the header is longer than what we look at */
  gboolean watch;   /* all organisations of the recipients observe, or there is none */
  gboolean foreign; /* a recipient is of no organisation */
  const GPtrArray *unread; /* of char *: recipients in a service domain that nobody reads;
                              NULL: none */
  Author author;
  gboolean
      relay; /* the client is a trusted relay: SPF was not asked, and counts as passed */
  gboolean tls12;              /* TLS 1.2 or better */
  const GPtrArray *signatures; /* of DkimResult */
  const VerifyAnswer *answer;  /* NULL: policyd gave none */
  const GPtrArray *routes;     /* of RouteAnswer, for each recipient; NULL: not asked yet */
  gboolean unanswered;         /* asked, and policyd gave no answer */
  DmarcAction on_reject, on_quarantine;
} InwardFacts;

typedef enum {
  INWARD_KEEP,
  INWARD_ASK, /* secure but for the routes: ask policyd, then decide again */
  INWARD_QUARANTINE,
  INWARD_REFUSE /* see refusal */
} InwardAction;

typedef struct {
  InwardAction action; /* with watch: what it would have been */
  Refusal refusal;
  DmarcResult dmarc;
  Secure secure;
  const char *code;   /* why it is secure or not: stable, of the facts or static */
  const char *detail; /* what the route hung on, of the facts; NULL: no route */
} InwardDecision;

/* Decides on FACTS. Any thread. */
InwardDecision
inward_decide(const InwardFacts *facts);

/* The result of SPF in FACTS, "pass", ...: of the facts or static. NULL: not asked. */
const char *
inward_spf(const InwardFacts *facts);

/* The signature of FACTS that says most: one that passes and is aligned, else one that
 * passes, else the first; NULL when there is none. */
const DkimResult *
inward_best_signature(const InwardFacts *facts);

/* "none", "pass", ...: static. */
const char *
dmarc_result_name(DmarcResult result);

/* "no", "nta", "community": static. */
const char *
secure_name(Secure secure);
