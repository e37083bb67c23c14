#include "zegelctl/published.h"

#include <string.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

/* A list, and what is read: the header and the domains, joined by spaces. */
static const struct {
  const char *text;
  const char *header;
  const char *domains;
} good[] = {
    {"Domein\nhuisarts.nl\napotheek.nl\n", "Domein", "huisarts.nl apotheek.nl"},
    {"\xef\xbb\xbf"
     "Domein\r\nhuisarts.nl\r\napotheek.nl\r\n",
     "Domein", "huisarts.nl apotheek.nl"},
    {"\"Domeinen van 1 november\";\n\"huisarts.nl\";\n'apotheek.nl',\n  @lab.nl ; ,\n",
     "Domeinen van 1 november", "huisarts.nl apotheek.nl lab.nl"},
    {"\n\nDomein\n\n\nHUISARTS.NL.\n\t\n huisarts.nl\nHuisArts.nl", "Domein",
     "huisarts.nl"},
    {"Domein\nm\xc3\xbcller.example\nxn--mller-kva.example\n", "Domein",
     "xn--mller-kva.example"},
    {"Domein\nm\xc3\x9cLLER.example", "Domein", "xn--mller-kva.example"},
    {"huisarts.nl\napotheek.nl", "", "huisarts.nl apotheek.nl"},
    {"Domein\na_b.nl\na-b.nl\n1.nl\na.b.c.d.nl", "Domein", "a_b.nl a-b.nl 1.nl a.b.c.d.nl"},
    {"Domein", "Domein", ""},
    {"\n \n;\n", "", ""},
    {"", "", ""},
};

static void
test_good(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Published) list =
        published_parse("list", good[i].text, strlen(good[i].text), &error);
    g_test_message("row %u", i);
    g_assert_no_error(error);
    g_assert_cmpstr(list->header, ==, good[i].header);
    g_ptr_array_add(list->domains, NULL);
    g_autofree char *domains = g_strjoinv(" ", (char **) list->domains->pdata);
    g_assert_cmpstr(domains, ==, good[i].domains);
  }
}

/* A list that is refused, and the start of the message. */
static const struct {
  const char *text;
  const char *message;
} bad[] = {
    {"Domein\nhuisarts.nl\nhuisarts nl\n", "list:3: \"huisarts nl\""},
    {"Domein\nversie 2\nhuisarts.nl\n", "list:2: \"versie 2\""},
    {"Domein\nhuisarts.nl;Huisarts De Linden\n", "list:2: "},
    {"Domein\n*.huisarts.nl\n", "list:2: "},
    {"Domein\njan@huisarts.nl\n", "list:2: "},
    {"Domein\n192.0.2.1\n", "list:2: "},
    {"Domein\nhuisarts\n", "list:2: "},
    {"Domein\nhuis..arts.nl\n", "list:2: "},
    {"Domein\nhuisarts.nl#oud\n", "list:2: "},
    {"Domein\nhuisarts.nl [a.nl]:25 secure #\n", "list:2: "},
    {"Domein\na.zegel.internal\n", "list:2: "},
    {"Domein\nstra\xc3\x9f"
     "e.example\n",
     "list:2: "},
    {"Domein\n\xff\xfe.nl\n", "list:2: "},
    {"Domein\n" L63 "." L63 "." L63 "." L63 "\n", "list:2: "},
    {"<!DOCTYPE html>\n<html>\n", "list:2: \"<html>\""},
};

static void
test_bad(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Published) list =
        published_parse("list", bad[i].text, strlen(bad[i].text), &error);
    g_test_message("row %u", i);
    g_assert_null(list);
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
    g_assert_true(g_str_has_prefix(error->message, bad[i].message));
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
  }
}

static void
test_nul(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Published) list = published_parse("list", "a.nl\nb\0.nl", 10, &error);
  g_assert_null(list);
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
}

static void
test_round_trip(void)
{
  static const char text[] = "Domein\nhuisarts.nl\nxn--mller-kva.example\n";
  g_autoptr(Published) list = published_parse("list", text, strlen(text), NULL);
  g_autofree char *again = published_format(list->header, list->domains);
  g_assert_cmpstr(again, ==, text);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/published/what is read", test_good);
  g_test_add_func("/published/what is refused, with its line", test_bad);
  g_test_add_func("/published/NUL is refused", test_nul);
  g_test_add_func("/published/what is written is read the same", test_round_trip);
  return g_test_run();
}
