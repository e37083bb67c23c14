/*
 * request.h - one HTTP request as the web server hands it over (CGI, RFC 3875).
 */
#pragma once

#include <glib.h>

#include "viewer-cgi/form.h"
#include "viewer-cgi/route.h"
#include "viewer-cgi/upload.h"

/* Strings are owned by the request; NULL where the header did not come. */
typedef struct {
  Method method;
  gboolean head_only; /* HEAD: no body goes back */
  char *path;         /* as it was sent, without query; "" when there was none */
  Form *query;        /* NULL when there was none, or it was no form */
  Form *body;         /* of a POST; NULL when it has files */
  char *upload_type;  /* of a POST with files (route_takes_files); NULL otherwise */
  UploadBody upload;  /* not yet read; borrowed from who called request_read */
  char *host;
  char *cookies;
  char *origin;
  char *fetch_site;
  char *accept_language;
  char *client;  /* network address, for the log */
  guint refusal; /* HTTP status when it cannot be served as it came; else 0 */
} Request;

/* Reads the request's body. */
typedef UploadReadFunc RequestReadFunc;

/*
 * Reads the request from the meta-variables VARIABLES ("NAME=value", NULL-terminated) and,
 * for a POST, its body with READ(SOURCE). Never NULL; when it is too large or malformed,
 * refusal says so and body is NULL. A body with files stays unread, so that who may send it
 * is known first. The caller frees it with request_free.
 */
Request *
request_read(char **variables, RequestReadFunc read, gpointer source);

/* Wipes and frees REQUEST; NULL is allowed. */
void
request_free(Request *request);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Request, request_free)
