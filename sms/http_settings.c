#include "sms/http_settings.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/secret.h"
#include "sms/settings.h"

#define SECTION           "sms-http"
#define DEFAULT_TIMEOUT_S 6 /* below timeout_s of [sms], 8 */
#define MAX_TIMEOUT_S     55
#define HTTPS             "https://"

static const char *const keys[] = {
    "url",         "method",  "content_type",   "body",      "headers", "auth",
    "credentials", "success", "success_status", "timeout_s", "ca_file", NULL};

/* Number, text and password go nowhere in the clear but to this machine itself. */
static gboolean
check_url(const char *url, GError **error)
{
  static const char *const local[] = {"http://127.0.0.1:", "http://127.0.0.1/",
                                      "http://[::1]:", "http://[::1]/"};
  if (url == NULL)
    return settings_refuse(error, "url", "is missing");
  gsize host = strcspn(url + MIN(strlen(url), strlen(HTTPS)), "/?#") + strlen(HTTPS);
  if (g_str_has_prefix(url, HTTPS) && host > strlen(HTTPS) &&
      memchr(url, '{', MIN(host, strlen(url))) == NULL &&
      memchr(url, '@', MIN(host, strlen(url))) == NULL)
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS(local); i++)
    if (g_str_has_prefix(url, local[i]))
      return TRUE;
  return settings_refuse(error, "url",
                         "must begin with https:// and a host name, or with "
                         "http:// and a loopback address");
}

static gboolean
read_place(HttpSettings *settings, GError **error)
{
  static const struct {
    const char *type;
    Place place;
  } types[] = {{"application/json", PLACE_JSON},
               {"application/x-www-form-urlencoded", PLACE_URL},
               {"application/xml", PLACE_XML},
               {"text/xml", PLACE_XML}};
  gsize len = strcspn(settings->content_type, "; ");
  for (gsize i = 0; i < G_N_ELEMENTS(types); i++)
    if (strlen(types[i].type) == len &&
        g_ascii_strncasecmp(settings->content_type, types[i].type, len) == 0) {
      settings->place = types[i].place;
      return TRUE;
    }
  return settings_refuse(error, "content_type",
                         "must be application/json, application/x-www-form-urlencoded, "
                         "application/xml or text/xml");
}

static gboolean
read_request(HttpSettings *settings, GKeyFile *file, GError **error)
{
  g_autofree char *method = settings_text(file, SECTION, "method", "POST");
  g_autofree char *headers = settings_text(file, SECTION, "headers", "");
  settings->url = settings_text(file, SECTION, "url", NULL);
  settings->is_post = strcmp(method, "POST") == 0;
  settings->content_type = settings_text(file, SECTION, "content_type", "application/json");
  settings->body = settings_text(file, SECTION, "body", NULL);
  settings->headers = g_strsplit(headers, ";", -1);
  if (!settings->is_post && strcmp(method, "GET") != 0)
    return settings_refuse(error, "method", "must be GET or POST");
  if (settings->is_post != (settings->body != NULL))
    return settings_refuse(error, "body", "is for POST, and only for POST");
  for (char **header = settings->headers; *header != NULL; header++) {
    g_strstrip(*header);
    if (**header != '\0' && strchr(*header, ':') == NULL)
      return settings_refuse(error, "headers", "must be Name: value; Name: value");
    if (template_names(*header, "text") || template_names(*header, "number") ||
        template_names(*header, "digits"))
      return settings_refuse(error, "headers", "number and text do not belong there");
  }
  return check_url(settings->url, error) && read_place(settings, error);
}

/* Whether URL or body names one of NAMES. */
static gboolean
names_any(const HttpSettings *settings, const char *const *names)
{
  for (; *names != NULL; names++)
    if (template_names(settings->url, *names) || template_names(settings->body, *names))
      return TRUE;
  return FALSE;
}

static gboolean
check_names(const HttpSettings *settings, GError **error)
{
  static const char *const number[] = {"number", "digits", NULL};
  static const char *const text[] = {"text", NULL};
  if (!names_any(settings, number) || !names_any(settings, text))
    return settings_refuse(error, "url or body",
                           "must have {text}, and {number} or {digits}");
  return TRUE;
}

