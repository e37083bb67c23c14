#include "policyd/memo.h"

#include <string.h>

#define LINES "request=route\nversion=3\norganisation=a\n"

/* Whether two questions are one and the same for the memo. */
typedef struct {
  const char *name;
  const char *one, *other;
  gboolean same;
} Row;

static const Row rows[] = {
    {"queue id", "queue_id=4cXk2\n", "queue_id=\n", TRUE},
    {"queue id with an escape", "queue_id=4c%0A\n", "queue_id=4c\n", FALSE},
    {"queue id of an address", "queue_id=a@b.nl\n", "queue_id=@b.nl\n", FALSE},
    {"sender", "sender=jan@b.nl\n", "sender=piet.x-y_z+q@b.nl\n", TRUE},
    {"sender's domain", "sender=jan@b.nl\n", "sender=jan@c.nl\n", FALSE},
    {"no domain", "sender=jan\n", "sender=piet\n", FALSE},
    {"no sender", "sender=\n", "sender=jan@b.nl\n", FALSE},
    {"recipient", "recipient=jan@b.nl\n", "recipient=piet@b.nl\n", TRUE},
    {"recipient's domain", "recipient=jan@b.nl\n", "recipient=jan@b.nl.\n", FALSE},
    {"leads on by %", "recipient=jan%25c.nl@b.nl\n", "recipient=jan@b.nl\n", FALSE},
    {"leads on by !", "recipient=c.nl!jan@b.nl\n", "recipient=jan@b.nl\n", FALSE},
    {"leads on by @", "recipient=jan@c.nl@b.nl\n", "recipient=jan@b.nl\n", FALSE},
    {"leads on by @ elsewhere", "recipient=jan@c.nl@b.nl\n", "recipient=jan@d.nl@b.nl\n",
     FALSE},
    {"one more recipient", "recipient=jan@b.nl\nrecipient=jan@b.nl\n",
     "recipient=jan@b.nl\n", FALSE},
    {"two recipients", "recipient=jan@b.nl\nrecipient=jan@c.nl\n",
     "recipient=piet@b.nl\nrecipient=piet@c.nl\n", TRUE},
    {"sensitive", "sensitive=yes\n", "sensitive=no\n", FALSE},
    {"inward", "inward=yes\n", "inward=no\n", FALSE},
    {"dry run", "dry_run=yes\n", "dry_run=no\n", FALSE},
    {"another name", "organisation=a@b\n", "organisation=c@b\n", FALSE},
    {"longer name", "recipients=jan@b.nl\n", "recipients=piet@b.nl\n", FALSE},
    {"order", "inward=no\ndry_run=no\n", "dry_run=no\ninward=no\n", FALSE},
    {"line of a value", "sender=a@b.nl\nsensitive=no\n", "sender=a@b.nl\nsensitive=yes\n",
     FALSE},
};

static void
test_key(void)
{
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    MemoKey keys[2] = {{.text = "x"}, {.text = "y"}};
    g_autofree char *one = g_strconcat(LINES, rows[i].one, "\n", NULL);
    g_autofree char *other = g_strconcat(LINES, rows[i].other, "\n", NULL);
    g_assert_true(memo_key(one, strlen(one), &keys[0]));
    g_assert_true(memo_key(other, strlen(other), &keys[1]));
    g_autoptr(Memo) memo = memo_new();
    memo_keep(memo, &keys[0], "kept", 1);
    if ((memo_find(memo, &keys[1], 0) != NULL) != rows[i].same)
      g_error("%s: \"%s\" and \"%s\"", rows[i].name, keys[0].text, keys[1].text);
    /* One that differs has another place, too; what counts is the text. */
    g_assert_true((keys[0].hash == keys[1].hash) == rows[i].same);
    keys[1].hash = keys[0].hash;
    g_assert_true((memo_find(memo, &keys[1], 0) != NULL) == rows[i].same);
  }
}

