/*
 * token.h - the hidden field that says: this form came from our own page (T8).
 *
 * It is an HMAC of the form's purpose and of the link or session it belongs to, under a key
 * of the server, so it needs no storage and fits nowhere else.
 */
#pragma once

#include <glib.h>

#include "common/base/secret.h"
#include "common/crypt/key.h"

typedef enum {
  TOKEN_SEND,    /* bound to the link secret */
  TOKEN_CODE,    /* bound to the link secret */
  TOKEN_LOGOUT,  /* bound to the session */
  TOKEN_WRONG,   /* bound to the link secret */
  TOKEN_DELETE,  /* bound to the session */
  TOKEN_ANSWER,  /* bound to the session */
  TOKEN_FORWARD, /* bound to the session */
  TOKEN_SHARED,  /* bound to the organisation's name: there is no session yet */
  TOKEN_RECALL,  /* bound to the status secret */
  TOKEN_FORM,    /* bound to the name of the organisation */
  TOKEN_WRITE    /* bound to the nonce of the form ticket */
} TokenPurpose;

/* The key for tokens out of RING (KEY_STORE); freed with secret_free, or NULL. */
Secret *
token_key(const KeyRing *ring, GError **error);

/* The token for PURPOSE bound to LEN bytes at BOUND; a new string, or NULL with an error.
 */
char *
token_make(const Secret *key, TokenPurpose purpose, gconstpointer bound, gsize len,
           GError **error);

/* Whether TOKEN (NULL when none came) is that token, in constant time. */
gboolean
token_check(const Secret *key, TokenPurpose purpose, gconstpointer bound, gsize len,
            const char *token);
