/*
 * dkim_record.h - a public key as the DNS has it for DKIM (RFC 6376 3.6.1, RFC 8463).
 */
#pragma once

#include <glib.h>

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
