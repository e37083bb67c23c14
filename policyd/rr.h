/*
 * rr.h - what the DNS answered to one question, and the fields of its records.
 *
 * Records came over the network: every reader here checks lengths.
 */
#pragma once

#include <glib.h>

/* Types of records that zegel asks for (IANA, DNS Parameters). */
enum {
  RR_A = 1,
  RR_CNAME = 5,
  RR_SOA = 6,
  RR_PTR = 12,
  RR_MX = 15,
  RR_TXT = 16,
  RR_AAAA = 28,
  RR_DS = 43,
  RR_DNSKEY = 48,
  RR_TLSA = 52
};

typedef enum {
  DNS_DATA,     /* records is not empty */
  DNS_NODATA,   /* the name is there, without this type */
  DNS_NXDOMAIN, /* the name is not there */
  DNS_FAILURE   /* it could not be found out: failure says why */
} DnsOutcome;

typedef struct {
  gint refs;
  char *name; /* A-labels, lower case, no dot at the end; "" is the root */
  guint16 type;
  DnsOutcome outcome;
  gboolean secure; /* DNSSEC: the resolver on loopback says so (AD), also of "not there" */
  gboolean alias;  /* a CNAME or DNAME led to it */
  GPtrArray *records; /* of GBytes: rdata of this type, names in it not compressed */
  char *failure;      /* "timeout", "SERVFAIL", ...; NULL but for DNS_FAILURE */
  gint64 expires_us;  /* monotonic: when it must be asked again */
} DnsAnswer;

/* An answer with one reference, DNS_FAILURE and no record. NAME is copied. */
DnsAnswer *
dns_answer_new(const char *name, guint16 type);

/* One reference more; returns ANSWER. One thread. */
DnsAnswer *
dns_answer_ref(DnsAnswer *answer);

/* One reference less; frees ANSWER with the last. NULL is allowed. */
void
dns_answer_unref(DnsAnswer *answer);

/* Adds a record with a copy of LEN octets of rdata at BYTES, and sets DNS_DATA. */
void
dns_answer_add(DnsAnswer *answer, const void *bytes, gsize len);

/* Whether ANSWER is data, or its absence, that DNSSEC proves, and no alias led to it. */
gboolean
dns_answer_is_proved(const DnsAnswer *answer);

/* "TXT" and the like, static; "TYPE" for one that is not above. */
const char *
rr_type_name(guint16 type);

/*
 * The strings of a TXT record joined without anything between them (RFC 7208 3.3), with a
 * NUL behind them that is not counted in *LEN. New, or NULL when RDATA is damaged.
 */
char *
rr_txt(GBytes *rdata, gsize *len);

/* Preference and host ("" for the null MX, RFC 7505) of an MX record; *HOST is new, lower
 * case, no dot at the end. FALSE when RDATA is damaged. */
gboolean
rr_mx(GBytes *rdata, guint *preference, char **host);

/* The name behind the first SKIP octets of RDATA (PTR: 0, MX: 2), to its end, in lower
 * case; what does not print, and a dot in a label, is '?'. New, or NULL when RDATA is
 * damaged. */
char *
rr_name(GBytes *rdata, gsize skip);

/* The fields of a TLSA record (RFC 6698 2.1). FALSE when RDATA is damaged. */
gboolean
rr_tlsa(GBytes *rdata, guint *usage, guint *selector, guint *matching, gsize *data_len);

/* The rdata of TYPE as text for evidence: "3 1 1 a1b2...", "10 mail.example.nl", the text
 * of a TXT; what does not print is '?'. New string, never NULL. */
char *
rr_text(guint16 type, GBytes *rdata);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DnsAnswer, dns_answer_unref)
