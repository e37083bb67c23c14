#include "zegelctl/web.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/unix.h"
#include "common/crypt/tls_probe.h"

#define READ_BYTES    4096
#define ADDRESSES_MAX 8
#define HEAD_END      "\r\n\r\n"

static const char *const loopback[] = {"127.0.0.1", "::1"};

/* ---- Where ---- */

gboolean
web_place_parse(const char *url, WebPlace *place)
{
  g_autofree char *scheme = NULL;
  int port = -1;
  *place = (WebPlace){.host = NULL};
  /* What comes behind the host may be a template. */
  const char *host = strstr(url, "://");
  gsize len = host != NULL ? (gsize) (host + 3 - url) + strcspn(host + 3, "/?#") : 0;
  g_autofree char *start = g_strndup(url, len);
  if (!g_uri_split_network(start, G_URI_FLAGS_NONE, &scheme, &place->host, &port, NULL) ||
      place->host == NULL)
    return FALSE;
  place->https = strcmp(scheme, "https") == 0;
  place->port = g_strdup_printf("%d", port > 0 ? port : place->https ? 443 : 80);
  return place->https || strcmp(scheme, "http") == 0;
}

void
web_place_clear(WebPlace *place)
{
  g_free(place->host);
  g_free(place->port);
}

/* ---- What came ---- */

void
web_page_clear(WebPage *page)
{
  g_free(page->address);
  g_free(page->problem);
  if (page->headers != NULL)
    g_ptr_array_unref(page->headers);
}

const char *
web_header(const WebPage *page, const char *name, guint n)
{
  gsize len = strlen(name);
  for (guint i = 0; page->headers != NULL && i < page->headers->len; i++) {
    const char *header = page->headers->pdata[i];
    if (strncmp(header, name, len) == 0 && header[len] == ':' && n-- == 0)
      return header + len + 2; /* behind ": " */
  }
  return NULL;
}

gboolean
web_head_parse(const char *text, gsize len, WebPage *page)
{
  guint64 status = 0;
  const char *end = g_strstr_len(text, (gssize) len, HEAD_END);
  g_autofree char *head = g_strndup(text, end != NULL ? (gsize) (end - text) : len);
  g_auto(GStrv) lines = g_strsplit(head, "\r\n", -1);
  if (lines[0] == NULL || !g_str_has_prefix(lines[0], "HTTP/1."))
    return FALSE;
  g_auto(GStrv) words = g_strsplit(lines[0], " ", 3);
  if (words[1] == NULL ||
      !g_ascii_string_to_unsigned(words[1], 10, 100, 599, &status, NULL))
    return FALSE;
  page->status = (guint) status;
  page->headers = g_ptr_array_new_with_free_func(g_free);
  for (char **line = lines + 1; *line != NULL; line++) {
    g_auto(GStrv) pair = g_strsplit(*line, ":", 2);
    if (pair[0] == NULL || pair[1] == NULL)
      continue;
    g_autofree char *name = g_ascii_strdown(g_strstrip(pair[0]), -1);
    g_ptr_array_add(page->headers, g_strconcat(name, ": ", g_strstrip(pair[1]), NULL));
  }
  return TRUE;
}

/* ---- One connection ---- */

typedef struct {
  int fd;
  TlsProbe *tls; /* NULL: http */
  gint64 deadline_us;
} Link;

static void
set_problem(WebPage *page, const char *text)
{
  g_free(page->problem);
  page->problem = g_strdup(text);
}

/* Whether ADDRESS is of this machine: only then can a socket be bound to it. */
static gboolean
is_local(const struct addrinfo *address)
{
  struct sockaddr_storage copy;
  memcpy(&copy, address->ai_addr, address->ai_addrlen);
  if (copy.ss_family == AF_INET)
    ((struct sockaddr_in *) (gpointer) &copy)->sin_port = 0;
  else
    ((struct sockaddr_in6 *) (gpointer) &copy)->sin6_port = 0;
  int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  gboolean bound =
      fd >= 0 && bind(fd, (const struct sockaddr *) &copy, address->ai_addrlen) == 0;
  if (fd >= 0)
    close(fd);
  return bound;
}

static gboolean
connect_address(Link *link, const struct addrinfo *address, WebPage *page)
{
  char number[NI_MAXHOST] = "?";
  int reason = 0;
  socklen_t len = sizeof reason;
  getnameinfo(address->ai_addr, address->ai_addrlen, number, sizeof number, NULL, 0,
              NI_NUMERICHOST);
  g_free(page->address);
  page->address = g_strdup(number);
  link->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (link->fd < 0 || (connect(link->fd, address->ai_addr, address->ai_addrlen) != 0 &&
                       errno != EINPROGRESS))
    reason = errno;
  else if (!unix_wait(link->fd, POLLOUT, link->deadline_us))
    reason = ETIMEDOUT;
  else if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &reason, &len) != 0)
    reason = errno;
  if (reason != 0)
    set_problem(page, g_strerror(reason));
  page->connected = reason == 0;
  return page->connected;
}

