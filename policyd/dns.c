#include "policyd/dns.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/base/error.h"
#include "policyd/chain.h"
#include "policyd/dns_cache.h"
#include "policyd/dns_message.h"
#include "policyd/dns_server.h"
#include "policyd/dns_tcp.h"

#define QUESTIONS_MAX    4096 /* under way at once */
#define SENT_AT_ONCE     100  /* more than are answered: the resolver's buffer has an end */
#define SENT_AGAIN_MS    20   /* then so many more may leave, answered or not */
#define RECEIVED_AT_ONCE 256
#define TCP_AT_ONCE      32
#define TCP_TRIES        2
#define REFUSALS_MAX     3 /* nobody listens at the resolver's port */
#define REFUSED_WAIT_MS  200
#define RANDOM_BYTES     256
#define MESSAGE_BYTES    65536

/* When UDP is tried again, as parts of the whole time: 1 s and 3 s of 8. */
static const guint tries_at[] = {1, 3, 8};
#define TRIES_PARTS 8

/* Where a question stands. */
typedef enum {
  STATE_UDP,      /* asked, or in UNSENT */
  STATE_TCP_WAIT, /* in TCP_WAITING */
  STATE_TCP,
  STATE_CHAIN,  /* has an answer, which is being verified */
  STATE_SETTLED /* has its answer, which is not told yet */
} State;

typedef struct {
  Dns *dns;
  DnsAnswer *answer; /* who asks what; the answer itself when SETTLED */
  State state;
  gboolean keep; /* the answer, when it comes */
  GBytes *question;
  guint16 id; /* of the question, while in IDS */
  guint tries;
  guint refusals;
  guint tcp_tries;
  gint64 begun_us;
  LoopTimer *timer;
  GList place; /* in UNSENT or TCP_WAITING */
  DnsTcp *tcp;
  DnsAnswer *claim; /* in STATE_CHAIN: what the resolver calls secure... */
  GPtrArray *signatures;
  DnsWaiter *key_waiter; /* ... until the keys for it have come */
  GQueue waiters;        /* of DnsWaiter */
} Query;

struct DnsWaiter {
  Query *query;
  DnsDone done;
  gpointer data;
  GList place; /* among the query's waiters */
};

struct Dns {
  Loop *loop;
  DnsServer server;
  guint timeout_ms;
  int fd;
  LoopWatch *watch;
  Chain *chain; /* NULL: the word of the resolver is enough */
  DnsCache *cache;
  GHashTable *queries;   /* set of Query: all of them, owned */
  GHashTable *asked;     /* DnsAnswer, as key, to the Query that others may join */
  GHashTable *ids;       /* id to Query, in STATE_UDP and the TCP states */
  GQueue unsent;         /* of Query */
  guint credit;          /* how many may be sent before answers come... */
  gint64 credited_us;    /* ... or SENT_AGAIN_MS have gone since then */
  LoopTimer *send_timer; /* runs while something is in UNSENT */
  GQueue tcp_waiting;    /* of Query */
  guint tcp_running;
  gboolean tcp_starting;
  LoopTimer *refused; /* runs when the resolver's port was closed */
  guint8 random[RANDOM_BYTES];
  gsize random_used;
  guint8 message[MESSAGE_BYTES];
};

static void
on_socket(gpointer data, guint32 events);
static void
start_tcp(Query *query);
static void
leave_transport(Query *query);

static void
query_free(gpointer p)
{
  Query *query = p;
  loop_timer_cancel(query->timer);
  dns_tcp_free(query->tcp);
  dns_answer_unref(query->answer);
  dns_answer_unref(query->claim);
  g_clear_pointer(&query->signatures, g_ptr_array_unref);
  g_clear_pointer(&query->question, g_bytes_unref);
  g_free(query);
}

static Dns *
new_dns(Loop *loop, const DnsServer *server, const DnsOptions *options)
{
  Dns *dns = g_new0(Dns, 1);
  dns->loop = loop;
  dns->server = *server;
  dns->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : DNS_TIMEOUT_MS;
  dns->cache = dns_cache_new(DNS_CACHE_MAX, DNS_CACHE_MAX_BYTES);
  dns->queries = g_hash_table_new_full(NULL, NULL, query_free, NULL);
  dns->asked = g_hash_table_new(dns_key_hash, dns_key_equal);
  dns->ids = g_hash_table_new(NULL, NULL);
  dns->random_used = RANDOM_BYTES;
  dns->fd = dns_server_connect(server, SOCK_DGRAM);
  return dns;
}

