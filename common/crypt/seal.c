#include "common/crypt/seal.h"

#include <string.h>

#include "common/base/error.h"
#include "common/crypt/crypt.h"
#include "common/crypt/gcm.h"

#define SEAL_VERSION      1
#define SEAL_AES_256_GCM  1
#define SEAL_HEADER_BYTES 2
#define SEALED_CHUNK      (SEAL_CHUNK_BYTES + GCM_TAG_BYTES)

static const guint8 header[SEAL_HEADER_BYTES] = {SEAL_VERSION, SEAL_AES_256_GCM};

/* The last chunk is known only at the end: one whole chunk waits until more comes. */
struct Sealer {
  Secret *key;
  Gcm *gcm;
  guint64 number;
  gboolean begun;
  gboolean finished;
  gsize held;
  guint8 chunk[SEAL_CHUNK_BYTES];
};

struct Opener {
  Secret *key;
  Gcm *gcm;
  guint64 number;
  gsize header_held;
  gboolean finished; /* or failed: nothing more comes out */
  gsize held;
  guint8 chunk[SEALED_CHUNK];
};

/* 11 octets of chunk number, then 1 for the last chunk and else 0. */
static void
make_nonce(guint8 nonce[GCM_NONCE_BYTES], guint64 number, gboolean last)
{
  guint64 number_be = GUINT64_TO_BE(number);
  memset(nonce, 0, GCM_NONCE_BYTES);
  memcpy(nonce + 3, &number_be, sizeof number_be);
  nonce[GCM_NONCE_BYTES - 1] = last ? 1 : 0;
}

static gboolean
reject(GError **error, ZegelError code, const char *what)
{
  g_set_error_literal(error, ZEGEL_ERROR, code, what);
  return FALSE;
}

Sealer *
sealer_new(const Secret *key)
{
  g_return_val_if_fail(secret_size(key) == CRYPT_KEY_BYTES, NULL);
  Sealer *sealer = g_new0(Sealer, 1);
  sealer->key = secret_new_from(secret_peek(key), secret_size(key));
  return sealer;
}

/* Seals the LEN octets at PLAIN as the next chunk, behind what OUT has. */
static gboolean
seal_chunk(Sealer *sealer, gconstpointer plain, gsize len, gboolean last, GByteArray *out,
           GError **error)
{
  if (sealer->gcm == NULL)
    sealer->gcm = gcm_new(secret_peek(sealer->key), error);
  if (sealer->gcm == NULL)
    return FALSE;
  if (!sealer->begun)
    g_byte_array_append(out, header, sizeof header);
  sealer->begun = TRUE;

  guint8 nonce[GCM_NONCE_BYTES];
  make_nonce(nonce, sealer->number++, last);
  guint at = out->len;
  g_byte_array_set_size(out, at + (guint) (len + GCM_TAG_BYTES));
  if (!gcm_seal(sealer->gcm, nonce, header, sizeof header, plain, len, out->data + at,
                error)) {
    g_byte_array_set_size(out, at);
    sealer->finished = TRUE; /* its nonce is spent: this sealer is of no more use */
    return FALSE;
  }
  return TRUE;
}

gboolean
sealer_update(Sealer *sealer, gconstpointer plain, gsize len, GByteArray *out,
              GError **error)
{
  const guint8 *from = plain;
  if (sealer->finished)
    return reject(error, ZEGEL_ERROR_TEMPORARY, "the sealer is finished");
  while (len > 0) {
    if (sealer->held == SEAL_CHUNK_BYTES) {
      if (!seal_chunk(sealer, sealer->chunk, SEAL_CHUNK_BYTES, FALSE, out, error))
        return FALSE;
      sealer->held = 0;
    }
    gsize n = MIN(len, SEAL_CHUNK_BYTES - sealer->held);
    memcpy(sealer->chunk + sealer->held, from, n);
    sealer->held += n;
    from += n;
    len -= n;
  }
  return TRUE;
}

