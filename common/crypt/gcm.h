/*
 * gcm.h - AES-256-GCM with the tag behind the ciphertext, as all our formats have it.
 *
 * The caller answers for nonces: one key never meets the same nonce twice for different
 * plaintexts. Boxes and sealed messages use a fresh key each.
 */
#pragma once

#include <glib.h>

#include "common/crypt/crypt.h"

#define GCM_NONCE_BYTES 12
#define GCM_TAG_BYTES   16

typedef struct Gcm Gcm;

/* A cipher under KEY (CRYPT_KEY_BYTES octets, copied); one thread. NULL with an error. */
Gcm *
gcm_new(const guint8 key[CRYPT_KEY_BYTES], GError **error);

/* Wipes and frees GCM; NULL is allowed. */
void
gcm_free(Gcm *gcm);

/*
 * Seals LEN octets at PLAIN with NONCE, binding AD_LEN octets at AD (may be NULL), and
 * writes LEN + GCM_TAG_BYTES octets to OUT. FALSE with ZEGEL_ERROR_TEMPORARY.
 */
gboolean
gcm_seal(Gcm *gcm, const guint8 nonce[GCM_NONCE_BYTES], gconstpointer ad, gsize ad_len,
         gconstpointer plain, gsize len, guint8 *out, GError **error);

/*
 * Opens LEN octets at SEALED (ciphertext and tag) and writes LEN - GCM_TAG_BYTES octets to
 * OUT. FALSE with ZEGEL_ERROR_FORGED when the tag is wrong (OUT is wiped), with
 * ZEGEL_ERROR_INVALID when LEN is too short, or with ZEGEL_ERROR_TEMPORARY.
 */
gboolean
gcm_open(Gcm *gcm, const guint8 nonce[GCM_NONCE_BYTES], gconstpointer ad, gsize ad_len,
         gconstpointer sealed, gsize len, guint8 *out, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Gcm, gcm_free)