Dns *
dns_new(Loop *loop, const DnsOptions *options, GError **error)
{
  DnsServer server;
  if (!dns_server_parse(options->address, &server, error))
    return NULL;
  g_autoptr(Dns) dns = new_dns(loop, &server, options);
  if (dns->fd < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, "socket to the resolver");
    return NULL;
  }
  if (options->chain && (dns->chain = chain_new(options->trust_anchor, error)) == NULL)
    return NULL;
  dns->watch = loop_watch(loop, dns->fd, EPOLLIN, on_socket, dns, error);
  return dns->watch != NULL ? g_steal_pointer(&dns) : NULL;
}

static void
end_query(gpointer key, gpointer value, gpointer data)
{
  (void) value;
  (void) data;
  leave_transport(key);
}

void
dns_free(Dns *dns)
{
  if (dns == NULL)
    return;
  g_hash_table_foreach(dns->queries, end_query, NULL);
  loop_timer_cancel(dns->refused);
  loop_timer_cancel(dns->send_timer);
  g_hash_table_unref(dns->asked);
  g_hash_table_unref(dns->ids);
  g_hash_table_unref(dns->queries);
  chain_free(dns->chain);
  dns_cache_free(dns->cache);
  loop_unwatch(dns->watch);
  if (dns->fd >= 0)
    close(dns->fd);
  g_free(dns);
}

DnsAnswer *
dns_cached(Dns *dns, const char *name, guint16 type)
{
  return dns_cache_get(dns->cache, name, type, loop_now_us(dns->loop));
}

/* Takes QUERY out of whatever list and table it is in while its answer is on the way. */
static void
leave_transport(Query *query)
{
  Dns *dns = query->dns;
  if (g_hash_table_lookup(dns->ids, GUINT_TO_POINTER(query->id)) == query)
    g_hash_table_remove(dns->ids, GUINT_TO_POINTER(query->id));
  if (query->place.data != NULL) {
    g_queue_unlink(query->state == STATE_UDP ? &dns->unsent : &dns->tcp_waiting,
                   &query->place);
    query->place.data = NULL;
  }
  if (query->tcp != NULL) {
    dns_tcp_free(query->tcp);
    query->tcp = NULL;
    dns->tcp_running--;
  }
  g_clear_pointer(&query->key_waiter, dns_cancel);
}

/* Places that became free go to who waits for TCP; what ends meanwhile frees more. */
static void
start_waiting_tcp(Dns *dns)
{
  if (dns->tcp_starting)
    return;
  dns->tcp_starting = TRUE;
  while (dns->tcp_running < TCP_AT_ONCE && dns->tcp_waiting.length > 0) {
    Query *query = g_queue_peek_head(&dns->tcp_waiting);
    g_queue_unlink(&dns->tcp_waiting, &query->place);
    query->place.data = NULL;
    start_tcp(query);
  }
  dns->tcp_starting = FALSE;
}

/*
 * QUERY has got ANSWER, which is taken: keeps it and tells all who wait. They may ask and
 * cancel at will meanwhile, so the query can neither be found nor joined any more.
 */
static void
finish(Query *query, DnsAnswer *taken)
{
  Dns *dns = query->dns;
  g_autoptr(DnsAnswer) answer = taken;
  leave_transport(query);
  if (g_hash_table_lookup(dns->asked, query->answer) == query)
    g_hash_table_remove(dns->asked, query->answer);
  if (query->keep)
    dns_cache_put(dns->cache, answer, loop_now_us(dns->loop));
  GList *place;
  while ((place = g_queue_pop_head_link(&query->waiters)) != NULL) {
    DnsWaiter *waiter = place->data;
    DnsDone done = waiter->done;
    gpointer data = waiter->data;
    g_free(waiter);
    done(data, answer);
  }
  g_hash_table_remove(dns->queries, query);
  start_waiting_tcp(dns);
}

static DnsAnswer *
failed_answer(const Query *query, const char *failure)
{
  DnsAnswer *answer = dns_answer_new(query->answer->name, query->answer->type);
  answer->failure = g_strdup(failure);
  answer->expires_us =
      loop_now_us(query->dns->loop) + DNS_KEEP_FAILURE_S * G_TIME_SPAN_SECOND;
  return answer;
}

