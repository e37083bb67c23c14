/*
 * service.h - what all sessions of zegel-deliver share; nobody changes it once it runs.
 */
#pragma once

#include "common/conf/conf.h"
#include "common/crypt/key.h"
#include "common/store/store.h"
#include "deliver/claim.h"

typedef struct {
  const Config *config;
  const KeyRing *link_keys;
  const KeyRing *ticket_keys;
  Store *store;
  Claims *claims;
  int stop_fd; /* readable from the moment that the service must stop */
} Service;
