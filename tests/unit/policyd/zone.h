/*
 * zone.h - a DNS of a few lines for tests of what policyd decides by it.
 *
 * Stands in the place of dns.c and spf.c: answers are not there when they are asked for,
 * and come together with zone_deliver, so that a test sees how many rounds a decision
 * takes. A zone is text, one record a line, "NAME TYPE STATE DATA":
 *
 *     s i   data, secure or not         a b   the same, led to by an alias
 *     x X   no such name, secure or not n N   no such type, secure or not
 *     f     failure                     d     damaged rdata, secure
 *
 * TLSA data is "USAGE SELECTOR MATCHING OCTETS", '|' begins a string of a TXT, and
 * "ADDRESS SPF VERDICT" is what SPF says. What is not there is 'x', SPF "none".
 */
#pragma once

#include "policyd/dns.h"
#include "policyd/spf.h"

struct Dns {
  GHashTable *answers; /* "TYPE NAME" to DnsAnswer */
  GHashTable *spf;     /* address to word */
  GPtrArray *waiters;  /* of DnsWaiter */
  GPtrArray *checks;   /* of SpfWaiter */
  guint asked;         /* how often the DNS was asked */
  char *spf_question;  /* the last: "HELO SENDER" */
};

struct DnsWaiter {
  Dns *dns;
  char *key;
  DnsDone done;
  gpointer data;
};

struct Spf {
  Dns *dns;
};

struct SpfWaiter {
  Dns *dns;
  SpfVerdict verdict;
  SpfDone done;
  gpointer data;
};

/* A zone with the lines of TEXT; freed with zone_free, when nothing waits any more. */
Dns *
zone_new(const char *text);

/* Frees DNS. */
void
zone_free(Dns *dns);

/* Adds the lines of TEXT. They replace what the zone had of the same name and type. */
void
zone_add(Dns *dns, const char *text);

/* Everything that was asked so far is answered. */
void
zone_deliver(Dns *dns);

/* The key of a question, as a new string: that of a DnsWaiter. */
char *
zone_key(const char *name, guint16 type);