/* What is left out stands in no key, all else in every one; a block need not be whole. */
static void
test_left_out(void)
{
  static const char *const texts[][2] = {
      {"", ""},
      {"\n", "\n"},
      {"sender=jan@b.nl", "sender=@b.nl"},
      {"queue_id=4c\nsender=jan@b.nl\n\n", "queue_id=\nsender=@b.nl\n\n"},
      {"queue_id=", "queue_id="},
      {"recipient=", "recipient="},
      {"recipient=@\n", "recipient=@\n"},
      {"recipient=\xc3\xa9@b.nl\n", "recipient=\xc3\xa9@b.nl\n"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    MemoKey key;
    memset(&key, 'x', sizeof key);
    g_assert_true(memo_key(texts[i][0], strlen(texts[i][0]), &key));
    g_assert_cmpstr(key.text, ==, texts[i][1]);
    g_assert_cmpuint(key.len, ==, strlen(texts[i][1]));
  }
}

static void
test_length(void)
{
  MemoKey key;
  const gsize longest = MEMO_KEY_BYTES - sizeof(guint64);
  g_autofree char *text = g_strnfill(longest + 1, 'x');
  memset(&key, 'y', sizeof key);
  g_assert_false(memo_key(text, longest + 1, &key));
  for (gsize len = 0; len <= longest; len++) {
    memset(&key, 'y', sizeof key);
    g_assert_true(memo_key(text, len, &key));
    g_assert_cmpuint(key.len, ==, len);
    g_assert_cmpuint(strlen(key.text), ==, len);
  }
}

/* No octet ends a question but its length. */
static void
test_zero(void)
{
  MemoKey one, other;
  g_autoptr(Memo) memo = memo_new();
  g_assert_true(memo_key("a=\0b\n", 5, &one));
  g_assert_true(memo_key("a=\0c\n", 5, &other));
  memo_keep(memo, &one, "one", 1);
  g_assert_null(memo_find(memo, &other, 0));
  g_assert_true(memo_key("a=", 2, &one));
  g_assert_true(memo_key("a=\0", 3, &other));
  other.hash = one.hash;
  memo_keep(memo, &one, "one", 1);
  g_assert_null(memo_find(memo, &other, 0));
}

static const char *
find(const Memo *memo, const char *text, gint64 now_us)
{
  MemoKey key;
  g_assert_true(memo_key(text, strlen(text), &key));
  return memo_find(memo, &key, now_us);
}

static void
keep(Memo *memo, const char *text, const char *answer, gint64 until_us)
{
  MemoKey key;
  g_assert_true(memo_key(text, strlen(text), &key));
  memo_keep(memo, &key, answer, until_us);
}

static void
test_keep(void)
{
  g_autoptr(Memo) memo = memo_new();
  g_assert_null(find(memo, "a", 0));
  keep(memo, "a", "one", 10);
  g_assert_cmpstr(find(memo, "a", 9), ==, "one");
  g_assert_null(find(memo, "a", 10));
  g_assert_null(find(memo, "b", 9));
  keep(memo, "a", "two", 20);
  g_assert_cmpstr(find(memo, "a", 19), ==, "two");
  memo_clear(memo);
  g_assert_null(find(memo, "a", 0));
}

static void
test_full(void)
{
  g_autoptr(Memo) memo = memo_new();
  for (guint i = 0; i <= MEMO_MAX; i++) {
    g_autofree char *text = g_strdup_printf("%u", i);
    keep(memo, text, text, 1);
  }
  g_autofree char *last = g_strdup_printf("%u", MEMO_MAX);
  g_assert_cmpstr(find(memo, last, 0), ==, last);
  g_assert_null(find(memo, "0", 0));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/memo/key", test_key);
  g_test_add_func("/memo/left-out", test_left_out);
  g_test_add_func("/memo/length", test_length);
  g_test_add_func("/memo/zero", test_zero);
  g_test_add_func("/memo/keep", test_keep);
  g_test_add_func("/memo/full", test_full);
  return g_test_run();
}
