/* What says whether a clock can be right. */
#include "zegelctl/clock.h"

#include <string.h>

#include "tests/unit/tap.h"

#define ID     0x1234
#define BEGINS 1000000
#define ENDS   2000000

static const guint8 header[] = {0x12, 0x34, 0x81, 0x90, 0, 1, 0, 2, 0, 0, 0, 1};
static const guint8 question[] = {0, 0, 6, 0, 1};
/* An address, with a name that is a pointer, and what covers it. */
static const guint8 address[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1};
static const guint8 rrsig_head[] = {0, 0, 46, 0, 1, 0, 0, 0, 60, 0, 24};

static void
append_u32(GByteArray *bytes, guint32 number)
{
  const guint8 text[] = {(guint8) (number >> 24), (guint8) (number >> 16),
                         (guint8) (number >> 8), (guint8) number};
  g_byte_array_append(bytes, text, sizeof text);
}

static GByteArray *
make_answer(guint32 begins, guint32 ends)
{
  static const guint8 covered[] = {0, 6, 13, 0};
  static const guint8 rest[] = {0, 1, 0, 1, 2, 3};
  GByteArray *bytes = g_byte_array_new();
  g_byte_array_append(bytes, header, sizeof header);
  g_byte_array_append(bytes, question, sizeof question);
  g_byte_array_append(bytes, address, sizeof address);
  g_byte_array_append(bytes, rrsig_head, sizeof rrsig_head);
  g_byte_array_append(bytes, covered, sizeof covered);
  append_u32(bytes, 60);
  append_u32(bytes, ends);
  append_u32(bytes, begins);
  g_byte_array_append(bytes, rest, 2); /* the key tag */
  g_byte_array_append(bytes, rest + 1, 1);
  g_byte_array_append(bytes, rest + 2, 4);
  g_byte_array_append(bytes, rest, 1);
  return bytes;
}

static void
test_times(void)
{
  static const struct {
    guint32 begins, ends;
    gint64 now_s, off_s;
  } rows[] = {
      {BEGINS, ENDS, 1500000, 0},
      {BEGINS, ENDS, BEGINS, 0},
      {BEGINS, ENDS, ENDS, 0},
      {BEGINS, ENDS, ENDS + 1, 1},
      {BEGINS, ENDS, BEGINS - 3, -3},
      {BEGINS, ENDS, 0, -BEGINS},
      /* 32 bits go round in 2106 */
      {0xffffff00u, 0x100, G_GINT64_CONSTANT(0x100000000), 0},
      {0xffffff00u, 0x100, G_GINT64_CONSTANT(0x100000101), 1},
      {0xffffff00u, 0x100, G_GINT64_CONSTANT(0xfffffeff), -1},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GByteArray) bytes = make_answer(rows[i].begins, rows[i].ends);
    gint64 off_s = 77;
    g_assert_true(clock_answer(ID, bytes->data, bytes->len, rows[i].now_s, &off_s));
    g_assert_cmpint(off_s, ==, rows[i].off_s);
  }
}

/* What is cut anywhere, or is somebody else's, is no answer. */
static void
test_no_answer(void)
{
  g_autoptr(GByteArray) bytes = make_answer(BEGINS, ENDS);
  gint64 off_s = 77;
  for (guint len = 0; len < bytes->len; len++) {
    guint8 *copy = g_memdup2(bytes->data, len); /* so that a sanitizer sees its end */
    g_assert_false(clock_answer(ID, copy, len, 1500000, &off_s));
    g_free(copy);
  }
  g_assert_false(clock_answer(ID + 1, bytes->data, bytes->len, 1500000, &off_s));
  bytes->data[sizeof header + sizeof question] = 0x80; /* no kind of label */
  g_assert_false(clock_answer(ID, bytes->data, bytes->len, 1500000, &off_s));
  bytes->data[2] = 1; /* a question */
  g_assert_false(clock_answer(ID, bytes->data, bytes->len, 1500000, &off_s));
  g_assert_cmpint(off_s, ==, 77);
}

static void
test_question(void)
{
  guint8 asked[CLOCK_QUESTION_BYTES];
  memset(asked, 0xff, sizeof asked);
  clock_question(ID, asked);
  static const guint8 expected[CLOCK_QUESTION_BYTES] = {
      0x12, 0x34, 1, 0x10, 0, 1,  0, 0,    0, 0, 0,    1, 0, 0,
      6,    0,    1, 0,    0, 41, 4, 0xd0, 0, 0, 0x80, 0, 0, 0};
  g_assert_cmpmem(asked, sizeof asked, expected, sizeof expected);
}

static void
test_keeper(void)
{
  static const struct {
    gboolean container, synchronised;
    const char *running[3];
    ClockKeeper keeper;
    const char *program;
  } rows[] = {
      {FALSE, TRUE, {"init", NULL}, CLOCK_KEPT, NULL},
      {FALSE, TRUE, {"chronyd", NULL}, CLOCK_KEPT, "chronyd"},
      {TRUE, FALSE, {"init", NULL}, CLOCK_HOST, NULL},
      {FALSE, FALSE, {"init", NULL}, CLOCK_ALONE, NULL},
      {FALSE, FALSE, {"init", "systemd-timesyn", NULL}, CLOCK_WAITING, "systemd-timesyn"},
      {FALSE, FALSE, {"vmtoolsd", NULL}, CLOCK_KEPT, "vmtoolsd"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const ClockFacts facts = {rows[i].container, rows[i].synchronised, rows[i].running};
    const char *program = "?";
    g_assert_cmpint(clock_keeper(&facts, &program), ==, rows[i].keeper);
    g_assert_cmpstr(program, ==, rows[i].program);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/clock/times", test_times);
  g_test_add_func("/clock/no-answer", test_no_answer);
  g_test_add_func("/clock/question", test_question);
  g_test_add_func("/clock/keeper", test_keeper);
  return g_test_run();
}
