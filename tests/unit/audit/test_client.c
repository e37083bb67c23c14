/*
 * The way of events to zegel-auditd, with an auditd that does as the test says: answers,
 * leaves a block unanswered, says no, is away, or is started again.
 */
#include "common/audit/client.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "common/base/daemon.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "tests/unit/base/catch.h"
#include "tests/unit/tap.h"

#define WAIT_MS    20000
#define STOP_MS    200
#define MANY       1000
#define QUIET_MS   300
#define AT_ONCE_US (500 * G_TIME_SPAN_MILLISECOND)

/* What the auditd of the test does with a block. */
typedef enum {
  DO_ANSWER,
  DO_REFUSE,  /* this user may not come */
  DO_UNKNOWN, /* those of organisation "odd" */
  DO_CLOSE,   /* after FEW answers, without one more */
  DO_OTHER    /* answers with another id */
} Doing;

#define FEW 3

typedef struct {
  char *directory, *path;
  int listener;
  GThread *thread;
  _Atomic gboolean ending;
  _Atomic int doing; /* Doing */
  GMutex lock;
  GPtrArray *got; /* of char *: "NAME KEY=VALUE" or the request's block */
} Fixture;

/* ---- Auditd ---- */

/* FALSE: the other side is gone. */
static gboolean
answer(Fixture *f, int fd, const Attrs *attrs, guint *answered)
{
  const char *id = attrs_get(attrs, "id");
  g_autofree char *text = g_strdup_printf("id=%s\n\n", id);
  gboolean odd = g_strcmp0(attrs_get(attrs, "org"), "odd") == 0;
  if (attrs_get(attrs, "request") != NULL) {
    g_free(text);
    text = g_strdup("count=7\n\n");
  } else if (f->doing == DO_UNKNOWN && odd) {
    g_free(text);
    text = g_strdup("code=unknown\nerror=what is that?\n\n");
  } else {
    if (f->doing == DO_OTHER)
      text[3] = text[3] == '0' ? '1' : '0';
    g_mutex_lock(&f->lock);
    g_ptr_array_add(
        f->got,
        g_strdup(attrs_get(attrs, "count") != NULL ? attrs_get(attrs, "count") : id));
    g_mutex_unlock(&f->lock);
  }
  (*answered)++;
  return send(fd, text, strlen(text), MSG_NOSIGNAL) > 0;
}

static void
serve_one(Fixture *f, int fd)
{
  static const char no[] = "code=refused\nerror=go away\n\n";
  g_autoptr(GString) in = g_string_new(NULL);
  guint answered = 0;
  if (f->doing == DO_REFUSE && send(fd, no, strlen(no), MSG_NOSIGNAL) > 0)
    return;
  while (!f->ending) {
    char buffer[4096];
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    if (poll(&entry, 1, 10) == 0)
      continue;
    gssize n = recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0)
      return;
    g_string_append_len(in, buffer, n);
    for (gsize len; (len = attrs_block_length(in->str, in->len)) > 0;) {
      g_autoptr(Attrs) attrs = attrs_parse(in->str, len, ATTR_ESCAPED, NULL);
      g_assert_nonnull(attrs);
      if ((f->doing == DO_CLOSE && answered == FEW) || !answer(f, fd, attrs, &answered))
        return;
      g_string_erase(in, 0, (gssize) len);
    }
  }
}

static gpointer
serve(gpointer data)
{
  Fixture *f = data;
  while (!f->ending) {
    struct pollfd entry = {.fd = f->listener, .events = POLLIN};
    if (poll(&entry, 1, 10) == 0)
      continue;
    int fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    serve_one(f, fd);
    close(fd);
  }
  return NULL;
}

static void
start(Fixture *f)
{
  f->ending = FALSE;
  f->listener = daemon_listen_unix(f->path, 0600, NULL, NULL);
  g_assert_cmpint(f->listener, >=, 0);
  f->thread = g_thread_new("auditd", serve, f);
}

static void
stop(Fixture *f)
{
  f->ending = TRUE;
  g_thread_join(f->thread);
  close(f->listener);
}

static void
set_up(Fixture *f, gconstpointer data)
{
  (void) data;
  f->directory = g_dir_make_tmp("zegel-XXXXXX", NULL);
  f->path = g_build_filename(f->directory, "audit.sock", NULL);
  f->got = g_ptr_array_new_with_free_func(g_free);
  f->doing = DO_ANSWER;
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  (void) data;
  g_unlink(f->path);
  g_rmdir(f->directory);
  g_ptr_array_unref(f->got);
  g_free(f->path);
  g_free(f->directory);
}

