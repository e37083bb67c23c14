/*
 * cookie.h - the two cookies: the session with its link secret, and the language.
 *
 * Over HTTPS their names begin with __Host-, so that no other host or path can set them
 * (T7). Only http://127.0.0.1, the listener of contrib/try, does without that and without
 * Secure.
 */
#pragma once

#include <glib.h>

#include "common/store/store.h"

/* What the session cookie holds. */
typedef struct {
  guint8 session[STORE_SESSION_BYTES];
  guint8 link_secret[STORE_LINK_SECRET_BYTES];
} SessionCookie;

/*
 * The value of cookie NAME in the header HEADER (NULL when none came), a new string, or
 * NULL when it is not there, stands there twice, or is longer than any of ours.
 */
char *
cookie_get(const char *header, const char *name);

/* The name of the session cookie, static. SECURE: the organisation's URL is https. */
const char *
cookie_session_name(gboolean secure);

/* The name of the language cookie, static. */
const char *
cookie_language_name(gboolean secure);

/* Reads the session cookie of HEADER into *COOKIE (wipe it); FALSE when there is none. */
gboolean
cookie_session_parse(const char *header, gboolean secure, SessionCookie *cookie);

/* The value of a Set-Cookie header that begins a session; a new string. */
char *
cookie_session_format(const SessionCookie *cookie, gboolean secure);

/* The value of a Set-Cookie header that removes the session cookie; a new string. */
char *
cookie_session_clear(gboolean secure);

/* The value of a Set-Cookie header that remembers LANGUAGE ("nl"); a new string. */
char *
cookie_language_format(const char *language, gboolean secure);
