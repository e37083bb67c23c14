/* What a refused sender reads: S7 asks two lines of at most 400 octets, ASCII, cure first.
 */
#include "milter/refusal.h"

#include <string.h>

#include "tests/unit/tap.h"

/* REFUSAL_TROUBLE is the last. */
#define COUNT (REFUSAL_TROUBLE + 1)

static gboolean
is_printable(const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if (*p < 0x20 || *p > 0x7e)
      return FALSE;
  return TRUE;
}

/* What became of the message, in the words of each language. */
typedef struct {
  const char *dutch, *english;
} Consequence;

static const Consequence *
consequence_of(Refusal refusal)
{
  static const Consequence sent = {"niets verzonden", "Nothing was sent"};
  /* One of several recipients: the others may have it. */
  static const Consequence one = {"Deze ontvanger heeft niets gekregen",
                                  "This recipient got nothing"};
  /* Comes from elsewhere, where others of its recipients may be. */
  static const Consequence inward = {"niet aangenomen", "not accepted"};
  if (refusal >= REFUSAL_EXPANDED && refusal <= REFUSAL_HASH)
    return &one;
  return refusal == REFUSAL_FROM || refusal == REFUSAL_DMARC || refusal == REFUSAL_SERVICE
             ? &inward
             : &sent;
}

static void
test_shape(void)
{
  g_autofree char *longest = g_strnfill(1000, 'x');
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (guint i = 0; i < 1000; i++)
    g_ptr_array_add(names, longest);
  for (guint i = 0; i < COUNT; i++) {
    g_autoptr(RefusalReply) reply = refusal_reply((Refusal) i, names);
    const char *code = refusal_code((Refusal) i);
    g_autofree char *ending = g_strdup_printf("(%s)", code);
    g_test_message("%s", code);
    g_assert_true(g_str_has_prefix(code, "Z-"));
    for (guint line = 0; line < 2; line++) {
      g_assert_cmpuint(strlen(reply->lines[line]), <=, REFUSAL_LINE_MAX_BYTES);
      g_assert_true(is_printable(reply->lines[line]));
      g_assert_true(g_str_has_suffix(reply->lines[line], ending));
      g_assert_null(strstr(reply->lines[line], "{}"));
    }
    g_assert_cmpuint(strlen(reply->smtp_code), ==, 3);
    g_assert_true(reply->smtp_code[0] == reply->enhanced_code[0]);
    g_assert_true(refusal_is_temporary((Refusal) i) == (reply->smtp_code[0] == '4'));
    const Consequence *consequence = consequence_of((Refusal) i);
    g_assert_nonnull(strstr(reply->lines[0], consequence->dutch));
    g_assert_nonnull(strstr(reply->lines[1], consequence->english));
  }
}

static void
test_names(void)
{
  static const char *const all[] = {"a@ext.nl", "b@ext.nl", "c@ext.nl", "d@ext.nl",
                                    "e@ext.nl"};
  static const struct {
    guint count;
    const char *dutch, *english;
  } cases[] = {
      {0, "van: -.", "of: -."},
      {1, "van: a@ext.nl.", "of: a@ext.nl."},
      {3, "van: a@ext.nl, b@ext.nl, c@ext.nl.", "of: a@ext.nl, b@ext.nl, c@ext.nl."},
      {5, "c@ext.nl (+2 andere).", "c@ext.nl (+2 others)."},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint n = 0; n < cases[i].count; n++)
      g_ptr_array_add(names, (gpointer) all[n]);
    g_autoptr(RefusalReply) reply = refusal_reply(REFUSAL_NUMBER, names);
    g_assert_nonnull(strstr(reply->lines[0], cases[i].dutch));
    g_assert_nonnull(strstr(reply->lines[1], cases[i].english));
  }
  g_autoptr(RefusalReply) none = refusal_reply(REFUSAL_NUMBER, NULL);
  g_assert_nonnull(strstr(none->lines[0], "van: -."));
}

static void
test_harmless(void)
{
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  g_ptr_array_add(names, (gpointer) "j\xc3\xa4n\r\n250 ok\x01@ext.nl");
  g_autoptr(RefusalReply) reply = refusal_reply(REFUSAL_NUMBER, names);
  g_assert_nonnull(strstr(reply->lines[0], "j??n??250?ok?@ext.nl"));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/refusal/S7-shape", test_shape);
  g_test_add_func("/refusal/S7-names", test_names);
  g_test_add_func("/refusal/harmless", test_harmless);
  return g_test_run();
}