/* ---- What the tests use ---- */

static guint
count_got(Fixture *f)
{
  g_mutex_lock(&f->lock);
  guint count = f->got->len;
  g_mutex_unlock(&f->lock);
  return count;
}

static void
wait_got(Fixture *f, guint count)
{
  for (guint ms = 0; ms < WAIT_MS && count_got(f) < count; ms += 5)
    g_usleep(5000);
  g_assert_cmpuint(count_got(f), ==, count);
}

static GPtrArray *
make_events(guint count)
{
  GPtrArray *events = g_ptr_array_new_with_free_func((GDestroyNotify) event_free);
  for (guint i = 0; i < count; i++)
    g_ptr_array_add(events, event_new(EVENT_LOGIN, NULL, "care", NULL));
  return events;
}

/* Each of EVENTS arrived, in their order, none twice. */
static void
check_got(Fixture *f, const GPtrArray *events)
{
  g_assert_cmpuint(f->got->len, ==, events->len);
  for (guint i = 0; i < events->len; i++)
    g_assert_cmpstr(f->got->pdata[i], ==, event_id(events->pdata[i]));
}

static guint
occurrences(const char *text, const char *word)
{
  guint count = 0;
  while ((text = strstr(text, word)) != NULL) {
    count++;
    text++;
  }
  return count;
}

/* ---- Tests ---- */

static void
test_append(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) events = make_events(MANY);
  g_autoptr(GPtrArray) none = g_ptr_array_new();
  start(f);
  g_assert_true(audit_append(f->path, events, WAIT_MS, &error));
  g_assert_no_error(error);
  g_assert_true(audit_append(f->path, none, WAIT_MS, &error));
  stop(f);
  check_got(f, events);
}

static void
test_append_fails(Fixture *f, gconstpointer data)
{
  (void) data;
  static const struct {
    Doing doing;
    ZegelError code;
    const char *text;
  } rows[] = {
      {DO_REFUSE, ZEGEL_ERROR_CONFIG, "go away"},
      {DO_UNKNOWN, ZEGEL_ERROR_TEMPORARY, "what is that?"},
      {DO_CLOSE, ZEGEL_ERROR_TEMPORARY, "closed the connection"},
      {DO_OTHER, ZEGEL_ERROR_TEMPORARY, "something else"},
  };
  g_autoptr(GPtrArray) events = make_events(FEW + 1);
  g_ptr_array_insert(events, 0, event_new(EVENT_LOGIN, NULL, "odd", NULL));
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    f->doing = rows[i].doing;
    start(f);
    g_assert_false(audit_append(f->path, events, WAIT_MS, &error));
    stop(f);
    g_assert_error(error, ZEGEL_ERROR, (int) rows[i].code);
    g_assert_nonnull(strstr(error->message, rows[i].text));
  }
}

