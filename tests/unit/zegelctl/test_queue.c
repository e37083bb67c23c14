/*
 * What postqueue -j prints, counted by label.
 */
#include "zegelctl/queue.h"

#include <string.h>

#define HEAD "{\"queue_name\": \"deferred\", \"queue_id\": \"4Xabc\", \"arrival_time\": "

/* What each line adds: of label LABEL that many recipients. */
static const struct {
  const char *line;
  gboolean good;
  Label label;
  guint64 recipients;
  gint64 oldest_s;
} rows[] = {
    {HEAD "1700000000, \"message_size\": 300, \"forced_expire\": false, \"sender\": "
          "\"jan@example.nl\", \"recipients\": [{\"address\": "
          "\"piet@example.com.viewer.zegel.internal\", \"delay_reason\": \"no\"}]}",
     TRUE, LABEL_VIEWER, 1, 1700000000},
    {HEAD "1700000000, \"recipients\": [{\"address\": \"a@b.direct.zegel.internal\"}, "
          "{\"address\": \"c@d.direct.zegel.internal\"}]}",
     TRUE, LABEL_DIRECT, 2, 1700000000},
    {HEAD "1700000000, \"recipients\": [{\"address\": \"a@example.com\"}]}", TRUE,
     LABEL_NONE, 1, 1700000000},
    /* A reason and a sender say nothing, whatever stands in them. */
    {HEAD "1700000000, \"sender\": \"\\\"address\\\": \\\"x@y.viewer.zegel.internal\\\"\", "
          "\"recipients\": [{\"address\": \"a@b.own.zegel.internal\", \"delay_reason\": "
          "\"said \\\"address\\\": \\\"x@y.viewer.zegel.internal\\\"\"}]}",
     TRUE, LABEL_OWN, 1, 1700000000},
    {HEAD "1700000000, \"sender\": \"one\\\"quote@example.com\", \"recipients\": "
          "[{\"address\": \"a@b.prefer.zegel.internal\"}]}",
     TRUE, LABEL_PREFER, 1, 1700000000},
    {HEAD "1700000000, \"recipients\": []}", TRUE, LABEL_NONE, 0, 0},
    {"", FALSE, LABEL_NONE, 0, 0},
    {"postqueue: fatal: no", FALSE, LABEL_NONE, 0, 0},
    {"{\"queue_id\": \"4X\", \"recipients\": [{\"address\": \"a@b\"}]}", FALSE, LABEL_NONE,
     0, 0},
    {HEAD "1700000000, \"recipients\": [{\"address\": \"a@b", FALSE, LABEL_NONE, 0, 0},
    {HEAD "99999999999999999999999}", FALSE, LABEL_NONE, 0, 0},
    {HEAD "\"soon\"}", FALSE, LABEL_NONE, 0, 0},
    {HEAD, FALSE, LABEL_NONE, 0, 0},
};

static void
test_rows(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    QueueCount counts[QUEUE_LABELS] = {{0}};
    g_test_message("%s", rows[i].line);
    g_assert_cmpint(queue_add_line(counts, rows[i].line, strlen(rows[i].line)), ==,
                    rows[i].good);
    for (guint label = 0; label < QUEUE_LABELS; label++) {
      gboolean wanted = label == (guint) rows[i].label;
      g_assert_cmpuint(counts[label].recipients, ==, wanted ? rows[i].recipients : 0);
      g_assert_cmpuint(counts[label].messages, ==, wanted && rows[i].recipients > 0);
      g_assert_cmpint(counts[label].oldest_s, ==, wanted ? rows[i].oldest_s : 0);
    }
  }
}

static void
test_oldest(void)
{
  QueueCount counts[QUEUE_LABELS] = {{0}};
  static const char *const times[] = {"1700000200", "1700000100", "1700000300"};
  for (guint i = 0; i < G_N_ELEMENTS(times); i++) {
    g_autofree char *line = g_strconcat(
        HEAD, times[i], ", \"recipients\": [{\"address\": \"a@b.seal.zegel.internal\"}]}",
        NULL);
    g_assert_true(queue_add_line(counts, line, strlen(line)));
  }
  g_assert_cmpuint(counts[LABEL_SEAL].messages, ==, 3);
  g_assert_cmpint(counts[LABEL_SEAL].oldest_s, ==, 1700000100);
}

/* No octet behind the length is looked at. */
static void
test_cut(void)
{
  const char *line = rows[0].line;
  for (gsize len = 0; len < strlen(line); len++) {
    QueueCount counts[QUEUE_LABELS] = {{0}};
    g_autofree char *copy = g_memdup2(line, MAX(len, 1));
    queue_add_line(counts, copy, len);
    g_assert_cmpuint(counts[LABEL_DIRECT].messages, ==, 0);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/queue/rows", test_rows);
  g_test_add_func("/queue/oldest", test_oldest);
  g_test_add_func("/queue/cut", test_cut);
  return g_test_run();
}
