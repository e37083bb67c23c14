#include <string.h>

#include "deliver/head.h"
#include "tests/unit/tap.h"

static const struct {
  const char *in;
  const char *keep; /* of the header section */
  const char *body; /* what is not used */
  guint tickets;
  const char *ticket; /* value, or NULL */
} rows[] = {
    {"From: a\r\n\r\nbody", "From: a\r\n\r\n", "body", 0, NULL},
    {"\r\nX-Zegel-Ticket: no\r\n", "\r\n", "X-Zegel-Ticket: no\r\n", 0, NULL},
    {"X-Zegel-Ticket: abc\r\nFrom: a\r\n\r\n", "From: a\r\n\r\n", "", 1, " abc\r\n"},
    {"From: a\r\nX-Zegel-Ticket: abc\r\n def\r\n\tghi\r\nTo: b\r\n\r\nx",
     "From: a\r\nTo: b\r\n\r\n", "x", 1, " abc\r\n def\r\n\tghi\r\n"},
    {"x-zEGEL-ticket:abc\r\n\r\n", "\r\n", "", 1, "abc\r\n"},
    {"X-Zegel-Ticket: a\r\nX-ZEGEL-TICKET: b\r\n c\r\n\r\n", "\r\n", "", 2, " a\r\n"},
    {"X-Zegel-Tickets: a\r\n\r\n", "X-Zegel-Tickets: a\r\n\r\n", "", 0, NULL},
    {"X-Zegel-Ticket\r\n: a\r\n\r\n", "X-Zegel-Ticket\r\n: a\r\n\r\n", "", 0, NULL},
    {"A: b\r\n X-Zegel-Ticket: a\r\n\r\n", "A: b\r\n X-Zegel-Ticket: a\r\n\r\n", "", 0,
     NULL},
    {"A: b\nX-Zegel-Ticket: a\r\n\r\n", "A: b\nX-Zegel-Ticket: a\r\n\r\n", "", 0, NULL},
    {"A: b\n\nc\r\n\r\n", "A: b\n\nc\r\n\r\n", "", 0, NULL},
    {" A: b\r\n\r\n", " A: b\r\n\r\n", "", 0, NULL},
    {"A: b\r\n \r\nc: d\r\n\r\n", "A: b\r\n \r\nc: d\r\n\r\n", "", 0, NULL},
    {"no colon\r\n\r\n", "no colon\r\n\r\n", "", 0, NULL},
    /* without a body, and without an end */
    {"A: b\r\nX-Zegel-Ticket: a\r\n", "A: b\r\n", "", 1, " a\r\n"},
    {"A: b\r\nX-Zegel-Ticket: a", "A: b\r\n", "", 1, " a"},
    {"A: b", "A: b", "", 0, NULL},
    {"", "", "", 0, NULL},
};

static void
check_row(guint i, gsize step)
{
  g_autoptr(Head) head = head_new();
  g_autoptr(GByteArray) keep = g_byte_array_new();
  gsize len = strlen(rows[i].in);
  gsize at = 0;
  while (at < len && !head_is_over(head)) {
    gsize piece = MIN(step, len - at);
    g_autofree char *copy = g_memdup2(rows[i].in + at, piece);
    gsize used = head_take(head, copy, piece, keep);
    g_assert_true(used == piece || head_is_over(head));
    at += used;
  }
  head_finish(head, keep);
  g_assert_cmpmem(keep->data, keep->len, rows[i].keep, strlen(rows[i].keep));
  g_assert_cmpstr(rows[i].in + at, ==, rows[i].body);
  g_assert_cmpuint(head_ticket_count(head), ==, rows[i].tickets);
  g_assert_cmpstr(head_ticket(head), ==, rows[i].ticket);
  g_assert_false(head_is_too_large(head));
}

static void
test_rows(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    for (gsize step = 1; step <= strlen(rows[i].in) + 1; step++)
      check_row(i, step);
}

static void
test_nul_in_ticket(void)
{
  static const char in[] = "X-Zegel-Ticket: a\0b\r\n\r\n";
  g_autoptr(Head) head = head_new();
  g_autoptr(GByteArray) keep = g_byte_array_new();
  head_take(head, in, sizeof in - 1, keep);
  g_assert_cmpstr(head_ticket(head), ==, " a?b\r\n");
}

static void
test_too_large(void)
{
  static const struct {
    gsize size;
    gboolean too_large;
  } sizes[] = {{HEAD_MAX_BYTES, FALSE}, {HEAD_MAX_BYTES + 1, TRUE}};
  for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
    g_autoptr(Head) head = head_new();
    g_autoptr(GByteArray) keep = g_byte_array_new();
    g_autofree char *fill = g_strnfill(sizes[i].size - strlen("A: \r\n\r\n"), 'x');
    g_autofree char *in = g_strdup_printf("A: %s\r\n\r\n", fill);
    gsize used = 0;
    for (gsize at = 0; at < sizes[i].size; at += 4096)
      used += head_take(head, in + at, MIN(4096, sizes[i].size - at), keep);
    g_assert_cmpuint(used, ==, sizes[i].size);
    g_assert_cmpint(head_is_too_large(head), ==, sizes[i].too_large);
    g_assert_cmpint(head_is_over(head), ==, !sizes[i].too_large);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/deliver/head/rows", test_rows);
  g_test_add_func("/deliver/head/nul-in-ticket", test_nul_in_ticket);
  g_test_add_func("/deliver/head/too-large", test_too_large);
  return g_test_run();
}
