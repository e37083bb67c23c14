/*
 * setup_ask.h - the few things that setup cannot know, and the zegel.conf that they make.
 */
#pragma once

#include <glib.h>

#include "zegelctl/setup_plan.h"

/* What an administrator said, by option or as an answer; NULL: not yet. */
typedef struct {
  gboolean yes; /* nothing is asked: what was not said is as it is proposed */
  char *domains;
  char *sensitive; /* default: observe, on-request or secure */
  char *service_domain;
  char *viewer_url;
  char *name; /* as recipients read it */
  char *sms;  /* gammu, http, mail, later, or a path */
} SetupAnswers;

/*
 * Asks what ANSWERS does not have yet, on standard output and input, each with a proposal
 * from SITE. FALSE with ZEGEL_ERROR_CONFIG when there is no answer.
 */
gboolean
setup_ask(SetupAnswers *answers, const Site *site, GError **error);

/* A zegel.conf for SITE that says ANSWERS, with PORTS where they are not the usual ones: a
 * new string, or NULL with an error. */
char *
setup_conf_text(const SetupAnswers *answers, const Site *site, const guint *ports,
                GError **error);

/* Asks QUESTION, with yes or no; FALSE also when there is no answer. */
gboolean
setup_confirm(const char *question);

/* Frees what is in ANSWERS. */
void
setup_answers_clear(SetupAnswers *answers);
