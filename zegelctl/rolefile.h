/*
 * rolefile.h - the roles as a file that is changed by one at a time.
 *
 * The lock is flock(2) on its directory, as for the domain book (bookfile.h).
 */
#pragma once

#include "zegelctl/file.h"
#include "zegelctl/role.h"

#define ROLE_FILE_LOCK_S 10

typedef struct {
  char *path;        /* symbolic links followed */
  GString *text;     /* as it was read */
  Roles *roles;      /* of that text */
  FileRights rights; /* as the file has them */
  int lock;          /* the directory */
} RoleFile;

/*
 * The roles in the file at PATH; one that is not there gives nobody a role. The caller
 * frees them. NULL with ZEGEL_ERROR_CONFIG when it cannot be read, somebody besides its
 * owner may write it, or its owner is neither root nor us.
 */
Roles *
role_file_load(const char *path, GError **error);

/* Locks and reads the file at PATH. Freed with role_file_close. NULL as role_file_load, or
 * with ZEGEL_ERROR_TEMPORARY when another one holds it. */
RoleFile *
role_file_open(const char *path, GError **error);

/* Does EDIT and replaces the file by the result. FALSE with an error as of file_replace:
 * the file is as it was. */
gboolean
role_file_change(RoleFile *file, const Edit *edit, GError **error);

/* Ends the lock and frees FILE; NULL is allowed. */
void
role_file_close(RoleFile *file);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RoleFile, role_file_close)
