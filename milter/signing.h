/*
 * signing.h - the DKIM signatures of a message that leaves (N6).
 *
 * Signed is what leaves, with every key that its author's domain has here. A signature that
 * the domain made itself stays when it holds for the message as it leaves; one that does
 * not, because the subject was cleaned, say, is replaced.
 */
#pragma once

#include "milter/plan.h"
#include "milter/tools.h"

typedef struct Signing Signing;

/*
 * Begins with FIELDS as they leave (taken) and the keys of DOMAIN (as domain_canonical
 * gives it). With ANEW it is signed also when there is a signature that holds: something
 * was put in that must be signed. NULL: there is no key. Freed with signing_free.
 */
Signing *
signing_new(const Tools *tools, const char *domain, Fields *fields, gboolean anew);

/* Frees SIGNING; NULL is allowed. */
void
signing_free(Signing *signing);

/* Hashes LEN bytes of the body. */
void
signing_body(Signing *signing, const void *bytes, gsize len);

/* Ends the body, asks policyd for the domain's own keys when they matter, and adds the
 * signatures to PLAN. FALSE with ZEGEL_ERROR_TEMPORARY. */
gboolean
signing_finish(Signing *signing, Plan *plan, GError **error);

/* Whether FIELDS have a signature of DOMAIN that covers one of those that PLAN sets or
 * removes: without a key it would be broken for good. */
gboolean
signing_would_break(const Plan *plan, const char *domain, const Fields *fields);

/* Whether there is a key of DOMAIN. */
gboolean
signing_has_key(const Tools *tools, const char *domain);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Signing, signing_free)
