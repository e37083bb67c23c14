#include "common/audit/checkpoint.h"

#include <string.h>

#include "common/audit/internal.h"

G_STATIC_ASSERT(CHECKPOINT_PUBLIC_BYTES == ED25519_PUBLIC_BYTES);

/* The signing key of key ID of KEYS, the caller's. */
static Ed25519 *
find_signer(const KeyRing *keys, guint32 id, GError **error)
{
  g_autoptr(Secret) seed = keyring_derive_key(keys, id, "audit sign", error);
  return seed != NULL ? ed25519_new(secret_peek(seed), error) : NULL;
}

char *
checkpoint_sign(const Checkpoint *checkpoint, const KeyRing *keys, GError **error)
{
  g_autoptr(Ed25519) key = find_signer(keys, checkpoint->key_id, error);
  return key != NULL ? checkpoint_format(checkpoint, key, error) : NULL;
}

gboolean
checkpoint_check(const char *text, const guint8 public_key[CHECKPOINT_PUBLIC_BYTES],
                 GError **error)
{
  Checkpoint checkpoint;
  return checkpoint_parse(text, &checkpoint, error) && line_check(text, public_key, error);
}

gboolean
checkpoint_public_key(const KeyRing *keys, guint32 id,
                      guint8 public_key[CHECKPOINT_PUBLIC_BYTES], GError **error)
{
  g_autoptr(Ed25519) key = find_signer(keys, id, error);
  if (key == NULL)
    return FALSE;
  memcpy(public_key, ed25519_public(key), CHECKPOINT_PUBLIC_BYTES);
  return TRUE;
}
