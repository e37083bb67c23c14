/*
 * notes.h - the rows of routes.db in memory: those that are kept, and changes of them that
 * are noted and not committed yet.
 *
 * Knows what a row for a next hop looks like, and no file. One thread.
 */
#pragma once

#include <glib.h>

#include "policyd/promise.h"
#include "policyd/routedb.h"

typedef struct {
  RouteTables *kept;
  RouteTables *noted; /* a row that goes has the value NULL */
} Notes;

/* The next hops in TEXT, "[a]:25, [b]:25": new strings, none of them empty. */
GStrv
hops_split(const char *text);

/* The next hops of ROW, which goes direct; owned by it. */
const char *
hops_of_row(const RouteRow *row);

/* TEXT with ":25" behind each next hop, or, as NTA 7516 gives them, without: new. */
char *
hops_with_ports(const char *text, gboolean ports);

/* A new row KEY, of which LABEL is the label, that goes to HOP. */
RouteRow *
row_to_hop(const char *key, Label label, const PromiseHop *hop, const PromiseWays *ways,
           gint64 promised_s);

/* Notes ROW (taken over) for KEY, or with NULL that it goes. TRUE when that is new. */
gboolean
notes_route(Notes *notes, const char *key, RouteRow *row);

/* Notes that KEY, of which LABEL is the label, goes to HOP. TRUE when that is new. */
gboolean
notes_hop(Notes *notes, const char *key, Label label, const PromiseHop *hop,
          const PromiseWays *ways, gint64 promised_s);

/* Notes that nobody's word stands behind ROW any more: it turns to the store, and mail that
 * is not sensitive has none. */
void
notes_gone(Notes *notes, const RouteRow *row, const PromiseWays *ways);

/* Notes POLICY for the next hop HOP, or with NULL that it has none. TRUE when it is new. */
gboolean
notes_policy(Notes *notes, const char *hop, const char *policy);

/* Notes the policy of HOP, if it has one, for each of its next hops. TRUE when one is new.
 */
gboolean
notes_policies(Notes *notes, const PromiseHop *hop);

/* The policy of HOP once all is committed, owned by NOTES, or NULL. */
const char *
notes_policy_then(const Notes *notes, const char *hop);

/* Notes that next hops which no row has any more have no policy. */
void
notes_drop_policies(Notes *notes);

/* What was noted was committed: it is kept now. */
void
notes_keep(Notes *notes);

/* Drops what was noted. */
void
notes_forget(Notes *notes);
