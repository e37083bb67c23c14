/*
 * spf_wire.h - the messages between zegel-policyd and a zegel-spf worker.
 *
 * One message is one packet of a SOCK_SEQPACKET socket, which the worker has as standard
 * input and output. The worker is told a check, asks questions one at a time, gets an
 * answer to each, and ends with a verdict. Both sides distrust the other: every reader here
 * checks lengths, kinds and names, and that nothing is left over. Pure; any thread.
 */
#pragma once

#include "policyd/rr.h"
#include "policyd/spf.h"

#define SPF_WIRE_MAX_BYTES        (64 * 1024) /* an answer of the DNS is never larger */
#define SPF_WIRE_MAX_WORKER_BYTES 512         /* what a worker sends is never larger */
#define SPF_TEXT_MAX_BYTES        512 /* a sender, RFC 5321 4.5.3.1: 64, '@' and 255 octets */
#define SPF_NAME_MAX_BYTES        253 /* a name of the DNS as text, RFC 1035 2.3.4 */

typedef struct {
  char *address;
  char *helo;
  char *sender;
} SpfCheck;

/*
 * DOMAIN as a question may have it, or NULL when nothing can have that name: lower case, no
 * dot at the end, labels of 1 to 63 octets that print and are no '\\', which ldns would
 * read. What is too long loses labels at its left (RFC 7208 7.3). New.
 */
char *
spf_name_usable(const char *domain);

/* The message of a check, new. */
GByteArray *
spf_wire_check(const char *address, const char *helo, const char *sender);

/* The message of a question for NAME (usable) and TYPE, new. */
GByteArray *
spf_wire_question(const char *name, guint16 type);

/* The message of an answer, new: outcome and records. */
GByteArray *
spf_wire_answer(const DnsAnswer *answer);

/* The message of a verdict, new. */
GByteArray *
spf_wire_verdict(SpfVerdict verdict);

/* Whether the LEN octets at BYTES are a check: into *CHECK, which the caller clears, also
 * after FALSE. */
gboolean
spf_wire_read_check(const guint8 *bytes, gsize len, SpfCheck *check);

/* Whether they are a question: its *NAME, new and usable, and *TYPE. */
gboolean
spf_wire_read_question(const guint8 *bytes, gsize len, char **name, guint16 *type);

/* The answer that they are to NAME and TYPE (outcome and records only), new, or NULL. */
DnsAnswer *
spf_wire_read_answer(const guint8 *bytes, gsize len, const char *name, guint16 type);

/* Whether they are a verdict: into *VERDICT. */
gboolean
spf_wire_read_verdict(const guint8 *bytes, gsize len, SpfVerdict *verdict);

/* Frees what CHECK holds. */
void
spf_check_clear(SpfCheck *check);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpfCheck, spf_check_clear)
