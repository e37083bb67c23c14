/*
 * box.h - short secrets sealed under a root key: database fields and tickets.
 *
 * Box: version 1 (1 octet), algorithm 1 = AES-256-GCM (1), key id (4, big endian), salt
 * (16), ciphertext, tag (16). The key of a box is HKDF(root key, salt, label), so that no
 * nonce is ever used twice. Format: zegel-store(5).
 */
#pragma once

#include <glib.h>

#include "common/crypt/key.h"

#define BOX_OVERHEAD_BYTES (1 + 1 + 4 + 16 + 16)

/*
 * Seals LEN bytes at PLAIN under the current key of RING. LABEL separates purposes; AD_LEN
 * bytes at AD (may be NULL) are bound but not stored. Returns new bytes, or NULL with
 * ZEGEL_ERROR_TEMPORARY. Any thread.
 */
GBytes *
box_seal(const KeyRing *ring, const char *label, gconstpointer ad, gsize ad_len,
         gconstpointer plain, gsize len, GError **error);

/*
 * Opens LEN bytes at BOX. Returns the plaintext, owned by the caller, or NULL with
 * ZEGEL_ERROR_INVALID (no box), ZEGEL_ERROR_KEY_UNKNOWN or ZEGEL_ERROR_FORGED (wrong tag,
 * label or AD). Any thread.
 */
Secret *
box_open(const KeyRing *ring, const char *label, gconstpointer ad, gsize ad_len,
         gconstpointer box, gsize len, GError **error);
