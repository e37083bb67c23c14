/*
 * audit_key.h - the public key of the audit trail as PEM (RFC 8410), which openssl reads
 * too, and checkpoints in a text. Pure.
 */
#pragma once

#include "common/audit/checkpoint.h"

/* PUBLIC_KEY as PEM, with a line before it that says that it is that of key ID: a new
 * string. */
char *
audit_key_format(guint32 id, const guint8 public_key[CHECKPOINT_PUBLIC_BYTES]);

/* The first key in TEXT, which NAME stands for in messages, into PUBLIC_KEY. FALSE with
 * ZEGEL_ERROR_INVALID when there is none of Ed25519. */
gboolean
audit_key_parse(const char *name, const char *text,
                guint8 public_key[CHECKPOINT_PUBLIC_BYTES], GError **error);

/* Adds each checkpoint of TEXT to CHECKPOINTS, as a new string: TEXT may be a mail, a log
 * or bare lines. Returns how many. Their signatures are not looked at. */
guint
audit_checkpoints_find(const char *text, GPtrArray *checkpoints);
