/*
 * tree.h - files and directories as a whole: looked at, copied, hashed, removed.
 */
#pragma once

#include <sys/stat.h>

#include "common/crypt/crypt.h"

#define TREE_MAX_DEPTH 16

/* PATH is a directory or a file (STATUS). FALSE with an error ends the walk. */
typedef gboolean (*TreeFunc)(const char *path, const struct stat *status, gpointer data,
                             GError **error);

/*
 * Calls FUNC with DATA for the directory PATH and all that is in it, a directory before its
 * contents; what is neither a directory nor a file is passed over, symbolic links too.
 * FALSE with ZEGEL_ERROR_TEMPORARY, ZEGEL_ERROR_LIMIT or what FUNC said.
 */
gboolean
tree_walk(const char *path, TreeFunc func, gpointer data, GError **error);

/* How many octets the file PATH has, and their SHA-256. FALSE with ZEGEL_ERROR_TEMPORARY.
 */
gboolean
tree_hash(const char *path, guint64 *size, guint8 sha256[CRYPT_SHA256_BYTES],
          GError **error);

/*
 * Copies the file FROM to TO, a new file (0600), synced; its size and SHA-256 are those of
 * tree_hash. FALSE with ZEGEL_ERROR_TEMPORARY or ZEGEL_ERROR_FULL; TO is then removed.
 */
gboolean
tree_copy(const char *from, const char *to, guint64 *size,
          guint8 sha256[CRYPT_SHA256_BYTES], GError **error);

/* Gives TO the owner and the rights of FROM. FALSE with ZEGEL_ERROR_TEMPORARY. */
gboolean
tree_copy_rights(const char *from, const char *to, GError **error);

/* Syncs the directory PATH. FALSE with ZEGEL_ERROR_TEMPORARY. */
gboolean
tree_sync(const char *path, GError **error);

/* Removes the directory PATH with all that is in it, as far as that can be. */
void
tree_remove(const char *path);
