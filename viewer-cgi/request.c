#include "viewer-cgi/request.h"

#include <string.h>

#include "common/base/secret.h"

#define VALUE_MAX_BYTES 8192 /* of a URL or header; web servers have the same */
#define FORM_TYPE       "application/x-www-form-urlencoded"
#define FILES_TYPE      "multipart/form-data"
#define TYPE_MAX_BYTES  200 /* of a Content-Type with its boundary */

static const char *
find_variable(char **variables, const char *name)
{
  gsize len = strlen(name);
  for (char **variable = variables; *variable != NULL; variable++)
    if (strncmp(*variable, name, len) == 0 && (*variable)[len] == '=')
      return *variable + len + 1;
  return NULL;
}

/* A copy of variable NAME; one that is too long makes the request refused. */
static char *
take_variable(Request *request, char **variables, const char *name)
{
  const char *value = find_variable(variables, name);
  if (value != NULL && strlen(value) > VALUE_MAX_BYTES) {
    request->refusal = 431;
    return NULL;
  }
  return g_strdup(value);
}

/* Path and query out of the URI that the visitor asked for, not what a server made of it.
 */
static void
take_uri(Request *request, char **variables)
{
  g_autofree char *uri = take_variable(request, variables, "REQUEST_URI");
  if (uri == NULL)
    uri = g_strdup("");
  char *question = strchr(uri, '?');
  if (question != NULL) {
    *question = '\0';
    request->query = form_parse(question + 1, strlen(question + 1), NULL);
  }
  request->path = g_steal_pointer(&uri);
}

/* Whether TYPE is WANTED, with any parameters. */
static gboolean
is_type(const char *type, const char *wanted)
{
  gsize len = strlen(wanted);
  return type != NULL && g_ascii_strncasecmp(type, wanted, len) == 0 &&
         (type[len] == '\0' || strchr("; \t", type[len]) != NULL);
}

/* Leaves a body of LENGTH with files to who knows whether they are wanted. */
static void
leave_body(Request *request, const char *type, guint64 length, RequestReadFunc read,
           gpointer source)
{
  if (length == 0) {
    request->refusal = 411;
    return;
  }
  for (const char *p = type; *p != '\0'; p++)
    if (g_ascii_iscntrl(*p) || p - type > TYPE_MAX_BYTES) {
      request->refusal = 400;
      return;
    }
  request->upload_type = g_strdup(type);
  request->upload = (UploadBody){request->upload_type, length, read, source};
}

static void
read_body(Request *request, guint64 length, RequestReadFunc read, gpointer source)
{
  g_autoptr(Secret) bytes = secret_new(length);
  gsize have = 0;
  for (gsize n; have < length; have += n)
    if ((n = read(source, secret_bytes(bytes) + have, length - have)) == 0)
      break;
  if (have == length)
    request->body = form_parse((const char *) secret_peek(bytes), length, NULL);
  if (request->body == NULL)
    request->refusal = 400;
}

static void
take_body(Request *request, char **variables, RequestReadFunc read, gpointer source)
{
  guint64 length = 0;
  const char *type = find_variable(variables, "CONTENT_TYPE");
  const char *declared = find_variable(variables, "CONTENT_LENGTH");
  if (declared != NULL && *declared != '\0' &&
      !g_ascii_string_to_unsigned(declared, 10, 0, G_MAXINT64, &length, NULL))
    request->refusal = 400;
  else if (is_type(type, FILES_TYPE) &&
           route_takes_files(route_find(METHOD_POST, request->path).kind))
    leave_body(request, type, length, read, source);
  else if (length > FORM_MAX_BYTES)
    request->refusal = 413;
  else if (!is_type(type, FORM_TYPE))
    request->refusal = 415;
  else
    read_body(request, length, read, source);
}

Request *
request_read(char **variables, RequestReadFunc read, gpointer source)
{
  Request *request = g_new0(Request, 1);
  const char *method = find_variable(variables, "REQUEST_METHOD");
  request->method = method_parse(method);
  request->head_only = g_strcmp0(method, "HEAD") == 0;
  take_uri(request, variables);
  request->host = take_variable(request, variables, "HTTP_HOST");
  request->cookies = take_variable(request, variables, "HTTP_COOKIE");
  request->origin = take_variable(request, variables, "HTTP_ORIGIN");
  request->fetch_site = take_variable(request, variables, "HTTP_SEC_FETCH_SITE");
  request->accept_language = take_variable(request, variables, "HTTP_ACCEPT_LANGUAGE");
  request->client = take_variable(request, variables, "REMOTE_ADDR");
  if (request->refusal == 0 && request->method == METHOD_POST)
    take_body(request, variables, read, source);
  return request;
}

static void
wipe_string(char *text)
{
  if (text != NULL)
    secret_wipe(text, strlen(text));
  g_free(text);
}

void
request_free(Request *request)
{
  if (request == NULL)
    return;
  wipe_string(request->path);
  wipe_string(request->cookies);
  form_free(request->query);
  form_free(request->body);
  g_free(request->upload_type);
  g_free(request->host);
  g_free(request->origin);
  g_free(request->fetch_site);
  g_free(request->accept_language);
  g_free(request->client);
  g_free(request);
}
