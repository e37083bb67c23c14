/*
 * questions.h - the questions that are not for a route (zegel-policy(7)), each to who
 * answers it.
 *
 * One thread, in callbacks of a Loop.
 */
#pragma once

#include "common/base/attr.h"
#include "common/conf/conf.h"
#include "policyd/clients.h"
#include "common/base/loop.h"
#include "policyd/verdicts.h"

typedef struct Questions Questions;

/* ATTRS (borrowed) is the answer for PEER. CHECKED: readiness may be known better now. */
typedef void (*QuestionsAnswer)(gpointer data, guint64 peer, const Attrs *attrs,
                                gboolean checked);

/* All borrowed until questions_free. */
typedef struct {
  Loop *loop;
  Dns *dns; /* NULL: nothing is known of any domain (lookup.h) */
  Spf *spf;
  Verdicts *verdicts;
  Clients *clients; /* NULL: nobody's certificate is known */
  QuestionsAnswer answer;
  gpointer data;
} QuestionsParts;

/* PARTS at work. questions_follow comes next. Never NULL; freed with questions_free. */
Questions *
questions_new(const QuestionsParts *parts);

/* Frees QUESTIONS, and answers nobody any more; NULL is allowed. */
void
questions_free(Questions *questions);

/* From now on CONFIG (borrowed) counts. */
void
questions_follow(Questions *questions, const Config *config);

/* Whether ATTRS are a question for here, by its request. */
gboolean
questions_has(const Attrs *attrs);

/* PEER asks the question in ATTRS, of which questions_has is true; it is answered now or
 * later, once. FALSE with ZEGEL_ERROR_INVALID when it is none. */
gboolean
questions_take(Questions *questions, guint64 peer, const Attrs *attrs, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Questions, questions_free)
