#include "tests/unit/policyd/dns_fake.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define HEADER   12
#define FLAG_QR  0x8000
#define FLAG_TC  0x0200
#define FLAG_AD  0x0020
#define GOOD     (FLAG_QR | 0x0100 | 0x0080 | FLAG_AD)
#define NXDOMAIN 3
#define SERVFAIL 2
#define REFUSED  5

struct DnsFake {
  Loop *loop;
  guint16 port; /* of both */
  int udp;
  int tcp;     /* listens */
  int stream;  /* a connection that came in, or -1 */
  int spoofer; /* another port, same address */
  int other;   /* the same port at 127.0.0.2 */
  LoopWatch *udp_watch;
  LoopWatch *tcp_watch;
  LoopWatch *stream_watch;
  GHashTable *asked; /* name to how often */
  GArray *added;     /* of Added */
  struct sockaddr_in peer;
};

typedef struct {
  char *name;
  guint16 type; /* that is asked */
  guint16 record_type;
  GBytes *rdata;
} Added;

/* One response that is being put together. */
typedef struct {
  GByteArray *bytes;
  gsize question_end;
} Reply;

static void
put(Reply *reply, const void *bytes, gsize len)
{
  g_byte_array_append(reply->bytes, bytes, (guint) len);
}

static void
put16(Reply *reply, guint value)
{
  const guint8 bytes[2] = {(guint8) (value >> 8), (guint8) value};
  put(reply, bytes, sizeof(bytes));
}

static void
count_record(Reply *reply, guint section)
{
  guint8 *count = reply->bytes->data + 6 + 2 * section;
  guint value = (guint) (count[0] << 8 | count[1]) + 1;
  count[0] = (guint8) (value >> 8);
  count[1] = (guint8) value;
}

/* NAME in wire form; NULL is the name that was asked, compressed. */
static void
put_name(Reply *reply, const char *name)
{
  if (name == NULL) {
    put16(reply, 0xc000 | HEADER);
    return;
  }
  g_auto(GStrv) labels = g_strsplit(name, ".", -1);
  for (guint i = 0; labels[i] != NULL && *labels[i] != '\0'; i++) {
    guint8 len = (guint8) strlen(labels[i]);
    put(reply, &len, 1);
    put(reply, labels[i], len);
  }
  put(reply, "", 1);
}

/* A record in SECTION (0: answer, 1: authority). */
static void
put_record(Reply *reply, guint section, const char *owner, guint type, guint32 ttl,
           const void *data, gsize len)
{
  put_name(reply, owner);
  put16(reply, type);
  put16(reply, 1);
  put16(reply, ttl >> 16);
  put16(reply, ttl & 0xffff);
  put16(reply, (guint) len);
  put(reply, data, len);
  count_record(reply, section);
}

static void
put_txt(Reply *reply, const char *owner, guint32 ttl, const char *text)
{
  g_autofree char *data = g_strdup_printf("%c%s", (int) strlen(text), text);
  put_record(reply, 0, owner, RR_TXT, ttl, data, strlen(text) + 1);
}

static void
put_cname(Reply *reply, const char *owner, guint32 ttl, const char *target)
{
  Reply name = {.bytes = g_byte_array_new()};
  put_name(&name, target);
  put_record(reply, 0, owner, RR_CNAME, ttl, name.bytes->data, name.bytes->len);
  g_byte_array_unref(name.bytes);
}

/* A SOA whose last field is MINIMUM. */
static void
put_soa(Reply *reply, guint32 ttl, guint8 minimum)
{
  const guint8 data[22] = {[21] = minimum};
  put_record(reply, 1, "test", RR_SOA, ttl, data, sizeof(data));
}

/* The start of a response to the LEN octets at QUESTION, with FLAGS. */
static Reply
reply_new(const guint8 *question, gsize len, guint flags)
{
  Reply reply = {.bytes = g_byte_array_new(), .question_end = HEADER};
  while (question[reply.question_end] != 0)
    reply.question_end += 1 + (gsize) question[reply.question_end];
  reply.question_end += 5;
  g_assert_cmpuint(reply.question_end, <=, len);
  put(&reply, question, 2);
  put16(&reply, flags);
  put16(&reply, 1);
  put(&reply, "\0\0\0\0\0", 6);
  put(&reply, question + HEADER, reply.question_end - HEADER);
  return reply;
}

