/*
 * history.h - what became of a message, as its sender may see it (S14).
 *
 * One line for each kind of thing that happened to an entry, with when first, when last and
 * how often. Functions of store.h that record such a thing write its line in the same
 * transaction: filing_commit, store_set_notified, store_issue_code, store_recall and so on.
 * The rest is written by store_note. Nothing of it says from where or by which device.
 */
#pragma once

#include "common/store/store.h"

/* The numbers stand in the database: new ones go to the end. */
typedef enum {
  HISTORY_STORED,
  HISTORY_NOTIFIED,
  HISTORY_DELAYED,    /* the notification still waits at Postfix (DSN "delayed") */
  HISTORY_BOUNCED,    /* the notification came back: the link was withdrawn */
  HISTORY_CODE_SENT,  /* by SMS or mail */
  HISTORY_OPENED,     /* the message was shown */
  HISTORY_DOWNLOADED, /* an attachment, the zip, the PDF or the original was fetched */
  HISTORY_ANSWERED,
  HISTORY_FORWARDED,
  HISTORY_WRONG_NUMBER,   /* the reader says that the number is not his */
  HISTORY_NUMBER_CHANGED, /* the sender or an administrator gave another number */
  HISTORY_TOLD,           /* the sender was told that it was never opened */
  HISTORY_REMINDED,       /* the reader was reminded before the end */
  HISTORY_EXPIRED,
  HISTORY_RECALLED,
  HISTORY_DELETED,        /* by the reader */
  HISTORY_ANSWER_BOUNCED, /* what the reader answered or forwarded could not be delivered */
  HISTORY_NOTIFIED_AGAIN, /* an administrator had the notification sent again */
  HISTORY_EXTENDED,       /* he gave it another end */
  HISTORY_REMOVED,        /* he removed it */
  HISTORY_COUNT
} HistoryKind;

typedef struct {
  HistoryKind kind;
  gint64 first_s, last_s; /* Unix time */
  guint count;
} HistoryLine;

/*
 * Notes that KIND happened now to the entry REFERENCE of ORGANISATION, and records EVENT.
 * *FIRST, when not NULL, gets whether it was the first time. Not for HISTORY_STORED and
 * HISTORY_NOTIFIED, which its own row knows. FALSE with ZEGEL_ERROR_INVALID when there is
 * no such entry. Any thread.
 */
gboolean
store_note(Store *store, const char *organisation, const char *reference, HistoryKind kind,
           Event *event, gboolean *first, GError **error);

/* The lines of an entry, an array of HistoryLine in the order of first_s that the caller
 * unrefs; NULL with an error. */
GArray *
store_history(Store *store, const char *organisation, const char *reference,
              GError **error);
