/*
 * form_copy.h - the copy of what somebody wrote in the web form, for himself (V11).
 *
 * It is an entry that a password opens (share.h). The same form sent twice (a double click,
 * a reload) is one message with one copy and one password, for all of them are made of the
 * link's nonce and of what was written; nothing of that is stored, so neither the database
 * nor the store key yields the password.
 */
#pragma once

#include "common/store/share.h"
#include "viewer-cgi/form_ticket.h"

/* What was filed. Wipe it. */
typedef struct {
  char reference[STORE_REFERENCE_MAX + 1];
  char password[STORE_PASSWORD_MAX + 1];
  gint64 expires_s;
  gboolean other; /* another message was sent with this link: nothing was filed */
  gboolean sent;  /* it went to the organisation before */
} FormCopy;

/* What is filed. All borrowed. */
typedef struct {
  const char *organisation;
  const FormTicket *ticket;
  const char *name;       /* of the visitor */
  const guint8 *digest;   /* CRYPT_SHA256_BYTES, of all that was written */
  const GString *message; /* as it goes out */
  gint64 now_s;
  guint retention_days;
} FormCopyFacts;

/* Files the copy, or finds it when it was filed before. KEY is the viewer's token key. */
gboolean
form_copy_file(Store *store, const Secret *key, const FormCopyFacts *facts, FormCopy *copy,
               GError **error);