gboolean
sealer_finish(Sealer *sealer, GByteArray *out, GError **error)
{
  if (sealer->finished)
    return reject(error, ZEGEL_ERROR_TEMPORARY, "the sealer is finished");
  gboolean done = seal_chunk(sealer, sealer->chunk, sealer->held, TRUE, out, error);
  sealer->finished = TRUE;
  return done;
}

void
sealer_free(Sealer *sealer)
{
  if (sealer == NULL)
    return;
  secret_free(sealer->key);
  gcm_free(sealer->gcm);
  secret_wipe(sealer, sizeof *sealer);
  g_free(sealer);
}

Opener *
opener_new(const Secret *key)
{
  g_return_val_if_fail(secret_size(key) == CRYPT_KEY_BYTES, NULL);
  Opener *opener = g_new0(Opener, 1);
  opener->key = secret_new_from(secret_peek(key), secret_size(key));
  return opener;
}

/* Opens the chunk that is held. Until its tag was verified OUT has nothing of it. */
static gboolean
open_chunk(Opener *opener, gboolean last, GByteArray *out, GError **error)
{
  if (opener->gcm == NULL)
    opener->gcm = gcm_new(secret_peek(opener->key), error);
  if (opener->gcm == NULL)
    return FALSE;
  guint8 nonce[GCM_NONCE_BYTES];
  make_nonce(nonce, opener->number++, last);
  guint at = out->len;
  g_byte_array_set_size(out, at + (guint) (opener->held - GCM_TAG_BYTES));
  guint8 nothing = 0; /* an array that never held anything has no data */
  guint8 *to = out->data != NULL ? out->data + at : &nothing;
  if (!gcm_open(opener->gcm, nonce, header, sizeof header, opener->chunk, opener->held, to,
                error)) {
    g_byte_array_set_size(out, at);
    opener->finished = TRUE;
    return FALSE;
  }
  opener->held = 0;
  return TRUE;
}

/* Takes the header's octets from *FROM; what is no header ends the opener. */
static gboolean
take_header(Opener *opener, const guint8 **from, gsize *len, GError **error)
{
  while (*len > 0 && opener->header_held < SEAL_HEADER_BYTES) {
    if (**from != header[opener->header_held]) {
      opener->finished = TRUE;
      return reject(error, ZEGEL_ERROR_INVALID,
                    "not a sealed message of a version that we know");
    }
    opener->header_held++;
    (*from)++;
    (*len)--;
  }
  return TRUE;
}

gboolean
opener_update(Opener *opener, gconstpointer sealed, gsize len, GByteArray *out,
              GError **error)
{
  const guint8 *from = sealed;
  if (opener->finished)
    return reject(error, ZEGEL_ERROR_FORGED, "the opener has ended");
  if (!take_header(opener, &from, &len, error))
    return FALSE;
  while (len > 0) {
    if (opener->held == SEALED_CHUNK && !open_chunk(opener, FALSE, out, error))
      return FALSE;
    gsize n = MIN(len, SEALED_CHUNK - opener->held);
    memcpy(opener->chunk + opener->held, from, n);
    opener->held += n;
    from += n;
    len -= n;
  }
  return TRUE;
}

gboolean
opener_finish(Opener *opener, GByteArray *out, GError **error)
{
  if (opener->finished)
    return reject(error, ZEGEL_ERROR_FORGED, "the opener has ended");
  if (opener->held < GCM_TAG_BYTES) {
    opener->finished = TRUE;
    return reject(error, ZEGEL_ERROR_FORGED, "the end of the sealed message is missing");
  }
  gboolean done = open_chunk(opener, TRUE, out, error);
  opener->finished = TRUE;
  return done;
}

void
opener_free(Opener *opener)
{
  if (opener == NULL)
    return;
  secret_free(opener->key);
  gcm_free(opener->gcm);
  secret_wipe(opener, sizeof *opener);
  g_free(opener);
}