/* The name in QUESTION, as text. */
static char *
question_name(const guint8 *question)
{
  GString *name = g_string_new(NULL);
  for (const guint8 *p = question + HEADER; *p != 0; p += 1 + *p) {
    g_string_append(name, name->len > 0 ? "." : "");
    g_string_append_len(name, (const char *) p + 1, *p);
  }
  return g_string_free(name, FALSE);
}

static void
send_from(DnsFake *f, int fd, const Reply *reply)
{
  sendto(fd, reply->bytes->data, reply->bytes->len, 0, (struct sockaddr *) &f->peer,
         sizeof(f->peer));
}

/* The good answer to QUESTION with TEXT, changed in one octet, from FD. */
static void
send_changed(DnsFake *f, int fd, const guint8 *question, gsize len, gsize at, guint8 xor)
{
  Reply reply = reply_new(question, len, GOOD);
  put_txt(&reply, NULL, 60, "wrong");
  reply.bytes->data[at] ^= xor;
  send_from(f, fd, &reply);
  g_byte_array_unref(reply.bytes);
}

/* Whatever somebody else on this machine could try, each with the text "wrong" and AD. */
static void
send_spoofed(DnsFake *f, const guint8 *question, gsize len)
{
  Reply model = reply_new(question, len, GOOD);
  gsize end = model.question_end;
  g_byte_array_unref(model.bytes);
  send_changed(f, f->spoofer, question, len, 0, 0);      /* wrong port */
  send_changed(f, f->other, question, len, 0, 0);        /* wrong address */
  send_changed(f, f->udp, question, len, 0, 0x40);       /* wrong id */
  send_changed(f, f->udp, question, len, 1, 0x01);       /* wrong id */
  send_changed(f, f->udp, question, len, 2, 0x80);       /* QR = 0 */
  send_changed(f, f->udp, question, len, 2, 0x20);       /* opcode NOTIFY */
  send_changed(f, f->udp, question, len, 5, 0x01);       /* no question */
  send_changed(f, f->udp, question, len, 5, 0x03);       /* two questions */
  send_changed(f, f->udp, question, len, HEADER + 1, 1); /* another name */
  send_changed(f, f->udp, question, len, end - 3, 0x01); /* another type */
  send_changed(f, f->udp, question, len, end - 1, 0x02); /* another class */
  sendto(f->udp, question, 5, 0, (struct sockaddr *) &f->peer, sizeof(f->peer));
  sendto(f->udp, "", 0, 0, (struct sockaddr *) &f->peer, sizeof(f->peer));
}

/* Compression that never ends, pointers beyond the end, rdata longer than the message... */
static void
put_damage(Reply *reply, guint kind)
{
  static const guint8 loop[] = {0xc0, 0, 0, 16, 0, 1, 0, 0, 0, 60, 0, 2, 1, 'x'};
  guint8 *bytes;
  put(reply, loop, sizeof(loop));
  count_record(reply, 0);
  bytes = reply->bytes->data + reply->question_end;
  switch (kind) {
  case 0: /* the owner points at itself */
    bytes[1] = (guint8) reply->question_end;
    break;
  case 1: /* beyond the end */
    bytes[0] = 0xff;
    bytes[1] = 0xff;
    break;
  case 2: /* rdata beyond the end */
    bytes[1] = HEADER;
    bytes[11] = 200;
    break;
  case 3: /* more records than there are */
    bytes[1] = HEADER;
    reply->bytes->data[6] = 0xff;
    break;
  case 4: /* a name of the MX that does not end where its rdata does */
    bytes[1] = HEADER;
    bytes[3] = RR_MX;
    break;
  case 7: /* a name of the MX that ends before its rdata */
    put(reply, "\0", 2);
    bytes = reply->bytes->data + reply->question_end;
    memcpy(bytes, "\300\14\0\17\0\1\0\0\0\74\0\4\0\12\0", 16);
    break;
  case 5: /* cut off */
    bytes[1] = HEADER;
    g_byte_array_set_size(reply->bytes, (guint) reply->question_end + 7);
    break;
  default: /* a label type that does not exist */
    bytes[0] = 0x80;
    break;
  }
}

