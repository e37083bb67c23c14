/*
 * opened.h - the store, opened by zegelctl.
 */
#pragma once

#include "common/conf/conf.h"
#include "common/store/store.h"

/* All owned; zero at first. */
typedef struct {
  Config *config;
  KeyRing *keys;
  Store *store;
  char *user; /* command_user, while we could still tell */
} Opened;

/*
 * Reads the configuration when OPENED has none yet, becomes zegel-deliver's user, for good,
 * and opens the store: root's files would lock the programs out. FALSE with an error.
 */
gboolean
opened_store(Opened *opened, GError **error);

/* Closes and frees all that is in OPENED. */
void
opened_clear(Opened *opened);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Opened, opened_clear)
