/*
 * serve.h - one exchange: the request in, the response out, over any transport.
 */
#pragma once

#include <glib.h>

#include "viewer-cgi/request.h"
#include "viewer-cgi/viewer.h"

/* The alarm(2) that ends a process which hangs: more than any one step may take. */
#define SERVE_DEADLINE_S 90

/* Where a request's body comes from and its response goes to. */
typedef struct {
  gpointer data;
  RequestReadFunc read;
  /* Sends LEN bytes; FALSE when the other side is gone or takes nothing any more. */
  gboolean (*write)(gpointer data, gconstpointer bytes, gsize len);
  /*
   * For a long response, after its head: takes RESPONSE, has serve_rest called in another
   * thread, and returns TRUE; or returns FALSE and leaves it. May be NULL.
   */
  gboolean (*hand_over)(gpointer data, Response *response);
} Transport;

typedef enum {
  SERVE_COMPLETE,
  SERVE_BROKEN,     /* the transport must end in a way that the visitor's browser notices */
  SERVE_HANDED_OVER /* the transport belongs to another thread now */
} ServeResult;

/* Serves the request in VARIABLES ("NAME=value", NULL-terminated). Main thread. */
ServeResult
serve_exchange(const Viewer *viewer, char **variables, const Transport *transport);

/* Sends what follows the head of RESPONSE (borrowed). FALSE: broken. Any thread. */
gboolean
serve_rest(const Response *response, const Transport *transport);
