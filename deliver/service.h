/*
 * service.h - what all sessions of zegel-deliver share. Nobody changes a Service; after
 * SIGHUP another one counts (current.h), and each message ends with the one it began with.
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
  const KeyRing *store_keys; /* the store's */
  const KeyRing *ticket_keys;
  const KeyRing *origin_keys;
  Store *store;
  Claims *claims;
  Confirmer *confirmer; /* confirm.h */
  int stop_fd;          /* readable from the moment that the service must stop */
} Service;

/*
 * A Service of CONFIG (taken, on failure too) in a box that is emptied with service_clear:
 * it reads the key files and opens the store, as the user that owns them. Claims, confirmer
 * and stop_fd are those of BASE, which stays their owner. NULL with an error as
 * keyring_load and store_open have it.
 */
Service *
service_new(Config *config, const Service *base, GError **error);

/* Frees what the Service SERVICE of service_new has made. */
void
service_clear(gpointer service);
