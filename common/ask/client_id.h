/*
 * client_id.h - the TLS client certificate of a connection (O4).
 *
 * Postfix tells its milters no fingerprint, but its policy delegation does: policyd keeps
 * what it was told of the clients that are connected, by address and port. Protocol:
 * zegel-policy(7), request=client.
 */
#pragma once

#include <glib.h>

#include "common/base/attr.h"

#define CLIENT_NAME_MAX_BYTES 1024 /* of a common name */

/* All strings owned; NULL: not known. */
typedef struct {
  char *fingerprint; /* SHA-256, 64 hexadecimal digits in lower case */
  char *subject;     /* common name; only of a certificate that Postfix trusts */
  char *issuer;      /* common name; the same */
} ClientCertificate;

/* Frees CERTIFICATE; NULL is allowed. */
void
client_certificate_free(ClientCertificate *certificate);

/* The question about the client at ADDRESS and PORT as attributes; the caller frees them.
 */
Attrs *
client_question_format(const char *address, guint16 port);

/* Who the question in ATTRS is about: *ADDRESS (owned by ATTRS) and *PORT. FALSE with
 * ZEGEL_ERROR_INVALID. */
gboolean
client_question_parse(const Attrs *attrs, const char **address, guint16 *port,
                      GError **error);

/* CERTIFICATE as attributes; the caller frees them. */
Attrs *
client_certificate_format(const ClientCertificate *certificate);

/* The certificate in ATTRS, owned by the caller, or NULL with ZEGEL_ERROR_INVALID, or
 * ZEGEL_ERROR_TEMPORARY when policyd says that it cannot (attribute error=TEXT). */
ClientCertificate *
client_certificate_parse(const Attrs *attrs, GError **error);

/* Whether TEXT can be a fingerprint: 64 hexadecimal digits in lower case. Pure. */
gboolean
client_fingerprint_is_valid(const char *text);

/*
 * Asks over the socket at PATH what is known of the client at ADDRESS and PORT. Owned by
 * the caller; its fields are NULL when there is no certificate. NULL with
 * ZEGEL_ERROR_TEMPORARY. Any thread.
 */
ClientCertificate *
ask_client(const char *path, const char *address, guint16 port, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ClientCertificate, client_certificate_free)
