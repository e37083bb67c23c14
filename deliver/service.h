/*
 * service.h - what all sessions of zegel-deliver share; nobody changes it once it runs.
 */
#pragma once

#include "common/conf/conf.h"
#include "common/crypt/key.h"
#include "common/store/dispatch.h"
#include "deliver/claim.h"

/* What is derived from a link key, each with a nonce of its own. */
#define LINK_LABEL   "link"   /* a reader's link */
#define STATUS_LABEL "status" /* the page with what became of a message */

typedef struct Confirmer Confirmer;

typedef struct {
  const Config *config;
  const KeyRing *link_keys;
  const KeyRing *ticket_keys;
  const KeyRing *origin_keys;
  Store *store;
  Claims *claims;
  Confirmer *confirmer; /* confirm.h */
  int stop_fd;          /* readable from the moment that the service must stop */
} Service;
