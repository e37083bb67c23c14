/*
 * audit_fill - makes an audit trail of many events as zegel-auditd would, and says how long
 * things take: for tests/bench/audit and for trying out views by hand.
 *
 *     audit_fill --trail=FILE --key=FILE [--events=N] [--batch=N] [--persons=N] [--verify]
 *                [--look-up]
 *
 * Prints one JSON object: seconds for all, microseconds for each of its kind.
 */
#include <stdio.h>
#include <string.h>

#include "common/audit/trail.h"
#include "common/audit/verify.h"
#include "common/audit/writer.h"
#include "common/base/log.h"

#define LOOK_UPS 200

static char *trail_path, *key_path;
static int events = 100000, batch = 100, persons = 20000;
static gboolean want_verify, want_look_up;

static const GOptionEntry options[] = {
    {"trail", 0, 0, G_OPTION_ARG_FILENAME, &trail_path, "the trail, made or added to",
     "FILE"},
    {"key", 0, 0, G_OPTION_ARG_FILENAME, &key_path, "its key file", "FILE"},
    {"events", 0, 0, G_OPTION_ARG_INT, &events, "how many events to add", "N"},
    {"batch", 0, 0, G_OPTION_ARG_INT, &batch, "how many in a transaction", "N"},
    {"persons", 0, 0, G_OPTION_ARG_INT, &persons, "how many persons they name", "N"},
    {"verify", 0, 0, G_OPTION_ARG_NONE, &want_verify, "verify it", NULL},
    {"look-up", 0, 0, G_OPTION_ARG_NONE, &want_look_up, "look records up", NULL},
    {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
};

static void G_GNUC_NORETURN
die(const GError *error)
{
  fprintf(stderr, "audit_fill: %s\n", error != NULL ? error->message : "bad arguments");
  exit(1);
}

/* Event I: a message for a recipient is stored, notified, opened with a code, and deleted.
 */
static Event *
make_event(guint i)
{
  guint message = i / 5;
  g_autofree char *queue_id = g_strdup_printf("4Xb%07X", message);
  g_autofree char *reference = g_strdup_printf("ref%08x", message);
  g_autofree char *from = g_strdup_printf("staff%u@linden.example", message % 500);
  g_autofree char *to =
      g_strdup_printf("patient%u@example.com", message * 7919u % (guint) persons);
  g_autofree char *id = g_strdup_printf("<%08x.4711@mail.linden.example>", message);
  switch (i % 5) {
  case 0:
    return event_new(EVENT_ROUTED, queue_id, "linden", "message-id", id, "from", from, "to",
                     to, "route", "viewer", "reason", "not-ready", NULL);
  case 1:
    return event_new(EVENT_STORED, queue_id, "linden", "ref", reference, "from", from, "to",
                     to, "message-id", id, "bytes", "48213", NULL);
  case 2:
    return event_new(EVENT_NOTIFIED, queue_id, "linden", "ref", reference, "from", from,
                     "to", to, NULL);
  case 3:
    return event_new(EVENT_LOGIN, NULL, "linden", "ref", reference, "to", to, "for", from,
                     "client", "198.51.100.23", "method", "sms", NULL);
  default:
    return event_new(EVENT_OPENED, NULL, "linden", "ref", reference, "to", to, "for", from,
                     "client", "198.51.100.23", NULL);
  }
}

static void
fill(const KeyRing *keys, guint first)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(TrailWriter) writer = trail_writer_open(trail_path, keys, &error);
  g_autofree TrailEntry *entries = g_new(TrailEntry, (gsize) batch);
  for (guint done = 0; writer != NULL && done < (guint) events;) {
    guint count = MIN((guint) batch, (guint) events - done);
    for (guint i = 0; i < count; i++)
      entries[i] = (TrailEntry){make_event(first + done + i), "zegel-deliver"};
    gboolean good = trail_writer_append(writer, entries, count, &error);
    for (guint i = 0; i < count; i++)
      event_free((Event *) entries[i].event);
    if (!good)
      break;
    done += count;
  }
  g_autofree char *checkpoint =
      error == NULL && writer != NULL ? trail_writer_checkpoint(writer, &error) : NULL;
  if (checkpoint == NULL)
    die(error);
}

static gboolean
count_record(const TrailRecord *record, gpointer data, GError **error)
{
  (void) record;
  (void) error;
  ++*(guint *) data;
  return TRUE;
}

