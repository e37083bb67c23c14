/*
 * verify.h - what the DNS says of where a message claims to come from, and how that travels
 * from policyd to the milter.
 *
 * One question holds all that one message needs: SPF of its client, DMARC of its author's
 * domain, and the DKIM keys of its signatures. The milter brings the results together: it
 * alone sees the message. Protocol: zegel-policy(7), request=verify.
 */
#pragma once

#include <glib.h>

#include "common/base/attr.h"

#define VERIFY_MAX_KEYS       8    /* signatures of one message that are looked at */
#define VERIFY_TIMEOUT_MS     5000 /* I7 */
#define VERIFY_TEXT_MAX_BYTES 8192 /* of a key; a longer one counts as none */

/* The key of one signature. All owned. */
typedef struct {
  char *domain;   /* d=, as domain_canonical gives it */
  char *selector; /* s= */
} VerifyKey;

typedef struct {
  gboolean fresh;       /* ask the DNS anew */
  char *client_address; /* textual; NULL: SPF is not asked */
  char *helo;           /* "" (or NULL) when there was none */
  char *sender;         /* local@domain; "" (or NULL) for <> */
  char *from_domain;    /* of the one From address, as domain_canonical; NULL: no DMARC */
  GPtrArray *keys;      /* of VerifyKey, at most VERIFY_MAX_KEYS */
} VerifyQuestion;

typedef enum {
  VERIFY_FOUND,
  VERIFY_ABSENT, /* the DNS says that there is none */
  VERIFY_UNKNOWN /* it could not be found out now */
} VerifyState;

typedef struct {
  VerifyState state;
  char *text;       /* the joined TXT record; NULL unless found */
  gboolean secure;  /* under DNSSEC */
  gboolean aligned; /* its domain with from_domain, by adkim (RFC 9989) */
} VerifyKeyAnswer;

/* All strings owned. */
typedef struct {
  char *spf;            /* "pass", "softfail", ... (RFC 8601 2.7.2); NULL: not asked */
  char *spf_domain;     /* whose record: of the sender, or of HELO for <> */
  gboolean spf_aligned; /* spf_domain with from_domain, by aspf */
  VerifyState dmarc;    /* whether from_domain has a policy; ABSENT too when not asked */
  char *dmarc_policy;   /* "none", "quarantine", "reject": that holds; NULL unless found */
  char *dmarc_domain;   /* whose record it is; NULL unless found */
  GPtrArray *keys;      /* of VerifyKeyAnswer, in the order of the question */
} VerifyAnswer;

/* An empty question, freed with verify_question_free. */
VerifyQuestion *
verify_question_new(void);

/* An empty answer, freed with verify_answer_free. */
VerifyAnswer *
verify_answer_new(void);

/* Appends a key; both strings are copied. FALSE: there are VERIFY_MAX_KEYS. */
gboolean
verify_question_add_key(VerifyQuestion *question, const char *domain, const char *selector);

/* Appends a key's answer; TEXT is copied, and may be NULL. */
void
verify_answer_add_key(VerifyAnswer *answer, VerifyState state, const char *text,
                      gboolean secure, gboolean aligned);

/* Frees QUESTION; NULL is allowed. */
void
verify_question_free(VerifyQuestion *question);

/* Frees ANSWER; NULL is allowed. */
void
verify_answer_free(VerifyAnswer *answer);

/* QUESTION as attributes; the caller frees them. */
Attrs *
verify_question_format(const VerifyQuestion *question);

/* ANSWER as attributes; the caller frees them. */
Attrs *
verify_answer_format(const VerifyAnswer *answer);

/* The question in ATTRS, owned by the caller, or NULL with ZEGEL_ERROR_INVALID. */
VerifyQuestion *
verify_question_parse(const Attrs *attrs, GError **error);

/* The answer in ATTRS, owned by the caller. NULL with ZEGEL_ERROR_INVALID, also when it has
 * not exactly KEYS keys, or with ZEGEL_ERROR_TEMPORARY for error=TEXT of policyd. */
VerifyAnswer *
verify_answer_parse(const Attrs *attrs, guint keys, GError **error);

/* Asks over the socket at PATH. NULL with ZEGEL_ERROR_TEMPORARY after at most
 * VERIFY_TIMEOUT_MS. Any thread. */
VerifyAnswer *
ask_verify(const char *path, const VerifyQuestion *question, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(VerifyQuestion, verify_question_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VerifyAnswer, verify_answer_free)
