/*
 * service.h - what comes back to a service domain, or refers to it: control addresses, and
 * answers in a conversation (V5, S14).
 */
#pragma once

#include "common/crypt/key.h"
#include "milter/message.h"

/*
 * What ADDRESS is for a message of ORGANISATION. RING (KEY_ORIGIN) may be NULL: then every
 * address that looks like a control address passes for SERVICE_BOUNCE. The postmaster of a
 * service domain is SERVICE_NONE: he is for an alias of the site. Pure.
 */
ServiceAddress
service_address(const Config *config, const Organisation *organisation, const KeyRing *ring,
                const char *address);

/*
 * Fills message->service for MESSAGE, its header complete, and whether it answers a
 * recipient's answer: without RING it does not.
 */
void
service_look(Message *message, const Config *config, const KeyRing *ring);
