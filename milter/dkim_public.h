/*
 * dkim_public.h - a DKIM key record (RFC 6376 3.6.1, RFC 8463), read and judged before
 * libopendkim sees it.
 *
 * libopendkim does not look whether a key is of the signature's algorithm, counts bits in
 * octets, and has room for 1024 octets of record. So it gets a record of ours, with the key
 * alone. Pure.
 */
#pragma once

#include <glib.h>

#include "milter/dkim_signature.h"

#define DKIM_RECORD_MAX_BYTES 1023 /* of what libopendkim reads */

/* What came of a record. */
typedef struct {
  DkimStatus status;  /* DKIM_NONE: it can be used */
  const char *reason; /* static; "" then */
  guint bits;         /* 0: not known */
  char *record;       /* for libopendkim, owned; NULL unless it can be used */
} DkimPublic;

/* Judges TEXT, the joined TXT record, for SIGNATURE; into *KEY, which is empty. */
void
dkim_public_read(const char *text, const DkimSignature *signature, DkimPublic *key);

/* Frees what KEY holds. */
void
dkim_public_clear(DkimPublic *key);
