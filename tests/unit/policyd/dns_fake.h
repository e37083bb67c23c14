/*
 * dns_fake.h - a resolver for tests, in the same loop as what asks it. The name that is
 * asked says what it does: "silent.test", "spoof.test", "big.test" (TC over UDP)...
 */
#pragma once

#include <netinet/in.h>

#include "common/base/loop.h"
#include "policyd/rr.h"

typedef struct DnsFake DnsFake;

/* Listens on a port of 127.0.0.1, UDP and TCP, in LOOP. Freed with dns_fake_free. */
DnsFake *
dns_fake_new(Loop *loop);

/* Ends FAKE. */
void
dns_fake_free(DnsFake *fake);

/* "127.0.0.1:PORT", new. */
char *
dns_fake_address(const DnsFake *fake);

/* Closes the UDP port... */
void
dns_fake_deaf(DnsFake *fake);

/* ... and opens it again. */
void
dns_fake_listen(DnsFake *fake);

/* From now on the answer to NAME and TYPE is, with AD, the records added here. */
void
dns_fake_add(DnsFake *fake, const char *name, guint16 type, guint16 record_type,
             GBytes *rdata);

/* Forgets what was added. */
void
dns_fake_clear(DnsFake *fake);

/* How often NAME was asked, over UDP and TCP. */
guint
dns_fake_asked(const DnsFake *fake, const char *name);
