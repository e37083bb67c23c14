/*
 * secret.h - bytes that are wiped when they are freed.
 *
 * Codes, link secrets and keys travel in a Secret, never in a GString or a plain gchar *.
 */
#pragma once

#include <glib.h>

typedef struct Secret Secret;

/* A new secret of LEN zero bytes. Never NULL. Free with secret_free. */
Secret *
secret_new(gsize len);

/* A new secret with a copy of LEN bytes at BYTES (borrowed; may be NULL when LEN is 0). */
Secret *
secret_new_from(gconstpointer bytes, gsize len);

/* The bytes, owned by SECRET, writable until it is freed. */
guint8 *
secret_bytes(Secret *secret);

/* The bytes, owned by SECRET, read only. */
const guint8 *
secret_peek(const Secret *secret);

/* How many bytes. */
gsize
secret_size(const Secret *secret);

/* Wipes and frees SECRET; NULL is allowed. */
void
secret_free(Secret *secret);

/* Overwrites LEN bytes at BYTES in a way that the compiler does not remove. */
void
secret_wipe(gpointer bytes, gsize len);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Secret, secret_free)
