/*
 * manage.h - what an administrator sees of a stored message, and does with it. Nothing of
 * this needs a link, and nothing opens a message.
 */
#pragma once

#include "common/store/history.h"

/* How an entry stands. All owned, none NULL; "" what is not known any more. */
typedef struct {
  char *organisation;
  char *queue_id; /* with which it came */
  char *notified; /* queue id of the notification */
  char *address, *number, *sender, *message_id;
  EntryState state; /* ENTRY_NONE never */
  gboolean shared;  /* opened with reference and password: no notification of ours */
  gint64 received_s, expires_s;
  gint64 ended_s;  /* when it was withdrawn or deleted; 0 otherwise */
  GArray *history; /* of HistoryLine, in the order of first_s */
} Standing;

/* Frees STANDING; NULL is allowed. */
void
standing_free(Standing *standing);

/*
 * Finds the entry REFERENCE, of whatever organisation: *STANDING is NULL when there is
 * none. FALSE with an error when that is not known. Any thread.
 */
gboolean
store_find_standing(Store *store, const char *reference, Standing **standing,
                    GError **error);

/*
 * Gives the entry REFERENCE another end, EXPIRES_S, and records EVENT. What its reader
 * shared ends then too when it would later, and goes on as it is when it would earlier. Who
 * never opened it is reminded before the new end (V7). FALSE with ZEGEL_ERROR_INVALID when
 * there is no such open entry, or EXPIRES_S is over.
 */
gboolean
store_extend(Store *store, const char *organisation, const char *reference,
             gint64 expires_s, Event *event, GError **error);

/*
 * Asks for the notification of the entry REFERENCE to be sent again: zegel-deliver, which
 * alone can make the link, finds it (DUE_AGAIN). BY is who asks. Twice is once. FALSE with
 * ZEGEL_ERROR_INVALID when there is no such open entry, or none with a link.
 */
gboolean
store_ask_again(Store *store, const char *organisation, const char *reference,
                const char *by, GError **error);

/*
 * Ends what store_ask_again asked for. WENT: it was handed to Postfix, which the history
 * says from now on. Records EVENT. FALSE with ZEGEL_ERROR_INVALID when there is no such
 * entry. Any thread.
 */
gboolean
store_end_again(Store *store, const char *organisation, const char *reference,
                gboolean went, Event *event, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Standing, standing_free)