static void
finish_failed(Query *query, const char *failure)
{
  finish(query, failed_answer(query, failure));
}

static void
on_settled(gpointer data)
{
  Query *query = data;
  query->timer = NULL;
  finish(query, dns_answer_ref(query->answer));
}

/* QUERY has ANSWER (taken) without asking; its waiters hear it in the next turn. */
static void
settle(Query *query, DnsAnswer *answer)
{
  dns_answer_unref(query->answer);
  query->answer = answer;
  query->state = STATE_SETTLED;
  query->keep = FALSE;
  query->timer = loop_timer(query->dns->loop, 0, on_settled, query);
}

static gboolean
fill_random(Dns *dns)
{
  if (dns->random_used + sizeof(guint16) <= RANDOM_BYTES)
    return TRUE;
  if (getrandom(dns->random, RANDOM_BYTES, 0) != RANDOM_BYTES)
    return FALSE;
  dns->random_used = 0;
  return TRUE;
}

/* An id that nobody can foresee and no question under way has; FALSE without randomness. */
static gboolean
choose_id(Dns *dns, guint16 *id)
{
  do {
    if (!fill_random(dns))
      return FALSE;
    const guint8 *p = dns->random + dns->random_used;
    *id = (guint16) (p[0] << 8 | p[1]);
    dns->random_used += sizeof(*id);
  } while (g_hash_table_contains(dns->ids, GUINT_TO_POINTER(*id)));
  return TRUE;
}

static void
on_refused(gpointer data);

/* The port of the resolver is closed: soon try all again, it may be starting. */
static void
note_refused(Dns *dns)
{
  if (dns->refused == NULL)
    dns->refused = loop_timer(dns->loop, REFUSED_WAIT_MS, on_refused, dns);
}

/* FALSE when the socket can take no more now. */
static gboolean
send_question(Query *query)
{
  Dns *dns = query->dns;
  gsize len;
  const void *bytes = g_bytes_get_data(query->question, &len);
  ssize_t sent = send(dns->fd, bytes, len, MSG_NOSIGNAL);
  if (sent < 0 && errno == ECONNREFUSED) {
    /* The news is of an earlier one, and this one was not sent. */
    note_refused(dns);
    sent = send(dns->fd, bytes, len, MSG_NOSIGNAL);
  }
  return sent >= 0 || (errno != EAGAIN && errno != ENOBUFS);
}

static gboolean
may_send(Dns *dns)
{
  gint64 now_us = loop_now_us(dns->loop);
  if (now_us - dns->credited_us >= SENT_AGAIN_MS * G_TIME_SPAN_MILLISECOND) {
    dns->credited_us = now_us;
    dns->credit = SENT_AT_ONCE;
  }
  return dns->credit > 0;
}

static void
on_send_time(gpointer data);

static void
set_send_timer(Dns *dns)
{
  if (dns->unsent.length > 0 && dns->send_timer == NULL)
    dns->send_timer = loop_timer(dns->loop, SENT_AGAIN_MS, on_send_time, dns);
}

/* Sends QUERY at once, or as soon as the resolver is likely to have room for it. */
static void
send_or_queue(Query *query)
{
  Dns *dns = query->dns;
  if (query->place.data != NULL)
    return;
  if (dns->unsent.length == 0 && may_send(dns) && send_question(query)) {
    dns->credit--;
    return;
  }
  query->place.data = query;
  g_queue_push_tail_link(&dns->unsent, &query->place);
  set_send_timer(dns);
}

static void
send_unsent(Dns *dns)
{
  while (dns->unsent.length > 0 && may_send(dns)) {
    Query *query = g_queue_peek_head(&dns->unsent);
    if (!send_question(query))
      return;
    dns->credit--;
    g_queue_unlink(&dns->unsent, &query->place);
    query->place.data = NULL;
  }
}

static void
on_send_time(gpointer data)
{
  Dns *dns = data;
  dns->send_timer = NULL;
  send_unsent(dns);
  set_send_timer(dns);
}

static void
on_time(gpointer data);

/* Sets the timer of QUERY to the next of TRIES_AT; the last one is the end. */
static void
set_timer(Query *query)
{
  Dns *dns = query->dns;
  gint64 gone_ms = (g_get_monotonic_time() - query->begun_us) / G_TIME_SPAN_MILLISECOND;
  gint64 at_ms = (gint64) dns->timeout_ms * tries_at[query->tries] / TRIES_PARTS;
  query->timer = loop_timer(dns->loop, (guint) MAX(at_ms - gone_ms, 0), on_time, query);
}

