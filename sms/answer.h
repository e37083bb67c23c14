/*
 * answer.h - what a gateway's answer means. Pure; any thread.
 */
#pragma once

#include <glib.h>

/* What was seen of one request. */
typedef struct {
  gboolean begun;      /* some of the request went out */
  gboolean complete;   /* the answer came to its end */
  guint status;        /* HTTP status; 0 when there was none */
  gboolean wanted;     /* the status is one of a success */
  gboolean body_fits;  /* the body is that of a success */
  gboolean is_trusted; /* FALSE: its certificate is not that of this host */
} Answer;

typedef enum {
  OUTCOME_SENT,    /* the gateway took it */
  OUTCOME_LATER,   /* certainly not sent; another time it may be */
  OUTCOME_REFUSED, /* certainly not sent; somebody must look */
  OUTCOME_UNKNOWN  /* it may have been sent */
} Outcome;

/*
 * Decides. In doubt UNKNOWN: a message that is said to be not sent is asked for again, and
 * then there are two. A gateway that answers 500, 503 or 429 says itself that it did not do
 * it; a 502 or 504 comes from something in between, which does not know.
 */
Outcome
answer_decide(const Answer *answer);
