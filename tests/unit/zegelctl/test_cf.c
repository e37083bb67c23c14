#include "zegelctl/cf.h"

#include <string.h>

#include "tests/unit/tap.h"

/* ---- Entries ---- */

static const char main_cf[] = "# first\n"
                              "a = 1\n"
                              "  # within\n"
                              "\n"
                              "  2\n"
                              "# between\n"
                              "b=x\n"
                              "a = 3\n"
                              "c = last";

static void
test_unchanged(void)
{
  static const char *const texts[] = {main_cf,    "",        "\n",
                                      "# only\n", "  odd\n", "a\n b\n\n#c"};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++)
    for (guint kind = CF_MAIN; kind <= CF_MASTER; kind++) {
      g_autoptr(Cf) cf = cf_parse((CfKind) kind, texts[i]);
      g_autofree char *text = cf_text(cf);
      g_assert_cmpstr(text, ==, texts[i]);
    }
}

static void
test_entries(void)
{
  g_autoptr(Cf) cf = cf_parse(CF_MAIN, main_cf);
  g_autoptr(GPtrArray) keys = cf_keys(cf);
  g_autofree char *a = cf_entry(cf, "a");
  g_autofree char *none = cf_entry(cf, "d");
  g_assert_cmpuint(keys->len, ==, 3);
  g_assert_cmpstr(keys->pdata[0], ==, "a");
  g_assert_cmpstr(keys->pdata[2], ==, "c");
  g_assert_cmpstr(a, ==, "a = 1\n  # within\n\n  2\na = 3\n");
  g_assert_null(none);
}

static void
test_put(void)
{
  g_autoptr(Cf) cf = cf_parse(CF_MAIN, main_cf);
  cf_put(cf, "a", "a = 4\n");
  cf_put(cf, "b", NULL);
  cf_put(cf, "d", "d = new\n");
  cf_append(cf, "# why\ne = 5\n");
  g_autofree char *text = cf_text(cf);
  g_assert_cmpstr(text, ==,
                  "# first\na = 4\n# between\nc = last\nd = new\n" CF_BEGIN
                  "# why\ne = 5\n" CF_END);
}

/* ---- Options ---- */

static const char smtp[] = "smtp  inet n - y - - smtpd\n"
                           "  -o a=1 -o { b = x y }\n"
                           "# -o c=comment\n"
                           "  -o a=2\n";

static const struct {
  const char *name, *value, *entry;
} options[] = {
    {"d", "4",
     "smtp  inet n - y - - smtpd\n  -o a=1 -o { b = x y }\n# -o c=comment\n"
     "  -o a=2\n  -o d=4\n"},
    {"b", "z", "smtp  inet n - y - - smtpd\n  -o a=1 -o b=z\n# -o c=comment\n  -o a=2\n"},
    {"a", "p q",
     "smtp  inet n - y - - smtpd\n  -o { a = p q } -o { b = x y }\n"
     "# -o c=comment\n"},
    {"a", NULL, "smtp  inet n - y - - smtpd -o { b = x y }\n# -o c=comment\n"},
    {"b", NULL, "smtp  inet n - y - - smtpd\n  -o a=1\n# -o c=comment\n  -o a=2\n"},
    {"c", NULL, smtp},
    {"b", "", "smtp  inet n - y - - smtpd\n  -o a=1 -o b=\n# -o c=comment\n  -o a=2\n"},
};

static void
test_set_option(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
    g_autofree char *entry = cf_set_option(smtp, options[i].name, options[i].value);
    g_assert_cmpstr(entry, ==, options[i].entry);
  }
  g_autofree char *open_end = cf_set_option("smtp inet n - y - - smtpd", "a", "1");
  g_assert_cmpstr(open_end, ==, "smtp inet n - y - - smtpd\n  -o a=1\n");
}

static void
test_options(void)
{
  g_autoptr(GHashTable) found = cf_options(smtp);
  g_assert_cmpuint(g_hash_table_size(found), ==, 2);
  g_assert_cmpstr(g_hash_table_lookup(found, "a"), ==,
                  "2"); /* as in Postfix the last counts */
  g_assert_cmpstr(g_hash_table_lookup(found, "b"), ==, "x y");
}

