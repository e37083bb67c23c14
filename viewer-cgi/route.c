#include "viewer-cgi/route.h"

#include <string.h>

#define LINK_PREFIX   "/l/"
#define STATUS_PREFIX "/s/"
#define FORM_PREFIX   "/form/"
#define PART_PREFIX   "/m/part/"
#define SHARED_PREFIX "/r/"

typedef struct {
  Method method;
  const char *path;
  RouteKind kind;
} RouteRow;

static const RouteRow fixed[] = {
    {METHOD_GET, "/", ROUTE_HOME},
    {METHOD_GET, "/help", ROUTE_HELP},
    {METHOD_GET, "/style.css", ROUTE_STYLE},
    {METHOD_GET, "/logo", ROUTE_LOGO},
    {METHOD_GET, "/m", ROUTE_MESSAGE},
    {METHOD_GET, "/m/html", ROUTE_HTML},
    {METHOD_GET, "/m/text", ROUTE_TEXT},
    {METHOD_GET, "/m/original", ROUTE_ORIGINAL},
    {METHOD_GET, "/m/pdf", ROUTE_PDF},
    {METHOD_GET, "/m/zip", ROUTE_ZIP},
    {METHOD_GET, "/m/delete", ROUTE_DELETE},
    {METHOD_POST, "/m/delete", ROUTE_DESTROY},
    {METHOD_POST, "/logout", ROUTE_LOGOUT},
    {METHOD_GET, "/form", ROUTE_FORM},
    {METHOD_POST, "/form", ROUTE_FORM_ASK},
    {METHOD_GET, "/m/answer", ROUTE_ANSWER},
    {METHOD_POST, "/m/answer", ROUTE_ANSWER_SEND},
    {METHOD_GET, "/m/forward", ROUTE_FORWARD},
    {METHOD_POST, "/m/forward", ROUTE_FORWARD_SEND},
    {METHOD_GET, "/r", ROUTE_SHARED},
    {METHOD_POST, "/r", ROUTE_SHARED_OPEN},
};

/* What may follow /l/TOKEN. */
static const RouteRow of_link[] = {
    {METHOD_GET, "", ROUTE_LINK},
    {METHOD_POST, "/send", ROUTE_SEND},
    {METHOD_GET, "/code", ROUTE_CODE},
    {METHOD_POST, "/code", ROUTE_CHECK},
    {METHOD_GET, "/wrong", ROUTE_WRONG},
    {METHOD_POST, "/wrong", ROUTE_TELL},
    {METHOD_GET, "/no-phone", ROUTE_NO_PHONE},
};

/* What may follow /s/TOKEN. */
static const RouteRow of_status[] = {
    {METHOD_GET, "", ROUTE_STATUS},
    {METHOD_GET, "/recall", ROUTE_RECALL_ASK},
    {METHOD_POST, "/recall", ROUTE_RECALL},
};

/* What may follow /form/TICKET. */
static const RouteRow of_form[] = {
    {METHOD_GET, "", ROUTE_FORM_WRITE},
    {METHOD_POST, "", ROUTE_FORM_SEND},
};

static RouteKind
find_row(const RouteRow *rows, gsize count, Method method, const char *path)
{
  for (gsize i = 0; i < count; i++)
    if (rows[i].method == method && strcmp(rows[i].path, path) == 0)
      return rows[i].kind;
  return ROUTE_NONE;
}

/* How many characters of base64url REST begins with. */
static gsize
token_length(const char *rest)
{
  gsize len = 0;
  while (g_ascii_isalnum(rest[len]) || rest[len] == '-' || rest[len] == '_')
    len++;
  return len;
}

static Route
find_token(const RouteRow *rows, gsize count, Method method, const char *rest)
{
  Route route = {.kind = ROUTE_NONE};
  gsize len = token_length(rest);
  if (len != ROUTE_TOKEN_CHARS)
    return route;
  route.kind = find_row(rows, count, method, rest + len);
  if (route.kind != ROUTE_NONE)
    memcpy(route.token, rest, len);
  return route;
}

static Route
find_shared(Method method, const char *reference)
{
  Route route = {.kind = ROUTE_NONE};
  gsize len = 0;
  while (g_ascii_isalnum(reference[len]) || reference[len] == '-')
    len++;
  if (method != METHOD_GET || len == 0 || len > ROUTE_REFERENCE_MAX ||
      reference[len] != '\0')
    return route;
  route.kind = ROUTE_SHARED;
  memcpy(route.reference, reference, len);
  return route;
}

gboolean
route_takes_files(RouteKind kind)
{
  return kind == ROUTE_ANSWER_SEND || kind == ROUTE_FORM_SEND;
}

Route
route_find(Method method, const char *path)
{
  Route route = {.kind = ROUTE_NONE};
  if (g_str_has_prefix(path, LINK_PREFIX))
    return find_token(of_link, G_N_ELEMENTS(of_link), method, path + strlen(LINK_PREFIX));
  if (g_str_has_prefix(path, STATUS_PREFIX))
    return find_token(of_status, G_N_ELEMENTS(of_status), method,
                      path + strlen(STATUS_PREFIX));
  if (g_str_has_prefix(path, FORM_PREFIX)) {
    const char *ticket = path + strlen(FORM_PREFIX);
    route.kind =
        find_row(of_form, G_N_ELEMENTS(of_form), method, ticket + token_length(ticket));
    return route;
  }
  if (g_str_has_prefix(path, SHARED_PREFIX))
    return find_shared(method, path + strlen(SHARED_PREFIX));
  if (g_str_has_prefix(path, PART_PREFIX)) {
    const char *digits = path + strlen(PART_PREFIX);
    guint64 part = 0;
    if (method == METHOD_GET && *digits != '0' &&
        g_ascii_string_to_unsigned(digits, 10, 1, ROUTE_PART_MAX, &part, NULL)) {
      route.kind = ROUTE_PART;
      route.part = (guint) part;
    }
    return route;
  }
  route.kind = find_row(fixed, G_N_ELEMENTS(fixed), method, path);
  return route;
}

Method
method_parse(const char *text)
{
  if (g_strcmp0(text, "GET") == 0 || g_strcmp0(text, "HEAD") == 0)
    return METHOD_GET;
  return g_strcmp0(text, "POST") == 0 ? METHOD_POST : METHOD_OTHER;
}
