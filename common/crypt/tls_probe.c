#include "common/crypt/tls_probe.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "common/base/error.h"

#define TLSA_FIELDS     4    /* usage, selector, matching type, data */
#define TLSA_MAX_BYTES  1024 /* of data: a whole certificate is not asked for here */
#define PKIX_USAGES_MAX 1    /* usages 0 and 1 are ignored (RFC 7672 3.1.3) */

struct TlsProbe {
  SSL_CTX *context;
  SSL *ssl;
  gboolean dane;
};

/* The newest reason that OpenSSL has, or ALSO; static. */
static const char *
ssl_reason(const char *also)
{
  unsigned long code = ERR_peek_last_error();
  const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
  ERR_clear_error();
  return reason != NULL ? reason : also;
}

static gboolean
fail(GError **error, ZegelError code, const char *text)
{
  g_set_error(error, ZEGEL_ERROR, code, "TLS: %s", text);
  return FALSE;
}

/* HEX as octets, or NULL. */
static GBytes *
parse_hex(const char *hex)
{
  gsize len = strlen(hex);
  if (len == 0 || len % 2 != 0 || len > 2 * TLSA_MAX_BYTES)
    return NULL;
  g_autofree guchar *bytes = g_malloc(len / 2);
  for (gsize i = 0; i < len; i++) {
    int digit = g_ascii_xdigit_value(hex[i]);
    if (digit < 0)
      return NULL;
    bytes[i / 2] = (guchar) (i % 2 == 0 ? digit << 4 : bytes[i / 2] | digit);
  }
  return g_bytes_new_take(g_steal_pointer(&bytes), len / 2);
}

/* Adds RECORD, "3 1 1 HEX". FALSE when it is of no use: OpenSSL then leaves it out. */
static gboolean
add_tlsa(SSL *ssl, const char *record)
{
  guint64 fields[TLSA_FIELDS - 1];
  g_auto(GStrv) words = g_strsplit(record, " ", TLSA_FIELDS);
  if (g_strv_length(words) != TLSA_FIELDS)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS(fields); i++)
    if (!g_ascii_string_to_unsigned(words[i], 10, 0, G_MAXUINT8, &fields[i], NULL))
      return FALSE;
  g_autoptr(GBytes) data = parse_hex(words[TLSA_FIELDS - 1]);
  if (data == NULL || fields[0] <= PKIX_USAGES_MAX)
    return FALSE;
  gsize len = 0;
  const guchar *bytes = g_bytes_get_data(data, &len);
  return SSL_dane_tlsa_add(ssl, (guint8) fields[0], (guint8) fields[1], (guint8) fields[2],
                           bytes, len) > 0;
}

/* Names as RFC 7672 3.2 has them: with DANE-EE none matters. */
static gboolean
set_dane(TlsProbe *probe, const TlsPeer *peer)
{
  if (SSL_dane_enable(probe->ssl, peer->host) <= 0 ||
      SSL_add1_host(probe->ssl, peer->domain) != 1)
    return FALSE;
  SSL_dane_set_flags(probe->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
  for (const char *const *record = peer->tlsa; *record != NULL; record++)
    probe->dane = add_tlsa(probe->ssl, *record) || probe->dane;
  return TRUE;
}

/* Without DANE: a certificate for the host by an authority. */
static gboolean
set_authorities(TlsProbe *probe, const TlsPeer *peer)
{
  SSL_free(probe->ssl);
  probe->ssl = SSL_new(probe->context);
  return probe->ssl != NULL && SSL_CTX_set_default_verify_paths(probe->context) == 1 &&
         SSL_set_tlsext_host_name(probe->ssl, peer->host) == 1 &&
         SSL_set1_host(probe->ssl, peer->host) == 1;
}

static TlsProbe *
probe_new(int fd, const TlsPeer *peer, GError **error)
{
  g_autoptr(TlsProbe) probe = g_new0(TlsProbe, 1);
  probe->context = SSL_CTX_new(TLS_client_method());
  gboolean good = probe->context != NULL &&
                  SSL_CTX_set_min_proto_version(probe->context, TLS1_2_VERSION) == 1 &&
                  SSL_CTX_dane_enable(probe->context) > 0 &&
                  (probe->ssl = SSL_new(probe->context)) != NULL && set_dane(probe, peer) &&
                  (probe->dane || set_authorities(probe, peer)) &&
                  SSL_set_fd(probe->ssl, fd) == 1;
  if (!good) {
    fail(error, ZEGEL_ERROR_TEMPORARY, ssl_reason("cannot be set up"));
    return NULL;
  }
  SSL_set_verify(probe->ssl, SSL_VERIFY_NONE, NULL);
  return g_steal_pointer(&probe);
}

void
tls_probe_free(TlsProbe *probe)
{
  if (probe == NULL)
    return;
  SSL_free(probe->ssl);
  SSL_CTX_free(probe->context);
  g_free(probe);
}

/* Waits for what SSL wants after RESULT. FALSE when it will not come. */
static gboolean
wait_for(TlsProbe *probe, int result, gint64 deadline_us, ZegelError code, GError **error)
{
  int reason = SSL_get_error(probe->ssl, result);
  if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE)
    return fail(error, code, ssl_reason("the connection was closed"));
  struct pollfd entry = {.fd = SSL_get_fd(probe->ssl),
                         .events = reason == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT};
  gint64 left_us = deadline_us - g_get_monotonic_time();
  int count = left_us > 0 ? poll(&entry, 1, (int) (left_us / 1000) + 1) : 0;
  if (count == 0)
    return fail(error, ZEGEL_ERROR_TEMPORARY, "no answer in time");
  return count > 0 || errno == EINTR || fail(error, code, g_strerror(errno));
}

