/*
 * page_answer.h - writing back to who sent the message (V5).
 */
#pragma once

#include "viewer-cgi/page.h"

/* What the page shows. All borrowed. */
typedef struct {
  const char *form_token;
  const char *once; /* the form's id (once.h) */
  const char *sender;
  const char *sender_name;
  guint answers_left;
  guint attachments_max_mb;
  const char *text;  /* what was typed already, or "" */
  gboolean restored; /* the text comes out of a draft */
  const char *error; /* what went wrong, translated; NULL: nothing */
} AnswerFacts;

/* "/m/answer": the form. */
Html *
page_answer(const Frame *frame, const AnswerFacts *facts);

/* The answer went to SENDER; ANSWERS_LEFT more may be written. */
Html *
page_answer_sent(const Frame *frame, const char *sender, const char *sender_name,
                 guint answers_left);

/* The session was over when the text came; it was kept. PATH leads to a new one. */
Html *
page_text_kept(const Frame *frame, const char *path);
