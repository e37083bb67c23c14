/*
 * verifier.h - answers what the DNS says of where a message comes from (request=verify).
 *
 * One thread, in callbacks of a Loop.
 */
#pragma once

#include "common/base/attr.h"
#include "policyd/dns.h"
#include "common/base/loop.h"
#include "policyd/spf.h"

#define VERIFIER_WAIT_MS 4500 /* less than VERIFY_TIMEOUT_MS, more than SPF_TIMEOUT_MS */
#define VERIFIER_MAX     4096 /* messages that wait at the same time */

typedef struct Verifier Verifier;

/* ATTRS (borrowed) is the answer for PEER. */
typedef void (*VerifierAnswer)(gpointer data, guint64 peer, const Attrs *attrs);

/* All borrowed until verifier_free. */
typedef struct {
  Loop *loop;
  Dns *dns; /* NULL: nothing can be found out (lookup.h) */
  Spf *spf;
  VerifierAnswer answer;
  gpointer data;
} VerifierParts;

/* A verifier of PARTS. Never NULL; freed with verifier_free. */
Verifier *
verifier_new(const VerifierParts *parts);

/* Frees VERIFIER, and answers nobody any more; NULL is allowed. */
void
verifier_free(Verifier *verifier);

/* PEER asks the question in ATTRS; it is answered now or later, once. FALSE with
 * ZEGEL_ERROR_INVALID when it is none. */
gboolean
verifier_question(Verifier *verifier, guint64 peer, const Attrs *attrs, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Verifier, verifier_free)
