#include "auditd/service.h"

#include <pwd.h>
#include <string.h>

#include "common/audit/writer.h"
#include "common/base/daemon.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/statistics.h"

#define USERS   6   /* root, and those of zegel.conf */
#define ALARM_S 600 /* an alarm that nobody ended is repeated */
#define KNOWN_S 10  /* a line about what is not known, so often at most */

/* One block whose answer is due when the turn of the loop ends. */
typedef struct {
  guint64 peer;
  Event *event;       /* or NULL: it was none */
  const char *source; /* who brought it */
} Taken;

struct Service {
  Loop *loop;
  const Config *config;
  char *database;
  KeyRing *keys;
  TrailWriter *writer; /* NULL: it could not be opened again */
  Peers *peers;
  struct {
    uid_t id;
    const char *name;
  } users[USERS];
  GArray *taken;         /* of Taken */
  LoopTimer *commit;     /* or NULL: nothing was taken */
  LoopTimer *checkpoint; /* or NULL: there is no news */
  gint64 alarmed_us;     /* 0: the trail is written */
  gint64 unknown_us;     /* when the last line about that was written; 0: never */
};

static void
taken_clear(gpointer p)
{
  event_free(((Taken *) p)->event);
}

/* ---- Alarms ---- */

static void
say_broken(Service *service, const GError *error)
{
  gint64 now_us = g_get_monotonic_time();
  if (service->alarmed_us != 0 &&
      now_us - service->alarmed_us < ALARM_S * G_TIME_SPAN_SECOND)
    return;
  service->alarmed_us = now_us;
  log_line(LOG_LEVEL_ALARM, "the audit trail cannot be written: %s", error->message);
}

static void
say_whole(Service *service)
{
  if (service->alarmed_us != 0)
    log_line(LOG_LEVEL_INFO, "the audit trail is written again");
  service->alarmed_us = 0;
}

/* ---- The trail ---- */

static gboolean
have_writer(Service *service, GError **error)
{
  if (service->writer == NULL)
    service->writer = trail_writer_open(service->database, service->keys, error);
  return service->writer != NULL;
}

/* A checkpoint of the end of the trail, also into the log, from where it can be kept. */
static char *
sign_checkpoint(Service *service, GError **error)
{
  if (!have_writer(service, error))
    return NULL;
  char *text = trail_writer_checkpoint(service->writer, error);
  if (text != NULL)
    log_line(LOG_LEVEL_INFO, "checkpoint %s", text);
  return text;
}

static void
plan_checkpoint(Service *service);

static void
checkpoint_due(gpointer data)
{
  Service *service = data;
  g_autoptr(GError) error = NULL;
  service->checkpoint = NULL;
  g_autofree char *text = sign_checkpoint(service, &error);
  if (text == NULL)
    say_broken(service, error);
  plan_checkpoint(service);
}

static void
plan_checkpoint(Service *service)
{
  if (service->checkpoint == NULL && service->writer != NULL &&
      trail_writer_needs_checkpoint(service->writer))
    service->checkpoint = loop_timer(
        service->loop, service->config->audit_checkpoint_s * 1000, checkpoint_due, service);
}

/* ---- Events ---- */

static gboolean
append_taken(Service *service, GError **error)
{
  g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(TrailEntry));
  for (guint i = 0; i < service->taken->len; i++) {
    const Taken *taken = &g_array_index(service->taken, Taken, i);
    const TrailEntry entry = {.event = taken->event, .source = taken->source};
    if (taken->event != NULL)
      g_array_append_val(entries, entry);
  }
  return have_writer(service, error) &&
         (entries->len == 0 ||
          trail_writer_append(service->writer, (const TrailEntry *) entries->data,
                              entries->len, error));
}

static void
answer_taken(Service *service)
{
  for (guint i = 0; i < service->taken->len; i++) {
    const Taken *taken = &g_array_index(service->taken, Taken, i);
    g_autofree char *text =
        taken->event != NULL
            ? g_strdup_printf("id=%s\n\n", event_id(taken->event))
            : g_strdup("code=unknown\nerror=this is no event that is known here\n\n");
    peers_answer(service->peers, taken->peer, text);
  }
}

