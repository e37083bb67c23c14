#include "viewer-cgi/serve.h"

#include <string.h>
#include <unistd.h>

#include "common/base/log.h"

#define PIECE_BYTES 65536

/* Sends what is left of a download. Each piece is verified plaintext. */
static gboolean
send_reading(Reading *reading, const Transport *transport)
{
  g_autoptr(Secret) piece = secret_new(PIECE_BYTES);
  g_autoptr(GError) error = NULL;
  for (;;) {
    alarm(SERVE_DEADLINE_S);
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
}

static gboolean
send_response(const Response *response, gboolean secure, gboolean head_only,
              const Transport *transport)
{
  g_autofree char *head = response_format_head(response, secure);
  gsize len = strlen(head);
  gboolean sent = transport->write(transport->data, head, len);
  secret_wipe(head, len); /* cookies */
  if (!sent || head_only)
    return sent;
  if (response->body != NULL) {
    gsize size = 0;
    gconstpointer bytes = g_bytes_get_data(response->body, &size);
    if (size > 0 && !transport->write(transport->data, bytes, size))
      return FALSE;
  }
  return response->reading == NULL || send_reading(response->reading, transport);
}

gboolean
serve_exchange(const Viewer *viewer, char **variables, const Transport *transport)
{
  g_autoptr(Request) request = request_read(variables, transport->read, transport->data);
  g_autoptr(Response) response = response_new();
  gboolean secure = TRUE;
  viewer_answer(viewer, request, response, &secure);
  return send_response(response, secure, request->head_only, transport);
}
