/*
 * author.h - the one domain in whose name a message is written (RFC 9989 4.8, T28).
 *
 * DMARC, the alignment of DKIM, the secure mark and the log all take it from here, so that
 * no two checks can mean different authors. Pure; any thread.
 */
#pragma once

#include <glib.h>

#include "milter/fields.h"

typedef enum {
  AUTHOR_ONE,    /* one From field, and one domain in it */
  AUTHOR_NONE,   /* no From field, or none that can be read */
  AUTHOR_SEVERAL /* several, or readers of the field could differ about who it is */
} Author;

/*
 * Who wrote the message with FIELDS; *DOMAIN is set to the domain as domain_canonical gives
 * it, owned by the caller, and to NULL unless AUTHOR_ONE. After mail_init.
 */
Author
author_find(const Fields *fields, char **domain);
