#include "sms/answer.h"

static Outcome
decide_status(const Answer *answer)
{
  if (answer->wanted)
    return answer->body_fits ? OUTCOME_SENT : OUTCOME_REFUSED;
  switch (answer->status) {
  case 429:
  case 500:
  case 503:
    return OUTCOME_LATER;
  case 502:
  case 504:
    return OUTCOME_UNKNOWN;
  default:
    return answer->status >= 500 ? OUTCOME_UNKNOWN : OUTCOME_REFUSED;
  }
}

Outcome
answer_decide(const Answer *answer)
{
  if (!answer->is_trusted)
    return OUTCOME_REFUSED;
  if (!answer->begun)
    return OUTCOME_LATER;
  return answer->complete && answer->status != 0 ? decide_status(answer) : OUTCOME_UNKNOWN;
}
