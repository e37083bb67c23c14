/*
 * site.h - the Postfix that runs here, as postconf(1) and its files have it.
 *
 * Reads only. A site is one instance: a directory with a main.cf. Values are looked at when
 * they are asked for, so that what somebody changes meanwhile counts. One thread.
 */
#pragma once

#include <glib.h>

typedef struct Site Site;

/* One line of master.cf. */
typedef struct {
  char *name;          /* "smtp", "127.0.0.1:10587" */
  char *type;          /* "inet", "unix", "pass", "fifo" */
  gboolean chroot;     /* as it counts: "-" is the default of this Postfix */
  char *command;       /* "smtpd" */
  GHashTable *options; /* of -o: name (char *) to value (char *) */
} SiteService;

/*
 * The instances of this machine (of Site, freed with it): what postmulti(1) lists, else the
 * one of ROOT "/etc/postfix". NULL with ZEGEL_ERROR_CONFIG when there is no Postfix.
 */
GPtrArray *
site_find_all(GError **error);

/* The instance of DIRECTORY, or NULL with ZEGEL_ERROR_CONFIG. */
Site *
site_open(const char *directory, GError **error);

/* Frees SITE; NULL is allowed. */
void
site_free(Site *site);

/* "/etc/postfix"; borrowed. */
const char *
site_directory(const Site *site);

/* Its name with postmulti(1), or NULL; borrowed. */
const char *
site_name(const Site *site);

/* The value of main.cf's parameter NAME as it is written there, or Postfix's default: a new
 * string, never NULL. NULL with ZEGEL_ERROR_CONFIG. */
char *
site_value(const Site *site, const char *name, GError **error);

/* The same with every $name in it replaced (postconf -x). */
char *
site_expanded(const Site *site, const char *name, GError **error);

/* Whether main.cf itself says NAME. */
gboolean
site_is_set(const Site *site, const char *name);

/* The lines of master.cf (of SiteService, freed with the array), in its order. NULL with
 * ZEGEL_ERROR_CONFIG. */
GPtrArray *
site_services(const Site *site, GError **error);

/* The one of SERVICES called NAME and TYPE, or NULL; borrowed. */
const SiteService *
site_service(const GPtrArray *services, const char *name, const char *type);

/* What SERVICE has for parameter NAME: its own -o, else main.cf's, with every $name
 * replaced. A new string, or NULL with ZEGEL_ERROR_CONFIG. */
char *
site_service_value(const Site *site, const SiteService *service, const char *name,
                   GError **error);

/*
 * The words of VALUE, a list as Postfix writes them: separated by commas and white space,
 * but not inside { }. A new list. Pure.
 */
GStrv
site_words(const char *value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Site, site_free)