static void
test_append_to_nobody(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) events = make_events(1);
  g_assert_false(audit_append(f->path, events, WAIT_MS, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
  g_clear_error(&error);
  /* Somebody who takes it and says nothing. */
  f->listener = daemon_listen_unix(f->path, 0600, NULL, NULL);
  gint64 before_us = g_get_monotonic_time();
  g_assert_false(audit_append(f->path, events, QUIET_MS, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
  g_assert_nonnull(strstr(error->message, "in time"));
  g_assert_cmpint(g_get_monotonic_time() - before_us, >=,
                  QUIET_MS * G_TIME_SPAN_MILLISECOND);
  close(f->listener);
}

static void
test_request(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  g_autoptr(Attrs) request = attrs_new();
  attrs_add(request, "request", "expire");
  start(f);
  g_autoptr(Attrs) reply = audit_request(f->path, request, WAIT_MS, &error);
  g_assert_no_error(error);
  g_assert_cmpstr(attrs_get(reply, "count"), ==, "7");
  stop(f);
  f->doing = DO_REFUSE;
  start(f);
  g_assert_null(audit_request(f->path, request, WAIT_MS, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  stop(f);
}

/* Logging is quick with or without auditd, and all comes through once it is there. */
static void
test_thread(Fixture *f, gconstpointer data)
{
  (void) data;
  catch_begin();
  AuditClient *client = audit_client_start(f->path);
  gint64 before_us = g_get_monotonic_time();
  for (guint i = 0; i < FEW; i++)
    event_log(EVENT_LOGIN, NULL, "care", NULL);
  g_assert_cmpint(g_get_monotonic_time() - before_us, <, AT_ONCE_US);
  g_usleep(5 * QUIET_MS * G_TIME_SPAN_MILLISECOND);
  start(f);
  wait_got(f, FEW);
  event_log(EVENT_LOGIN, NULL, "care", NULL);
  wait_got(f, FEW + 1);
  /* Started again: the connection that is there leads nowhere. */
  stop(f);
  start(f);
  event_log(EVENT_LOGIN, NULL, "care", NULL);
  wait_got(f, FEW + 2);
  audit_client_stop(client, STOP_MS);
  event_log(EVENT_LOGIN, NULL, "care", NULL); /* only in the log now */
  stop(f);
  g_autofree char *text = catch_end();
  g_assert_cmpuint(occurrences(text, "events wait for the audit trail"), ==, 1);
  g_assert_cmpuint(occurrences(text, "events reach the audit trail again"), ==, 1);
  g_assert_cmpuint(occurrences(text, "never reached"), ==, 0);
  g_assert_cmpuint(f->got->len, ==, FEW + 2);
}

/* One that auditd does not know keeps no other from getting there. */
static void
test_thread_unknown(Fixture *f, gconstpointer data)
{
  (void) data;
  catch_begin();
  f->doing = DO_UNKNOWN;
  start(f);
  AuditClient *client = audit_client_start(f->path);
  event_log(EVENT_LOGIN, NULL, "odd", NULL);
  for (guint i = 0; i < FEW; i++)
    event_log(EVENT_LOGIN, NULL, "care", NULL);
  wait_got(f, FEW);
  f->doing = DO_ANSWER;
  wait_got(f, FEW + 1);
  audit_client_stop(client, STOP_MS);
  stop(f);
  g_autofree char *text = catch_end();
  g_assert_nonnull(strstr(text, "what is that?"));
}

/* What ends too soon says what is not in the trail. */
static void
test_thread_ends(Fixture *f, gconstpointer data)
{
  (void) data;
  catch_begin();
  AuditClient *client = audit_client_start(f->path);
  for (guint i = 0; i < FEW; i++)
    event_log(EVENT_LOGIN, NULL, "care", NULL);
  gint64 before_us = g_get_monotonic_time();
  audit_client_stop(client, STOP_MS);
  gint64 took_us = g_get_monotonic_time() - before_us;
  audit_client_stop(NULL, STOP_MS);
  g_autofree char *text = catch_end();
  g_assert_cmpint(took_us, >=, STOP_MS * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpint(took_us, <, WAIT_MS * G_TIME_SPAN_MILLISECOND);
  g_assert_nonnull(strstr(text, "3 events never reached the audit trail"));
}

/* When too many wait the oldest are lost, and the trail hears how many. */
static void
test_overflow(Fixture *f, gconstpointer data)
{
  (void) data;
  const guint more = 500;
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC), real = dup(STDERR_FILENO);
  dup2(null, STDERR_FILENO); /* so many lines */
  AuditClient *client = audit_client_start(f->path);
  for (guint i = 0; i < AUDIT_WAITING_MAX + more; i++)
    event_log(EVENT_LOGIN, NULL, "care", NULL);
  start(f);
  for (guint ms = 0; ms < WAIT_MS && count_got(f) < AUDIT_WAITING_MAX + 1; ms += 5)
    g_usleep(5000);
  audit_client_stop(client, STOP_MS);
  stop(f);
  dup2(real, STDERR_FILENO);
  close(real);
  close(null);
  g_assert_cmpuint(f->got->len, ==, AUDIT_WAITING_MAX + 1);
  g_autofree char *lost = g_strdup_printf("%u", more);
  guint said = 0;
  for (guint i = 0; i < f->got->len; i++)
    said += strcmp(f->got->pdata[i], lost) == 0;
  g_assert_cmpuint(said, ==, 1);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  log_open("test", TRUE);
#define ADD(name, test) g_test_add(name, Fixture, NULL, set_up, test, tear_down)
  ADD("/client/append", test_append);
  ADD("/client/append-fails", test_append_fails);
  ADD("/client/append-to-nobody", test_append_to_nobody);
  ADD("/client/request", test_request);
  ADD("/client/thread", test_thread);
  ADD("/client/thread-unknown", test_thread_unknown);
  ADD("/client/thread-ends", test_thread_ends);
  ADD("/client/overflow", test_overflow);
  return g_test_run();
}