/* Chains what was taken. When that fails its peers are dropped: they try again. */
static void
commit_taken(Service *service)
{
  g_autoptr(GError) error = NULL;
  loop_timer_cancel(service->commit);
  service->commit = NULL;
  if (append_taken(service, &error)) {
    say_whole(service);
    answer_taken(service);
  } else {
    say_broken(service, error);
    for (guint i = 0; i < service->taken->len; i++)
      peers_drop(service->peers, g_array_index(service->taken, Taken, i).peer);
  }
  g_array_set_size(service->taken, 0);
  plan_checkpoint(service);
}

static void
commit_due(gpointer data)
{
  Service *service = data;
  service->commit = NULL;
  commit_taken(service);
  peers_flush(service->peers);
}

/* A program of another version, or one that somebody broke into. */
static void
say_unknown(Service *service, const char *name, const char *why)
{
  gint64 now_us = g_get_monotonic_time();
  if (service->unknown_us != 0 && now_us - service->unknown_us < KNOWN_S * G_USEC_PER_SEC)
    return;
  service->unknown_us = now_us;
  log_line(LOG_LEVEL_ALARM, "%s brought an event that is not known here: %s", name, why);
}

static void
take_event(Service *service, guint64 peer, const char *name, const Attrs *attrs)
{
  g_autoptr(GError) error = NULL;
  Taken taken = {.peer = peer, .source = name};
  statistics_count(STATISTIC_MESSAGES);
  if (attrs != NULL)
    taken.event = event_parse(attrs, &error);
  if (taken.event == NULL)
    say_unknown(service, name, error != NULL ? error->message : "it cannot be read");
  g_array_append_val(service->taken, taken);
  if (service->commit == NULL)
    service->commit = loop_timer(service->loop, 0, commit_due, service);
}

/* ---- Requests ---- */

static gboolean
needs(const Attrs *request, const char *name, const char **value, GError **error)
{
  *value = attrs_get(request, name);
  if (*value != NULL && **value != '\0')
    return TRUE;
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "%s is missing", name);
  return FALSE;
}

static gboolean
erase(Service *service, const Attrs *request, Attrs *answer, GError **error)
{
  const char *organisation = NULL, *person = NULL, *who = NULL;
  guint count = 0;
  if (!needs(request, "org", &organisation, error) ||
      !needs(request, "person", &person, error) || !needs(request, "by", &who, error) ||
      !trail_writer_erase(service->writer, organisation, person, who, &count, error))
    return FALSE;
  attrs_add_uint(answer, "count", count);
  return TRUE;
}

static gboolean
expire(Service *service, const Attrs *request, Attrs *answer, GError **error)
{
  guint64 before_s = 0;
  guint count = 0;
  if (!attrs_get_uint(request, "before", 1, G_MAXINT64 / G_USEC_PER_SEC, &before_s,
                      error) ||
      !trail_writer_expire(service->writer, (gint64) before_s * G_USEC_PER_SEC, &count,
                           error))
    return FALSE;
  attrs_add_uint(answer, "count", count);
  return TRUE;
}

static gboolean
checkpoint(Service *service, const Attrs *request, Attrs *answer, GError **error)
{
  (void) request;
  g_autofree char *text = sign_checkpoint(service, error);
  if (text == NULL)
    return FALSE;
  attrs_add(answer, "checkpoint", text);
  return TRUE;
}

/* That the trail can be written was seen to before. */
static gboolean
status(Service *service, const Attrs *request, Attrs *answer, GError **error)
{
  (void) service;
  (void) request;
  (void) error;
  attrs_add(answer, "status", "good");
  return TRUE;
}

/* Erasing and expiring are one transaction each; who asks waits as long. */
#define REQUEST_LIMIT_S 660

static const struct {
  const char *name;
  gboolean (*run)(Service *service, const Attrs *request, Attrs *answer, GError **error);
} requests[] = {
    {"erase", erase},
    {"expire", expire},
    {"checkpoint", checkpoint},
    {"status", status},
};

static gboolean
run_request(Service *service, const Attrs *request, Attrs *answer, GError **error)
{
  const char *name = attrs_get(request, "request");
  if (!have_writer(service, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS(requests); i++)
    if (strcmp(requests[i].name, name) == 0) {
      daemon_busy(REQUEST_LIMIT_S);
      gboolean done = requests[i].run(service, request, answer, error);
      daemon_busy(0);
      return done;
    }
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "there is no request %s", name);
  return FALSE;
}

