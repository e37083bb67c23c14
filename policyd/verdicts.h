/*
 * verdicts.h - which domains are ready, as far as we know now.
 *
 * A verdict (ready.h) is found out when somebody asks, by one lookup however many ask, and
 * kept until the first answer that it hung on expires. A change of a domain's readiness is
 * an event. One thread, in callbacks of a Loop.
 */
#pragma once

#include "common/book/book.h"
#include "common/conf/conf.h"
#include "common/base/loop.h"
#include "policyd/keeper.h"
#include "policyd/ready.h"

#define VERDICTS_MAX        20000
#define VERDICTS_MAX_SOUGHT 2000 /* at a time; more are unknown */
#define VERDICTS_TIMEOUT_MS 4000 /* until what is sought is unknown; see ASK_TIMEOUT_MS */
#define VERDICTS_KEEP_MIN_S 1    /* for the questions at hand */
#define VERDICTS_UNKNOWN_S  5    /* RFC 2308 7: a failure is kept this long */

typedef enum {
  SIDE_OURS,  /* one of our domains: N2 */
  SIDE_THEIRS /* N1 */
} Side;

typedef struct Verdicts Verdicts;
typedef struct VerdictWait VerdictWait;

/* VERDICT (borrowed) has come; the wait is gone then. */
typedef void (*VerdictDone)(gpointer data, Verdict *verdict);

/* An empty table that asks DNS and SPF (borrowed, may be NULL: lookup.h), and gives what
 * was seen to KEEPER (borrowed, may be NULL). verdicts_follow comes next. Never NULL; freed
 * with verdicts_free. */
Verdicts *
verdicts_new(Loop *loop, Dns *dns, Spf *spf, Keeper *keeper);

/* Ends what is sought and frees VERDICTS; NULL is allowed. */
void
verdicts_free(Verdicts *verdicts);

/* From now on CONFIG and BOOK (borrowed) count; what is kept is found out anew. */
void
verdicts_follow(Verdicts *verdicts, const Config *config, const Book *book);

/*
 * The verdict on DOMAIN (as domain_canonical gives it), to be given back with
 * verdict_unref, or NULL: then it is sought, *WAIT is set, and DONE is called with DATA
 * later, after at most VERDICTS_TIMEOUT_MS.
 */
Verdict *
verdicts_find(Verdicts *verdicts, Side side, const char *domain, VerdictDone done,
              gpointer data, VerdictWait **wait);

/* Ends waiting: DONE is not called. It is sought on all the same. NULL is allowed. */
void
verdicts_cancel(VerdictWait *wait);

/* What CONFIG says of NTA records, and the month that it is now. */
NtaRules
verdicts_rules(const Config *config);

/* The line of DOMAIN in BOOK with next hop "nta" (book.h), borrowed, or NULL. */
const BookEntry *
verdicts_partner(const Book *book, const char *domain);

/* Reads *VERDICT on DOMAIN, and LINES unless NULL, from LOOKUP as ready.h does. */
void
verdicts_read(const Verdicts *verdicts, Side side, const char *domain, Lookup *lookup,
              GPtrArray *lines, Verdict *verdict);

/* Keeps VERDICT (taken: cleared) on DOMAIN, which somebody read from LOOKUP. */
void
verdicts_keep(Verdicts *verdicts, Side side, const char *domain, Lookup *lookup,
              Verdict *verdict);

/* A verdict for which nobody has to be asked; CODE is static. */
Verdict *
verdict_of(Readiness readiness, const char *code);

/* One reference of VERDICT more; NULL is allowed. Returns VERDICT. */
Verdict *
verdict_ref(Verdict *verdict);

/* One reference of VERDICT less; NULL is allowed. */
void
verdict_unref(Verdict *verdict);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Verdicts, verdicts_free)
