/*
 * fake_dns.h - takes the place of policyd/dns.c: a Dns that knows what a test told it.
 *
 * A name of which nothing is known is not there; a type of which nothing is known has no
 * data. Answers come at the next turn of the loop.
 */
#pragma once

#include "policyd/dns.h"

/* One that knows nothing, in LOOP (borrowed). Freed with fake_dns_free. */
Dns *
fake_dns_new(Loop *loop);

/* Frees DNS, after all that waits for it. */
void
fake_dns_free(Dns *dns);

/* From now on NAME and TYPE have OUTCOME, and what ANSWER's records are; the answer is new,
 * owned by DNS, and records can be added to it. */
DnsAnswer *
fake_dns_put(Dns *dns, const char *name, guint16 type, DnsOutcome outcome);

/* NAME and TYPE have one TXT record with TEXT (up to 255 octets). */
void
fake_dns_put_txt(Dns *dns, const char *name, const char *text);

/* Questions for NAME are never answered. */
void
fake_dns_hold(Dns *dns, const char *name);

/* Called with DATA at every question. NULL: nobody. */
void
fake_dns_on_ask(Dns *dns, void (*asked)(gpointer data, const char *name), gpointer data);

/* How many questions there were. */
guint
fake_dns_asked(const Dns *dns);
