#include "common/crypt/tls_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"

#define WAIT_US (5 * G_TIME_SPAN_SECOND)
#define LINE    "220 ready\r\n"

/* A server with a certificate that it made itself, in a thread of its own. */
typedef struct {
  int fd;
  EVP_PKEY *key;
  X509 *certificate;
  int max_version; /* 0: any */
} Server;

static void
make_certificate(Server *server)
{
  server->key = EVP_EC_gen("P-256");
  server->certificate = X509_new();
  X509 *x = server->certificate;
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 3600);
  X509_NAME *name = X509_get_subject_name(x);
  g_assert_cmpint(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                             (const guchar *) "mail.other.nl", -1, -1, 0),
                  ==, 1);
  X509_set_issuer_name(x, name);
  X509_set_pubkey(x, server->key);
  g_assert_cmpint(X509_sign(x, server->key, EVP_sha256()), >, 0);
}

/* "3 1 MATCHING HEX" of the key. */
static char *
tlsa_of(const Server *server, const char *matching, GChecksumType hash)
{
  guchar *der = NULL;
  int len = i2d_PUBKEY(server->key, &der);
  g_assert_cmpint(len, >, 0);
  g_autofree char *hex = g_compute_checksum_for_data(hash, der, (gsize) len);
  OPENSSL_free(der);
  return g_strdup_printf("3 1 %s %s", matching, hex);
}

static gpointer
serve(gpointer data)
{
  const Server *server = data;
  char buffer[64];
  gsize got = 0;
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_min_proto_version(context, 0);
  SSL_CTX_set_max_proto_version(context, server->max_version);
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_use_certificate(context, server->certificate);
  SSL_CTX_use_PrivateKey(context, server->key);
  SSL *ssl = SSL_new(context);
  SSL_set_fd(ssl, server->fd);
  if (SSL_accept(ssl) == 1) {
    SSL_read_ex(ssl, buffer, sizeof buffer, &got);
    SSL_write_ex(ssl, LINE, strlen(LINE), &got);
    SSL_shutdown(ssl);
  }
  SSL_free(ssl);
  SSL_CTX_free(context);
  close(server->fd);
  return NULL;
}

typedef struct {
  gboolean connected, dane, verified;
  char protocol[16];
} Seen;

/* What a probe sees of a server that knows at most MAX_VERSION, with the given records. */
static Seen
probe(Server *server, const char *const *tlsa)
{
  Seen seen = {FALSE, FALSE, FALSE, ""};
  int fds[2];
  const TlsPeer peer = {"mail.example.nl", "example.nl", tlsa};
  g_autoptr(GError) error = NULL;
  g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  g_assert_cmpint(fcntl(fds[0], F_SETFL, O_NONBLOCK), ==, 0);
  server->fd = fds[1];
  GThread *thread = g_thread_new("server", serve, server);
  gint64 end_us = g_get_monotonic_time() + WAIT_US;
  TlsProbe *found = tls_probe_start(fds[0], &peer, end_us, &error);
  if (found != NULL) {
    const char *reason = NULL;
    char buffer[256] = "";
    seen.connected = TRUE;
    seen.dane = tls_probe_is_dane(found);
    seen.verified = tls_probe_is_verified(found, &reason);
    g_assert_true(seen.verified || reason != NULL);
    g_strlcpy(seen.protocol, tls_probe_protocol(found), sizeof seen.protocol);
    g_assert_true(tls_probe_write(found, "EHLO\r\n", 6, end_us, &error));
    g_assert_cmpint(tls_probe_read(found, buffer, sizeof buffer, end_us, &error), ==,
                    (gssize) strlen(LINE));
    g_assert_cmpmem(buffer, strlen(LINE), LINE, strlen(LINE));
    g_assert_cmpint(tls_probe_read(found, buffer, sizeof buffer, end_us, &error), ==, 0);
  } else {
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  }
  tls_probe_free(found);
  close(fds[0]);
  g_thread_join(thread);
  return seen;
}

static void
test_certificates(void)
{
  Server server = {.max_version = 0};
  make_certificate(&server);
  g_autofree char *sha256 = tlsa_of(&server, "1", G_CHECKSUM_SHA256);
  g_autofree char *sha512 = tlsa_of(&server, "2", G_CHECKSUM_SHA512);
  g_autofree char *other = g_strdup(sha256);
  other[strlen(other) - 1] = other[strlen(other) - 1] == '0' ? '1' : '0';
  g_autofree char *pkix = g_strconcat("1", sha256 + 1, NULL);
  const struct {
    const char *tlsa[3];
    gboolean dane, verified;
  } rows[] = {
      {{sha256, NULL}, TRUE, TRUE},
      {{sha512, NULL}, TRUE, TRUE},
      {{other, sha256, NULL}, TRUE, TRUE},
      {{other, NULL}, TRUE, FALSE},
      {{pkix, NULL}, FALSE, FALSE},
      {{"3 1 1 xy", NULL}, FALSE, FALSE},
      {{"3 1 1 abcd", NULL}, FALSE, FALSE},
      {{"3 1", "", NULL}, FALSE, FALSE},
      {{"3 1 1 abc", "9 9 9 00"}, FALSE, FALSE},
      {{NULL}, FALSE, FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    Seen seen = probe(&server, rows[i].tlsa);
    g_test_message("row %u", i);
    g_assert_true(seen.connected);
    g_assert_cmpint(seen.dane, ==, rows[i].dane);
    g_assert_cmpint(seen.verified, ==, rows[i].verified);
    g_assert_cmpstr(seen.protocol, ==, "TLSv1.3");
  }
  X509_free(server.certificate);
  EVP_PKEY_free(server.key);
}

static void
test_old_versions(void)
{
  static const char *const none[] = {NULL};
  Server server = {.max_version = TLS1_2_VERSION};
  make_certificate(&server);
  g_assert_cmpstr(probe(&server, none).protocol, ==, "TLSv1.2");
  server.max_version = TLS1_1_VERSION;
  g_assert_false(probe(&server, none).connected);
  X509_free(server.certificate);
  EVP_PKEY_free(server.key);
}

/* Somebody who takes the connection and says nothing, or nonsense. */
static void
test_silence(void)
{
  static const char *const none[] = {NULL};
  const TlsPeer peer = {"mail.example.nl", "example.nl", none};
  int fds[2];
  g_autoptr(GError) error = NULL;
  g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  g_assert_cmpint(fcntl(fds[0], F_SETFL, O_NONBLOCK), ==, 0);
  gint64 start_us = g_get_monotonic_time();
  g_assert_null(tls_probe_start(fds[0], &peer, start_us + 200000, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
  g_assert_cmpint(g_get_monotonic_time() - start_us, >=, 200000);
  g_assert_cmpint(g_get_monotonic_time() - start_us, <, WAIT_US);
  g_clear_error(&error);
  g_assert_cmpint(write(fds[1], "500 what?\r\n", 11), ==, 11);
  g_assert_null(tls_probe_start(fds[0], &peer, start_us + WAIT_US, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  close(fds[0]);
  close(fds[1]);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  g_test_add_func("/tls_probe/what a certificate proves", test_certificates);
  g_test_add_func("/tls_probe/nothing older than TLS 1.2", test_old_versions);
  g_test_add_func("/tls_probe/silence and nonsense", test_silence);
  return g_test_run();
}
