/*
 * dkim.h - DKIM (RFC 6376, RFC 8463): signatures verified, and made.
 *
 * Verifying is libopendkim's, and dkim_verify.c the one door to it. Keys of others come
 * from policyd (verify.h), never from libopendkim's own resolver; dkim_ohdrs and tag
 * recording are never used (platform notes). Signing is our own (doc/decisions.md): a key
 * is read once, not for each message. A handle is used by one thread; the functions by any.
 */
#pragma once

#include <glib.h>

#include "common/ask/verify.h"
#include "milter/fields.h"

#define DKIM_MIN_RSA_BITS 1024 /* RFC 8301 3.2 */
#define DKIM_MAX_RSA_BITS 4096 /* what RFC 8301 asks for; libopendkim has room for 5700 */

/* Prepares libopendkim; call once, before any thread. FALSE with ZEGEL_ERROR_CONFIG. */
gboolean
dkim_prepare(GError **error);

/* ---- Verifying ---- */

typedef enum {
  DKIM_NONE,
  DKIM_PASS,
  DKIM_FAIL,
  DKIM_POLICY,    /* right or not, we do not take it: a weak key, l=, From not signed */
  DKIM_NEUTRAL,   /* it cannot be read */
  DKIM_TEMPERROR, /* its key could not be had now */
  DKIM_PERMERROR  /* its key is missing or bad, it expired */
} DkimStatus;

/* What became of one signature. All owned. */
typedef struct {
  DkimStatus status;
  char *domain;       /* d=, as domain_canonical gives it; "" when it cannot be read */
  char *selector;     /* s= */
  char *algorithm;    /* "rsa-sha256", "ed25519-sha256", ... */
  char *begin;        /* first 8 characters of b= (RFC 6008), for header.b */
  const char *reason; /* static; "" when it passes: "body changed", "key too short", ... */
  guint key_bits;     /* 0: not known */
  guint field;        /* which DKIM-Signature field of the message it is, from 1 */
  gboolean aligned;   /* with the author's domain, as policyd said */
} DkimResult;

typedef struct DkimVerifier DkimVerifier;

/*
 * Verifies the signatures in FIELDS (borrowed only by this call), at most VERIFY_MAX_KEYS
 * of those that can be read, first to last; the others are DKIM_POLICY. A signature that
 * covers the field of one that cannot be verified fails. Never NULL, whatever FIELDS hold.
 * Freed with dkim_verifier_free.
 */
DkimVerifier *
dkim_verifier_new(const Fields *fields);

/* Frees VERIFIER; NULL is allowed. */
void
dkim_verifier_free(DkimVerifier *verifier);

/* Adds the keys that VERIFIER needs to QUESTION, which holds none yet. */
void
dkim_verifier_ask(const DkimVerifier *verifier, VerifyQuestion *question);

/* Whether VERIFIER needs the body at all. */
gboolean
dkim_verifier_needs_body(const DkimVerifier *verifier);

/* Hashes LEN bytes of the body, with CRLF line ends as libmilter brings them, cut anywhere.
 * With other line ends no signature passes: libopendkim would not see what was inserted. */
void
dkim_verifier_body(DkimVerifier *verifier, const void *bytes, gsize len);

/*
 * Ends the body and checks with the keys in ANSWER, to the question that dkim_verifier_ask
 * filled (NULL: policyd did not answer, all are DKIM_TEMPERROR). An array of DkimResult,
 * one for each signature, that the caller unrefs.
 */
GPtrArray *
dkim_verifier_finish(DkimVerifier *verifier, const VerifyAnswer *answer);

/* "pass", "permerror", ...: RFC 8601 2.7.1; static. */
const char *
dkim_status_name(DkimStatus status);

/* ---- Signing ---- */

typedef struct DkimKeys DkimKeys; /* the directory [milter] dkim_keys */

/* One private key, counted. */
typedef struct DkimKey DkimKey;

/*
 * The keys in DIRECTORY/DOMAIN/SELECTOR.key (PEM; RSA or Ed25519). They are read when they
 * are needed, and again when a file changed (looked at once a second at most), so that
 * zegelctl needs no signal. A file that others can read (common/crypt/key_file.h), or that
 * is no key, is left out and said in the log, once. Never NULL; freed with dkim_keys_free.
 * Any thread.
 */
DkimKeys *
dkim_keys_new(const char *directory);

/* Frees KEYS; NULL is allowed. */
void
dkim_keys_free(DkimKeys *keys);

/* The keys of DOMAIN (as domain_canonical gives it), an array of DkimKey that the caller
 * unrefs; empty when there are none. At most one for each algorithm: the one that was
 * activated last (modification time of its file). RSA comes first. */
GPtrArray *
dkim_keys_of(DkimKeys *keys, const char *domain);

/* Its selector, owned by KEY. */
const char *
dkim_key_selector(const DkimKey *key);

/* "rsa-sha256" or "ed25519-sha256"; static. */
const char *
dkim_key_algorithm(const DkimKey *key);

typedef struct DkimSigner DkimSigner;

/*
 * Signs FIELDS as they leave (plan.h; borrowed until it is finished) for DOMAIN with KEY
 * (borrowed too): relaxed/relaxed, From and what RFC 6376 5.4.1 recommends, oversigned,
 * X-NTA7516 when it is there, never X-Zegel fields. No l= and no x=. Never NULL.
 */
DkimSigner *
dkim_signer_new(const DkimKey *key, const char *domain, const Fields *fields);

/* Hashes LEN bytes of the body, cut anywhere. */
void
dkim_signer_body(DkimSigner *signer, const void *bytes, gsize len);

/* Ends the body. The value of the DKIM-Signature field, folded with LF, without blank at
 * its front: a new string, or NULL with ZEGEL_ERROR_TEMPORARY. */
char *
dkim_signer_finish(DkimSigner *signer, GError **error);

/* Frees SIGNER; NULL is allowed. */
void
dkim_signer_free(DkimSigner *signer);

/* As of TIME (seconds since 1970) instead of now, for tests. */
void
dkim_signer_set_time(DkimSigner *signer, gint64 time);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimVerifier, dkim_verifier_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimKeys, dkim_keys_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimSigner, dkim_signer_free)
