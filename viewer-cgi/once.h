/*
 * once.h - a form that is sent twice does its work once.
 *
 * Each form that mails something has an id of its own. The store counts when work on it
 * begins and when it is done, so that a double click, a reload, or Back and once more sends
 * nothing again, and a visitor whose sending broke off is told so.
 */
#pragma once

#include <glib.h>

#include "common/store/share.h"

#define ONCE_FIELD  "once" /* its name in the form, and in the URL of what was done */
#define ONCE_WAIT_S 8      /* for who sends the same form at the same time */

typedef enum {
  ONCE_FIRST,  /* begin */
  ONCE_DONE,   /* it was done before */
  ONCE_UNKNOWN /* it was begun before, and nobody knows what came of it */
} Once;

/* A new id, a new string; NULL with an error. */
char *
once_new(GError **error);

/*
 * Begins the work WHAT ("answer", "forward") of the form ID (as it came; NULL when none
 * did) on ENTRY. FALSE with ZEGEL_ERROR_INVALID: that is no id; or with the store's error.
 */
gboolean
once_begin(Store *store, const Entry *entry, const char *what, const char *id, Once *result,
           GError **error);

/* Records that the work is done. FALSE with an error. */
gboolean
once_finish(Store *store, const Entry *entry, const char *what, const char *id,
            GError **error);

/* Whether it is done; *DONE is FALSE for what is no id. FALSE with an error. */
gboolean
once_is_done(Store *store, const Entry *entry, const char *what, const char *id,
             gboolean *done, GError **error);
