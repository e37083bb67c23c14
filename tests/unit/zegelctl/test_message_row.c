/* What became of a message, out of trail, store and mail log (M1, S14). */
#include "zegelctl/message_row.h"

#include <string.h>

#include "tests/unit/tap.h"
#include "zegelctl/message_print.h"

#define ANNA "anna@example.com"
#define HEAD "org=linden\nqueue-id=4Q\nmessage-id=<1@own.nl>\n"
#define ROUTED                                                                             \
  "event=routed\n" HEAD "from=a@own.nl\nto=" ANNA "\nroute=viewer\ncode=Z-R1-VIEWER\n"

/* The record that TEXT, a block, makes. */
static TrailRecord
record_of(const char *text, guint64 number)
{
  g_autofree char *block = g_strconcat(text, "\n", NULL);
  g_autoptr(GError) error = NULL;
  TrailRecord record = {.number = number,
                        .at_us = (gint64) number * G_USEC_PER_SEC,
                        .attrs = attrs_parse(block, strlen(block), ATTR_ESCAPED, &error)};
  g_assert_no_error(error);
  return record;
}

static MessageRow *
row_of(const char *text)
{
  TrailRecord record = record_of(text, 1);
  MessageRow *row = message_row_new(&record);
  attrs_free((Attrs *) record.attrs);
  return row;
}

static void
take(MessageRow *row, const char *text, guint64 number)
{
  TrailRecord record = record_of(text, number);
  message_row_take(row, &record);
  attrs_free((Attrs *) record.attrs);
}

/* ---- From the store ---- */

static const struct {
  EntryState state;
  HistoryLine lines[4];
  const char *status;
  gint64 since_s;
} stands[] = {
    {ENTRY_OPEN, {{HISTORY_STORED, 1, 1, 1}}, "stored", 1},
    {ENTRY_OPEN, {{HISTORY_STORED, 1, 1, 1}, {HISTORY_NOTIFIED, 1, 1, 1}}, "notified", 1},
    {ENTRY_OPEN, {{HISTORY_NOTIFIED, 1, 1, 1}, {HISTORY_DELAYED, 5, 9, 2}}, "delayed", 9},
    {ENTRY_OPEN,
     {{HISTORY_OPENED, 5, 5, 1}, {HISTORY_CODE_SENT, 4, 9, 2}, {HISTORY_TOLD, 10, 10, 1}},
     "opened",
     5},
    {ENTRY_OPEN,
     {{HISTORY_ANSWERED, 6, 6, 1}, {HISTORY_OPENED, 5, 8, 3}, {HISTORY_STORED, 1, 1, 1}},
     "opened",
     8},
    {ENTRY_OPEN, {{HISTORY_NOTIFIED, 2, 2, 1}, {HISTORY_EXTENDED, 7, 7, 1}}, "notified", 2},
    {ENTRY_DELETED, {{HISTORY_DELETED, 7, 7, 1}, {HISTORY_OPENED, 5, 9, 1}}, "deleted", 7},
    {ENTRY_WITHDRAWN,
     {{HISTORY_REMOVED, 7, 7, 1}, {HISTORY_STORED, 1, 1, 1}},
     "removed",
     7},
    /* its time is over, and nobody has tidied up yet */
    {ENTRY_EXPIRED, {{HISTORY_OPENED, 5, 5, 1}}, "expired", 100},
};

static void
test_standing(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(stands); i++) {
    g_autoptr(MessageRow) row = row_of(ROUTED);
    row->standing = g_new0(Standing, 1);
    row->standing->state = stands[i].state;
    row->standing->expires_s = 100;
    row->standing->history = g_array_new(FALSE, FALSE, sizeof(HistoryLine));
    for (guint k = 0; k < 4 && stands[i].lines[k].count > 0; k++)
      g_array_append_val(row->standing->history, stands[i].lines[k]);
    message_row_conclude(row, NULL);
    g_assert_cmpstr(row->status, ==, stands[i].status);
    g_assert_cmpint(row->status_s, ==, stands[i].since_s);
    g_assert_true(message_status_known(row->status));
  }
}

/* ---- From the trail ---- */

#define STORED  "event=stored\n" HEAD "ref=r1\nto=" ANNA "\noutcome=ok\n"
#define OF(ref) "org=linden\nref=" ref "\noutcome=ok\n"

