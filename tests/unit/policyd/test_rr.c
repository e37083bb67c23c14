#include "policyd/rr.h"

#include <string.h>

#include "tests/unit/tap.h"

/* Octets with their length; the NUL of the literal is not one of them. */
#define OCTETS(literal) literal, sizeof(literal) - 1
#define L63             "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static void
test_txt(void)
{
  static const struct {
    const char *octets;
    gsize len;
    const char *text; /* NULL: damaged */
    gsize text_len;
  } rows[] = {
      {OCTETS("\5hello"), OCTETS("hello")},
      {OCTETS("\2he\3llo"), OCTETS("hello")},
      {OCTETS("\2he\0\1x"), OCTETS("hex")},
      {OCTETS(""), OCTETS("")},
      {OCTETS("\0"), OCTETS("")},
      {OCTETS("\3a\0b"), OCTETS("a\0b")},
      {OCTETS("\1"), NULL, 99},
      {OCTETS("\6hello"), NULL, 99},
      {OCTETS("\2he\4llo"), NULL, 99},
      {OCTETS("\377x"), NULL, 99},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GBytes) rdata = g_bytes_new(rows[i].octets, rows[i].len);
    gsize len = 99;
    g_test_message("row %u", i);
    g_autofree char *text = rr_txt(rdata, &len);
    g_assert_cmpint(text != NULL, ==, rows[i].text != NULL);
    g_assert_cmpuint(len, ==, rows[i].text_len);
    if (text == NULL)
      continue;
    g_assert_cmpmem(text, len, rows[i].text, rows[i].text_len);
    g_assert_cmpint(text[len], ==, '\0');
  }
}

static void
test_mx(void)
{
  static const struct {
    const char *octets;
    gsize len;
    const char *host; /* NULL: damaged */
    guint preference;
  } rows[] = {
      {OCTETS("\0\12\4mail\1x\2nl\0"), "mail.x.nl", 10},
      {OCTETS("\1\2\4MAIL\1x\2nl\0"), "mail.x.nl", 258},
      {OCTETS("\0\0\0"), "", 0},
      {OCTETS("\377\377\1_\0"), "_", 65535},
      {OCTETS("\0\0\3a.b\0"), "a?b", 0},
      {OCTETS("\0\0\3a\0b\0"), "a?b", 0},
      {OCTETS("\0\0\3a b\2\377\n\0"), "a?b.??", 0},
      {OCTETS("\0\0\077" L63 "\0"), L63, 0},
      {OCTETS(""), NULL, 0},
      {OCTETS("\0\12"), NULL, 0},
      {OCTETS("\0\12\4mail"), NULL, 0},
      {OCTETS("\0\12\4mai"), NULL, 0},
      {OCTETS("\0\12\4mail\0\0"), NULL, 0},
      {OCTETS("\0\12\4mail\0x"), NULL, 0},
      {OCTETS("\0\12\300\14"), NULL, 0},
      {OCTETS("\0\12\100" L63 "a\0"), NULL, 0},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GBytes) rdata = g_bytes_new(rows[i].octets, rows[i].len);
    g_autofree char *host = NULL;
    guint preference = 0;
    g_test_message("row %u", i);
    g_assert_cmpint(rr_mx(rdata, &preference, &host), ==, rows[i].host != NULL);
    g_assert_cmpstr(host, ==, rows[i].host);
    if (host != NULL)
      g_assert_cmpuint(preference, ==, rows[i].preference);
  }
}

/* 127 labels are the most that fit in the 255 octets of a name. */
static void
test_labels(void)
{
  for (guint labels = 127; labels <= 129; labels++) {
    g_autoptr(GByteArray) octets = g_byte_array_new();
    g_autofree char *host = NULL;
    guint preference;
    g_byte_array_append(octets, (const guint8 *) "\0\0", 2);
    for (guint i = 0; i < labels; i++)
      g_byte_array_append(octets, (const guint8 *) "\1a", 2);
    g_byte_array_append(octets, (const guint8 *) "", 1);
    g_autoptr(GBytes) rdata = g_bytes_new(octets->data, octets->len);
    g_assert_cmpint(rr_mx(rdata, &preference, &host), ==, labels == 127);
  }
}

