/*
 * message_find.h - messages in the audit trail.
 */
#pragma once

#include "zegelctl/message_row.h"

/* Which recipients; what is NULL or 0 does not count. All must hold. Borrowed. */
typedef struct {
  const char *organisation;
  const char *sender, *recipient; /* address or domain */
  const char *route;
  gboolean refused;         /* those that were refused, instead of those that went */
  gint64 from_us, until_us; /* Unix time */
} MessageFilter;

/* Called for each row, which it takes. FALSE with an error ends it. */
typedef gboolean (*MessageFunc)(MessageRow *row, gpointer data, GError **error);

/*
 * Calls FUNC with DATA for what FILTER asks for, the newest first. Rows of later passes are
 * left out when the recipient has one of the first. FALSE with an error of trail_each, or
 * of FUNC.
 */
gboolean
message_find_each(Trail *trail, const MessageFilter *filter, MessageFunc func,
                  gpointer data, GError **error);

/*
 * The rows that have all of WORDS (message_row_has), the newest first, within the times and
 * of the organisation of FILTER, at most LIMIT: an array of MessageRow with its free
 * function set, that the caller unrefs, or NULL with an error.
 */
GPtrArray *
message_search(Trail *trail, const MessageFilter *filter, char **words, guint word_count,
               guint limit, GError **error);

/*
 * All recipients of the message or messages of which one has WORD, a reference, a queue id
 * or a Message-ID: as message_search, the oldest first.
 */
GPtrArray *
message_find(Trail *trail, const char *word, GError **error);

/* Adds to ROW what the trail has of it: its reference, its notification, what happened. */
gboolean
message_complete(Trail *trail, MessageRow *row, GError **error);
