/*
 * page_message.h - the page of an opened message.
 */
#pragma once

#include <glib.h>

#include "viewer-cgi/page.h"
#include "viewer-cgi/summary.h"

/* What the page shows. All borrowed. */
typedef struct {
  const Summary *summary; /* NULL: the message cannot be shown, only downloaded */
  const char *text;       /* the words, UTF-8; NULL: there are none that can be shown */
  const char *sender;     /* envelope sender, when there is no summary */
  gboolean weak;          /* it was opened with a code by e-mail (S6) */
  gboolean may_answer;
  gboolean may_forward;
  gint64 expires_s;
  gint64 lost_s; /* when an answer or what was forwarded came back; 0: never */
} MessageFacts;

/* "/m": headers, words or the framed HTML, attachments. */
Html *
page_message(const Frame *frame, const MessageFacts *facts);

/* "/m/text": the words of an HTML message, by themselves. */
Html *
page_message_text(const Frame *frame, const MessageFacts *facts);

/* "/m/delete": asks whether it is meant. FORM_TOKEN of the session; EXPIRES_S of the
 * message. */
Html *
page_delete(const Frame *frame, const char *form_token, gint64 expires_s);

/* It is gone. */
Html *
page_deleted(const Frame *frame);

/* The name under which ATTACHMENT is shown and saved; a new string. */
char *
page_attachment_name(const Attachment *attachment);
