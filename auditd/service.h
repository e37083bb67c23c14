/*
 * service.h - what zegel-auditd does with what is brought: events into the trail, and the
 * few requests of root.
 *
 * All events of one turn of the loop are chained in one transaction, and answered when it
 * is on the disk. When that cannot be done nothing is answered: whoever brought them has
 * them still, and brings them again. Protocol: zegel-audit(5).
 */
#pragma once

#include "auditd/peers.h"
#include "common/conf/conf.h"
#include "common/crypt/key.h"

typedef struct Service Service;

/*
 * Opens the trail of CONFIG (borrowed until service_change or service_free) under KEYS
 * (taken), and serves who connects to LISTENER in LOOP. NULL with an error as
 * trail_writer_open has it.
 */
Service *
service_new(Loop *loop, const Config *config, int listener, KeyRing *keys, GError **error);

/*
 * The same trail goes on under KEYS (taken, on failure too), and CONFIG (as above) counts.
 * FALSE with an error as trail_writer_open has it: everything stays as it was.
 */
gboolean
service_change(Service *service, const Config *config, KeyRing *keys, GError **error);

/* Takes what came by now, signs a checkpoint when there is news, and frees SERVICE; NULL is
 * allowed. */
void
service_free(Service *service);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Service, service_free)
