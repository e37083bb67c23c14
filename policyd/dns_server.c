#include "policyd/dns_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"

#define DNS_PORT 53

/* Splits TEXT into *HOST, which is new, and *PORT. FALSE when the port is none. */
static gboolean
split(const char *text, char **host, guint16 *port)
{
  const char *colon = strrchr(text, ':');
  guint64 number = DNS_PORT;
  gboolean bracket = *text == '[';
  const char *end = bracket ? strchr(text, ']') : NULL;
  if (bracket && (end == NULL || (end[1] != '\0' && end + 1 != colon)))
    return FALSE;
  gboolean with_port =
      colon != NULL && (bracket ? end + 1 == colon : strchr(text, ':') == colon);
  if (with_port &&
      !g_ascii_string_to_unsigned(colon + 1, 10, 1, G_MAXUINT16, &number, NULL))
    return FALSE;
  if (end == NULL)
    end = with_port ? colon : text + strlen(text);
  *host = g_strndup(text + bracket, (gsize) (end - text) - bracket);
  *port = (guint16) number;
  return TRUE;
}

static gboolean
parse_loopback(const char *text, DnsServer *server)
{
  g_autofree char *host = NULL;
  guint16 port;
  struct sockaddr_in *v4 = (struct sockaddr_in *) &server->address;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) &server->address;
  memset(server, 0, sizeof(*server));
  if (!split(text, &host, &port))
    return FALSE;
  if (*text != '[' && inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    server->len = sizeof(*v4);
    return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  }
  if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    server->len = sizeof(*v6);
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
  }
  return FALSE;
}

gboolean
dns_server_parse(const char *text, DnsServer *server, GError **error)
{
  if (parse_loopback(text, server))
    return TRUE;
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
              "resolver \"%s\" is not an address on loopback such as 127.0.0.1, [::1]:53 "
              "or 127.0.0.1:5353: run a validating resolver (Unbound) on this machine and "
              "name that one, since over a network anybody can forge that DNSSEC is right",
              text);
  return FALSE;
}

int
dns_server_connect(const DnsServer *server, int type)
{
  int fd = socket(server->address.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  if (connect(fd, (const struct sockaddr *) &server->address, server->len) == 0 ||
      errno == EINPROGRESS)
    return fd;
  int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}
