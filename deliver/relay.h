/*
 * relay.h - brings the events that wait in the store (outbox.h) to zegel-auditd, those of
 * the viewer and of zegelctl too.
 */
#pragma once

#include "common/base/current.h"

typedef struct Relay Relay;

/*
 * Starts a thread that brings what waits to zegel-auditd within a second, in order, and has
 * the store forget what is in the trail. While that is not possible an alarm line says so,
 * again every ten minutes. SERVICES (of Service) is borrowed until relay_stop.
 */
Relay *
relay_start(Current *services);

/*
 * Brings what still waits, as far as that is quick, ends the thread and frees RELAY. The
 * rest stays in the store for the next start. After all threads that record.
 */
void
relay_stop(Relay *relay);
