/*
 * dkim_signature.h - one DKIM-Signature field, read and judged before libopendkim sees it.
 *
 * What libopendkim 2.11 beta 2 cannot be trusted with ends here: i= that ends in "=" or is
 * long makes it read past its buffers, a long h= or c= is cut off silently. Pure.
 */
#pragma once

#include <glib.h>

#include "milter/dkim.h"

#define DKIM_DRIFT_S        300  /* how much a signer's clock may be ahead */
#define DKIM_SIGNED_MAX     512  /* names in h= */
#define DKIM_H_MAX_BYTES    4000 /* libopendkim cuts h= at 4095 */
#define DKIM_IDENTITY_BYTES 254  /* i=; libopendkim has 256 */

typedef struct {
  DkimStatus status;   /* DKIM_NONE: it can be verified */
  const char *reason;  /* static; "" then */
  char *domain;        /* as domain_canonical; "" when it cannot be read, as the next */
  char *selector;      /* in lower case */
  char *algorithm;     /* in lower case */
  char *begin;         /* first 8 characters of b= */
  char *identity;      /* domain of i=, in lower case; of d= when there is no i= */
  char *given;         /* d= as it was written */
  char **names;        /* of h=, in lower case, ends with NULL */
  guint froms;         /* how often From is one of them */
  gboolean is_ed25519; /* else RSA; both with SHA-256 */
} DkimSignature;

/* Reads VALUE, of a DKIM-Signature field, as of NOW (seconds since 1970). Never NULL; freed
 * with dkim_signature_free. Any thread. */
DkimSignature *
dkim_signature_parse(const char *value, gint64 now);

/* Frees SIGNATURE; NULL is allowed. */
void
dkim_signature_free(DkimSignature *signature);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimSignature, dkim_signature_free)
