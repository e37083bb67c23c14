/*
 * readiness.h - rows of a zone and what is decided by it, with lines and without.
 */
#pragma once

#include "common/ask/check.h"
#include "policyd/ready.h"
#include "tests/unit/policyd/zone.h"

#define NTA "v=NTA7516-1;startdate=2026-01;enddate=2027-01;provider=p"
#define OLD "v=NTA7516;version:2026-01;expire:2027-01;provider:p;ntamx:mx1.a.nl"

/* A domain that is ready; a row's lines take the place of the same name and type. */
#define GOOD                                                                               \
  "a.nl TXT s v=spf1 mx -all\n"                                                            \
  "a.nl TXT s " NTA ";ntamx=20 mx2.b.nl;ntamx=10 mx1.a.nl\n"                               \
  "a.nl MX s 10 mx9.a.nl\n"                                                                \
  "mx1.a.nl A s 192.0.2.1\nmx1.a.nl AAAA s 2001:db8::1\n_25._tcp.mx1.a.nl TLSA s 3 1 1 "   \
  "32\n"                                                                                   \
  "mx2.b.nl A s 192.0.2.2\nmx2.b.nl AAAA n\n_25._tcp.mx2.b.nl TLSA s 2 0 2 64\n"           \
  "mx9.a.nl A n\nmx9.a.nl AAAA s 2001:db8::9\n_25._tcp.mx9.a.nl TLSA s 3 1 2 64\n"         \
  "_dmarc.a.nl TXT s v=DMARC1; p=reject\n"

typedef struct {
  const char *name, *zone;
  const char *rules;    /* "old" and "long" */
  const char *expected; /* readiness, code and next hops */
  const char *lines;    /* the required ones that do not pass, "?" before unknown ones */
} Row;

/* What is asked about, and how. */
typedef struct {
  NtaRules rules;
  const BookEntry *partner;
  const OwnFacts *own; /* NULL: a domain of others */
} Question;

/* A new array for lines. */
GPtrArray *
lines_new(void);

/* The rules of November 2026, with "old" or "long" as WORDS has it. */
NtaRules
rules_of(const char *words);

/* Decides on a.nl by DNS, reading again as answers come: ROUNDS times of asking at most. */
void
decide(Dns *dns, const Question *question, guint rounds, GPtrArray *lines,
       Verdict *verdict);

/* VERDICT, as a new string in the words of Row.expected. */
char *
verdict_text(const Verdict *verdict);

/* ROW over the zone BASE, with lines and without: the decision is the same, and takes at
 * most ROUNDS. */
void
check_row(const Row *row, const char *base, const Question *question, guint rounds);

/* decide once, without answering what is asked. */
void
decide_once(Lookup *lookup, const Question *question, GPtrArray *lines, Verdict *verdict);

/* For lookup_new: nothing is to be done when an answer comes. */
void
came(gpointer data);