/* Answered at once, behind all that came before it. */
static void
take_request(Service *service, guint64 peer, const char *name, const Attrs *request)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Attrs) answer = attrs_new();
  commit_taken(service);
  if (strcmp(name, "root") != 0) {
    attrs_add(answer, "code", "refused");
    attrs_add(answer, "error", "only root may ask for this");
  } else if (!run_request(service, request, answer, &error)) {
    attrs_add(answer, "code", "failed");
    attrs_add(answer, "error", error->message);
    log_line(LOG_LEVEL_ALARM, "request=%s: %s", attrs_get(request, "request"),
             error->message);
  }
  g_autofree char *text = attrs_format(answer, ATTR_ESCAPED);
  peers_answer(service->peers, peer, text);
  plan_checkpoint(service);
  if (service->commit == NULL) /* what sends the answers */
    service->commit = loop_timer(service->loop, 0, commit_due, service);
}

static void
take_block(gpointer data, guint64 peer, const char *name, const char *block, gsize len)
{
  Service *service = data;
  g_autoptr(Attrs) attrs = attrs_parse(block, len, ATTR_ESCAPED, NULL);
  if (attrs != NULL && attrs_get(attrs, "request") != NULL &&
      attrs_get(attrs, "event") == NULL)
    take_request(service, peer, name, attrs);
  else
    take_event(service, peer, name, attrs);
}

/* ---- The service ---- */

static const char *
name_of(gpointer data, uid_t user)
{
  const Service *service = data;
  for (guint i = 0; i < USERS; i++)
    if (service->users[i].name != NULL && service->users[i].id == user)
      return service->users[i].name;
  return NULL;
}

static void
find_users(Service *service)
{
  const Config *config = service->config;
  const char *const names[USERS] = {
      "root",
      config->milter_user,
      config->mx_user,
      config->policyd_user,
      config->deliver_user,
      config->viewer_user,
  };
  for (guint i = 0; i < USERS; i++) {
    const struct passwd *entry = names[i] != NULL ? getpwnam(names[i]) : NULL;
    if (entry == NULL)
      continue;
    service->users[i].id = entry->pw_uid;
    service->users[i].name = g_intern_string(names[i]); /* peers have it for long */
  }
}

Service *
service_new(Loop *loop, const Config *config, int listener, KeyRing *keys, GError **error)
{
  static const PeersUse use = {.name = name_of, .block = take_block};
  g_autoptr(Service) service = g_new0(Service, 1);
  service->loop = loop;
  service->config = config;
  service->database = g_strdup(config->audit_database);
  service->keys = keys;
  service->taken = g_array_new(FALSE, FALSE, sizeof(Taken));
  g_array_set_clear_func(service->taken, taken_clear);
  find_users(service);
  if (!have_writer(service, error))
    return NULL;
  service->peers = peers_new(loop, listener, &use, service, error);
  if (service->peers == NULL)
    return NULL;
  plan_checkpoint(service); /* of what came when the last one was killed */
  return g_steal_pointer(&service);
}

gboolean
service_change(Service *service, const Config *config, KeyRing *keys, GError **error)
{
  commit_taken(service);
  peers_flush(service->peers);
  TrailWriter *writer = trail_writer_open(service->database, keys, error);
  if (writer == NULL) {
    keyring_free(keys);
    return FALSE;
  }
  trail_writer_close(service->writer);
  keyring_free(service->keys);
  service->writer = writer;
  service->keys = keys;
  service->config = config;
  say_whole(service);
  loop_timer_cancel(service->checkpoint); /* its time may be another now */
  service->checkpoint = NULL;
  plan_checkpoint(service);
  return TRUE;
}

void
service_free(Service *service)
{
  if (service == NULL)
    return;
  if (service->commit != NULL)
    commit_due(service);
  g_autoptr(GError) error = NULL;
  g_autofree char *text = NULL;
  if (service->checkpoint != NULL && (text = sign_checkpoint(service, &error)) == NULL)
    say_broken(service, error);
  loop_timer_cancel(service->checkpoint);
  peers_free(service->peers);
  trail_writer_close(service->writer);
  keyring_free(service->keys);
  g_array_unref(service->taken);
  g_free(service->database);
  g_free(service);
}