static void
test_tlsa(void)
{
  guint usage = 99, selector = 99, matching = 99;
  gsize data_len = 99;
  g_autoptr(GBytes) good = g_bytes_new(OCTETS("\3\1\2abc"));
  g_assert_true(rr_tlsa(good, &usage, &selector, &matching, &data_len));
  g_assert_cmpuint(usage, ==, 3);
  g_assert_cmpuint(selector, ==, 1);
  g_assert_cmpuint(matching, ==, 2);
  g_assert_cmpuint(data_len, ==, 3);
  for (gsize len = 0; len <= 3; len++) {
    g_autoptr(GBytes) cut = g_bytes_new("\3\1\2", len);
    g_assert_false(rr_tlsa(cut, &usage, &selector, &matching, &data_len));
  }
}

static void
test_text(void)
{
  static const struct {
    guint16 type;
    const char *octets;
    gsize len;
    const char *text;
  } rows[] = {
      {RR_TXT, OCTETS("\2v=\2x\n\1\377"), "v=x??"},
      {RR_TXT, OCTETS("\5x"), ""},
      {RR_MX, OCTETS("\0\12\1m\2nl\0"), "10 m.nl"},
      {RR_MX, OCTETS("\0\0\0"), "0 ."},
      {RR_MX, OCTETS("\0\0"), "0000"},
      {RR_TLSA, OCTETS("\3\1\1\xa1\xb2"), "3 1 1 a1b2"},
      {RR_TLSA, OCTETS("\3\1\1"), "030101"},
      {RR_A, OCTETS("\300\0\2\1"), "c0000201"},
      {RR_A, OCTETS(""), ""},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GBytes) rdata = g_bytes_new(rows[i].octets, rows[i].len);
    g_autofree char *text = rr_text(rows[i].type, rdata);
    g_assert_cmpstr(text, ==, rows[i].text);
  }
}

static void
test_types(void)
{
  g_assert_cmpstr(rr_type_name(RR_TLSA), ==, "TLSA");
  g_assert_cmpstr(rr_type_name(RR_DNSKEY), ==, "DNSKEY");
  g_assert_cmpstr(rr_type_name(9999), ==, "TYPE");
}

static void
test_proved(void)
{
  static const struct {
    DnsOutcome outcome;
    gboolean secure;
    gboolean alias;
    gboolean proved;
  } rows[] = {
      {DNS_DATA, TRUE, FALSE, TRUE},       {DNS_NODATA, TRUE, FALSE, TRUE},
      {DNS_NXDOMAIN, TRUE, FALSE, TRUE},   {DNS_FAILURE, TRUE, FALSE, FALSE},
      {DNS_DATA, FALSE, FALSE, FALSE},     {DNS_DATA, TRUE, TRUE, FALSE},
      {DNS_NXDOMAIN, FALSE, FALSE, FALSE}, {DNS_NODATA, TRUE, TRUE, FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const DnsAnswer answer = {
        .outcome = rows[i].outcome, .secure = rows[i].secure, .alias = rows[i].alias};
    g_assert_cmpint(dns_answer_is_proved(&answer), ==, rows[i].proved);
  }
}

static void
test_answer(void)
{
  DnsAnswer *answer = dns_answer_new("x.nl", RR_TXT);
  g_assert_cmpint(answer->outcome, ==, DNS_FAILURE);
  g_assert_cmpuint(answer->records->len, ==, 0);
  dns_answer_add(answer, "\1a", 2);
  g_assert_cmpint(answer->outcome, ==, DNS_DATA);
  g_assert_true(dns_answer_ref(answer) == answer);
  dns_answer_unref(answer);
  g_assert_cmpstr(answer->name, ==, "x.nl");
  dns_answer_unref(answer);
  dns_answer_unref(NULL);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/rr/txt", test_txt);
  g_test_add_func("/rr/mx", test_mx);
  g_test_add_func("/rr/labels", test_labels);
  g_test_add_func("/rr/tlsa", test_tlsa);
  g_test_add_func("/rr/text", test_text);
  g_test_add_func("/rr/types", test_types);
  g_test_add_func("/rr/proved", test_proved);
  g_test_add_func("/rr/answer", test_answer);
  return g_test_run();
}
