#include "zegelctl/import.h"

#include <string.h>

#include "tests/unit/tap.h"

#define MANY 40

static Book *
parse(const char *text)
{
  g_autoptr(GError) error = NULL;
  Book *book = book_parse("book", text, strlen(text), &error);
  g_assert_no_error(error);
  return book;
}

/* What becomes of the book TEXT when TEMPLATE's network gets the domains of WORDS. */
static char *
import(const char *text, const char *template, const char *words, const char *counts,
       gboolean drastic)
{
  g_autoptr(Book) book = parse(text);
  g_autoptr(Book) of_template = parse(template);
  g_autoptr(GPtrArray) entries = book_entries(of_template);
  g_auto(GStrv) domains = g_strsplit(words, " ", -1);
  g_autoptr(GPtrArray) list = g_ptr_array_new();
  for (char **domain = domains; *domain != NULL; domain++)
    if (**domain != '\0')
      g_ptr_array_add(list, *domain);
  g_autoptr(Import) plan = import_plan(book, entries->pdata[0], list);
  g_autofree char *said =
      g_strdup_printf("+%u -%u ~%u =%u %u", plan->added->len, plan->removed->len,
                      plan->changed->len, plan->kept, plan->others->len);
  g_assert_cmpstr(said, ==, counts);
  g_assert_cmpint(import_is_drastic(plan), ==, drastic);
  return g_string_free(edit_apply(plan->edit, text, strlen(text)), FALSE);
}

#define HEAD "# by hand\npartner.nl\t[mx.partner.nl] dane-only # ours\n"
#define TAIL "last.nl last.nl secure\n"
#define NET  " [hub.nl]:25 secure network=zorg\n"

static const struct {
  const char *before, *domains, *counts, *after;
} rows[] = {
    {"", "a.nl b.nl", "+2 -0 ~0 =0 0", "a.nl" NET "b.nl" NET},
    {HEAD "a.nl" NET "b.nl" NET TAIL, "b.nl a.nl", "+0 -0 ~0 =2 0",
     HEAD "a.nl" NET "b.nl" NET TAIL},
    {HEAD "a.nl" NET "b.nl" NET TAIL, "b.nl c.nl d.nl", "+2 -1 ~0 =1 0",
     HEAD "b.nl" NET "c.nl" NET "d.nl" NET TAIL},
    /* another spelling of the same is kept as it is written */
    {"A.nl   [HUB.nl] secure\tnetwork=zorg # x\n", "a.nl", "+0 -0 ~0 =1 0",
     "A.nl   [HUB.nl] secure\tnetwork=zorg # x\n"},
    {"a.nl [old.nl]:25 secure network=zorg # x\n", "a.nl", "+0 -0 ~1 =0 0",
     "a.nl [hub.nl]:25 secure network=zorg # x\n"},
    /* a line by hand, or of another network, is somebody's decision */
    {HEAD "q.nl [q.nl]:25 dane-only network=other\n", "partner.nl q.nl a.nl",
     "+1 -0 ~0 =0 2", HEAD "q.nl [q.nl]:25 dane-only network=other\na.nl" NET},
    {HEAD "a.nl" NET TAIL, "", "+0 -1 ~0 =0 0", HEAD TAIL},
};

static void
test_rows(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("row %u", i);
    g_autofree char *after = import(rows[i].before, "t.nl [hub.nl] secure network=zorg",
                                    rows[i].domains, rows[i].counts, FALSE);
    g_assert_cmpstr(after, ==, rows[i].after);
  }
}

/* A network of COUNT domains of which only the first KEPT are in the list. */
static void
try_removal(guint count, guint kept, gboolean drastic)
{
  g_autoptr(GString) text = g_string_new(NULL);
  g_autoptr(GString) words = g_string_new(NULL);
  for (guint i = 0; i < count; i++) {
    g_string_append_printf(text, "d%u.nl" NET, i);
    if (i < kept)
      g_string_append_printf(words, "d%u.nl ", i);
  }
  g_autofree char *counts = g_strdup_printf("+0 -%u ~0 =%u 0", count - kept, kept);
  g_autofree char *after =
      import(text->str, "t.nl [hub.nl] secure network=zorg", words->str, counts, drastic);
  g_assert_nonnull(after);
}

static void
test_drastic(void)
{
  try_removal(20, 0, FALSE);
  try_removal(21, 0, TRUE);
  try_removal(MANY, MANY / 2, FALSE);
  try_removal(MANY, MANY / 2 - 1, TRUE);
}

#define LINES 200

/* More lines than a hash table has in order by chance. */
static void
test_many_in_order(void)
{
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < LINES; i++)
    g_string_append_printf(text, "d%u.nl" NET, i * 7919 % LINES);
  g_autoptr(Book) book = parse(text->str);
  g_autoptr(GPtrArray) entries = import_entries(book, "zorg");
  g_assert_cmpuint(entries->len, ==, LINES);
  for (guint i = 0; i < LINES; i++)
    g_assert_cmpuint(((const BookEntry *) entries->pdata[i])->line, ==, i + 1);
}

static void
test_entries_in_order(void)
{
  g_autoptr(Book) book = parse("z.nl a.nl secure\n\na.nl a.nl secure network=x\n"
                               "m.nl a.nl secure network=y\nb.nl a.nl secure network=x\n");
  static const struct {
    const char *network, *domains;
  } wanted[] = {{NULL, "z.nl a.nl m.nl b.nl"}, {"x", "a.nl b.nl"}, {"", "z.nl"}, {"q", ""}};
  for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
    g_autoptr(GPtrArray) entries = import_entries(book, wanted[i].network);
    g_autoptr(GString) found = g_string_new(NULL);
    for (guint n = 0; n < entries->len; n++)
      g_string_append_printf(found, "%s%s", n > 0 ? " " : "",
                             ((const BookEntry *) entries->pdata[n])->domain);
    g_assert_cmpstr(found->str, ==, wanted[i].domains);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/import/what a list changes", test_rows);
  g_test_add_func("/import/half of a network does not go unasked", test_drastic);
  g_test_add_func("/import/entries come in the order of their lines",
                  test_entries_in_order);
  g_test_add_func("/import/so do many", test_many_in_order);
  return g_test_run();
}
