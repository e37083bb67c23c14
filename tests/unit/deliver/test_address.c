#include "deliver/address.h"
#include "tests/unit/tap.h"

static const struct {
  const char *a;
  const char *b;
  gboolean equal;
} rows[] = {
    {"jan@example.nl", "jan@example.nl", TRUE},
    {"jan@example.nl", "jan@EXAMPLE.nl", TRUE},
    {"jan@example.nl", "Jan@example.nl", FALSE},
    {"jan@example.nl", "jan@example.com", FALSE},
    {"jan@example.nl", "jana@example.nl", FALSE},
    {"\"jan\"@example.nl", "jan@example.nl", TRUE},
    {"\"j\\an\"@example.nl", "jan@example.nl", TRUE},
    {"\"a b\"@example.nl", "\"a b\"@example.nl", TRUE},
    {"\"a b\"@example.nl", "\"a\\ b\"@example.nl", TRUE},
    {"\"a b\"@example.nl", "\"a  b\"@example.nl", FALSE},
    {"\"a\\\"b\"@example.nl", "\"a\\\\b\"@example.nl", FALSE},
    {"\"a@b\"@example.nl", "\"a@b\"@example.nl", TRUE},
    {"\"a@b\"@example.nl", "\"a\"@example.nl", FALSE},
    {"\"@example.nl", "@example.nl", FALSE},
    {"\"\"@example.nl", "@example.nl", TRUE},
    {"jan", "jan", FALSE},
    {"", "", FALSE},
};

static void
test_rows(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("%s %s", rows[i].a, rows[i].b);
    g_assert_cmpint(address_equal(rows[i].a, rows[i].b), ==, rows[i].equal);
    g_assert_cmpint(address_equal(rows[i].b, rows[i].a), ==, rows[i].equal);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/deliver/address/rows", test_rows);
  return g_test_run();
}