static void
on_time(gpointer data)
{
  Query *query = data;
  query->timer = NULL;
  query->tries++;
  if (query->tries == G_N_ELEMENTS(tries_at)) {
    finish_failed(query, "timeout");
    return;
  }
  if (query->state == STATE_UDP)
    send_or_queue(query);
  set_timer(query);
}

static void
on_refused(gpointer data)
{
  Dns *dns = data;
  dns->refused = NULL;
  g_autoptr(GList) ids = g_hash_table_get_keys(dns->ids);
  for (GList *id = ids; id != NULL; id = id->next) {
    /* One that ends may end others. */
    Query *query = g_hash_table_lookup(dns->ids, id->data);
    if (query == NULL || query->state != STATE_UDP)
      continue;
    if (++query->refusals == REFUSALS_MAX)
      finish_failed(query, "the resolver does not listen");
    else
      send_or_queue(query);
  }
}

/* The claim of QUERY is verified as far as NEEDED (NULL: the trust anchor) allows. */
static void
finish_claim(Query *query, const DnsAnswer *needed)
{
  DnsAnswer *claim = query->claim;
  gint64 now_us = loop_now_us(query->dns->loop);
  guint32 holds_s = 0;
  if (!chain_verify(query->dns->chain, claim, query->signatures, needed, time(NULL),
                    &holds_s)) {
    finish_failed(query, "bogus: chain of trust");
    return;
  }
  claim->expires_us = MIN(claim->expires_us, now_us + holds_s * G_TIME_SPAN_SECOND);
  if (needed != NULL)
    claim->expires_us = MIN(claim->expires_us, needed->expires_us);
  finish(query, g_steal_pointer(&query->claim));
}

static void
on_key(gpointer data, DnsAnswer *needed)
{
  Query *query = data;
  query->key_waiter = NULL;
  if (needed->outcome != DNS_FAILURE) {
    finish_claim(query, needed);
    return;
  }
  g_autofree char *failure = g_strdup_printf("%s of \"%s\": %s", rr_type_name(needed->type),
                                             needed->name, needed->failure);
  finish_failed(query, failure);
}

/* The claim of QUERY must hold by its signatures too: asks for the keys. */
static void
start_chain(Query *query)
{
  g_autofree char *name = NULL;
  guint16 type;
  leave_transport(query);
  query->state = STATE_CHAIN;
  start_waiting_tcp(query->dns); /* the keys may have to come that way */
  if (!chain_next(query->claim, query->signatures, &name, &type))
    finish_failed(query, "bogus: chain of trust");
  else if (name == NULL)
    finish_claim(query, NULL);
  else
    query->key_waiter = dns_ask(query->dns, name, type, FALSE, on_key, query);
}

/*
 * The response of LEN octets at MESSAGE is whole and answers QUERY. An alias is not
 * verified, so it is not secure: nobody may rely on one anyway (dns_answer_is_proved).
 */
static void
take_response(Query *query, const guint8 *message, gsize len)
{
  Dns *dns = query->dns;
  query->signatures = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
  DnsAnswer *answer =
      dns_message_read(message, len, query->answer->name, query->answer->type,
                       loop_now_us(dns->loop), query->signatures);
  if (dns->chain == NULL || answer->outcome != DNS_DATA || !answer->secure) {
    finish(query, answer);
  } else if (answer->alias) {
    answer->secure = FALSE;
    finish(query, answer);
  } else {
    query->claim = answer;
    start_chain(query);
  }
}

static void
fail_tcp(Query *query)
{
  query->dns->tcp_running--;
  dns_tcp_free(query->tcp);
  query->tcp = NULL;
  if (query->tcp_tries < TCP_TRIES)
    start_tcp(query);
  else
    finish_failed(query, "truncated, and no answer over TCP");
}

static void
on_tcp(gpointer data, const guint8 *message, gsize len)
{
  Query *query = data;
  if (message == NULL ||
      dns_message_check(query->question, message, len) != DNS_RESPONSE_WHOLE)
    fail_tcp(query);
  else
    take_response(query, message, len);
}

