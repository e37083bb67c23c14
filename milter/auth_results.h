/*
 * auth_results.h - the header field Authentication-Results (RFC 8601): written, and
 * recognised when somebody else wrote it in our name (T27).
 *
 * Whatever a value holds, it stays one value: what is no token is written as a quoted
 * string without control characters and without bytes that are no ASCII. Pure, but for
 * the machine's name; any thread.
 */
#pragma once

#include "common/conf/conf.h"
#include "milter/plan.h"

#define AUTH_RESULTS_HEADER "Authentication-Results"

typedef struct AuthResults AuthResults;

/* Our name in such fields: CONFIG's hostname, or the machine's, which everybody has. Owned
 * by CONFIG or static. */
const char *
auth_results_id(const Config *config);

/* Begins the field of AUTHSERV_ID, freed with auth_results_free. Never NULL. */
AuthResults *
auth_results_new(const char *authserv_id);

/* Frees RESULTS; NULL is allowed. */
void
auth_results_free(AuthResults *results);

/* Appends METHOD=RESULT (both words of RFC 8601 2.7), with REASON, which may be NULL or
 * empty. */
void
auth_results_add(AuthResults *results, const char *method, const char *result,
                 const char *reason);

/* Appends property NAME ("header.d") to the last result, unless VALUE is NULL or empty. */
void
auth_results_property(AuthResults *results, const char *name, const char *value);

/* The value of the field, folded with LF: a new string. "none" stands in it when nothing
 * was added. */
char *
auth_results_value(const AuthResults *results);

/*
 * Whether RAW, the value of such a field, claims to be of AUTHSERV_ID, in any case, quoted
 * or not, with comments and with a version. TRUE too when its beginning cannot be read:
 * somebody else might read it so.
 */
gboolean
auth_results_is_of(const char *raw, const char *authserv_id);

/* Appends to PLAN the removal of every such field of FIELDS that auth_results_is_of
 * AUTHSERV_ID, last to first. */
void
auth_results_remove(Plan *plan, const Fields *fields, const char *authserv_id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuthResults, auth_results_free)
