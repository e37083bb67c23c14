/* Addresses that people type: one, or none. */
#include "common/base/mailbox.h"

#include <string.h>

#include "tests/unit/tap.h"

static const struct {
  const char *typed;
  const char *mailbox; /* NULL: refused */
} rows[] = {
    {"jan@example.com", "jan@example.com"},
    {" Jan.de-Vries+x@Example.COM\t\n", "Jan.de-Vries+x@example.com"},
    {"o'neill@sub.example.nl", "o'neill@sub.example.nl"},
    {"jan@m\xc3\xbcnster.example", "jan@xn--mnster-3ya.example"},
    {NULL, NULL},
    {"", NULL},
    {"jan", NULL},
    {"@example.com", NULL},
    {"jan@", NULL},
    {"jan@localhost", NULL},
    {"jan@192.0.2.1", NULL},
    {"jan@[192.0.2.1]", NULL},
    {"jan@example.com.", NULL},
    {"jan@exa mple.com", NULL},
    {"jan@-x.example", NULL},
    {".jan@example.com", NULL},
    {"jan.@example.com", NULL},
    {"jan@example.com,piet@example.com", NULL},
    {"jan@example.com piet@example.com", NULL},
    {"jan@example.com\r\nBcc: piet@example.com", NULL},
    {"jan\r\n@example.com", NULL},
    {"Jan <jan@example.com>", NULL},
    {"\"jan\"@example.com", NULL},
    {"jan@first@example.com", NULL},
    {"jan%evil.example@example.com", NULL},
    {"evil.example!jan@example.com", NULL},
    {"j\xc3\xa4n@example.com", NULL},
    {"jan\xff@example.com", NULL},
    {"jan@example.com.viewer.zegel.internal", NULL},
};

static void
test_parse(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("row %u: %s", i, rows[i].typed != NULL ? rows[i].typed : "NULL");
    g_autofree char *mailbox = mailbox_parse(rows[i].typed);
    g_assert_cmpstr(mailbox, ==, rows[i].mailbox);
  }
}

static void
test_long(void)
{
  g_autofree char *local = g_strnfill(MAILBOX_LOCAL_MAX_BYTES, 'a');
  g_autofree char *most = g_strconcat(local, "@example.com", NULL);
  g_autofree char *more = g_strconcat("a", most, NULL);
  g_autofree char *good = mailbox_parse(most);
  g_autofree char *bad = mailbox_parse(more);
  g_assert_cmpstr(good, ==, most);
  g_assert_null(bad);
  GString *domain = g_string_new("a@");
  while (domain->len <= MAILBOX_MAX_BYTES)
    g_string_append(domain, "abcdefghi.");
  g_string_append(domain, "nl");
  g_autofree char *far = mailbox_parse(domain->str);
  g_assert_null(far);
  g_string_free(domain, TRUE);
}

static void
test_count_key(void)
{
  static const char *const same[] = {"jan.jansen@example.com", "JAN.Jansen@example.com",
                                     "janjansen+1@example.com",
                                     "j.a.n.jansen+@example.com"};
  for (guint i = 0; i < G_N_ELEMENTS(same); i++) {
    g_autofree char *key = mailbox_count_key(same[i]);
    g_assert_cmpstr(key, ==, "janjansen@example.com");
  }
  g_autofree char *plus = mailbox_count_key("+x@example.com");
  g_assert_cmpstr(plus, ==, "+x@example.com");
  g_assert_cmpstr(mailbox_domain("a@b.nl"), ==, "b.nl");
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_set_nonfatal_assertions();
  g_test_add_func("/mailbox/parse (T14, T15)", test_parse);
  g_test_add_func("/mailbox/long", test_long);
  g_test_add_func("/mailbox/count-key (V11)", test_count_key);
  return g_test_run();
}
