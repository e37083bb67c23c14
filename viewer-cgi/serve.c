#include "viewer-cgi/serve.h"

#include <string.h>

#include "common/base/log.h"

#define PIECE_BYTES 65536
#define LONG_BYTES  131072 /* more than a web server and a socket take without a wait */
#define REST_MAX_S  3600   /* for the slowest line; then it is no line any more */

/* Sends what is left of a download. Each piece is verified plaintext. */
static gboolean
send_reading(Reading *reading, const Transport *transport)
{
  gint64 end_us = g_get_monotonic_time() + REST_MAX_S * (gint64) G_USEC_PER_SEC;
  g_autoptr(Secret) piece = secret_new(PIECE_BYTES);
  g_autoptr(GError) error = NULL;
  while (g_get_monotonic_time() < end_us) {
    gssize n = reading_next(reading, secret_bytes(piece), PIECE_BYTES, &error);
    if (n == 0)
      return TRUE;
    if (n < 0) {
      log_line(LOG_LEVEL_WARNING, "download broken off: %s", error->message);
      return FALSE;
    }
    if (!transport->write(transport->data, secret_peek(piece), (gsize) n))
      return FALSE;
  }
  return FALSE;
}

gboolean
serve_rest(const Response *response, const Transport *transport)
{
  if (response->body != NULL) {
    gsize left = 0;
    const char *bytes = g_bytes_get_data(response->body, &left);
    for (gsize n; left > 0; bytes += n, left -= n) {
      n = MIN(left, PIECE_BYTES);
      if (!transport->write(transport->data, bytes, n))
        return FALSE;
    }
  }
  return response->reading == NULL || send_reading(response->reading, transport);
}

static gboolean
send_head(const Response *response, gboolean secure, const Transport *transport)
{
  g_autofree char *head = response_format_head(response, secure);
  gsize len = strlen(head);
  gboolean sent = transport->write(transport->data, head, len);
  secret_wipe(head, len); /* cookies */
  return sent;
}

static gboolean
is_long(const Response *response)
{
  return response->reading != NULL ||
         (response->body != NULL && g_bytes_get_size(response->body) > LONG_BYTES);
}

ServeResult
serve_exchange(const Viewer *viewer, char **variables, const Transport *transport)
{
  g_autoptr(Request) request = request_read(variables, transport->read, transport->data);
  g_autoptr(Response) response = response_new();
  gboolean secure = TRUE;
  viewer_answer(viewer, request, response, &secure);
  if (!send_head(response, secure, transport))
    return SERVE_BROKEN;
  if (request->head_only)
    return SERVE_COMPLETE;
  if (is_long(response) && transport->hand_over != NULL &&
      transport->hand_over(transport->data, response)) {
    g_steal_pointer(&response);
    return SERVE_HANDED_OVER;
  }
  return serve_rest(response, transport) ? SERVE_COMPLETE : SERVE_BROKEN;
}
