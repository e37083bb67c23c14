/*
 * client.c - events on their way to zegel-auditd.
 *
 * Blocks are answered in the order in which they were sent, so many can be under way. What
 * was not answered counts as not there and is brought again: auditd passes over an event
 * that the trail has.
 */
#include "common/audit/client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/child.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/unix.h"

/* Events that are sent before their answers are read; a socket's buffer holds those. */
#define BATCH_MAX         256
#define WAITING_MAX_BYTES (32 * 1024 * 1024) /* of one program's events in memory */
#define RETRY_MS          1000
#define RETRY_AT_END_MS   100
#define ALARM_S           600
#define READ_BYTES        16384

/* One event, as it is sent. */
typedef struct {
  char *text;
  gsize len;
  gboolean done; /* it is in the trail */
  char id[2 * EVENT_ID_BYTES + 1];
} Item;

static Item *
item_new(const Event *event)
{
  g_autoptr(Attrs) attrs = event_format(event);
  Item *item = g_new0(Item, 1);
  item->text = attrs_format(attrs, ATTR_ESCAPED);
  item->len = strlen(item->text);
  g_strlcpy(item->id, event_id(event), sizeof item->id);
  return item;
}

static void
item_free(gpointer p)
{
  Item *item = p;
  g_free(item->text);
  g_free(item);
}

/* ---- One connection ---- */

static gboolean
fail(GError **error, const char *path, const char *what)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "%s: %s", path, what);
  return FALSE;
}

static gboolean
send_all(int fd, const char *text, gsize len, gint64 deadline_us)
{
  while (len > 0) {
    gssize sent = send(fd, text, len, MSG_NOSIGNAL);
    if (sent >= 0) {
      text += sent;
      len -= (gsize) sent;
    } else if (errno != EINTR &&
               (errno != EAGAIN || !unix_wait(fd, POLLOUT, deadline_us))) {
      return FALSE;
    }
  }
  return TRUE;
}

/* Appends what comes next to IN. FALSE at the end, or when nothing comes in time. */
static gboolean
receive_some(int fd, GString *in, gint64 deadline_us)
{
  char buffer[READ_BYTES];
  for (;;) {
    gssize got = recv(fd, buffer, sizeof buffer, 0);
    if (got > 0) {
      g_string_append_len(in, buffer, got);
      return in->len <= ATTR_BLOCK_MAX_BYTES;
    }
    if (got == 0 ||
        (errno != EINTR && (errno != EAGAIN || !unix_wait(fd, POLLIN, deadline_us))))
      return FALSE;
  }
}

/* The next answer; the caller frees it. NULL with ZEGEL_ERROR_TEMPORARY. */
static Attrs *
receive_answer(const char *path, int fd, GString *in, gint64 deadline_us, GError **error)
{
  gsize len = 0;
  while ((len = attrs_block_length(in->str, in->len)) == 0)
    if (!receive_some(fd, in, deadline_us)) {
      fail(error, path,
           child_poll_timeout_ms(deadline_us) == 0 ? "zegel-auditd did not answer in time"
                                                   : "zegel-auditd closed the connection");
      return NULL;
    }
  g_autoptr(GError) reason = NULL;
  Attrs *answer = attrs_parse(in->str, len, ATTR_ESCAPED, &reason);
  if (answer == NULL)
    fail(error, path, reason->message);
  g_string_erase(in, 0, (gssize) len);
  return answer;
}

/* What ANSWER says went wrong; TRUE when it says nothing of the kind. */
static gboolean
check_answer(const char *path, const Attrs *answer, GError **error)
{
  const char *text = attrs_get(answer, "error");
  if (text == NULL)
    return TRUE;
  gboolean refused = g_strcmp0(attrs_get(answer, "code"), "refused") == 0;
  g_set_error(error, ZEGEL_ERROR, refused ? ZEGEL_ERROR_CONFIG : ZEGEL_ERROR_TEMPORARY,
              "%s: %s", path, text);
  return FALSE;
}

/* The answer for ITEM is the next one. FALSE with an error when it is another than that it
 * is in the trail; *MORE is FALSE when no answer will follow. */
