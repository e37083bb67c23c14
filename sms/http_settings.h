/*
 * http_settings.h - what sms-http(8) must know of a gateway.
 */
#pragma once

#include <glib.h>

#include "sms/template.h"

typedef enum {
  AUTH_NONE,
  AUTH_BASIC,
  AUTH_BEARER
} Auth;

typedef struct {
  char *url; /* a template */
  gboolean is_post;
  char *content_type; /* of a POST */
  Place place;        /* of values in the body */
  char *body;         /* a template; NULL for GET */
  GStrv headers;      /* templates, "Name: value" */
  Auth auth;
  char *user;             /* from the file of credentials, or NULL; wiped */
  char *password;         /* the same */
  GArray *success_status; /* of guint */
  GRegex *success;        /* NULL: any body is one of success */
  guint timeout_s;
  char *ca_file; /* NULL: the system's authorities */
} HttpSettings;

/*
 * Reads section [sms-http] of PATH, and the credentials that it names. NULL with
 * ZEGEL_ERROR_CONFIG. Free with http_settings_free.
 */
HttpSettings *
http_settings_load(const char *path, GError **error);

/* Wipes and frees SETTINGS; NULL is allowed. */
void
http_settings_free(HttpSettings *settings);

/* Whether STATUS is one of a success. Pure. */
gboolean
http_settings_status_fits(const HttpSettings *settings, guint status);

/* Whether the LEN bytes of BODY (not NULL) are those of a success. Pure. */
gboolean
http_settings_body_fits(const HttpSettings *settings, const char *body, gsize len);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpSettings, http_settings_free)
