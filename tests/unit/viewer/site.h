/*
 * site.h - a viewer with a real store, a real reader, and an SMTP server that takes all.
 */
#pragma once

#include <gio/gio.h>

#include "viewer-cgi/viewer.h"

#define SITE_HOST  "mail.first.nl"  /* has a web form */
#define SITE_OTHER "mail.second.nl" /* has none */

typedef struct {
  char *dir;
  KeyRing *store_keys;
  KeyRing *origin_keys;
  Config *config;
  Viewer viewer;

  GSocketListener *listener; /* of the SMTP server */
  GCancellable *stop;
  GThread *thread;
  GMutex lock;
  GString *mails; /* what it took, envelope and message, one after the other */
  guint mail_count;
  const char *refuse; /* instead of taking RCPT; NULL: takes it */
  guint delay_ms;     /* before it answers the end of a message */
} Site;

/* Starts a site; site_free ends it. */
Site *
site_new(void);

/* Ends SITE and removes its files. */
void
site_free(Site *site);

/* What came back. */
typedef struct {
  guint status;
  char *head;
  char *body;
} SiteAnswer;

/* Frees what ANSWER owns. */
void
site_answer_clear(SiteAnswer *answer);

/*
 * Asks METHOD URI of HOST from the network address CLIENT (NULL: 192.0.2.1), with the form
 * BODY of TYPE (NULL: urlencoded) when BODY is not NULL.
 */
SiteAnswer
site_ask(const Site *site, const char *method, const char *host, const char *uri,
         const char *client, const char *type, const char *body);

/* The token of the form on ANSWER that posts to ACTION, a new string; it must be there. */
char *
site_token(const SiteAnswer *answer, const char *action);

/* How many mails were taken by now. */
guint
site_mail_count(Site *site);

/* The last mail that was taken, a new string. */
char *
site_last_mail(Site *site);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SiteAnswer, site_answer_clear)
