/*
 * look.h - what there is to see of a store that changes nothing: for those who look whether
 * an installation is sound.
 *
 * store_open would make a store that is not there, upgrade an old one, and note a new key.
 */
#pragma once

#include "common/crypt/key.h"

/*
 * Whether the store at PATH was written with KEYS (KEY_STORE), and its links with LINKS
 * (KEY_LINK): *PROBLEM gets what is wrong, owned by the caller, or NULL; NULL too when
 * nothing was stored yet. FALSE with ZEGEL_ERROR_CONFIG (no store, or one of another
 * version) or ZEGEL_ERROR_TEMPORARY. Any thread.
 */
gboolean
store_look_keys(const char *path, const KeyRing *keys, const KeyRing *links, char **problem,
                GError **error);

typedef struct {
  gint64 waiting; /* events that are not yet in the audit trail */
  gint64 first;   /* the row of the one that waits longest; 0: none */
} StoreLook;

/* Fills LOOK with how the store at PATH stands. FALSE as store_look_keys. Any thread. */
gboolean
store_look(const char *path, StoreLook *look, GError **error);
