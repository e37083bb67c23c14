/*
 * origin.h - whether a POST came from our own pages, by what the browser says of itself.
 *
 * This stands beside the form token, not in its place: browsers that say nothing (w3m, old
 * phones) must work too.
 */
#pragma once

#include <glib.h>

/*
 * Decides by the headers Origin and Sec-Fetch-Site (NULL when they did not come) and the
 * organisation's VIEWER_URL. FALSE when one of them names another place. "Origin: null" is
 * what browsers send from our own pages, for these say Referrer-Policy: no-referrer (Fetch,
 * "serializing a request origin"), so it counts as silence. Pure.
 */
gboolean
origin_is_ours(const char *origin, const char *fetch_site, const char *viewer_url);
