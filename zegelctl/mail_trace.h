/*
 * mail_trace.h - what Postfix did with messages, out of the lines of its log.
 *
 * A sensitive message passes Postfix more than once: each pass has a queue id of its own,
 * that smtpd logs with the one before it (orig_queue_id). A trace follows them, so that the
 * last hop counts. Where the other side's queue goes on, even in the same log, is not ours.
 */
#pragma once

#include <glib.h>

#define MAIL_TRACE_IDS_MAX 100000 /* queue ids followed at once: more are left out */

typedef struct MailTrace MailTrace;

/* The last that is known of one recipient. All owned by the trace, none NULL. */
typedef struct {
  char *queue_id;
  gint64 at_s;    /* Unix time */
  char *to;       /* without label */
  char *orig_to;  /* as it came; "" when it came so */
  char *relay;    /* "none" when there was nobody */
  char *delay;    /* seconds since it came, as text */
  char *dsn;      /* RFC 3463 */
  char *status;   /* "sent", "deferred", "bounced", "expired", ... */
  char *reply;    /* what the other side said: bytes of strangers */
  char *next;     /* queue id that it got there; "" */
  guint attempts; /* lines like this */
} MailDelivery;

/* A trace that follows nothing yet. */
MailTrace *
mail_trace_new(void);

/* Frees TRACE; NULL is allowed. */
void
mail_trace_free(MailTrace *trace);

/* Follows QUEUE_ID: its lines since FROM_S, until it is removed (short ids come again). */
void
mail_trace_want(MailTrace *trace, const char *queue_id, gint64 from_s);

/* Looks at LINE, of the log in its order; NOW_S is for dates without a year. */
void
mail_trace_line(MailTrace *trace, const char *line, gint64 now_s);

/* Whether nothing more can come: all that is followed was seen to leave the queue. */
gboolean
mail_trace_is_done(const MailTrace *trace);

/* Forgets what lines said, as if none had been read; what is wanted stays. */
void
mail_trace_restart(MailTrace *trace);

/*
 * What became of RECIPIENT of QUEUE_ID: the last hop of each address that he stands for,
 * most often one; an array of borrowed MailDelivery that the caller unrefs. Empty when the
 * log says nothing.
 */
GPtrArray *
mail_trace_find(const MailTrace *trace, const char *queue_id, const char *recipient);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MailTrace, mail_trace_free)
