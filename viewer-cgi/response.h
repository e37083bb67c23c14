/*
 * response.h - one HTTP response, with the headers that every response of its kind has.
 */
#pragma once

#include <glib.h>

#include "viewer-cgi/html.h"
#include "viewer-cgi/reading.h"

typedef enum {
  CONTENT_PAGE,     /* a page of ours */
  CONTENT_STYLE,    /* the style sheet */
  CONTENT_MAIL,     /* the HTML of a message: caged */
  CONTENT_DOWNLOAD, /* bytes of a message, to be saved */
  CONTENT_LOGO      /* a picture of the organisation */
} ContentKind;

typedef struct {
  guint status;
  ContentKind kind;
  GBytes *body;         /* or NULL */
  Reading *reading;     /* what follows the body, or NULL */
  const char *type;     /* of a download or logo; static */
  char *disposition;    /* of a download */
  char *location;       /* our own path, of a redirect */
  GPtrArray *cookies;   /* values of Set-Cookie headers */
  guint retry_after_s;  /* 0: none */
  gboolean framed;      /* the page may stand in a frame of ours, in place of a message */
  gboolean clear_cache; /* at logout: the browser forgets what it has of us */
} Response;

/* An empty response with status 200. Never NULL. */
Response *
response_new(void);

/* Wipes and frees RESPONSE with all it owns; NULL is allowed. */
void
response_free(Response *response);

/* Makes it the page HTML (takes) with STATUS. */
void
response_set_page(Response *response, guint status, Html *html);

/* Makes it a redirect (303) to PATH, a path of ours that begins with '/'. */
void
response_set_redirect(Response *response, const char *path);

/* Adds a Set-Cookie header with VALUE (takes). */
void
response_add_cookie(Response *response, char *value);

/*
 * The header block as CGI wants it, with "Status:" and its empty line; a new string.
 * SECURE: the site is on https. Pure.
 */
char *
response_format_head(const Response *response, gboolean secure);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Response, response_free)
