/*
 * dns_delay - a way to a name server that takes time: dns_delay PORT SERVER MICROSECONDS.
 *
 * Takes questions over UDP at PORT of 127.0.0.1, passes them to port 53 of SERVER, and the
 * answers back; each packet after MICROSECONDS. One that must go over TCP finds nobody.
 * Prints "ready" when it can be asked.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#define DNS_PORT     53
#define HEAD_BYTES   12
#define PACKET_BYTES 65535
#define ID_COUNT     65536
#define MAX_DELAY_US 1000000

/* A packet on its way. */
typedef struct {
  gint64 due_us;
  GBytes *bytes;
  gboolean is_answer;
  struct sockaddr_in asker; /* of an answer */
} Parcel;

/* Who asked the question that went to the server under a number. */
typedef struct {
  struct sockaddr_in asker;
  guint8 id[2]; /* his own number of it */
} Asker;

static Asker askers[ID_COUNT];
static guint16 last_id;
static GQueue parcels = G_QUEUE_INIT; /* all wait as long, so the first is due first */
static gint64 delay_us;

static void
must(gboolean good, const char *what)
{
  if (good)
    return;
  fprintf(stderr, "dns_delay: %s: %s\n", what, g_strerror(errno));
  exit(EXIT_FAILURE);
}

static guint
number(const char *text, guint most)
{
  guint64 value = 0;
  errno = EINVAL;
  must(g_ascii_string_to_unsigned(text, 10, 1, most, &value, NULL), text);
  return (guint) value;
}

static int
new_socket(const char *text, guint port, struct sockaddr_in *address)
{
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((guint16) port)};
  must(inet_pton(AF_INET, text, &address->sin_addr) == 1, text);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  must(fd >= 0, "socket");
  return fd;
}

/* Puts what waits at FD on its way, under other numbers: many ask from many ports. */
static void
take(int fd, gboolean is_answer)
{
  static guint8 bytes[PACKET_BYTES];
  struct sockaddr_in from;
  socklen_t from_len = sizeof from;
  gssize n;
  while ((n = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *) &from, &from_len)) >=
         HEAD_BYTES) {
    Parcel *parcel = g_new0(Parcel, 1);
    Asker *asker = &askers[is_answer ? (guint16) (bytes[0] << 8 | bytes[1]) : ++last_id];
    if (is_answer) {
      parcel->asker = asker->asker;
      memcpy(bytes, asker->id, sizeof asker->id);
    } else {
      asker->asker = from;
      memcpy(asker->id, bytes, sizeof asker->id);
      bytes[0] = (guint8) (last_id >> 8);
      bytes[1] = (guint8) last_id;
    }
    parcel->is_answer = is_answer;
    parcel->bytes = g_bytes_new(bytes, (gsize) n);
    parcel->due_us = g_get_monotonic_time() + delay_us;
    g_queue_push_tail(&parcels, parcel);
    from_len = sizeof from;
  }
}

/* A packet that cannot be sent is lost, as on any way. */
static void
deliver(int askers_fd, int server_fd, const Parcel *parcel)
{
  gsize len = 0;
  const void *bytes = g_bytes_get_data(parcel->bytes, &len);
  if (!parcel->is_answer)
    send(server_fd, bytes, len, 0);
  else
    sendto(askers_fd, bytes, len, 0, (const struct sockaddr *) &parcel->asker,
           sizeof parcel->asker);
}

/* Delivers what is due. The microseconds until the next one is, or -1. */
static gint64
deliver_due(int askers_fd, int server_fd)
{
  for (Parcel *parcel; (parcel = g_queue_peek_head(&parcels)) != NULL;) {
    gint64 left_us = parcel->due_us - g_get_monotonic_time();
    if (left_us > 0)
      return left_us;
    deliver(askers_fd, server_fd, parcel);
    g_bytes_unref(parcel->bytes);
    g_free(g_queue_pop_head(&parcels));
  }
  return -1;
}

int
main(int argc, char **argv)
{
  struct sockaddr_in here, server;
  if (argc != 4)
    return EXIT_FAILURE;
  int askers_fd = new_socket("127.0.0.1", number(argv[1], G_MAXUINT16), &here);
  int server_fd = new_socket(argv[2], DNS_PORT, &server);
  delay_us = number(argv[3], MAX_DELAY_US);
  must(bind(askers_fd, (struct sockaddr *) &here, sizeof here) == 0, "bind");
  must(connect(server_fd, (struct sockaddr *) &server, sizeof server) == 0, argv[2]);
  must(prctl(PR_SET_TIMERSLACK, 1UL) == 0, "timer slack"); /* wakes in time */
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct pollfd fds[] = {{.fd = askers_fd, .events = POLLIN},
                           {.fd = server_fd, .events = POLLIN}};
    gint64 left_us = deliver_due(askers_fd, server_fd);
    const struct timespec wait = {left_us / G_USEC_PER_SEC,
                                  left_us % G_USEC_PER_SEC * 1000};
    must(ppoll(fds, G_N_ELEMENTS(fds), left_us < 0 ? NULL : &wait, NULL) >= 0, "ppoll");
    if (fds[0].revents != 0)
      take(askers_fd, FALSE);
    if (fds[1].revents != 0)
      take(server_fd, TRUE);
  }
}
