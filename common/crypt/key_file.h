/*
 * key_file.h - files that hold a key: who may read them, and reading them.
 */
#pragma once

#include <glib.h>
#include <sys/stat.h>

#include "common/base/secret.h"

#define KEY_FILE_MAX_BYTES 32768

/*
 * Whether STATUS, of the file at PATH, is of a regular file that its owner alone can read
 * (0400 or 0600), and the owner is the user that runs this program, or root (as root: any,
 * since the program becomes that user later). FALSE with ZEGEL_ERROR_CONFIG and the cure.
 */
gboolean
key_file_check(const char *path, const struct stat *status, GError **error);

/* All that is left in the open file FD at PATH, owned by the caller, or NULL with
 * ZEGEL_ERROR_CONFIG, also when it is more than KEY_FILE_MAX_BYTES. */
Secret *
key_file_read_fd(int fd, const char *path, GError **error);

/* Opens, checks and reads the file at PATH. NULL with ZEGEL_ERROR_CONFIG. Any thread. */
Secret *
key_file_read(const char *path, GError **error);
