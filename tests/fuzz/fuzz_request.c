/* Harness for whole requests: lines "NAME=value" up to an empty line, then the body. */
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "viewer-cgi/request.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
  const char *bytes;
  gsize left;
} Body;

static gsize
read_body(gpointer source, gpointer buffer, gsize len)
{
  Body *body = source;
  gsize n = MIN(len, body->left);
  if (n > 0)
    memcpy(buffer, body->bytes, n);
  body->bytes += n;
  body->left -= n;
  return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  const char *bytes = size > 0 ? (const char *) data : "";
  const char *end = size > 0 ? memmem(bytes, size, "\n\n", 2) : NULL;
  gsize head_len = end != NULL ? (gsize) (end - bytes) : size;
  g_autofree char *head = g_strndup(bytes, head_len);
  g_auto(GStrv) variables = g_strsplit(head, "\n", -1);
  Body body = {"", 0};
  if (end != NULL)
    body = (Body){end + 2, size - head_len - 2};
  g_autoptr(Request) request = request_read(variables, read_body, &body);
  Route route = route_find(request->method, request->path);
  if (request->refusal != 0 && request->body != NULL)
    abort();
  if (route.kind >= ROUTE_COUNT || route.part > ROUTE_PART_MAX)
    abort();
  return 0;
}
