/*
 * dns_message.h - a question as octets, and the octets of a response as a DnsAnswer.
 *
 * ldns builds the question and reads names. The records we walk over ourselves, because
 * ldns_wire2pkt of 1.8.3 does not look where the rdata of a record ends: of a TXT with more
 * than 255 strings it reads the rest as further records.
 */
#pragma once

#include "policyd/rr.h"

#define DNS_HEADER_BYTES 12
#define DNS_UDP_BYTES    4096 /* that we take over UDP (EDNS): loopback does not fragment */
#define DNS_ALIASES_MAX  8    /* CNAMEs that lead to one answer */

typedef enum {
  DNS_RESPONSE_ALIEN,     /* not an answer to this question: not to be believed */
  DNS_RESPONSE_TRUNCATED, /* to be asked again over TCP */
  DNS_RESPONSE_WHOLE
} DnsResponse;

/*
 * The question for NAME (without a final dot; "" is the root) and TYPE with ID: RD and AD
 * set, with EDNS; with signatures when DNSSEC. NULL when NAME is no name of the DNS.
 */
GBytes *
dns_message_question(const char *name, guint16 type, guint16 id, gboolean dnssec);

/* The id of the LEN octets at MESSAGE; FALSE when they are no response at all. */
gboolean
dns_message_id(const guint8 *message, gsize len, guint16 *id);

/* Whether the LEN octets at MESSAGE answer QUESTION: same id, and the same one question. */
DnsResponse
dns_message_check(GBytes *question, const guint8 *message, gsize len);

/*
 * What the LEN octets at MESSAGE, which dns_message_check found whole, say of NAME and TYPE
 * at NOW_US (monotonic). Damaged ones are a DNS_FAILURE. When SIGNATURES is not NULL it
 * gets the rdata of each RRSIG that NAME itself has on TYPE. New, never NULL.
 */
DnsAnswer *
dns_message_read(const guint8 *message, gsize len, const char *name, guint16 type,
                 gint64 now_us, GPtrArray *signatures);