static void
test_trail(void)
{
  g_autoptr(MessageRow) row = row_of(ROUTED);
  take(row, "event=opened\n" OF("r1"), 3); /* not known to be his yet */
  take(row, "event=stored\n" HEAD "ref=r2\nto=b@example.com\n", 4);
  take(row, "event=stored\norg=linden\nqueue-id=4P\nref=r3\nto=" ANNA "\n", 4);
  g_assert_cmpstr(row->reference, ==, "");
  take(row, STORED, 5);
  g_assert_cmpstr(row->reference, ==, "r1");
  take(row, "event=notified\nas=4N\n" OF("r1"), 6);
  take(row, "event=notified\nas=4M\nby=root\n" OF("r1"), 8);
  take(row, "event=opened\n" OF("r1"), 7);
  take(row, "event=opened\n" OF("r1"), 7); /* the same record */
  take(row, "event=deleted\n" OF("r2"), 9);
  g_assert_cmpuint(row->events->len, ==, 4);
  g_assert_cmpstr(row->notified, ==, "4M");
  g_assert_cmpstr(message_row_by(row, HISTORY_NOTIFIED_AGAIN), ==, "root");
  g_assert_null(message_row_by(row, HISTORY_NOTIFIED));
  message_row_conclude(row, NULL);
  g_assert_cmpstr(row->status, ==, "opened");
  g_assert_cmpint(row->status_s, ==, 7);
}

static void
test_refused(void)
{
  g_autoptr(MessageRow) row =
      row_of("event=refused\n" HEAD "from=a@own.nl\ncode=Z-S7-NUMBER\nabout=" ANNA "\n");
  message_row_conclude(row, NULL);
  g_assert_cmpstr(row->status, ==, "refused");
  g_assert_cmpstr(row->route, ==, "-");
  g_assert_true(message_row_has(row, ANNA));
}

/* ---- From Postfix ---- */

static void
test_postfix(void)
{
  static const struct {
    const char *status, *concluded;
  } words[] = {{"sent", "sent"}, {"deferred", "deferred"}, {"dances", "unknown"}};
  for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
    g_autoptr(MessageRow) row = row_of(ROUTED);
    g_autoptr(GPtrArray) deliveries = g_ptr_array_new();
    MailDelivery first = {.at_s = 5, .status = (char *) "bounced"};
    MailDelivery last = {.at_s = 6, .status = (char *) words[i].status};
    g_ptr_array_add(deliveries, &last);
    g_ptr_array_add(deliveries, &first);
    message_row_conclude(row, deliveries);
    g_assert_cmpstr(row->status, ==, words[i].concluded);
    g_assert_cmpstr(row->postfix, ==, words[i].status);
    g_assert_cmpint(row->status_s, ==, 6);
  }
}

/* ---- Looking for ---- */

static void
test_has(void)
{
  static const struct {
    const char *word;
    gboolean has;
  } words[] = {
      {"ANNA@Example.com", TRUE},
      {"a@own.nl", TRUE},
      {"example.com", TRUE},
      {"@example.com", TRUE},
      {"com", TRUE},
      {"xample.com", FALSE},
      {"4Q", TRUE},
      {"4q", FALSE},
      {"1@own.nl", TRUE},
      {"<1@own.nl>", TRUE},
      {"2@own.nl", FALSE},
      {"r1", TRUE},
      {"nna@example.com", FALSE},
      {"", FALSE},
      {"@", FALSE},
      {"own.nl", TRUE},
      {"own.nl.com", FALSE},
  };
  g_autoptr(MessageRow) row = row_of(ROUTED);
  take(row, STORED, 2);
  for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
    g_test_message("%s", words[i].word);
    g_assert_true(message_row_has(row, words[i].word) == words[i].has);
  }
}

/* ---- Printing ---- */

/* Nothing that strangers wrote steers a terminal or breaks JSON. */
static void
test_harmless(void)
{
  g_autoptr(MessageRow) row = row_of("event=routed\n" HEAD "from=a\\n\x1b[2J\xe2\x80\xae"
                                     "b@own.nl\nto=\"x\\\\\"@example.com\nroute=direct\n");
  g_autoptr(GPtrArray) rows = g_ptr_array_new();
  g_ptr_array_add(rows, row);
  g_autoptr(MailTrace) trace = mail_trace_new();
  GString *outs[4];
  for (guint i = 0; i < 4; i++)
    outs[i] = g_string_new(NULL);
  message_print_table(outs[0], rows);
  message_print_show(outs[1], rows, trace);
  message_print_list(outs[2], rows);
  message_print_show_json(outs[3], rows, trace);
  for (guint i = 0; i < 4; i++) {
    g_assert_cmpuint(outs[i]->len, >, 0);
    g_assert_null(strchr(outs[i]->str, '\x1b'));
    if (i < 2)
      g_assert_null(strstr(outs[i]->str, "\xe2\x80\xae"));
    g_string_free(outs[i], TRUE);
  }
}

int
main(int argc, char **argv)
{
  g_setenv("TZ", "Europe/Amsterdam", TRUE);
  tap_init(argc, argv);
  g_test_add_func("/message_row/as the store has it", test_standing);
  g_test_add_func("/message_row/as the trail has it", test_trail);
  g_test_add_func("/message_row/refused", test_refused);
  g_test_add_func("/message_row/as Postfix has it", test_postfix);
  g_test_add_func("/message_row/looked for", test_has);
  g_test_add_func("/message_row/printed harmless", test_harmless);
  return g_test_run();
}
