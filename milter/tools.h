/*
 * tools.h - what the flows of messages work with; the same for all messages.
 */
#pragma once

#include "common/conf/conf.h"
#include "common/crypt/key.h"
#include "milter/dkim.h"
#include "milter/inspect.h"

/* All borrowed. The instance that meets the internet has neither ring nor keys. */
typedef struct {
  const Config *config;
  gboolean mx;                /* the instance for port 25 */
  const KeyRing *ring;        /* of tickets */
  const KeyRing *origin_ring; /* of marks */
  DkimKeys *keys;
  Inspectors *inspectors;
  gboolean dry_run; /* zegel-milter -t: policyd promises nothing, no event is logged */
} Tools;
