#include "policyd/address.h"

#include "tests/unit/tap.h"

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static const struct {
  const char *text;
  const char *domain;  /* NULL: none */
  const char *spelled; /* NULL with it */
  gboolean plain;
} rows[] = {
    {"jan@example.com", "example.com", "example.com", TRUE},
    {"jan@EXAMPLE.Com", "example.com", "example.com", TRUE},
    {"jan@example.com.", "example.com", "example.com.", TRUE},
    {"\"a@b\"@example.com", "example.com", "example.com", FALSE},
    {"a@b@example.com", "example.com", "example.com", FALSE},
    {"a%b.nl@example.com", "example.com", "example.com", FALSE},
    {"b.nl!a@example.com", "example.com", "example.com", FALSE},
    {"jan+x@example.com", "example.com", "example.com", TRUE},
    {"@example.com", "example.com", "example.com", TRUE},
    {"jan@m\xc3\xbcller.example", "xn--mller-kva.example", "m\xc3\xbcller.example", TRUE},
    {"jan@M\xc3\x9cLLER.Example", "xn--mller-kva.example", "m\xc3\xbcller.example", TRUE},
    {"jan@XN--mller-KVA.example", "xn--mller-kva.example", "xn--mller-kva.example", TRUE},
    {"jan@a_b.example", "a_b.example", "a_b.example", TRUE},
    {"jan@" L63 ".nl", L63 ".nl", L63 ".nl", TRUE},
    {"j\xc3\xb6rg@example.com", "example.com", "example.com", TRUE},

    /* No clear domain */
    {"jan", NULL, NULL, TRUE},
    {"", NULL, NULL, TRUE},
    {"jan@", NULL, NULL, TRUE},
    {"jan@.", NULL, NULL, TRUE},
    {"jan@[192.0.2.1]", NULL, NULL, TRUE},
    {"jan@[IPv6:2001:db8::1]", NULL, NULL, TRUE},
    {"jan@192.0.2.1", NULL, NULL, TRUE},
    {"jan@example..com", NULL, NULL, TRUE},
    {"jan@example.com..", NULL, NULL, TRUE},
    {"jan@.example.com", NULL, NULL, TRUE},
    {"jan@exa mple.com", NULL, NULL, TRUE},
    {"jan@exa\nmple.com", NULL, NULL, TRUE},
    {"jan@" L63 "g.nl", NULL, NULL, TRUE},
    {"jan@\xff\xfe.nl", NULL, NULL, TRUE},
    /* Another domain for Postfix (IDNA2008) than for GLib (strasse.example) */
    {"jan@stra\xc3\x9f"
     "e.example",
     NULL, NULL, TRUE},
    {"jan@a\xe2\x80\x8d"
     "b.example",
     NULL, NULL, TRUE},
};

static void
test_addresses(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(Address) address = {(char *) "wrong", (char *) "wrong", !rows[i].plain};
    g_test_message("row %u", i);
    address_read(rows[i].text, &address);
    g_assert_cmpstr(address.domain, ==, rows[i].domain);
    g_assert_cmpstr(address.spelled, ==, rows[i].spelled);
    g_assert_cmpint(address.local_is_plain, ==, rows[i].plain);
  }
}

static void
test_longest(void)
{
  /* 253 octets is the longest name (RFC 1035 2.3.4), with and without the root's dot. */
  static const char longest[] =
      L63 "." L63 "." L63 "."
          "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffff"
          "fff.";
  g_autofree char *good = domain_canonical(longest);
  g_assert_nonnull(good);
  g_autofree char *text = g_strconcat("x", longest, NULL);
  g_autofree char *bad = domain_canonical(text);
  g_assert_null(bad);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/address/table", test_addresses);
  g_test_add_func("/address/longest", test_longest);
  return g_test_run();
}
