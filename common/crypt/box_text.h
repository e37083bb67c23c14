/*
 * box_text.h - a box (box.h) as the value of a header field: base64, folded.
 */
#pragma once

#include <glib.h>

#include "common/crypt/key.h"

/*
 * Seals LEN bytes at PLAIN under the current key of RING with LABEL, nothing bound. Returns
 * the value of the header NAME, folded with CRLF and a space so that no line, the header's
 * name included, exceeds 76 octets; the caller frees it. NULL as box_seal.
 */
char *
box_text_seal(const KeyRing *ring, const char *label, const char *name, gconstpointer plain,
              gsize len, GError **error);

/*
 * Opens the header value VALUE, folded in any way or not. Returns the plaintext, owned by
 * the caller, or NULL with ZEGEL_ERROR_INVALID (no base64, or longer than any block of
 * attributes) or as box_open.
 */
Secret *
box_text_open(const KeyRing *ring, const char *label, const char *value, GError **error);
