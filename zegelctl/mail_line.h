/*
 * mail_line.h - a line that Postfix wrote in the mail log, as a value.
 *
 * Pure: text in, struct out. Lines of other programs, which log what strangers say, are
 * none; of Postfix's own only those that tell what became of a message.
 */
#pragma once

#include <glib.h>

#define MAIL_LINE_ID_MAX 40 /* characters of a queue id: "long" ones have up to 20 */

typedef enum {
  MAIL_LINE_OTHER,
  MAIL_LINE_CLIENT,   /* smtpd took it from another pass of ours: origin */
  MAIL_LINE_DELIVERY, /* a recipient: delivered, deferred, bounced */
  MAIL_LINE_EXPIRED,  /* it was too long in the queue: it goes back */
  MAIL_LINE_REMOVED   /* nothing of it is left in the queue */
} MailLineKind;

/* Where the parts of a line stand; borrowed from it. */
typedef struct {
  const char *daemon; /* "smtp" of "postfix-out/zegel-direct/smtp[7]" */
  gsize daemon_len;
  char id[MAIL_LINE_ID_MAX + 1]; /* queue id */
  const char *text;              /* behind "QUEUEID: " */
} MailHead;

/* All owned; NULL what this kind of line has not. */
typedef struct {
  MailLineKind kind;
  gint64 at_s; /* Unix time */
  char *daemon;
  char *origin;  /* CLIENT: the queue id that it had before */
  char *to;      /* DELIVERY: without <>, as it stands there */
  char *orig_to; /* as it came, when that was another; NULL */
  char *relay;
  char *delay;  /* seconds since it came, as text */
  char *dsn;    /* RFC 3463 */
  char *status; /* "sent", "deferred", "bounced", ... */
  char *reply;  /* what the other side, or Postfix, said */
  char *next;   /* queue id that it got there, as far as the reply says */
} MailLine;

/* Splits LINE; FALSE when Postfix did not write it about a message. Cheap: for each line.
 */
gboolean
mail_line_split(const char *line, MailHead *head);

/* What LINE, split into HEAD, says; NOW_S is for dates without a year. FALSE when it tells
 * nothing of what became of the message. Free with mail_line_clear. */
gboolean
mail_line_parse(const char *line, const MailHead *head, gint64 now_s, MailLine *parsed);

/* Frees what is in LINE. */
void
mail_line_clear(MailLine *line);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MailLine, mail_line_clear)