/* What records are looked up by. */
typedef enum {
  BY_REFERENCE,
  BY_QUEUE_ID,
  BY_MESSAGE_ID,
  BY_PERSON,
  BY_COUNT
} Way;

static const char *const way_names[] = {"reference", "queue_id", "message_id", "person"};

/* How long looking up the I-th of LOOK_UPS messages takes, opening the trail included. */
static gint64
look_up(const KeyRing *keys, Way way, guint i)
{
  g_autoptr(GError) error = NULL;
  guint message = (guint) ((guint64) i * (guint) events / 5 / LOOK_UPS), found = 0;
  g_autofree char *text =
      way == BY_REFERENCE  ? g_strdup_printf("ref%08x", message)
      : way == BY_QUEUE_ID ? g_strdup_printf("4Xb%07X", message)
      : way == BY_MESSAGE_ID
          ? g_strdup_printf("<%08x.4711@mail.linden.example>", message)
          : g_strdup_printf("patient%u@example.com", message * 7919u % (guint) persons);
  const TrailQuery query = {.reference = way == BY_REFERENCE ? text : NULL,
                            .queue_id = way == BY_QUEUE_ID ? text : NULL,
                            .message_id = way == BY_MESSAGE_ID ? text : NULL,
                            .person = way == BY_PERSON ? text : NULL};
  gint64 start = g_get_monotonic_time();
  g_autoptr(Trail) trail = trail_open(trail_path, keys, &error);
  if (trail == NULL || !trail_each(trail, &query, count_record, &found, &error))
    die(error);
  gint64 took = g_get_monotonic_time() - start;
  if (found == 0)
    die(g_error_new(g_quark_from_static_string("bench"), 0, "%s: not found", text));
  return took;
}

static int
compare_times(gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *) a, right = *(const gint64 *) b;
  return (left > right) - (left < right);
}

/* The middle of the times, and the worst. */
static void
print_look_ups(const KeyRing *keys)
{
  for (Way way = 0; way < BY_COUNT; way++) {
    g_autoptr(GArray) times = g_array_new(FALSE, FALSE, sizeof(gint64));
    for (guint i = 0; i < LOOK_UPS; i++) {
      gint64 took = look_up(keys, way, i);
      g_array_append_val(times, took);
    }
    g_array_sort(times, compare_times);
    printf(", \"%s_us\": %d, \"%s_worst_us\": %d", way_names[way],
           (int) g_array_index(times, gint64, LOOK_UPS / 2), way_names[way],
           (int) g_array_index(times, gint64, LOOK_UPS - 1));
  }
}

static void
print_verified(const char *name, const KeyRing *keys, const guint8 *public_key)
{
  g_autoptr(GError) error = NULL;
  g_auto(VerifyResult) result = {.good = FALSE};
  const VerifyWith with = {keys, public_key, NULL};
  gint64 start = g_get_monotonic_time();
  if (!verify_trail(trail_path, &with, &result, &error))
    die(error);
  double took = (double) (g_get_monotonic_time() - start) / 1e6;
  printf(", \"%s_good\": %s, \"%s_s\": %.3f", name, result.good ? "true" : "false", name,
         took);
}

int
main(int argc, char **argv)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_option_context_add_main_entries(context, options, NULL);
  if (!g_option_context_parse(context, &argc, &argv, &error) || trail_path == NULL ||
      key_path == NULL || events < 0 || batch < 1 || persons < 1)
    die(error);
  log_open("audit_fill", TRUE);
  g_autoptr(KeyRing) keys = keyring_load(key_path, KEY_AUDIT, &error);
  guint8 public_key[CHECKPOINT_PUBLIC_BYTES];
  if (keys == NULL ||
      !checkpoint_public_key(keys, keyring_current(keys), public_key, &error))
    die(error);
  gint64 start = g_get_monotonic_time();
  if (events > 0)
    fill(keys, 0);
  double took = (double) (g_get_monotonic_time() - start);
  printf("{\"events\": %d, \"batch\": %d, \"append_s\": %.3f, \"append_each_us\": %.1f",
         events, batch, took / 1e6, took / MAX(events, 1));
  if (want_look_up)
    print_look_ups(keys);
  if (want_verify) {
    print_verified("verify", keys, NULL);
    print_verified("verify_public", NULL, public_key);
  }
  printf("}\n");
  return 0;
}