static void
put_many(Reply *reply, guint count)
{
  for (guint i = 0; i < count; i++) {
    g_autofree char *text = g_strdup_printf("%u", i);
    put_txt(reply, NULL, 60, text);
  }
}

/* One TXT record of as many strings as fit in a message. */
static void
put_huge_txt(Reply *reply, gsize each)
{
  gsize room = 65535 - reply->bytes->len - 12;
  g_autoptr(GByteArray) data = g_byte_array_new();
  while (data->len + each + 1 <= room) {
    guint8 string[256] = {(guint8) each};
    memset(string + 1, 'a', each);
    g_byte_array_append(data, string, (guint) each + 1);
  }
  put_record(reply, 0, NULL, RR_TXT, 60, data->data, data->len);
}

static void
put_chain(Reply *reply, guint links)
{
  for (guint i = 0; i < links; i++) {
    g_autofree char *from = g_strdup_printf("c%u.chain.test", i);
    g_autofree char *to = g_strdup_printf("C%u.chain.test", i + 1);
    put_cname(reply, i == 0 ? NULL : from, i == 0 ? 90 : 60, to);
  }
  g_autofree char *last = g_strdup_printf("c%u.chain.test", links);
  put_txt(reply, last, 120, "end");
  put_txt(reply, "other.test", 1, "stray");
}

/* The response to a question that came over UDP, or over TCP; NULL bytes: none. */
static Reply
respond(const char *name, const guint8 *question, gsize len, gboolean tcp)
{
  Reply reply = reply_new(question, len, GOOD);
  guint8 *flags = reply.bytes->data + 3;
  const char *dash = strchr(name, '-');
  guint number = dash != NULL ? (guint) g_ascii_strtoull(dash + 1, NULL, 10) : 0;
  if (g_str_has_prefix(name, "big") && !tcp) {
    reply.bytes->data[2] |= FLAG_TC >> 8;
  } else if (g_str_has_prefix(name, "plain") || g_str_has_prefix(name, "spoof")) {
    *flags &= (guint8) ~FLAG_AD;
    put_txt(&reply, NULL, 60, "right");
  } else if (g_str_has_prefix(name, "servfail")) {
    *flags |= SERVFAIL;
  } else if (g_str_has_prefix(name, "refused")) {
    *flags |= REFUSED;
  } else if (g_str_has_prefix(name, "nxdomain")) {
    *flags |= NXDOMAIN;
    put_soa(&reply, 60, (guint8) number);
  } else if (g_str_has_prefix(name, "nodata")) {
    put_soa(&reply, number, 60);
  } else if (g_str_has_prefix(name, "nosoa")) {
    *flags |= NXDOMAIN;
  } else if (g_str_has_prefix(name, "odd")) {
    *flags |= NXDOMAIN;
    put_txt(&reply, NULL, 60, "there");
  } else if (g_str_has_prefix(name, "badvers")) {
    put_txt(&reply, NULL, 60, "x");
    put_record(&reply, 2, "", 41, 0x01000000, "", 0);
  } else if (g_str_has_prefix(name, "loop")) {
    put_cname(&reply, NULL, 60, "b.test");
    put_cname(&reply, "b.test", 60, name);
  } else if (g_str_has_prefix(name, "chain")) {
    put_chain(&reply, number);
  } else if (g_str_has_prefix(name, "dangling")) {
    put_cname(&reply, NULL, 60, "nowhere.test");
    put_soa(&reply, 60, 60);
  } else if (g_str_has_prefix(name, "damage")) {
    put_damage(&reply, number);
  } else if (g_str_has_prefix(name, "ttl")) {
    put_txt(&reply, NULL, 3000, "a");
    put_txt(&reply, NULL, number, "b");
  } else if (g_str_has_prefix(name, "bigmany")) {
    put_many(&reply, number);
  } else if (g_str_has_prefix(name, "bighuge")) {
    put_huge_txt(&reply, number);
  } else if (g_str_has_prefix(name, "mx")) {
    put_record(&reply, 0, NULL, RR_MX, 60, "\0\12\4Mail\xc0\14", 9);
  } else {
    put_txt(&reply, "other.test", 1, "stray");
    put_txt(&reply, NULL, 60, "right");
  }
  return reply;
}

