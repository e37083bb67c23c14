#include "viewer-cgi/origin.h"

#include <string.h>

gboolean
origin_is_ours(const char *origin, const char *fetch_site, const char *viewer_url)
{
  if (fetch_site != NULL && strcmp(fetch_site, "same-origin") != 0)
    return FALSE;
  if (origin == NULL || strcmp(origin, "null") == 0)
    return TRUE;
  gsize len = strlen(viewer_url) - 1; /* without its last slash */
  return strlen(origin) == len && g_ascii_strncasecmp(origin, viewer_url, len) == 0;
}