TlsProbe *
tls_probe_start(int fd, const TlsPeer *peer, gint64 deadline_us, GError **error)
{
  ERR_clear_error();
  g_autoptr(TlsProbe) probe = probe_new(fd, peer, error);
  int result = 0;
  while (probe != NULL && (result = SSL_connect(probe->ssl)) != 1)
    if (!wait_for(probe, result, deadline_us, ZEGEL_ERROR_INVALID, error))
      return NULL;
  return g_steal_pointer(&probe);
}

const char *
tls_probe_protocol(const TlsProbe *probe)
{
  return SSL_get_version(probe->ssl);
}

gboolean
tls_probe_is_dane(const TlsProbe *probe)
{
  return probe->dane;
}

gboolean
tls_probe_is_verified(const TlsProbe *probe, const char **reason)
{
  long result = SSL_get_verify_result(probe->ssl);
  gboolean good = result == X509_V_OK && SSL_get0_peer_certificate(probe->ssl) != NULL;
  if (probe->dane)
    good = good && SSL_get0_dane_authority(probe->ssl, NULL, NULL) >= 0;
  if (!good)
    *reason =
        result == X509_V_OK ? "no certificate" : X509_verify_cert_error_string(result);
  return good;
}

static gboolean
unix_time(const ASN1_TIME *time, gint64 *seconds)
{
  struct tm parts;
  if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1)
    return FALSE;
  *seconds = (gint64) timegm(&parts);
  return TRUE;
}

static gboolean
validity_of(const X509 *certificate, gint64 *from_s, gint64 *until_s)
{
  return certificate != NULL && unix_time(X509_get0_notBefore(certificate), from_s) &&
         unix_time(X509_get0_notAfter(certificate), until_s);
}

gboolean
tls_probe_validity(const TlsProbe *probe, gint64 *from_s, gint64 *until_s)
{
  return validity_of(SSL_get0_peer_certificate(probe->ssl), from_s, until_s);
}

gboolean
tls_file_validity(const char *path, gint64 *from_s, gint64 *until_s)
{
  FILE *file = fopen(path, "re");
  X509 *certificate = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
  gboolean good = validity_of(certificate, from_s, until_s);
  X509_free(certificate);
  ERR_clear_error();
  if (file != NULL)
    fclose(file);
  return good;
}

gssize
tls_probe_read(TlsProbe *probe, char *buffer, gsize size, gint64 deadline_us,
               GError **error)
{
  gsize got = 0;
  int result;
  while ((result = SSL_read_ex(probe->ssl, buffer, size, &got)) != 1) {
    if (SSL_get_error(probe->ssl, result) == SSL_ERROR_ZERO_RETURN)
      return 0;
    if (!wait_for(probe, result, deadline_us, ZEGEL_ERROR_TEMPORARY, error))
      return -1;
  }
  return (gssize) got;
}

gboolean
tls_probe_write(TlsProbe *probe, const char *bytes, gsize len, gint64 deadline_us,
                GError **error)
{
  gsize sent = 0;
  int result;
  while ((result = SSL_write_ex(probe->ssl, bytes, len, &sent)) != 1)
    if (!wait_for(probe, result, deadline_us, ZEGEL_ERROR_TEMPORARY, error))
      return FALSE;
  return TRUE;
}
