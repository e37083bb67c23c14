/*
 * page_status.h - what became of a message, for its sender (S13, S14).
 *
 * Neither subject nor content, no network address, and of a number its last digits only.
 */
#pragma once

#include "common/store/dispatch.h"
#include "viewer-cgi/page.h"

/* What the status page shows. All borrowed. */
typedef struct {
  const Dispatch *dispatch;
  const char *token; /* of the page */
  gboolean recalled; /* the sender has just recalled something */
} StatusFacts;

/* Whether RECIPIENT has the message in the viewer, and may still read it there. */
gboolean
page_status_is_open(const DispatchRecipient *recipient);

/* "/s/TOKEN": every recipient, how it went, and what happened. */
Html *
page_status(const Frame *frame, const StatusFacts *facts);

/* What is asked before a recall. All borrowed. */
typedef struct {
  const Dispatch *dispatch;
  const char *token;
  const char *form_token;
  const char *reference; /* of one recipient; NULL: all who may still read it */
  gboolean unticked;     /* the button was pressed, but the box was not ticked */
} RecallFacts;

/*
 * "/s/TOKEN/recall": is that what you want? A box must be ticked: a program that looks
 * after mail and presses what it finds recalls nothing (T6).
 */
Html *
page_recall(const Frame *frame, const RecallFacts *facts);
