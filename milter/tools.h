/*
 * tools.h - what the flows of messages work with; the same for all messages that began
 * under one configuration.
 */
#pragma once

#include "common/conf/conf.h"
#include "common/crypt/key.h"
#include "milter/dkim.h"
#include "milter/inspect.h"

/* All borrowed from who made it, or owned by that of tools_new. The instance that meets the
 * internet has neither ring nor keys. */
typedef struct {
  const Config *config;
  gboolean mx;                /* the instance for port 25 */
  const KeyRing *ring;        /* of tickets */
  const KeyRing *origin_ring; /* of marks */
  DkimKeys *keys;
  Inspectors *inspectors;
  gboolean dry_run; /* zegel-milter -t: policyd promises nothing, no event is logged */
} Tools;

/*
 * Tools of CONFIG (taken, on failure too) in a box (current.h) that is emptied with
 * tools_clear. WITH_KEYS: with those of submission. NULL with ZEGEL_ERROR_CONFIG when a key
 * file or a rule of CONFIG is wrong. As the user that owns the key files.
 */
Tools *
tools_new(Config *config, gboolean mx, gboolean with_keys, GError **error);

/* Frees what the Tools TOOLS of tools_new has. */
void
tools_clear(gpointer tools);
