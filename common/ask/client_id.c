#include "common/ask/client_id.h"

#include <string.h>

#include "common/ask/ask.h"
#include "common/ask/block.h"
#include "common/base/error.h"

#define FINGERPRINT_DIGITS 64

void
client_certificate_free(ClientCertificate *certificate)
{
  if (certificate == NULL)
    return;
  g_free(certificate->fingerprint);
  g_free(certificate->subject);
  g_free(certificate->issuer);
  g_free(certificate);
}

Attrs *
client_question_format(const char *address, guint16 port)
{
  Attrs *attrs = attrs_new();
  attrs_add(attrs, "request", "client");
  attrs_add_uint(attrs, "version", ASK_VERSION);
  attrs_add(attrs, "client_address", address);
  attrs_add_uint(attrs, "client_port", port);
  return attrs;
}

gboolean
client_question_parse(const Attrs *attrs, const char **address, guint16 *port,
                      GError **error)
{
  guint64 number = 0;
  if (!block_check_version(attrs, error) ||
      !attrs_get_uint(attrs, "client_port", 0, G_MAXUINT16, &number, error))
    return FALSE;
  *address = attrs_get(attrs, "client_address");
  *port = (guint16) number;
  if (g_strcmp0(attrs_get(attrs, "request"), "client") != 0 || *address == NULL ||
      **address == '\0' || strlen(*address) > ASK_WORD_MAX_BYTES)
    return block_refuse(error, "request or client_address is missing or bad");
  return TRUE;
}

static void
add_text(Attrs *attrs, const char *name, const char *text)
{
  attrs_add(attrs, name, text != NULL ? text : "");
}

Attrs *
client_certificate_format(const ClientCertificate *certificate)
{
  Attrs *attrs = attrs_new();
  attrs_add_uint(attrs, "version", ASK_VERSION);
  add_text(attrs, "fingerprint", certificate->fingerprint);
  add_text(attrs, "subject", certificate->subject);
  add_text(attrs, "issuer", certificate->issuer);
  return attrs;
}

gboolean
client_fingerprint_is_valid(const char *text)
{
  return strlen(text) == FINGERPRINT_DIGITS &&
         strspn(text, "0123456789abcdef") == FINGERPRINT_DIGITS;
}

/* The value of NAME, which must be there, into *COPY: NULL when it is empty. */
static gboolean
copy_value(const Attrs *attrs, const char *name, char **copy)
{
  const char *value = attrs_get(attrs, name);
  *copy = value != NULL && *value != '\0' ? g_strdup(value) : NULL;
  return value != NULL && strlen(value) <= CLIENT_NAME_MAX_BYTES;
}

ClientCertificate *
client_certificate_parse(const Attrs *attrs, GError **error)
{
  if (!block_check_version(attrs, error))
    return NULL;
  const char *failure = attrs_get(attrs, "error");
  if (failure != NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "policyd: %s", failure);
    return NULL;
  }
  g_autoptr(ClientCertificate) certificate = g_new0(ClientCertificate, 1);
  if (copy_value(attrs, "fingerprint", &certificate->fingerprint) &&
      copy_value(attrs, "subject", &certificate->subject) &&
      copy_value(attrs, "issuer", &certificate->issuer) &&
      (certificate->fingerprint == NULL ||
       client_fingerprint_is_valid(certificate->fingerprint)))
    return g_steal_pointer(&certificate);
  block_refuse(error, "the answer is no certificate of a client");
  return NULL;
}
