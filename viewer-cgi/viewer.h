/*
 * viewer.h - answers one request. Knows nothing of CGI or FastCGI.
 */
#pragma once

#include <glib.h>

#include "common/base/secret.h"
#include "common/conf/conf.h"
#include "common/store/store.h"
#include "viewer-cgi/logo.h"
#include "viewer-cgi/request.h"
#include "viewer-cgi/response.h"
#include "viewer-cgi/slots.h"

/* What every request needs. All borrowed, the same for the life of a worker. */
typedef struct {
  const Config *config;
  Store *store;               /* NULL: it could not be opened, and every link says so */
  const Secret *token_key;    /* NULL only without a store */
  const Logos *logos;         /* NULL: there are none */
  const KeyRing *origin_keys; /* for the marks of what visitors wrote */
  const KeyRing *store_keys;  /* for the links to the web form */
  Slots *upload_slots;        /* for who sends files; NULL: no limit */
} Viewer;

/*
 * Answers REQUEST into RESPONSE (empty). *SECURE gets whether the site is on https. Never
 * fails: what goes wrong is a page and a log line.
 */
void
viewer_answer(const Viewer *viewer, const Request *request, Response *response,
              gboolean *secure);
