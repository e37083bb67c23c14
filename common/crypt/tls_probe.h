/*
 * tls_probe.h - TLS with a mail server, to see what it proves (N3).
 *
 * For a tester, not for mail: the handshake goes on whatever certificate comes, and what
 * that proves is asked afterwards. TLS 1.2 is the least (R5). One thread.
 */
#pragma once

#include <glib.h>

typedef struct TlsProbe TlsProbe;

/* All borrowed. */
typedef struct {
  const char *host; /* the server's name, A-labels */
  const char
      *domain; /* of the recipients: a certificate by DANE-TA may name that instead */
  const char *const *tlsa; /* its TLSA records, "3 1 1 HEX", ends with NULL; when there is
                            * none that is usable, this machine's authorities decide */
} TlsPeer;

/*
 * Shakes hands as a client on FD (borrowed, non-blocking), until DEADLINE_US (monotonic).
 * NULL with ZEGEL_ERROR_INVALID when it fails, ZEGEL_ERROR_TEMPORARY when time is up. The
 * caller ignores SIGPIPE. Freed with tls_probe_free, before FD is closed.
 */
TlsProbe *
tls_probe_start(int fd, const TlsPeer *peer, gint64 deadline_us, GError **error);

/* Frees PROBE; NULL is allowed. */
void
tls_probe_free(TlsProbe *probe);

/* "TLSv1.3": static. */
const char *
tls_probe_protocol(const TlsProbe *probe);

/* Whether a usable TLSA record was there, so that DANE decides and no authority. */
gboolean
tls_probe_is_dane(const TlsProbe *probe);

/* Whether the certificate proves the peer; *REASON gets OpenSSL's reason, static, when it
 * does not. */
gboolean
tls_probe_is_verified(const TlsProbe *probe, const char **reason);

/* From when until when the certificate of the peer is valid, Unix time. FALSE when there is
 * none, or it does not say. */
gboolean
tls_probe_validity(const TlsProbe *probe, gint64 *from_s, gint64 *until_s);

/* The same of the first certificate in the file PATH, PEM: a server's own stands first.
 * FALSE when there is none that can be read. */
gboolean
tls_file_validity(const char *path, gint64 *from_s, gint64 *until_s);

/* At most SIZE octets into BUFFER; how many, 0 at the end, -1 with ZEGEL_ERROR_TEMPORARY,
 * also at DEADLINE_US. */
gssize
tls_probe_read(TlsProbe *probe, char *buffer, gsize size, gint64 deadline_us,
               GError **error);

/* All LEN octets at BYTES. FALSE as tls_probe_read. */
gboolean
tls_probe_write(TlsProbe *probe, const char *bytes, gsize len, gint64 deadline_us,
                GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsProbe, tls_probe_free)
