#include "viewer-cgi/token.h"

#include <string.h>

#include "common/crypt/crypt.h"

static const char *const purpose_names[] = {
    [TOKEN_SEND] = "send",          [TOKEN_CODE] = "code",     [TOKEN_LOGOUT] = "logout",
    [TOKEN_WRONG] = "wrong number", [TOKEN_DELETE] = "delete", [TOKEN_ANSWER] = "answer",
    [TOKEN_FORWARD] = "forward",    [TOKEN_SHARED] = "shared", [TOKEN_RECALL] = "recall",
    [TOKEN_FORM] = "form",          [TOKEN_WRITE] = "write",
};

Secret *
token_key(const KeyRing *ring, GError **error)
{
  return keyring_derive_key(ring, keyring_current(ring), "viewer form token", error);
}

static gboolean
compute(const Secret *key, TokenPurpose purpose, gconstpointer bound, gsize len,
        guint8 mac[CRYPT_SHA256_BYTES], GError **error)
{
  /* The name's NUL parts purpose and binding. */
  gsize name_len = strlen(purpose_names[purpose]) + 1;
  g_autoptr(Secret) data = secret_new(name_len + len);
  memcpy(secret_bytes(data), purpose_names[purpose], name_len);
  memcpy(secret_bytes(data) + name_len, bound, len);
  return crypt_hmac(key, secret_peek(data), secret_size(data), mac, error);
}

char *
token_make(const Secret *key, TokenPurpose purpose, gconstpointer bound, gsize len,
           GError **error)
{
  guint8 mac[CRYPT_SHA256_BYTES];
  if (!compute(key, purpose, bound, len, mac, error))
    return NULL;
  return crypt_base64url(mac, sizeof mac);
}

gboolean
token_check(const Secret *key, TokenPurpose purpose, gconstpointer bound, gsize len,
            const char *token)
{
  guint8 mac[CRYPT_SHA256_BYTES];
  if (token == NULL || !compute(key, purpose, bound, len, mac, NULL))
    return FALSE;
  g_autoptr(Secret) given = crypt_base64url_decode(token, sizeof mac);
  return given != NULL && crypt_equal(secret_peek(given), mac, sizeof mac);
}
