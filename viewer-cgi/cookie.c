#include "viewer-cgi/cookie.h"

#include <string.h>

#include "common/crypt/crypt.h"

#define VALUE_MAX_BYTES 128 /* the longest of ours has 64 */
#define LANGUAGE_AGE_S  "31536000"

/* SameSite=Lax and not Strict: the visitor comes from a link in his mail. */
#define ATTRIBUTES "; Path=/; HttpOnly; SameSite=Lax"

char *
cookie_get(const char *header, const char *name)
{
  char *found = NULL;
  gsize name_len = strlen(name);
  for (const char *p = header; p != NULL && *p != '\0';) {
    p += strspn(p, " \t;");
    gsize len = strcspn(p, ";");
    if (len > name_len && p[name_len] == '=' && strncmp(p, name, name_len) == 0) {
      gsize value_len = len - name_len - 1;
      if (found != NULL || value_len > VALUE_MAX_BYTES) {
        g_free(found); /* two of one name: somebody planted one */
        return NULL;
      }
      found = g_strndup(p + name_len + 1, value_len);
    }
    p += len;
  }
  return found;
}

const char *
cookie_session_name(gboolean secure)
{
  return secure ? "__Host-zegel" : "zegel";
}

const char *
cookie_language_name(gboolean secure)
{
  return secure ? "__Host-zegel-language" : "zegel-language";
}

gboolean
cookie_session_parse(const char *header, gboolean secure, SessionCookie *cookie)
{
  g_autofree char *value = cookie_get(header, cookie_session_name(secure));
  if (value == NULL)
    return FALSE;
  g_autoptr(Secret) bytes = crypt_base64url_decode(value, sizeof *cookie);
  secret_wipe(value, strlen(value));
  if (bytes == NULL)
    return FALSE;
  memcpy(cookie, secret_peek(bytes), sizeof *cookie);
  return TRUE;
}

char *
cookie_session_format(const SessionCookie *cookie, gboolean secure)
{
  g_autofree char *value = crypt_base64url(cookie, sizeof *cookie);
  char *header = g_strconcat(cookie_session_name(secure), "=", value, ATTRIBUTES,
                             secure ? "; Secure" : "", NULL);
  secret_wipe(value, strlen(value));
  return header;
}

char *
cookie_session_clear(gboolean secure)
{
  return g_strconcat(cookie_session_name(secure), "=; Max-Age=0", ATTRIBUTES,
                     secure ? "; Secure" : "", NULL);
}

char *
cookie_language_format(const char *language, gboolean secure)
{
  return g_strconcat(cookie_language_name(secure), "=", language,
                     "; Max-Age=" LANGUAGE_AGE_S ATTRIBUTES, secure ? "; Secure" : "",
                     NULL);
}
