/*
 * dns_chain - how long questions take that must be asked one after the other:
 * dns_chain RESOLVER.
 *
 * Each line of standard input has names and types, "a.nl 16 _25._tcp.mail.a.nl 52". They
 * are asked in order, each when the answer to the one before has come, over UDP. Prints the
 * microseconds that each line took. An answer without data ends the program.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

#define DNS_PORT     53
#define HEAD_BYTES   12
#define PACKET_BYTES 4096
#define LABEL_MAX    63
#define WAIT_S       10

static void
must(gboolean good, const char *what)
{
  if (good)
    return;
  fprintf(stderr, "dns_chain: %s: %s\n", what, g_strerror(errno));
  exit(EXIT_FAILURE);
}

/* The question for NAME and TYPE: recursion desired, and whether it is secure (AD). */
static GByteArray *
make_question(const char *name, guint16 type)
{
  static guint16 id;
  id++;
  GByteArray *packet = g_byte_array_new();
  const guint8 head[HEAD_BYTES] = {(guint8) (id >> 8), (guint8) id, 0x01, 0x20, 0, 1};
  const guint8 tail[] = {0, (guint8) (type >> 8), (guint8) type, 0, 1};
  g_auto(GStrv) labels = g_strsplit(name, ".", -1);
  g_byte_array_append(packet, head, sizeof head);
  for (char **label = labels; *label != NULL; label++) {
    guint8 len = (guint8) strlen(*label);
    must(len > 0 && len <= LABEL_MAX, name);
    g_byte_array_append(packet, &len, 1);
    g_byte_array_append(packet, (const guint8 *) *label, len);
  }
  g_byte_array_append(packet, tail, sizeof tail);
  return packet;
}

static void
ask(int fd, const char *name, guint16 type)
{
  guint8 answer[PACKET_BYTES];
  g_autoptr(GByteArray) question = make_question(name, type);
  must(send(fd, question->data, question->len, 0) == (gssize) question->len, "send");
  gssize n = recv(fd, answer, sizeof answer, 0);
  must(n > HEAD_BYTES && memcmp(answer, question->data, 2) == 0, name);
  gboolean data = (answer[3] & 0x0f) == 0 && (answer[6] != 0 || answer[7] != 0);
  errno = ENODATA;
  must(data, name);
}

static int
connect_to(const char *resolver)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(DNS_PORT)};
  const struct timeval wait = {.tv_sec = WAIT_S};
  must(inet_pton(AF_INET, resolver, &address.sin_addr) == 1, resolver);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  must(fd >= 0 && connect(fd, (struct sockaddr *) &address, sizeof address) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0,
       resolver);
  return fd;
}

int
main(int argc, char **argv)
{
  g_autofree char *line = NULL;
  size_t size = 0;
  if (argc != 2)
    return EXIT_FAILURE;
  int fd = connect_to(argv[1]);
  while (getline(&line, &size, stdin) > 0) {
    g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", -1);
    gint64 begin_us = g_get_monotonic_time();
    for (guint i = 0; words[i] != NULL && words[i + 1] != NULL; i += 2)
      ask(fd, words[i], (guint16) g_ascii_strtoull(words[i + 1], NULL, 10));
    printf("%" G_GINT64_FORMAT "\n", g_get_monotonic_time() - begin_us);
    fflush(stdout);
  }
  return EXIT_SUCCESS;
}