static void
test_chroot(void)
{
  g_autofree char *no = cf_set_chroot("smtp inet n  -  y - - smtpd\n  -o y=n\n", FALSE);
  g_autofree char *yes = cf_set_chroot("x\tunix\t-\t-\tn\t-\t-\tsmtp\n", TRUE);
  g_assert_cmpstr(no, ==, "smtp inet n  -  n - - smtpd\n  -o y=n\n");
  g_assert_cmpstr(yes, ==, "x\tunix\t-\t-\ty\t-\t-\tsmtp\n");
}

/* ---- Taking out ---- */

#define BLOCK CF_BEGIN "# ours\nz = 1\n" CF_END

static const struct {
  CfKind kind;
  const char *before, *after, *current, *expected, *conflicts;
} rows[] = {
    /* nothing else was changed */
    {CF_MAIN, "a = 1\n", "a = 2\n" BLOCK, "a = 2\n" BLOCK, "a = 1\n", ""},
    /* cut off half-way */
    {CF_MAIN, "a = 1\n", "a = 2\n" BLOCK, "a = 1\n" BLOCK, "a = 1\n", ""},
    {CF_MAIN, "a = 1\n", "a = 2\n" BLOCK, "a = 1\n", "a = 1\n", ""},
    /* others were changed, added, taken out; laid out anew */
    {CF_MAIN, "a = 1\nb = 1\n# c\n", "a = 2\nb = 1\n# c\n" BLOCK,
     "a=2\nb = 5\n" BLOCK "n = 1\n", "a = 1\nb = 5\nn = 1\n", ""},
    /* a line of somebody between our marks stays */
    {CF_MAIN, "", BLOCK, CF_BEGIN "# ours\n# mine\nz = 1\nm = 1\n" CF_END,
     "# mine\nm = 1\n", ""},
    /* a list loses our words */
    {CF_MAIN, "a = x, y\n", "a = o x, y p\n", "a = o x,y n p\n", "a = x y n\n", ""},
    {CF_MAIN, "a = x { b c }\n", "a = { o p } x { b c }\n", "a = { o p } n\n", "a = n\n",
     ""},
    /* what is not clear stays */
    {CF_MAIN, "a = x\n", "a = o:{x}\n", "a = o:{x y}\n", "a = o:{x y}\n", "a"},
    {CF_MAIN, "a = x\n", "a = o x\n", "a = x n\n", "a = x n\n", "a"},
    {CF_MAIN, "", BLOCK, "z = 2\n", "z = 2\n", "z"},
    /* whoever took ours out did that */
    {CF_MAIN, "", BLOCK, "", "", ""},
    /* services */
    {CF_MASTER, "s inet n - y - - smtpd\n", "s inet n - y - - smtpd\n  -o a=1\n",
     "s inet n - y - - smtpd -o a=1 -o b=2\n", "s inet n - y - - smtpd -o b=2\n", ""},
    {CF_MASTER, "s inet n - y - - smtpd\n  -o a=0\n", "s inet n - y - - smtpd\n  -o a=1\n",
     "s inet n - n - - smtpd\n  -o a=1\n", "s inet n - n - - smtpd\n  -o a=0\n", ""},
    {CF_MASTER, "s inet n - y - - smtpd\n", "s inet n - y - - smtpd\n  -o a=1\n",
     "s inet n - y - - smtpd\n  -o a=2\n", "s inet n - y - - smtpd\n  -o a=2\n", "s/inet"},
};

static void
test_take_out(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GPtrArray) conflicts = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *text = cf_take_out(rows[i].kind, rows[i].before, rows[i].after,
                                        rows[i].current, conflicts);
    g_ptr_array_add(conflicts, NULL);
    g_autofree char *list = g_strjoinv(" ", (char **) conflicts->pdata);
    g_assert_cmpstr(text, ==, rows[i].expected);
    g_assert_cmpstr(list, ==, rows[i].conflicts);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/cf/what is not changed stays, byte for byte", test_unchanged);
  g_test_add_func("/cf/entries", test_entries);
  g_test_add_func("/cf/put", test_put);
  g_test_add_func("/cf/options are set, replaced and taken out", test_set_option);
  g_test_add_func("/cf/options are read", test_options);
  g_test_add_func("/cf/chroot", test_chroot);
  g_test_add_func("/cf/what was done is taken out again", test_take_out);
  return g_test_run();
}