static gboolean
start_tls(Link *link, const WebPlace *place, WebPage *page)
{
  static const char *const no_tlsa[] = {NULL};
  const TlsPeer peer = {place->host, place->host, no_tlsa};
  const char *reason = NULL;
  g_autoptr(GError) error = NULL;
  link->tls = tls_probe_start(link->fd, &peer, link->deadline_us, &error);
  if (link->tls == NULL) {
    set_problem(page, error->message);
    return FALSE;
  }
  page->verified = tls_probe_is_verified(link->tls, &reason);
  if (!page->verified)
    set_problem(page, reason);
  if (!tls_probe_validity(link->tls, &page->from_s, &page->until_s))
    page->from_s = page->until_s = 0;
  return TRUE;
}

static gssize
receive(Link *link, char *buffer, gsize size)
{
  if (link->tls != NULL)
    return tls_probe_read(link->tls, buffer, size, link->deadline_us, NULL);
  for (;;) {
    gssize got = recv(link->fd, buffer, size, 0);
    if (got >= 0 || (errno != EAGAIN && errno != EINTR) ||
        !unix_wait(link->fd, POLLIN, link->deadline_us))
      return got;
  }
}

static gboolean
ask(Link *link, const WebPlace *place, const char *path)
{
  g_autofree char *port = strcmp(place->port, place->https ? "443" : "80") == 0
                              ? g_strdup("")
                              : g_strconcat(":", place->port, NULL);
  g_autofree char *text = g_strdup_printf("GET %s HTTP/1.1\r\nHost: %s%s\r\n"
                                          "User-Agent: zegelctl-doctor\r\n"
                                          "Accept: text/html\r\nConnection: close\r\n\r\n",
                                          path, place->host, port);
  gsize len = strlen(text);
  if (link->tls != NULL)
    return tls_probe_write(link->tls, text, len, link->deadline_us, NULL);
  return send(link->fd, text, len, MSG_NOSIGNAL) == (gssize) len;
}

static void
read_head(Link *link, WebPage *page)
{
  char buffer[READ_BYTES];
  g_autoptr(GString) head = g_string_new(NULL);
  gssize got = 1;
  while (got > 0 && head->len < WEB_HEAD_MAX_BYTES && strstr(head->str, HEAD_END) == NULL) {
    got = receive(link, buffer, sizeof buffer);
    g_string_append_len(head, buffer, MAX(got, 0));
  }
  if (!web_head_parse(head->str, head->len, page))
    set_problem(page, "no answer of a web server came");
}

/* Whether there was somebody at ADDRESS, whatever he said. */
static gboolean
try_address(const WebPlace *place, const struct addrinfo *address, const char *path,
            WebPage *page)
{
  Link link = {.fd = -1};
  link.deadline_us = g_get_monotonic_time() + WEB_WAIT_MS * G_TIME_SPAN_MILLISECOND;
  gboolean there = connect_address(&link, address, page);
  if (there) {
    set_problem(page, NULL);
    page->greeted = !place->https || start_tls(&link, place, page);
    if (page->greeted && path != NULL) {
      if (ask(&link, place, path))
        read_head(&link, page);
      else
        set_problem(page, "it took no question");
    }
  }
  tls_probe_free(link.tls);
  if (link.fd >= 0)
    close(link.fd);
  return there;
}

/* Tries the addresses of HOST. */
static gboolean
try_host(const WebPlace *place, const char *host, const char *path, WebPage *page)
{
  const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *addresses = NULL;
  gboolean there = FALSE;
  guint count = 0;
  int failure = getaddrinfo(host, place->port, &hints, &addresses);
  if (failure != 0) {
    set_problem(page, gai_strerror(failure));
    return FALSE;
  }
  for (const struct addrinfo *one = addresses;
       one != NULL && !there && count < ADDRESSES_MAX; one = one->ai_next, count++) {
    page->local = page->local || is_local(one);
    there = try_address(place, one, path, page);
  }
  freeaddrinfo(addresses);
  return there;
}

void
web_get(const WebPlace *place, const char *path, WebPage *page)
{
  *page = (WebPage){.address = NULL};
  if (try_host(place, place->host, path, page) || page->local)
    return;
  /* A server behind a router often does not reach itself by its public address. */
  g_autofree char *problem = g_steal_pointer(&page->problem);
  g_autofree char *address = g_steal_pointer(&page->address);
  for (guint i = 0; i < G_N_ELEMENTS(loopback); i++)
    if (try_host(place, loopback[i], path, page))
      break;
  if (!page->connected) {
    page->local = FALSE;
    set_problem(page, problem);
    g_free(page->address);
    page->address = g_steal_pointer(&address);
  }
}
