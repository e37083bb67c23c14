/*
 * inward_plan.h - what is changed in the header of a message that comes in: forged marks go
 * (T27), and what was found out is written (N5, RFC 8601). Pure; any thread, after
 * mail_init.
 */
#pragma once

#include "milter/inward_decide.h"
#include "milter/marks.h"
#include "milter/plan.h"

#define NTA_HEADER "X-NTA7516"

/* What is known of the message beside the facts. All borrowed. */
typedef struct {
  const Fields *fields;
  const char *authserv_id;        /* our name in Authentication-Results */
  const char *author;             /* domain, or NULL unless AUTHOR_ONE */
  const char *tls_version;        /* or NULL */
  gboolean null_sender;           /* <>: SPF is of the HELO name */
  const GPtrArray *organisations; /* of const Organisation *: the recipients', once each */
} InwardMessage;

/*
 * The plan for MESSAGE by DECISION on FACTS, freed by the caller. For a message that is
 * only watched it takes forged marks out, and nothing else.
 */
Plan *
inward_plan(const InwardFacts *facts, const InwardDecision *decision,
            const InwardMessage *message);