static gboolean
take_answer(const char *path, int fd, GString *in, Item *item, gint64 deadline_us,
            gboolean *more, GError **error)
{
  g_autoptr(GError) reason = NULL;
  g_autoptr(Attrs) answer = receive_answer(path, fd, in, deadline_us, &reason);
  *more = answer != NULL;
  if (answer != NULL && check_answer(path, answer, &reason)) {
    item->done = g_strcmp0(attrs_get(answer, "id"), item->id) == 0;
    *more = item->done;
    return item->done || fail(error, path, "zegel-auditd answers something else");
  }
  *more = *more && !g_error_matches(reason, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  g_propagate_error(error, g_steal_pointer(&reason));
  return FALSE;
}

/* Sends ITEMS, BATCH_MAX at most, and marks those that came through. FALSE with the first
 * error when that is not all. */
static gboolean
exchange(const char *path, int fd, const GPtrArray *items, gint64 deadline_us,
         GError **error)
{
  g_autoptr(GString) in = g_string_new(NULL);
  gboolean good = TRUE, more = TRUE;
  for (guint i = 0; more && i < items->len; i++) {
    const Item *item = items->pdata[i];
    more = send_all(fd, item->text, item->len, deadline_us);
  }
  /* Also when not all could be sent: an answer may say why. */
  more = TRUE;
  for (guint i = 0; more && i < items->len; i++)
    good &=
        take_answer(path, fd, in, items->pdata[i], deadline_us, &more, good ? error : NULL);
  return good;
}

/* ---- For whoever waits ---- */

static gint64
deadline_in(guint timeout_ms)
{
  return g_get_monotonic_time() + timeout_ms * G_TIME_SPAN_MILLISECOND;
}

gboolean
audit_append(const char *path, const GPtrArray *events, guint timeout_ms, GError **error)
{
  if (events->len == 0)
    return TRUE;
  gint64 deadline_us = deadline_in(timeout_ms);
  int fd = unix_connect(path, deadline_us, error);
  gboolean good = fd >= 0;
  for (guint from = 0; good && from < events->len; from += BATCH_MAX) {
    g_autoptr(GPtrArray) items = g_ptr_array_new_with_free_func(item_free);
    for (guint i = from; i < MIN(from + BATCH_MAX, events->len); i++)
      g_ptr_array_add(items, item_new(events->pdata[i]));
    good = exchange(path, fd, items, deadline_us, error);
  }
  if (fd >= 0)
    close(fd);
  return good;
}

Attrs *
audit_request(const char *path, const Attrs *request, guint timeout_ms, GError **error)
{
  gint64 deadline_us = deadline_in(timeout_ms);
  int fd = unix_connect(path, deadline_us, error);
  if (fd < 0)
    return NULL;
  g_autofree char *text = attrs_format(request, ATTR_ESCAPED);
  g_autoptr(GString) in = g_string_new(NULL);
  send_all(fd, text, strlen(text), deadline_us); /* if not, the answer says why */
  g_autoptr(Attrs) answer = receive_answer(path, fd, in, deadline_us, error);
  close(fd);
  return answer != NULL && check_answer(path, answer, error) ? g_steal_pointer(&answer)
                                                             : NULL;
}

/* ---- The thread ---- */

/*
 * One for each program, as the sink is; it is never freed, so that a thread that ends later
 * than audit_client_stop does no harm.
 */
struct AuditClient {
  char *path;
  GThread *thread;
  GMutex lock;
  GCond changed;
  /* Under the lock: */
  gboolean running;
  gint64 end_us;  /* until when there are tries; 0: it goes on */
  GQueue waiting; /* of Item */
  gsize waiting_bytes;
  guint in_hand; /* how many the thread has */
  guint lost;    /* how many found no room */
  /* The thread's own: */
  GPtrArray *items; /* of Item */
  int fd;           /* or -1 */
  gint64 alarmed_us;
  gboolean down;
};

static AuditClient client;

static void
drop_oldest(void)
{
  Item *item = g_queue_pop_head(&client.waiting);
  client.waiting_bytes -= item->len;
  client.lost++;
  item_free(item);
}

static void
take_event(const Event *event, gpointer data)
{
  (void) data;
  Item *item = item_new(event);
  g_mutex_lock(&client.lock);
  g_queue_push_tail(&client.waiting, item);
  client.waiting_bytes += item->len;
  while (!g_queue_is_empty(&client.waiting) &&
         (client.waiting.length + client.in_hand > AUDIT_WAITING_MAX ||
          client.waiting_bytes > WAITING_MAX_BYTES || !client.running))
    drop_oldest();
  g_cond_signal(&client.changed);
  g_mutex_unlock(&client.lock);
}

/* Whether there may be another try. Under the lock. */
static gboolean
may_go_on(void)
{
  return client.end_us == 0 || g_get_monotonic_time() < client.end_us;
}

/* Waits until there is something to bring, and takes it in hand. FALSE: the end. */
static gboolean
take_items(void)
{
  g_mutex_lock(&client.lock);
  while (client.waiting.length + client.items->len == 0 && client.end_us == 0)
    g_cond_wait(&client.changed, &client.lock);
  while (client.items->len < BATCH_MAX && !g_queue_is_empty(&client.waiting)) {
    Item *item = g_queue_pop_head(&client.waiting);
    client.waiting_bytes -= item->len;
    g_ptr_array_add(client.items, item);
  }
  client.in_hand = client.items->len;
  gboolean go_on = client.items->len > 0 && may_go_on();
  g_mutex_unlock(&client.lock);
  return go_on;
}

static void
drop_connection(void)
{
  if (client.fd >= 0)
    close(client.fd);
  client.fd = -1;
}

/* Forgets what came through. */
static void
let_go(void)
{
  for (guint i = client.items->len; i-- > 0;)
    if (((const Item *) client.items->pdata[i])->done)
      g_ptr_array_remove_index(client.items, i);
  g_mutex_lock(&client.lock);
  client.in_hand = client.items->len;
  g_mutex_unlock(&client.lock);
}

/* One try over the connection that there is, or a new one. */
static gboolean
try_items(GError **error)
{
  gint64 deadline_us = deadline_in(AUDIT_TIMEOUT_MS);
  if (client.fd < 0)
    client.fd = unix_connect(client.path, deadline_us, error);
  if (client.fd < 0)
    return FALSE;
  gboolean good = exchange(client.path, client.fd, client.items, deadline_us, error);
  if (!good)
    drop_connection();
  let_go();
  return good;
}

/* A connection of before leads nowhere once auditd was started again. */
static gboolean
bring_items(GError **error)
{
  gboolean used = client.fd >= 0;
  if (try_items(used ? NULL : error))
    return TRUE;
  return used && try_items(error);
}

static void
say_down(const GError *error)
{
  gint64 now_us = g_get_monotonic_time();
  if (client.down && now_us - client.alarmed_us < ALARM_S * G_TIME_SPAN_SECOND)
    return;
  g_mutex_lock(&client.lock);
  guint count = client.waiting.length + client.in_hand;
  g_mutex_unlock(&client.lock);
  client.down = TRUE;
  client.alarmed_us = now_us;
  log_line(LOG_LEVEL_ALARM, "events wait for the audit trail, %u now: %s", count,
           error->message);
}

/* What found no room is told of now that there is some. */
static void
say_up(void)
{
  g_mutex_lock(&client.lock);
  guint lost = client.lost;
  client.lost = 0;
  g_mutex_unlock(&client.lock);
  if (client.down)
    log_line(LOG_LEVEL_INFO, "events reach the audit trail again");
  client.down = FALSE;
  if (lost == 0)
    return;
  g_autofree char *count = g_strdup_printf("%u", lost);
  event_log(EVENT_AUDIT_LOST, NULL, NULL, "count", count, NULL);
}

static void
wait_for_retry(void)
{
  g_mutex_lock(&client.lock);
  guint wait_ms = client.end_us == 0 ? RETRY_MS : RETRY_AT_END_MS;
  gint64 until_us = deadline_in(wait_ms);
  gboolean ended = client.end_us != 0;
  while ((client.end_us != 0) == ended &&
         g_cond_wait_until(&client.changed, &client.lock, until_us))
    continue;
  g_mutex_unlock(&client.lock);
}

static gpointer
run(gpointer data)
{
  (void) data;
  while (take_items()) {
    g_autoptr(GError) error = NULL;
    if (bring_items(&error)) {
      say_up();
    } else {
      say_down(error);
      wait_for_retry();
    }
  }
  drop_connection();
  return NULL;
}

AuditClient *
audit_client_start(const char *path)
{
  client.path = g_strdup(path);
  client.items = g_ptr_array_new_with_free_func(item_free);
  client.fd = -1;
  client.down = FALSE;
  client.end_us = 0;
  client.lost = 0;
  client.running = TRUE;
  event_set_sink(take_event, NULL);
  /* Signals are for the threads of the program itself. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  client.thread = g_thread_new("audit", run, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return &client;
}

void
audit_client_stop(AuditClient *self, guint wait_ms)
{
  if (self == NULL)
    return;
  g_mutex_lock(&client.lock);
  client.end_us = deadline_in(wait_ms);
  g_cond_signal(&client.changed);
  g_mutex_unlock(&client.lock);
  g_thread_join(client.thread);
  event_set_sink(NULL, NULL);
  g_mutex_lock(&client.lock);
  guint count = client.waiting.length + client.items->len + client.lost;
  client.running = FALSE;
  while (!g_queue_is_empty(&client.waiting))
    drop_oldest();
  g_mutex_unlock(&client.lock);
  if (count > 0)
    log_line(LOG_LEVEL_ALARM, "%u events never reached the audit trail", count);
  g_clear_pointer(&client.items, g_ptr_array_unref);
  g_clear_pointer(&client.path, g_free);
}
