/*
 * refresh.h - keeps routes.db true while Postfix may queue (R4).
 *
 * Looks every second whether the file is in its place, and looks at every promised NTA
 * domain again each recheck_s, with the same rules that promised it. One that is ready
 * still gets its next hops of now; one that is not turns to the store; one of which nothing
 * can be found out stays. What nobody asked for in promise_days turns to the store too.
 */
#pragma once

#include "common/book/book.h"
#include "common/conf/conf.h"
#include "policyd/dns.h"
#include "policyd/keeper.h"
#include "common/base/loop.h"
#include "policyd/promise.h"

#define REFRESH_LOOK_MS     1000
#define REFRESH_MAX_LOOKUPS 16    /* at once */
#define REFRESH_LOOKUP_MS   10000 /* for one domain; more than DNS_TIMEOUT_MS */
#define REFRESH_RETRY_S     10    /* when routes.db could not be written */

typedef struct Refresh Refresh;

/* What counts now; the owner may put others in it between turns of the loop. */
typedef struct {
  const Config *config;
  const Book *book;
  Keeper *keeper; /* of what was seen; may be NULL */
} RefreshBasis;

/*
 * Begins with PROMISES in LOOP. DNS, PROMISES and BASIS are borrowed until refresh_free.
 * Never NULL.
 */
Refresh *
refresh_new(Loop *loop, Dns *dns, Promises *promises, const RefreshBasis *basis);

/* Ends it, with what is under way; before DNS and LOOP. NULL is allowed. */
void
refresh_free(Refresh *refresh);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Refresh, refresh_free)
