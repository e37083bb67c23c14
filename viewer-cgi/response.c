#include "viewer-cgi/response.h"

#include <string.h>

#include "common/base/secret.h"

static const struct {
  guint status;
  const char *reason;
} reasons[] = {
    {200, "OK"},
    {303, "See Other"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {421, "Misdirected Request"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

/* form-action: our own; frame-src: /m/html. Nothing else is loaded, nothing runs (T9). */
#define PAGE_POLICY                                                                        \
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "             \
  "frame-src 'self'; base-uri 'none'; frame-ancestors "

/* The second wall behind the reader's allow-list. Popups only: links of the message open in
 * a page of their own, with no way back. */
#define MAIL_POLICY                                                                        \
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "              \
  "style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "        \
  "frame-ancestors 'self'"

#define DOWNLOAD_POLICY "sandbox; default-src 'none'; frame-ancestors 'none'"

/* Opened as a page of its own an SVG runs nothing and loads nothing either. */
#define LOGO_POLICY                                                                        \
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

static const struct {
  const char *type;
  const char *policy;
} kinds[] = {
    [CONTENT_PAGE] = {"text/html; charset=utf-8", PAGE_POLICY "'none'"},
    [CONTENT_STYLE] = {"text/css; charset=utf-8", PAGE_POLICY "'none'"},
    [CONTENT_MAIL] = {"text/html; charset=utf-8", MAIL_POLICY},
    [CONTENT_DOWNLOAD] = {"application/octet-stream", DOWNLOAD_POLICY},
    [CONTENT_LOGO] = {"application/octet-stream", LOGO_POLICY},
};

static const char common_headers[] =
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cache-Control: no-store\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Permissions-Policy: camera=(), microphone=(), geolocation=(), payment=(), usb=()\r\n"
    "X-Robots-Tag: noindex, nofollow\r\n";

static void
wipe_and_free(gpointer p)
{
  char *text = p;
  secret_wipe(text, strlen(text));
  g_free(text);
}

Response *
response_new(void)
{
  Response *response = g_new0(Response, 1);
  response->status = 200;
  response->cookies = g_ptr_array_new_with_free_func(wipe_and_free);
  return response;
}

void
response_free(Response *response)
{
  if (response == NULL)
    return;
  g_clear_pointer(&response->body, g_bytes_unref);
  reading_free(response->reading);
  g_free(response->disposition);
  g_clear_pointer(&response->location, wipe_and_free);
  g_ptr_array_unref(response->cookies);
  g_free(response);
}

void
response_set_page(Response *response, guint status, Html *html)
{
  response->status = status;
  response->kind = CONTENT_PAGE;
  g_clear_pointer(&response->body, g_bytes_unref);
  response->body = html_finish(html);
}

void
response_set_redirect(Response *response, const char *path)
{
  g_return_if_fail(path[0] == '/' && path[1] != '/'); /* never to another host (T24) */
  response->status = 303;
  g_clear_pointer(&response->location, wipe_and_free);
  response->location = g_strdup(path);
}

void
response_add_cookie(Response *response, char *value)
{
  g_ptr_array_add(response->cookies, value);
}

static const char *
reason_of(guint status)
{
  for (gsize i = 0; i < G_N_ELEMENTS(reasons); i++)
    if (reasons[i].status == status)
      return reasons[i].reason;
  return "Error";
}

/* One header line. A value with a line end cannot come from our code: it is left out. */
static void
append_header(GString *head, const char *name, const char *value)
{
  g_return_if_fail(strpbrk(value, "\r\n") == NULL);
  g_string_append_printf(head, "%s: %s\r\n", name, value);
}

static void
append_content_headers(GString *head, const Response *response)
{
  const char *type = response->type != NULL ? response->type : kinds[response->kind].type;
  append_header(head, "Content-Type", type);
  append_header(head, "Content-Security-Policy",
                response->framed && response->kind == CONTENT_PAGE
                    ? PAGE_POLICY "'self'"
                    : kinds[response->kind].policy);
  /* Not with a sandbox: HTML ("obtain a cross-origin opener policy") makes both together a
   * network error, and an opaque origin has nothing to protect. */
  if (response->kind == CONTENT_PAGE || response->kind == CONTENT_STYLE)
    append_header(head, "Cross-Origin-Opener-Policy", "same-origin");
  if (response->disposition != NULL)
    append_header(head, "Content-Disposition", response->disposition);
  if (response->reading == NULL) {
    gsize len = response->body != NULL ? g_bytes_get_size(response->body) : 0;
    g_string_append_printf(head, "Content-Length: %" G_GSIZE_FORMAT "\r\n", len);
  }
}

char *
response_format_head(const Response *response, gboolean secure)
{
  GString *head = g_string_sized_new(1024);
  g_string_append_printf(head, "Status: %u %s\r\n", response->status,
                         reason_of(response->status));
  append_content_headers(head, response);
  g_string_append(head, common_headers);
  if (secure)
    append_header(head, "Strict-Transport-Security", "max-age=31536000");
  if (response->location != NULL)
    append_header(head, "Location", response->location);
  for (guint i = 0; i < response->cookies->len; i++)
    append_header(head, "Set-Cookie", response->cookies->pdata[i]);
  if (response->retry_after_s > 0)
    g_string_append_printf(head, "Retry-After: %u\r\n", response->retry_after_s);
  if (response->clear_cache) /* not "cookies": it would log the visitor out elsewhere too */
    append_header(head, "Clear-Site-Data", "\"cache\", \"storage\"");
  g_string_append(head, "\r\n");
  return g_string_free(head, FALSE);
}