static void
count_question(DnsFake *f, const char *name)
{
  gpointer count = g_hash_table_lookup(f->asked, name);
  g_hash_table_insert(f->asked, g_strdup(name),
                      GUINT_TO_POINTER(GPOINTER_TO_UINT(count) + 1));
}

guint
dns_fake_asked(const DnsFake *f, const char *name)
{
  return GPOINTER_TO_UINT(g_hash_table_lookup(f->asked, name));
}

static void
added_clear(gpointer p)
{
  Added *added = p;
  g_free(added->name);
  g_bytes_unref(added->rdata);
}

void
dns_fake_add(DnsFake *f, const char *name, guint16 type, guint16 record_type, GBytes *rdata)
{
  const Added added = {g_strdup(name), type, record_type, g_bytes_ref(rdata)};
  g_array_append_val(f->added, added);
}

void
dns_fake_clear(DnsFake *f)
{
  g_array_set_size(f->added, 0);
}

/* The answer to QUESTION from what was added; FALSE: nothing was. */
static gboolean
answer_added(DnsFake *f, const char *name, const guint8 *question, gsize len)
{
  Reply reply = reply_new(question, len, GOOD);
  const guint8 *type = question + reply.question_end - 4;
  guint count = 0;
  for (guint i = 0; i < f->added->len; i++) {
    const Added *added = &g_array_index(f->added, Added, i);
    gsize data_len;
    const guint8 *data = g_bytes_get_data(added->rdata, &data_len);
    if (strcmp(added->name, name) != 0 || added->type != (type[0] << 8 | type[1]))
      continue;
    put_record(&reply, 0, NULL, added->record_type, 60, data, data_len);
    count++;
  }
  if (count > 0)
    send_from(f, f->udp, &reply);
  g_byte_array_unref(reply.bytes);
  return count > 0;
}

static void
answer_udp(DnsFake *f, guint8 *question, gsize len)
{
  g_assert_cmpuint(len, >, HEADER);
  g_assert_cmpuint(question[2], ==, 0x01); /* RD */
  g_assert_cmpuint(question[3], ==, 0x20); /* AD, not CD */
  g_autofree char *name = question_name(question);
  count_question(f, name);
  if (answer_added(f, name, question, len))
    return;
  if (g_str_has_prefix(name, "silent"))
    return;
  if (g_str_has_prefix(name, "late") && dns_fake_asked(f, name) < 2)
    return;
  if (g_str_has_prefix(name, "spoof"))
    send_spoofed(f, question, len);
  if (g_str_has_prefix(name, "spoofonly"))
    return;
  if (g_str_has_prefix(name, "upper"))
    question[HEADER + 1] = 'U';
  Reply reply = respond(name, question, len, FALSE);
  send_from(f, f->udp, &reply);
  g_byte_array_unref(reply.bytes);
}

static void
on_udp(gpointer data, guint32 events)
{
  DnsFake *f = data;
  guint8 question[1500];
  socklen_t peer_len = sizeof(f->peer);
  ssize_t len;
  (void) events;
  while ((len = recvfrom(f->udp, question, sizeof(question), MSG_DONTWAIT,
                         (struct sockaddr *) &f->peer, &peer_len)) >= 0)
    answer_udp(f, question, (gsize) len);
}

static void
close_stream(DnsFake *f)
{
  loop_unwatch(f->stream_watch);
  f->stream_watch = NULL;
  if (f->stream >= 0)
    close(f->stream);
  f->stream = -1;
}

