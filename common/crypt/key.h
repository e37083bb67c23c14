/*
 * key.h - root keys in files.
 *
 * A key file holds one line for each key, the current one first:
 *
 *     zegel-key 1 PURPOSE ID BASE64
 *
 * with ID 8 hexadecimal digits and 32 bytes in base64. Old keys stay until nothing needs
 * them. The file is readable by its owner alone (0400 or 0600), and the owner is the user
 * that runs the program, or root. Format: zegel-store(5).
 */
#pragma once

#include <glib.h>

#include "common/base/secret.h"

typedef enum {
  KEY_LINK,   /* deliver: link secrets */
  KEY_STORE,  /* deliver, viewer: messages and database fields */
  KEY_TICKET, /* milter (submission), deliver: tickets */
  KEY_PHONE,  /* policyd: the phone book */
  KEY_ORIGIN, /* deliver, viewer, milter (submission): marks of our own (origin.h) */
  KEY_AUDIT   /* auditd: the audit trail */
} KeyPurpose;

typedef struct KeyRing KeyRing;

/*
 * Reads the key file at PATH and checks its rights, its owner (as root: any, since the
 * program becomes that user later) and that every line is for PURPOSE. Returns a ring that
 * the caller frees, or NULL with ZEGEL_ERROR_CONFIG and a text that names the file and the
 * cure. Call before rights are dropped, or as the owner.
 */
KeyRing *
keyring_load(const char *path, KeyPurpose purpose, GError **error);

/*
 * Parses LEN bytes at BYTES, the contents of a key file; WHAT names it in the error.
 * Returns a ring that the caller frees, or NULL with ZEGEL_ERROR_CONFIG. Any thread.
 */
KeyRing *
keyring_parse(const char *bytes, gsize len, KeyPurpose purpose, const char *what,
              GError **error);

/* Wipes and frees RING; NULL is allowed. */
void
keyring_free(KeyRing *ring);

/* The id of the key that new things are made with. */
guint32
keyring_current(const KeyRing *ring);

/* How many keys RING holds, at least one. */
guint
keyring_count(const KeyRing *ring);

/* The id of key I (from 0, the current one, less than keyring_count). */
guint32
keyring_nth(const KeyRing *ring, guint i);

/*
 * Derives OUT_LEN bytes into OUT from key ID with HKDF, SALT (may be NULL) and the text
 * LABEL, which separates purposes. FALSE with ZEGEL_ERROR_KEY_UNKNOWN when the ring has no
 * key ID. Any thread.
 */
gboolean
keyring_derive(const KeyRing *ring, guint32 id, const char *label, gconstpointer salt,
               gsize salt_len, guint8 *out, gsize out_len, GError **error);

/* A derived key as a Secret of CRYPT_KEY_BYTES, with no salt; NULL as keyring_derive. */
Secret *
keyring_derive_key(const KeyRing *ring, guint32 id, const char *label, GError **error);

/* "link", "store", "ticket", "phone", "origin", "audit": static. */
const char *
key_purpose_name(KeyPurpose purpose);

/* The purpose called NAME into *PURPOSE; FALSE when there is none. */
gboolean
key_purpose_parse(const char *name, KeyPurpose *purpose);

/*
 * Makes a new key for PURPOSE and writes it as first line of the file at PATH (0400),
 * keeping the lines that are there and the file's owner. The file is replaced by rename
 * and synced. FALSE with ZEGEL_ERROR_CONFIG, ZEGEL_ERROR_TEMPORARY or ZEGEL_ERROR_FULL; the
 * file is then as it was.
 */
gboolean
key_file_generate(const char *path, KeyPurpose purpose, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(KeyRing, keyring_free)
