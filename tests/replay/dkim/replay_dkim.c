/*
 * replay_dkim.c - verifies the messages in a directory, and compares with what stands in
 * front of each. A case is a file of lines
 *
 *     key SELECTOR DOMAIN found|absent|unknown [RECORD]
 *     expect STATUS DOMAIN SELECTOR ALGORITHM BITS REASON
 *     ---
 *
 * and then the message, to the octet. There is one expect for each DKIM-Signature field;
 * "-" stands for what is empty. The messages are made by make_cases.py.
 */
#include "tests/unit/milter/dkim_message.h"
#include "tests/unit/tap.h"

#define BREAK "---\n"

/* How the body is cut: whole, and so that every place is a cut once. */
static const gsize steps[] = {G_MAXSIZE, 1, 2, 7, 4096};

static const char *
dash(const char *text)
{
  return *text != '\0' ? text : "-";
}

static char *
describe(const DkimResult *result)
{
  return g_strdup_printf("%s %s %s %s %u %s", dkim_status_name(result->status),
                         dash(result->domain), dash(result->selector),
                         dash(result->algorithm), result->key_bits, dash(result->reason));
}

static void
read_key_line(GPtrArray *keys, const char *line)
{
  g_auto(GStrv) words = g_strsplit(line, " ", 5);
  g_assert_cmpuint(g_strv_length(words), >=, 4);
  VerifyState state = strcmp(words[3], "found") == 0    ? VERIFY_FOUND
                      : strcmp(words[3], "absent") == 0 ? VERIFY_ABSENT
                                                        : VERIFY_UNKNOWN;
  dkim_test_key_add(keys, words[2], words[1], state, words[4]);
}

static void
check_results(const GPtrArray *results, const GPtrArray *expected)
{
  for (guint i = 0; i < MIN(results->len, expected->len); i++) {
    g_autofree char *got = describe(results->pdata[i]);
    g_assert_cmpstr(got, ==, expected->pdata[i]);
  }
  g_assert_cmpuint(results->len, ==, expected->len);
}

static void
test_case(gconstpointer path)
{
  g_autofree char *text = NULL;
  gsize len = 0;
  g_assert_true(g_file_get_contents(path, &text, &len, NULL));
  char *cut = memmem(text, len, BREAK, strlen(BREAK));
  g_assert_nonnull(cut);
  const char *message = cut + strlen(BREAK);
  *cut = '\0';
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(dkim_test_key_free);
  g_autoptr(GPtrArray) expected = g_ptr_array_new();
  for (char **line = lines; *line != NULL; line++) {
    if (g_str_has_prefix(*line, "key "))
      read_key_line(keys, *line);
    else if (g_str_has_prefix(*line, "expect "))
      g_ptr_array_add(expected, *line + strlen("expect "));
  }
  for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
    gsize message_len = (gsize) (text + len - message);
    g_autoptr(GPtrArray) results =
        dkim_test_verify(message, message_len, MIN(steps[i], message_len + 1), keys);
    check_results(results, expected);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_set_nonfatal_assertions();
  g_autofree char *place =
      g_test_build_filename(G_TEST_DIST, "tests/data/dkim/cases", NULL);
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) dir = g_dir_open(place, 0, NULL);
  g_assert_nonnull(dir);
  g_assert_true(dkim_prepare(NULL));
  for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
    g_autofree char *test = g_strconcat("/dkim/", name, NULL);
    g_ptr_array_add(paths, g_build_filename(place, name, NULL));
    g_test_add_data_func(test, paths->pdata[paths->len - 1], test_case);
  }
  g_assert_cmpuint(paths->len, >=, 60);
  return g_test_run();
}
