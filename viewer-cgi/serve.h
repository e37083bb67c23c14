/*
 * serve.h - one exchange: the request in, the response out, over any transport.
 */
#pragma once

#include <glib.h>

#include "viewer-cgi/request.h"
#include "viewer-cgi/viewer.h"

/* The alarm(2) that ends a worker which hangs: more than any one step may take. */
#define SERVE_DEADLINE_S 90

/* Where a request's body comes from and its response goes to. */
typedef struct {
  gpointer data;
  RequestReadFunc read;
  /* Sends LEN bytes; FALSE when the other side is gone. */
  gboolean (*write)(gpointer data, gconstpointer bytes, gsize len);
} Transport;

/*
 * Serves the request in VARIABLES ("NAME=value", NULL-terminated). FALSE: the response is
 * not complete, and the transport must end in a way that the visitor's browser notices.
 */
gboolean
serve_exchange(const Viewer *viewer, char **variables, const Transport *transport);
