/*
 * audit_event - how much longer a delivery takes because of an event: files messages into a
 * store as zegel-deliver does, and notes that each was notified, in turns with the event of
 * that and without it. For tests/bench/audit.
 *
 *     audit_event --directory=DIR --key=FILE [--count=N] [--bytes=N]
 *
 * DIR is empty, on the disk that is measured; FILE is a store key. Prints one JSON object,
 * medians in milliseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/store/outbox.h"
#include "common/store/store.h"

#define DAY_S  86400
#define BATCH  200 /* as zegel-deliver brings them to zegel-auditd */
#define SENDER "dokter@linden.example"
#define TO     "patient@example.com"

static char *directory, *key_path;
static int count = 1000, message_bytes = 16384;

static const GOptionEntry options[] = {
    {"directory", 0, 0, G_OPTION_ARG_FILENAME, &directory, "where the store is made",
     "DIR"},
    {"key", 0, 0, G_OPTION_ARG_FILENAME, &key_path, "its key file", "FILE"},
    {"count", 0, 0, G_OPTION_ARG_INT, &count, "how many deliveries of each sort", "N"},
    {"bytes", 0, 0, G_OPTION_ARG_INT, &message_bytes, "how large a message is", "N"},
    G_OPTION_ENTRY_NULL,
};

static void G_GNUC_NORETURN
die(const GError *error)
{
  fprintf(stderr, "audit_event: %s\n", error != NULL ? error->message : "bad arguments");
  exit(EXIT_FAILURE);
}

static void
file_message(Store *store, const char *queue_id, const guint8 *content,
             FilingRecipient *recipient)
{
  g_autoptr(GError) error = NULL;
  guint8 ticket[16], body[CRYPT_SHA256_BYTES];
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
  *recipient = (FilingRecipient){.address = TO, .number = "+31612345678"};
  if (!crypt_random(ticket, sizeof ticket, &error) ||
      !crypt_random(body, sizeof body, &error) ||
      !crypt_random(recipient->link_nonce, sizeof recipient->link_nonce, &error) ||
      !crypt_random(recipient->link_secret, sizeof recipient->link_secret, &error))
    die(error);
  const FilingMeta meta = {.organisation = "linden",
                           .ticket_id = ticket,
                           .body_sha256 = body,
                           .sender = SENDER,
                           .sender_name = "Dokter",
                           .message_id = "<4711@linden.example>",
                           .queue_id = queue_id,
                           .received_s = now_s,
                           .expires_s = now_s + 90 * DAY_S};
  g_autoptr(Filing) filing = filing_begin(store, &error);
  if (filing == NULL || !filing_write(filing, content, (gsize) message_bytes, &error) ||
      !filing_commit(filing, &meta, recipient, 1, &error))
    die(error);
}

/* Milliseconds of one delivery; the second event of it only WITH_EVENT. */
static double
deliver(Store *store, guint number, const guint8 *content, gboolean with_event)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *queue_id = g_strdup_printf("4Xb%08X", number);
  FilingRecipient recipient;
  gint64 begin = g_get_monotonic_time();
  file_message(store, queue_id, content, &recipient);
  g_autoptr(Event) event =
      with_event ? event_new(EVENT_NOTIFIED, queue_id, "linden", "ref", recipient.reference,
                             "to", TO, "as", "4XbNOTICE", NULL)
                 : NULL;
  if (!store_set_notified(store, "linden", recipient.reference, "4XbNOTICE", event, &error))
    die(error);
  return (double) (g_get_monotonic_time() - begin) / 1000;
}

/* What waits is forgotten, as if zegel-auditd had it; returns how many there were. */
static guint
forget(Store *store)
{
  g_autoptr(GError) error = NULL;
  guint forgotten = 0;
  for (;;) {
    g_autoptr(GPtrArray) waiting = store_waiting_events(store, BATCH, &error);
    if (waiting == NULL ||
        (waiting->len > 0 && !store_forget_events(store, waiting, &error)))
      die(error);
    if (waiting->len == 0)
      return forgotten;
    forgotten += waiting->len;
  }
}

static int
compare_times(gconstpointer a, gconstpointer b)
{
  double left = *(const double *) a, right = *(const double *) b;
  return (left > right) - (left < right);
}

static double
median(double *times)
{
  qsort(times, (gsize) count, sizeof *times, compare_times);
  return times[count / 2];
}

static void
measure(Store *store)
{
  g_autofree guint8 *content = g_malloc0((gsize) message_bytes);
  g_autofree double *with = g_new(double, (gsize) count);
  g_autofree double *without = g_new(double, (gsize) count);
  guint events = 0;
  for (int i = 0; i < count; i++) {
    gboolean first = i % 2 == 0;
    double one = deliver(store, 2 * (guint) i, content, first);
    double other = deliver(store, 2 * (guint) i + 1, content, !first);
    with[i] = first ? one : other;
    without[i] = first ? other : one;
    if (i % BATCH == BATCH - 1)
      events += forget(store);
  }
  events += forget(store);
  double with_ms = median(with), without_ms = median(without);
  printf(
      "{\"with_ms\": %.4f, \"without_ms\": %.4f, \"event_ms\": %.4f, \"deliveries\": %d, "
      "\"events\": %u}\n",
      with_ms, without_ms, with_ms - without_ms, 2 * count, events);
}

int
main(int argc, char **argv)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GOptionContext) context = g_option_context_new(NULL);
  g_option_context_add_main_entries(context, options, NULL);
  if (!g_option_context_parse(context, &argc, &argv, &error) || directory == NULL ||
      key_path == NULL || count < 1 || message_bytes < 1)
    die(error);
  log_open("audit_event", FALSE);
  g_autofree char *path = g_build_filename(directory, "store", "store.db", NULL);
  g_autofree char *messages = g_build_filename(directory, "store", "messages", NULL);
  g_autoptr(KeyRing) keys = keyring_load(key_path, KEY_STORE, &error);
  g_autoptr(Store) store = keys != NULL ? store_open(path, messages, keys, &error) : NULL;
  if (store == NULL)
    die(error);
  measure(store);
  return EXIT_SUCCESS;
}
