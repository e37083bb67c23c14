/*
 * dispatch.h - a message as its sender has it: all its recipients, and what he may still
 * do.
 *
 * A dispatch is made when the first of its recipients is filed (filing_commit), from the
 * ticket: it has everybody to whom the message went, by whatever way. Its status page is
 * found by a secret of its own, derived from the link key like the secrets of links.
 */
#pragma once

#include "common/store/history.h"

/* One recipient. All owned; "" when unknown. */
typedef struct {
  char *address;
  char *route;     /* as the milter logged it: "viewer", "nta", "community", "own", ... */
  char *reference; /* of its entry; NULL: not in the viewer, or not filed yet */
  char *number;    /* E.164; "" when there is none, or when the entry was purged */
  EntryState state;
  gint64 ended_s;  /* when it was withdrawn or deleted; 0 otherwise */
  GArray *history; /* of HistoryLine; NULL without reference */
} DispatchRecipient;

typedef struct {
  char *organisation;
  guint8 ticket_id[TICKET_ID_BYTES];
  char *sender;
  char *sender_name;
  char *message_id;
  gint64 received_s;
  gint64 expires_s;
  gboolean confirmed; /* its confirmation went out, or is not wanted */
  guint8 status_nonce[STORE_NONCE_BYTES];
  guint32 status_key_id;
  GPtrArray *recipients; /* of DispatchRecipient, in the order of the ticket */
} Dispatch;

/* Frees DISPATCH; NULL is allowed. */
void
dispatch_free(Dispatch *dispatch);

/*
 * Finds a dispatch of ORGANISATION by its STATUS_SECRET (STORE_LINK_SECRET_BYTES).
 * *DISPATCH is NULL when there is none. FALSE with an error when that is not known. From 30
 * days after it expired on it has times, but no names and no recipients any more; after a
 * year it never was.
 */
gboolean
store_find_dispatch(Store *store, const char *organisation, const guint8 *status_secret,
                    Dispatch **dispatch, GError **error);

/* The same by the reference of one of its entries. */
gboolean
store_find_dispatch_of(Store *store, const char *organisation, const char *reference,
                       Dispatch **dispatch, GError **error);

/* Records that the confirmation of the message with TICKET_ID was handed to Postfix as
 * QUEUE_ID ("" when none is wanted), and EVENT. */
gboolean
store_set_confirmed(Store *store, const char *organisation, const guint8 *ticket_id,
                    const char *queue_id, Event *event, GError **error);

/*
 * At most MAX dispatches of ORGANISATION that were received since SINCE_S and are not
 * confirmed, the oldest first, without the first SKIP of them: those that were looked at
 * and have to wait. An array of Dispatch with its free function set, that the caller
 * unrefs, or NULL with an error.
 */
GPtrArray *
store_find_unconfirmed(Store *store, const char *organisation, gint64 since_s, guint skip,
                       guint max, GError **error);

/* A reader who answered or forwarded something, or wrote in the web form. All owned. */
typedef struct {
  char *reference; /* of the entry in which he did */
  char *address;   /* "" when that entry is over and he is forgotten */
  gint64 received_s;
} Visitor;

/* Frees VISITOR; NULL is allowed. */
void
visitor_free(Visitor *visitor);

/*
 * Finds who reads the entry REFERENCE of ORGANISATION; with SHARED it is an entry that was
 * forwarded (share.h), and its forwarder is found. *VISITOR is NULL when there is none.
 * FALSE with an error when that is not known. Any thread.
 */
gboolean
store_find_visitor(Store *store, const char *organisation, const char *reference,
                   gboolean shared, Visitor **visitor, GError **error);

/*
 * Withdraws the entry REFERENCE, and what its reader shared of it: wrapped keys, codes and
 * sessions are gone when this returns (S13). KIND says why: HISTORY_RECALLED or
 * HISTORY_BOUNCED. *CHANGED gets FALSE when it was over already, and EVENT is not recorded
 * then; what its reader shared before he deleted it goes all the same. FALSE with
 * ZEGEL_ERROR_INVALID when there is no such entry.
 */
gboolean
store_withdraw(Store *store, const char *organisation, const char *reference,
               HistoryKind kind, Event *event, gboolean *changed, GError **error);

/*
 * Gives the entry REFERENCE another NUMBER (E.164), and records EVENT: older codes and
 * sessions are dead, and what its reader shared of it is withdrawn (T31). FALSE with
 * ZEGEL_ERROR_INVALID when there is no such open entry.
 */
gboolean
store_change_number(Store *store, const char *organisation, const char *reference,
                    const char *number, Event *event, GError **error);

/* ---- What is due: zegel-deliver's clock ---- */

typedef enum {
  DUE_TELL,   /* never opened: its sender is told */
  DUE_REMIND, /* never opened, and its time is nearly over: its reader is told (V7) */
  DUE_AGAIN   /* an administrator wants its notification sent again (manage.h) */
} DueKind;

/* All owned. */
typedef struct {
  char *reference, *address, *number, *sender, *sender_name, *message_id;
  gint64 received_s, expires_s;
  guint8 link_nonce[STORE_NONCE_BYTES];
  guint32 link_key_id;
  char *asker;    /* DUE_AGAIN: who asked; NULL otherwise */
  gint64 asked_s; /* when */
} Due;

/*
 * At most MAX open entries of ORGANISATION, filed for a link (not shared), never opened and
 * not yet told of KIND: DUE_TELL those received before BEFORE_S, DUE_REMIND those that
 * expire before BEFORE_S. DUE_AGAIN: those whose notification was asked for again up to
 * BEFORE_S, opened or not. An array of Due with its free function set, that the caller
 * unrefs, or NULL with an error. After the mail went, note HISTORY_TOLD or
 * HISTORY_REMINDED, or call store_end_again: then it is due no more.
 */
GPtrArray *
store_find_due(Store *store, const char *organisation, DueKind kind, gint64 before_s,
               guint max, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Dispatch, dispatch_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Visitor, visitor_free)
