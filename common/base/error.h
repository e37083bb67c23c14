/*
 * error.h - what can go wrong, as one GError domain.
 *
 * A code says what the caller can do about it, not where it happened. Each program maps
 * these codes to its own world (SMTP replies, exit statuses, HTTP statuses) in one file.
 */
#pragma once

#include <glib.h>

#define ZEGEL_ERROR (zegel_error_quark())

typedef enum {
  ZEGEL_ERROR_TEMPORARY,   /* cannot now; the same call may succeed later */
  ZEGEL_ERROR_CONFIG,      /* the administrator must change something */
  ZEGEL_ERROR_INVALID,     /* the bytes do not follow the format */
  ZEGEL_ERROR_FORGED,      /* an authentication tag is wrong under a known key */
  ZEGEL_ERROR_KEY_UNKNOWN, /* the key id is not in our key ring */
  ZEGEL_ERROR_FULL,        /* no space left */
  ZEGEL_ERROR_LIMIT,       /* larger or more than a named limit */
  ZEGEL_ERROR_CONFLICT     /* the same key was filed before with other content */
} ZegelError;

/* The quark of the domain, for g_set_error and g_error_matches. Any thread. */
GQuark
zegel_error_quark(void);

/*
 * Sets *error to CODE with "WHAT: strerror(ERRNUM)"; ENOSPC, EDQUOT and EFBIG become
 * ZEGEL_ERROR_FULL whatever CODE says. WHAT is borrowed. Any thread.
 */
void
zegel_error_errno(GError **error, ZegelError code, int errnum, const char *what);
