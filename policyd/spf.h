/*
 * spf.h - SPF (RFC 7208) by libspf2, in a confined program of its own.
 *
 * libspf2 parses what strangers publish and ends its process on surprises, so it lives in
 * zegel-spf: no files, no network. Its questions to the DNS come back to us over a pipe and
 * are answered by our own resolver. A worker that dies costs one answer. One thread, in
 * callbacks of a Loop.
 */
#pragma once

#include "policyd/dns.h"
#include "common/base/loop.h"

#define SPF_WORKERS     4
#define SPF_TIMEOUT_MS  4000 /* for one check; the worker is ended then */
#define SPF_MAX_WAITING 1000 /* checks that wait for a worker */

typedef enum {
  SPF_VERDICT_NONE,
  SPF_VERDICT_NEUTRAL,
  SPF_VERDICT_PASS,
  SPF_VERDICT_FAIL,
  SPF_VERDICT_SOFTFAIL,
  SPF_VERDICT_TEMPERROR,
  SPF_VERDICT_PERMERROR
} SpfVerdict;

typedef struct Spf Spf;
typedef struct SpfWaiter SpfWaiter;

/* The check is over; the waiter is gone then. Never called from within spf_ask. */
typedef void (*SpfDone)(gpointer data, SpfVerdict verdict);

/*
 * SPF in LOOP with answers from DNS (both borrowed), by the program at PATH. Workers start
 * when they are needed. Never NULL; freed with spf_free.
 */
Spf *
spf_new(Loop *loop, Dns *dns, const char *path);

/* Ends the workers and frees SPF; NULL is allowed. */
void
spf_free(Spf *spf);

/*
 * Checks the client ADDRESS (textual IP) for SENDER (local@domain) and HELO (a domain).
 * DONE is called once with DATA; SPF_VERDICT_TEMPERROR also stands for whatever failed
 * here.
 */
SpfWaiter *
spf_ask(Spf *spf, const char *address, const char *helo, const char *sender, SpfDone done,
        gpointer data);

/*
 * The verdict kept for the same question, into *VERDICT, and into *EXPIRES_US until when it
 * holds (monotonic). FALSE: none is kept. A verdict is kept as long as every answer of the
 * DNS behind it, unless it is an error.
 */
gboolean
spf_cached(Spf *spf, const char *address, const char *helo, const char *sender,
           SpfVerdict *verdict, gint64 *expires_us);

/* Ends waiting: DONE is not called. */
void
spf_cancel(SpfWaiter *waiter);

/* "pass", "softfail", ... as RFC 7208 2.6 writes them; static. */
const char *
spf_verdict_name(SpfVerdict verdict);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Spf, spf_free)
