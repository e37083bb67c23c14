#include "viewer-cgi/failure.h"

#include "common/base/error.h"

#define RETRY_S 30

static const Failure later = {503, RETRY_S, FAILURE_LATER};
static const Failure damaged = {500, 0, FAILURE_DAMAGED};

Failure
failure_of(const GError *error)
{
  if (error->domain != ZEGEL_ERROR)
    return later;
  switch ((ZegelError) error->code) {
  case ZEGEL_ERROR_TEMPORARY:
  case ZEGEL_ERROR_CONFIG:
  case ZEGEL_ERROR_FULL:
  case ZEGEL_ERROR_KEY_UNKNOWN: /* the administrator can put the key back */
  case ZEGEL_ERROR_CONFLICT:
    return later;
  case ZEGEL_ERROR_INVALID:
  case ZEGEL_ERROR_FORGED:
  case ZEGEL_ERROR_LIMIT:
    return damaged;
  }
  return later;
}