/* The question over TCP, which comes whole; the answer in two pieces. */
static void
on_stream(gpointer data, guint32 events)
{
  DnsFake *f = data;
  guint8 question[1500];
  (void) events;
  ssize_t len = recv(f->stream, question, sizeof(question), 0);
  if (len < 2 + HEADER) {
    close_stream(f);
    return;
  }
  g_assert_cmpint(len, ==, 2 + (question[0] << 8 | question[1]));
  g_autofree char *name = question_name(question + 2);
  count_question(f, name);
  if (g_str_has_prefix(name, "bigsilent"))
    return;
  if (g_str_has_prefix(name, "bigclosed")) {
    close_stream(f);
    return;
  }
  Reply reply = respond(name, question + 2, (gsize) len - 2, TRUE);
  if (g_str_has_prefix(name, "bigwrong"))
    reply.bytes->data[0] ^= 1;
  if (g_str_has_prefix(name, "biggarbage"))
    memset(reply.bytes->data, 0xaa, reply.bytes->len);
  if (g_str_has_prefix(name, "bigagain"))
    reply.bytes->data[2] |= FLAG_TC >> 8;
  guint16 prefix = htons((guint16) reply.bytes->len);
  g_assert_cmpint(send(f->stream, &prefix, 1, MSG_NOSIGNAL), ==, 1);
  g_assert_cmpint(send(f->stream, (char *) &prefix + 1, 1, MSG_NOSIGNAL), ==, 1);
  gsize count = g_str_has_prefix(name, "bigcut") ? 20 : reply.bytes->len;
  g_assert_cmpint(send(f->stream, reply.bytes->data, count, MSG_NOSIGNAL), ==, count);
  g_byte_array_unref(reply.bytes);
  if (g_str_has_prefix(name, "bigcut"))
    close_stream(f);
}

static void
on_connection(gpointer data, guint32 events)
{
  DnsFake *f = data;
  int buffer = 1 << 20;
  (void) events;
  close_stream(f);
  f->stream = accept4(f->tcp, NULL, NULL, SOCK_CLOEXEC);
  g_assert_cmpint(f->stream, >=, 0);
  setsockopt(f->stream, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
  f->stream_watch = loop_watch(f->loop, f->stream, EPOLLIN, on_stream, f, NULL);
}

static int
bind_socket(int type, guint32 host, guint16 *port)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
  socklen_t len = sizeof(address);
  address.sin_addr.s_addr = htonl(host);
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  g_assert_cmpint(bind(fd, (struct sockaddr *) &address, len), ==, 0);
  getsockname(fd, (struct sockaddr *) &address, &len);
  *port = ntohs(address.sin_port);
  return fd;
}

DnsFake *
dns_fake_new(Loop *loop)
{
  DnsFake *f = g_new0(DnsFake, 1);
  guint16 other = 0;
  f->loop = loop;
  f->stream = -1;
  f->tcp = bind_socket(SOCK_STREAM, INADDR_LOOPBACK, &f->port);
  f->spoofer = bind_socket(SOCK_DGRAM, INADDR_LOOPBACK, &other);
  f->other = bind_socket(SOCK_DGRAM, INADDR_LOOPBACK + 1, &f->port);
  g_assert_cmpint(listen(f->tcp, 64), ==, 0);
  f->tcp_watch = loop_watch(loop, f->tcp, EPOLLIN, on_connection, f, NULL);
  f->asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  f->added = g_array_new(FALSE, FALSE, sizeof(Added));
  g_array_set_clear_func(f->added, added_clear);
  dns_fake_listen(f);
  return f;
}

void
dns_fake_listen(DnsFake *f)
{
  f->udp = bind_socket(SOCK_DGRAM, INADDR_LOOPBACK, &f->port);
  f->udp_watch = loop_watch(f->loop, f->udp, EPOLLIN, on_udp, f, NULL);
}

void
dns_fake_deaf(DnsFake *f)
{
  loop_unwatch(f->udp_watch);
  f->udp_watch = NULL;
  close(f->udp);
}

void
dns_fake_free(DnsFake *f)
{
  close_stream(f);
  if (f->udp_watch != NULL)
    dns_fake_deaf(f);
  loop_unwatch(f->tcp_watch);
  close(f->tcp);
  close(f->spoofer);
  close(f->other);
  g_hash_table_unref(f->asked);
  g_array_unref(f->added);
  g_free(f);
}

char *
dns_fake_address(const DnsFake *f)
{
  return g_strdup_printf("127.0.0.1:%u", f->port);
}