/* "user:password", or only a password, such as the key of an interface. */
static gboolean
read_credentials(HttpSettings *settings, GKeyFile *file, GError **error)
{
  g_autofree char *auth = settings_text(file, SECTION, "auth", "none");
  g_autofree char *path = settings_text(file, SECTION, "credentials", NULL);
  if (strcmp(auth, "basic") == 0)
    settings->auth = AUTH_BASIC;
  else if (strcmp(auth, "bearer") == 0)
    settings->auth = AUTH_BEARER;
  else if (strcmp(auth, "none") != 0)
    return settings_refuse(error, "auth", "must be none, basic or bearer");
  if (path == NULL)
    return settings->auth == AUTH_NONE ||
           settings_refuse(error, "credentials", "is needed for this auth");
  char *line = settings_secret(path, error);
  if (line == NULL)
    return FALSE;
  char *colon = settings->auth != AUTH_BEARER ? strchr(line, ':') : NULL;
  settings->user = colon != NULL ? g_strndup(line, (gsize) (colon - line)) : NULL;
  settings->password = g_strdup(colon != NULL ? colon + 1 : line);
  secret_wipe(line, strlen(line));
  g_free(line);
  return TRUE;
}

static gboolean
read_success(HttpSettings *settings, GKeyFile *file, GError **error)
{
  g_autofree char *list = settings_text(file, SECTION, "success_status", "200 201 202");
  g_autofree char *pattern = settings_text(file, SECTION, "success", NULL);
  g_auto(GStrv) words = g_strsplit_set(list, " ,", -1);
  settings->success_status = g_array_new(FALSE, FALSE, sizeof(guint));
  for (char **word = words; *word != NULL; word++) {
    guint64 number = 0;
    if (**word == '\0')
      continue;
    if (!g_ascii_string_to_unsigned(*word, 10, 200, 299, &number, NULL))
      return settings_refuse(error, "success_status", "must be numbers from 200 to 299");
    guint status = (guint) number;
    g_array_append_val(settings->success_status, status);
  }
  if (settings->success_status->len == 0)
    return settings_refuse(error, "success_status", "is empty");
  if (pattern == NULL)
    return TRUE;
  settings->success = g_regex_new(pattern, G_REGEX_RAW | G_REGEX_OPTIMIZE, 0, NULL);
  return settings->success != NULL ||
         settings_refuse(error, "success", "is no regular expression");
}

HttpSettings *
http_settings_load(const char *path, GError **error)
{
  g_autoptr(GKeyFile) file = settings_load(path, SECTION, keys, error);
  if (file == NULL)
    return NULL;
  g_autoptr(HttpSettings) settings = g_new0(HttpSettings, 1);
  settings->timeout_s = DEFAULT_TIMEOUT_S;
  settings->ca_file = settings_text(file, SECTION, "ca_file", NULL);
  if (!read_request(settings, file, error) || !check_names(settings, error) ||
      !read_credentials(settings, file, error) || !read_success(settings, file, error) ||
      !settings_uint(file, SECTION, "timeout_s", 1, MAX_TIMEOUT_S, &settings->timeout_s,
                     error))
    return NULL;
  return g_steal_pointer(&settings);
}

static void
wipe_string(char *text)
{
  if (text != NULL)
    secret_wipe(text, strlen(text));
  g_free(text);
}

void
http_settings_free(HttpSettings *settings)
{
  if (settings == NULL)
    return;
  g_free(settings->url);
  g_free(settings->content_type);
  g_free(settings->body);
  g_strfreev(settings->headers);
  wipe_string(settings->user);
  wipe_string(settings->password);
  g_clear_pointer(&settings->success_status, g_array_unref);
  g_clear_pointer(&settings->success, g_regex_unref);
  g_free(settings->ca_file);
  g_free(settings);
}

gboolean
http_settings_status_fits(const HttpSettings *settings, guint status)
{
  for (guint i = 0; i < settings->success_status->len; i++)
    if (g_array_index(settings->success_status, guint, i) == status)
      return TRUE;
  return FALSE;
}

gboolean
http_settings_body_fits(const HttpSettings *settings, const char *body, gsize len)
{
  return settings->success == NULL ||
         g_regex_match_full(settings->success, body, (gssize) len, 0, 0, NULL, NULL);
}
