#include "policyd/dns_tcp.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#define LENGTH_BYTES 2 /* in front of each message, RFC 1035 4.2.2 */
#define READ_BYTES   4096

struct DnsTcp {
  int fd;
  LoopWatch *watch;
  GByteArray *out;
  gsize sent;
  GByteArray *in;
  DnsTcpDone done;
  gpointer data;
};

void
dns_tcp_free(DnsTcp *tcp)
{
  if (tcp == NULL)
    return;
  loop_unwatch(tcp->watch);
  close(tcp->fd);
  g_byte_array_unref(tcp->out);
  g_byte_array_unref(tcp->in);
  g_free(tcp);
}

/* Whether to go on; FALSE when the connection is of no use any more. */
static gboolean
send_rest(DnsTcp *tcp)
{
  ssize_t count =
      send(tcp->fd, tcp->out->data + tcp->sent, tcp->out->len - tcp->sent, MSG_NOSIGNAL);
  if (count < 0)
    return errno == EAGAIN || errno == EINTR;
  tcp->sent += (gsize) count;
  return tcp->sent < tcp->out->len || loop_watch_change(tcp->watch, EPOLLIN);
}

/* The length of the whole response, with what stands in front; 0: not known yet. */
static gsize
whole_len(const GByteArray *in)
{
  return in->len < LENGTH_BYTES ? 0
                                : LENGTH_BYTES + ((gsize) in->data[0] << 8 | in->data[1]);
}

/* As send_rest. */
static gboolean
receive_more(DnsTcp *tcp)
{
  guint8 buffer[READ_BYTES];
  ssize_t count = recv(tcp->fd, buffer, sizeof(buffer), 0);
  if (count < 0)
    return errno == EAGAIN || errno == EINTR;
  g_byte_array_append(tcp->in, buffer, (guint) count);
  return count > 0;
}

static void
on_ready(gpointer data, guint32 events)
{
  DnsTcp *tcp = data;
  (void) events;
  gboolean sending = tcp->sent < tcp->out->len;
  if (!(sending ? send_rest(tcp) : receive_more(tcp))) {
    tcp->done(tcp->data, NULL, 0);
    return;
  }
  gsize whole = whole_len(tcp->in);
  if (whole > 0 && tcp->in->len >= whole)
    tcp->done(tcp->data, tcp->in->data + LENGTH_BYTES, whole - LENGTH_BYTES);
}

DnsTcp *
dns_tcp_ask(Loop *loop, const DnsServer *server, GBytes *question, DnsTcpDone done,
            gpointer data)
{
  int fd = dns_server_connect(server, SOCK_STREAM);
  if (fd < 0)
    return NULL;
  gsize len;
  const guint8 *bytes = g_bytes_get_data(question, &len);
  const guint8 prefix[LENGTH_BYTES] = {(guint8) (len >> 8), (guint8) len};
  g_autoptr(DnsTcp) tcp = g_new0(DnsTcp, 1);
  tcp->fd = fd;
  tcp->out = g_byte_array_new();
  tcp->in = g_byte_array_new();
  tcp->done = done;
  tcp->data = data;
  g_byte_array_append(tcp->out, prefix, LENGTH_BYTES);
  g_byte_array_append(tcp->out, bytes, (guint) len);
  tcp->watch = loop_watch(loop, fd, EPOLLOUT, on_ready, tcp, NULL);
  return tcp->watch != NULL ? g_steal_pointer(&tcp) : NULL;
}
