/* Addresses and networks. */
#include "common/base/network.h"

static void
test_parse(void)
{
  static const struct {
    const char *text, *written; /* NULL: no network */
  } rows[] = {
      {"192.0.2.0/24", "192.0.2.0/24"},
      {"192.0.2.128/25", "192.0.2.128/25"},
      {"192.0.2.1", "192.0.2.1"},
      {"192.0.2.1/32", "192.0.2.1"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"2001:DB8:0::/32", "2001:db8::/32"},
      {"2001:db8::1", "2001:db8::1"},
      {"::/0", "::/0"},
      {"fe80::/10", "fe80::/10"},
      {"192.0.2.1/24", NULL},
      {"192.0.2.0/33", NULL},
      {"192.0.2.0/-1", NULL},
      {"192.0.2.0/", NULL},
      {"192.0.2.0/24 ", NULL},
      {"/24", NULL},
      {"192.0.2", NULL},
      {"192.0.2.0/24/24", NULL},
      {"2001:db8::1/32", NULL},
      {"2001:db8::/129", NULL},
      {"example.nl", NULL},
      {"", NULL},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    Network network;
    gboolean good = network_parse(rows[i].text, &network);
    g_test_message("%s", rows[i].text);
    g_assert_cmpint(good, ==, rows[i].written != NULL);
    g_autofree char *written = good ? network_to_string(&network) : NULL;
    g_assert_cmpstr(written, ==, rows[i].written);
  }
  Network none;
  g_assert_false(network_parse_address(NULL, &none));
  g_assert_false(network_parse_address("192.0.2.0/24", &none));
}

static void
test_contains(void)
{
  static const struct {
    const char *network, *address;
    gboolean inside;
  } rows[] = {
      {"192.0.2.0/24", "192.0.2.255", TRUE},
      {"192.0.2.0/24", "192.0.3.0", FALSE},
      {"192.0.2.128/25", "192.0.2.127", FALSE},
      {"192.0.2.128/25", "192.0.2.128", TRUE},
      {"192.0.2.1", "192.0.2.1", TRUE},
      {"192.0.2.1", "192.0.2.2", FALSE},
      {"0.0.0.0/0", "203.0.113.9", TRUE},
      {"0.0.0.0/0", "::1", FALSE},
      {"::/0", "127.0.0.1", FALSE},
      {"2001:db8::/33", "2001:db8:7fff::1", TRUE},
      {"2001:db8::/33", "2001:db8:8000::1", FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    Network network, address;
    g_test_message("%s %s", rows[i].network, rows[i].address);
    g_assert_true(network_parse(rows[i].network, &network));
    g_assert_true(network_parse_address(rows[i].address, &address));
    g_assert_cmpint(network_contains(&network, &address), ==, rows[i].inside);
  }
}

static void
test_loopback(void)
{
  static const char *const ours[] = {"127.0.0.1", "127.255.0.1", "::1", "::ffff:127.0.0.1"};
  static const char *const others[] = {"128.0.0.1", "::",       "::2",
                                       "1::1",      "10.0.0.1", "::ffff:128.0.0.1"};
  Network address;
  for (gsize i = 0; i < G_N_ELEMENTS(ours); i++)
    g_assert_true(network_parse_address(ours[i], &address) &&
                  network_is_loopback(&address));
  for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
    g_assert_true(network_parse_address(others[i], &address) &&
                  !network_is_loopback(&address));
}

/* T26: whoever has a network of his own is one client, whatever address of it he takes. */
static void
test_count_key(void)
{
  static const struct {
    const char *text, *key;
  } rows[] = {
      {"192.0.2.1", "192.0.2.1"},
      {"192.0.2.2", "192.0.2.2"},
      {"2001:db8:1:2::1", "2001:db8:1:2::/64"},
      {"2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"},
      {"2001:db8:1:3::1", "2001:db8:1:3::/64"},
      {"::1", "::/64"},
      {"localhost", "unknown"},
      {"", "unknown"},
      {NULL, "unknown"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *key = network_count_key(rows[i].text);
    g_assert_cmpstr(key, ==, rows[i].key);
  }
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/network/parse", test_parse);
  g_test_add_func("/network/contains", test_contains);
  g_test_add_func("/network/loopback", test_loopback);
  g_test_add_func("/network/count-key (T26)", test_count_key);
  return g_test_run();
}
