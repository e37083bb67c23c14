#include "common/base/secret.h"

#include <string.h>

struct Secret {
  gsize size;
  guint8 bytes[];
};

Secret *
secret_new(gsize len)
{
  Secret *secret = g_malloc0(sizeof *secret + len);
  secret->size = len;
  return secret;
}

Secret *
secret_new_from(gconstpointer bytes, gsize len)
{
  Secret *secret = secret_new(len);
  if (len > 0)
    memcpy(secret->bytes, bytes, len);
  return secret;
}

guint8 *
secret_bytes(Secret *secret)
{
  return secret->bytes;
}

const guint8 *
secret_peek(const Secret *secret)
{
  return secret->bytes;
}

gsize
secret_size(const Secret *secret)
{
  return secret->size;
}

void
secret_free(Secret *secret)
{
  if (secret == NULL)
    return;
  secret_wipe(secret->bytes, secret->size);
  g_free(secret);
}

void
secret_wipe(gpointer bytes, gsize len)
{
  explicit_bzero(bytes, len);
}
