/*
 * dkim.h - whether the DKIM keys that we sign with are those that the DNS has (N2).
 */
#pragma once

#include "policyd/checks.h"

#define DKIM_KEYS_MAX      32    /* of one domain, with those that rest */
#define DKIM_KEY_MAX_BYTES 16384 /* of a key's file */

/*
 * Reads DIRECTORY/DOMAIN/SELECTOR.pub (PEM) for the domain of CHECKS, and compares each key
 * with the record of its selector. Passes when one is published, under DNSSEC, and none is
 * published as another key.
 */
void
dkim_check(Checks *checks, const char *directory);

/*
 * The record to publish for the key in PEM: "v=DKIM1; k=rsa; p=...", a new string, or NULL:
 * it is no public key that DKIM knows. Pure; any thread.
 */
char *
dkim_record(const char *pem);

typedef enum {
  DKIM_SAME,
  DKIM_OTHER,   /* another key, or a record that is none */
  DKIM_REVOKED, /* p is empty (RFC 6376 3.6.1) */
} DkimMatch;

/* Whether the record TEXT (LEN octets, the joined strings) has the key of RECORD, one that
 * dkim_record made. Pure; any thread. */
DkimMatch
dkim_compare(const char *text, gsize len, const char *record);
