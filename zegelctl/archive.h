/*
 * archive.h - what a backup says of itself: its manifest, and the file with its keys. Pure.
 *
 * Lines; zegel-backup(7) describes them. A backup is a directory: the manifest, and below
 * "tree" each file by its own path. The keys are one file elsewhere, which holds their
 * contents as well.
 */
#pragma once

#include "common/crypt/crypt.h"
#include "common/crypt/key.h"

#define ARCHIVE_MANIFEST    "manifest"
#define ARCHIVE_TREE        "tree"
#define ARCHIVE_ID_BYTES    16
#define ARCHIVE_CHECK_BYTES 16
#define ARCHIVE_MAX_BYTES   (1024U * 1024 * 1024) /* of a manifest: a few million files */

/* A directory, when sha256 does not count, or a file. */
typedef struct {
  gboolean is_file;
  guint mode;
  char *owner, *group; /* names, or numbers when they have none */
  char *path;          /* absolute */
  guint64 size;
  guint8 sha256[CRYPT_SHA256_BYTES];
  Secret *content; /* of a key file; NULL otherwise */
} ArchiveItem;

/* A key that what is in a backup was made with, and what only its holder can know. */
typedef struct {
  KeyPurpose purpose;
  guint32 id;
  guint8 check[ARCHIVE_CHECK_BYTES];
} ArchiveKey;

typedef struct {
  gboolean of_keys; /* the file with the keys */
  char *id;         /* the same in a backup and the keys that were written with it */
  gint64 at_s;
  char *version;    /* of the zegel that wrote it */
  char *config;     /* path of zegel.conf */
  GPtrArray *items; /* of ArchiveItem; a directory before what is in it */
  GArray *keys;     /* of ArchiveKey */
} Archive;

/* An empty archive with a new id. NULL with ZEGEL_ERROR_TEMPORARY. */
Archive *
archive_new(gint64 at_s, const char *version, const char *config, GError **error);

/* Wipes what is secret and frees ARCHIVE; NULL is allowed. */
void
archive_free(Archive *archive);

/* A new item in ARCHIVE, owned by it. */
ArchiveItem *
archive_add(Archive *archive, const char *path);

/* Adds what is known of each key of RING. FALSE with ZEGEL_ERROR_TEMPORARY. */
gboolean
archive_add_keys(Archive *archive, const KeyRing *ring, KeyPurpose purpose, GError **error);

/* Whether PATH can stand in an archive. */
gboolean
archive_path_is_good(const char *path);

/*
 * ARCHIVE as text. KEYS (KEY_STORE) vouch for what they are needed for: the last line is a
 * MAC over all before it. NULL for the file with the keys, which nobody else may have
 * anyhow. NULL with ZEGEL_ERROR_TEMPORARY.
 */
Secret *
archive_format(const Archive *archive, const KeyRing *keys, GError **error);

/* Reads LEN octets at TEXT; NAME stands in messages. The MAC is not looked at. NULL with
 * ZEGEL_ERROR_INVALID. */
Archive *
archive_parse(const char *name, const char *text, gsize len, GError **error);

/* Whether TEXT, that of a manifest, is what KEYS (KEY_STORE) vouched for. FALSE with
 * ZEGEL_ERROR_FORGED or ZEGEL_ERROR_KEY_UNKNOWN. */
gboolean
archive_check(const char *text, gsize len, const KeyRing *keys, GError **error);

/*
 * The first key of ARCHIVE, owned by it, that RING of PURPOSE should have and has not, or
 * has another under its id; NULL: it has all of them.
 */
const ArchiveKey *
archive_missing_key(const Archive *archive, const KeyRing *ring, KeyPurpose purpose);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Archive, archive_free)