static void
start_tcp(Query *query)
{
  Dns *dns = query->dns;
  if (dns->tcp_running >= TCP_AT_ONCE) {
    query->state = STATE_TCP_WAIT;
    query->place.data = query;
    g_queue_push_tail_link(&dns->tcp_waiting, &query->place);
    return;
  }
  query->state = STATE_TCP;
  query->tcp_tries++;
  query->tcp = dns_tcp_ask(dns->loop, &dns->server, query->question, on_tcp, query);
  if (query->tcp == NULL)
    finish_failed(query, "truncated, and no connection over TCP");
  else
    dns->tcp_running++;
}

/* LEN octets of dns->message came over UDP. */
static void
take_datagram(Dns *dns, gsize len)
{
  guint16 id;
  if (!dns_message_id(dns->message, len, &id))
    return;
  Query *query = g_hash_table_lookup(dns->ids, GUINT_TO_POINTER(id));
  if (query == NULL || query->state != STATE_UDP)
    return;
  DnsResponse response = dns_message_check(query->question, dns->message, len);
  if (response == DNS_RESPONSE_ALIEN)
    return;
  dns->credit = MIN(dns->credit + 1, SENT_AT_ONCE);
  if (query->place.data != NULL) { /* the first try was answered before the second left */
    g_queue_unlink(&dns->unsent, &query->place);
    query->place.data = NULL;
  }
  if (response == DNS_RESPONSE_TRUNCATED)
    start_tcp(query);
  else
    take_response(query, dns->message, len);
}

static void
on_socket(gpointer data, guint32 events)
{
  Dns *dns = data;
  (void) events;
  for (guint i = 0; i < RECEIVED_AT_ONCE; i++) {
    ssize_t len = recv(dns->fd, dns->message, sizeof(dns->message), 0);
    if (len >= 0)
      take_datagram(dns, (gsize) len);
    else if (errno == ECONNREFUSED)
      note_refused(dns);
    else if (errno != EINTR)
      break;
  }
  send_unsent(dns);
}

static Query *
new_query(Dns *dns, const char *name, guint16 type)
{
  Query *query = g_new0(Query, 1);
  query->dns = dns;
  query->answer = dns_answer_new(name, type);
  query->keep = TRUE;
  query->begun_us = g_get_monotonic_time();
  g_hash_table_add(dns->queries, query);
  return query;
}

/* Asks QUERY. NULL, or why it cannot. */
static const char *
begin(Query *query)
{
  Dns *dns = query->dns;
  guint16 id;
  if (g_hash_table_size(dns->ids) >= QUESTIONS_MAX ||
      g_hash_table_size(dns->queries) > 2 * QUESTIONS_MAX)
    return "too many questions at once";
  if (!choose_id(dns, &id))
    return "no randomness";
  query->question = dns_message_question(query->answer->name, query->answer->type, id,
                                         dns->chain != NULL);
  if (query->question == NULL)
    return "not a name";
  query->id = id;
  g_hash_table_insert(dns->ids, GUINT_TO_POINTER(id), query);
  g_hash_table_replace(dns->asked, query->answer, query);
  send_or_queue(query);
  set_timer(query);
  return NULL;
}

/* The query for NAME and TYPE that a waiter may join. */
static Query *
find_query(Dns *dns, const char *name, guint16 type)
{
  const DnsAnswer key = {.name = (char *) name, .type = type};
  Query *query = g_hash_table_lookup(dns->asked, &key);
  if (query != NULL)
    return query;
  DnsAnswer *kept = dns_cached(dns, name, type);
  if (kept == NULL)
    return NULL;
  query = new_query(dns, name, type);
  settle(query, dns_answer_ref(kept));
  return query;
}

DnsWaiter *
dns_ask(Dns *dns, const char *name, guint16 type, gboolean fresh, DnsDone done,
        gpointer data)
{
  Query *query = fresh ? NULL : find_query(dns, name, type);
  if (query == NULL) {
    query = new_query(dns, name, type);
    const char *failure = begin(query);
    if (failure != NULL)
      settle(query, failed_answer(query, failure));
  }
  DnsWaiter *waiter = g_new0(DnsWaiter, 1);
  waiter->query = query;
  waiter->done = done;
  waiter->data = data;
  waiter->place.data = waiter;
  g_queue_push_tail_link(&query->waiters, &waiter->place);
  return waiter;
}

void
dns_cancel(DnsWaiter *waiter)
{
  g_queue_unlink(&waiter->query->waiters, &waiter->place);
  g_free(waiter);
}
