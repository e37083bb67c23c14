/*
 * client.h - who is connected, by what Postfix says of it (O3, O4).
 */
#pragma once

#include <glib.h>

#include "common/conf/conf.h"

/* All strings owned; NULL: not known. */
typedef struct {
  char *address; /* textual */
  guint16 port;  /* 0: not known */
  char *helo;
  char *login;       /* SASL */
  char *tls_version; /* "TLSv1.3" */
  char *fingerprint; /* of its certificate, as client_id.h has these three: asked of policyd
                      * when they matter */
  char *subject;
  char *issuer;
  char *daemon; /* milter_macro_daemon_name */
} Client;

/* Frees what CLIENT holds. */
void
client_clear(Client *client);

/* Whether TLS of CLIENT is 1.2 or better (N5). */
gboolean
client_has_tls12(const Client *client);

/* Whether RULE ("sha256:HEX", "cn:NAME/ISSUER", see client_rule.h) of zegel.conf is the
 * certificate of CLIENT. Pure. */
gboolean
client_matches(const Client *client, const char *rule);

/* Whether every rule in `certificates` of CONFIG can be read. FALSE with
 * ZEGEL_ERROR_CONFIG. Pure. */
gboolean
client_check_rules(const Config *config, GError **error);

/*
 * The organisation that CLIENT submits for: by certificate, else by login, else by address
 * (O4); NULL: none. Pure.
 */
const Organisation *
client_organisation(const Client *client, const Config *config);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Client, client_clear)
