/* Single header fields: decoded, encoded back, and who is in them. */
#include "common/mail/header.h"

#include <string.h>

#include "tests/unit/tap.h"

static const struct {
  const char *raw, *text;
} decoded[] = {
    {"uitslag", "uitslag"},
    {"  uitslag ", "uitslag"},
    {"", ""},
    {"a\n b", "a b"},
    {"a\r\n\tb", "a b"},
    {"a\n", "a"},
    {"=?utf-8?Q?SMS_0612345678_=C3=A9?=", "SMS 0612345678 \xc3\xa9"},
    {"=?UTF-8?B?U01TIDA2MTIzNDU2Nzg=?=", "SMS 0612345678"},
    {"=?utf-8?b?U01TIDA2MTIzNDU2Nzg?=", "SMS 0612345678"}, /* without padding */
    /* neighbours are joined, also when the first is padded: GMime alone loses the rest */
    {"=?utf-8?B?U01TIDA2MTI=?=\n =?utf-8?B?MzQ1Njc4IHg=?= y", "SMS 0612345678 x y"},
    {"=?utf-8?B?U01TIDA2MTI=?=\r\n\t=?UTF-8?B?MzQ1Njc4?=", "SMS 0612345678"},
    {"=?utf-8?Q?S?= =?utf-8?Q?MS_06?=", "SMS 06"},
    {"=?utf-8?B?U00=?= =?utf-8?Q?S_06?=", "SMS 06"},
    /* a character that is cut in two */
    {"=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=", "caf\xc3\xa9"},
    {"=?utf-8?B?Y2Fmww==?= =?utf-8?B?qQ==?=", "caf\xc3\xa9"},
    /* other character sets */
    {"=?iso-8859-1?Q?caf=E9?=", "caf\xc3\xa9"},
    {"=?windows-1252?Q?=80_caf=E9?=", "\xe2\x82\xac caf\xc3\xa9"},
    {"=?iso-8859-15?Q?=A4?=", "\xe2\x82\xac"},
    {"=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=", "\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88"},
    {"=?utf-16le?B?UwBNAFMA?=", "SMS"},
    {"=?utf-8*nl?Q?SMS?=", "SMS"},
    {"=?x-unknown?Q?SMS_06?=", "SMS 06"},
    /* words that stand too close */
    {"SMS=?utf-8?Q?_06?=", "SMS 06"},
    /* raw bytes */
    {"caf\xc3\xa9", "caf\xc3\xa9"},
    {"caf\xe9 \x80", "caf\xc3\xa9 \xe2\x82\xac"},
    /* what is no encoded word stays */
    {"=?utf-8?Q?SMS", "=?utf-8?Q?SMS"},
    {"=?utf-8?X?SMS?=", "=?utf-8?X?SMS?="},
    {"=?", "=?"},
    {"=??Q?x?=", "=??Q?x?="},
    /* nothing that could end a line or hide (T14) */
    {"=?utf-8?Q?a=0D=0ABcc:_x?=", "a  Bcc: x"},
    {"=?utf-8?B?YQ0KYg==?=", "a  b"},
    {"=?utf-8?Q?a=E2=80=A8b?=", "a b"},
    {"a\x01"
     "b",
     "a b"},
};

static void
test_decode(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(decoded); i++) {
    g_autofree char *text = mail_decode_text(decoded[i].raw);
    g_test_message("row %u: %s", i, decoded[i].raw);
    g_assert_cmpstr(text, ==, decoded[i].text);
  }
}

/* VALUE NULL: encoded words; else the exact value. */
static const struct {
  const char *text, *value;
} encoded[] = {
    {"uitslag", "uitslag"},
    {"", ""},
    {" uitslag ", "uitslag"},
    {"a  b", "a  b"},
    {"Re: uitslag (2024) = \"x\"?", "Re: uitslag (2024) = \"x\"?"},
    {"caf\xc3\xa9", "=?UTF-8?B?Y2Fmw6k=?="},
    {"=?utf-8?Q?x?= is no word", NULL},
    {"a =?b", NULL},
    {"\xe2\x82\xac 12345678901234567890123456789012345678901234567890 \xe2\x82\xac", NULL},
    {"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
     "\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
     "\xf0\x9f\x98\x80",
     NULL},
    {"one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
     "fifteen",
     "one two three four five six seven eight nine ten eleven twelve\n thirteen fourteen "
     "fifteen"},
    {"one two three four five six seven eight nine ten eleven twelve   thirteen",
     "one two three four five six seven eight nine ten eleven twelve\n   thirteen"},
};

static void
assert_lines(const char *value, gsize first_column)
{
  g_auto(GStrv) lines = g_strsplit(value, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    g_assert_cmpuint(strlen(lines[i]) + (i == 0 ? first_column : 0), <=, 76);
    g_autofree char *stripped = g_strstrip(g_strdup(lines[i]));
    g_assert_true(*stripped != '\0' || lines[1] == NULL);
    g_assert_true(i == 0 || lines[i][0] == ' ');
  }
  for (const char *p = value; *p != '\0'; p++)
    g_assert_true(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
}

static void
test_encode(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(encoded); i++) {
    g_autofree char *value = mail_encode_text(encoded[i].text, strlen("Subject"));
    g_test_message("row %u: %s", i, encoded[i].text);
    if (encoded[i].value != NULL)
      g_assert_cmpstr(value, ==, encoded[i].value);
    assert_lines(value, strlen("Subject: "));
    g_autofree char *back = mail_decode_text(value);
    g_autofree char *text = g_strstrip(g_strdup(encoded[i].text));
    g_assert_cmpstr(back, ==, text);
  }
}

/* A word that no line can hold must be broken, and only an encoded word can be. */
static void
test_long_word(void)
{
  g_autofree char *word = g_strnfill(5000, 'x');
  g_autofree char *value = mail_encode_text(word, strlen("Subject"));
  g_autofree char *back = mail_decode_text(value);
  assert_lines(value, strlen("Subject: "));
  g_assert_cmpstr(back, ==, word);
}

/* No text can make a line of its own (T14). */
static void
test_no_injection(void)
{
  g_autofree char *value = mail_encode_text("a\r\nBcc: x@y.nl\n\n.\xe2\x80\xa8z", 7);
  g_assert_cmpstr(value, ==, "a  Bcc: x@y.nl  . z");
  g_autofree char *broken = mail_encode_text("a\xff", 7);
  g_autofree char *back = mail_decode_text(broken);
  g_assert_cmpstr(back, ==, "a\xef\xbf\xbd");
}

static void
test_display_name(void)
{
  static const struct {
    const char *raw, *name;
  } rows[] = {
      {"Jan Jansen <jan@own.nl>", "Jan Jansen"},
      {"\"Jansen, J.\" <jan@own.nl>", "Jansen, J."},
      {"=?utf-8?Q?J=C3=A1n?= <jan@own.nl>", "J\xc3\xa1n"},
      {"=?utf-8?B?SsOh?=\n =?utf-8?B?bg==?= <jan@own.nl>", "J\xc3\xa1n"},
      {"j\xe1n <jan@own.nl>", "j\xc3\xa1n"},
      {"jan@own.nl (Jan)", "Jan"},
      {"jan@own.nl", ""},
      {"<jan@own.nl>", ""},
      {"Praktijk: Jan <jan@own.nl>, Piet <p@own.nl>;", "Jan"},
      {"A <a@own.nl>, B <b@own.nl>", "A"},
      {"=?utf-8?Q?a=0D=0Ab?= <jan@own.nl>", "a  b"},
      {"", ""},
      {"niemand:;", ""},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *name = mail_display_name(rows[i].raw);
    g_test_message("row %u: %s", i, rows[i].raw);
    g_assert_cmpstr(name, ==, rows[i].name);
  }
  g_autoptr(GString) raw = g_string_new("\"");
  for (guint i = 0; i < 1000; i++)
    g_string_append(raw, "\xe2\x82\xac");
  g_string_append(raw, "\" <jan@own.nl>");
  g_autofree char *cut = mail_display_name(raw->str);
  g_assert_cmpuint(strlen(cut), ==, 255); /* 85 characters of three octets */
  g_assert_true(g_utf8_validate(cut, -1, NULL));
}

static void
test_domains(void)
{
  static const struct {
    const char *raw, *domains; /* joined with a bar */
  } rows[] = {
      {"Jan <jan@own.nl>", "own.nl"},
      {"jan@OWN.nl", "own.nl"},
      {"jan@own.nl, Eva <eva@evil.nl>", "own.nl|evil.nl"},
      {"G: a@own.nl, b@evil.nl;, c@x.nl", "own.nl|evil.nl|x.nl"},
      {"jan@own.nl; eva@evil.nl", "own.nl|evil.nl"},
      {"jan@own.nl@evil.nl", "own.nl|evil.nl"},
      {"eva@evil.nl <jan@own.nl>", "evil.nl|own.nl"},
      {"\"eva@evil.nl\" <jan@own.nl>", "own.nl"},
      {"\"a \\\" @evil.nl\" <jan@own.nl>", "own.nl"},
      {"\"jan@evil\"@own.nl", "own.nl"},
      {"jan@own.nl (eva@evil.nl)", "own.nl"},
      {"(a (b@c) \\) d@e) jan@own.nl", "own.nl"},
      {"=?utf-8?Q?e@evil.nl?= <jan@own.nl>", "own.nl"},
      {"=?a?q? <boss@evil.nl> ?= <jan@own.nl>", "evil.nl|own.nl"},
      {"=?a?q?x, boss@evil.nl, ?= <jan@own.nl>", "evil.nl|own.nl"},
      {"jan @ own.nl", "own.nl"},
      {"jan@\n own.nl", "own.nl"},
      {"<@relay.nl:jan@own.nl>", "relay.nl|own.nl"},
      {"jan@[192.0.2.1]", ""},
      {"jan@own.nl\\.evil.nl", ""},
      {"jan@own.nl .evil.nl", ""},
      {"jan@own.nl(x).evil.nl", ""},
      {"jan@own.nl (x) (y) . evil.nl", ""},
      {"jan@own.nl\"x\"", ""},
      {"jan@(x)own.nl", "own.nl"},
      {"jan@(x", ""},
      {"jan@own.nl Jan", "own.nl"},
      {"jan@", ""},
      {"\"jan@own.nl", ""},
      {"jan@own.nl (x", "|"},
      {"jan@own.nl \"", "|"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(GStrv) domains = mail_address_domains(rows[i].raw);
    g_autofree char *joined = g_strjoinv("|", domains);
    g_test_message("row %u: %s", i, rows[i].raw);
    g_assert_cmpstr(joined, ==, rows[i].domains);
    g_assert_cmpuint(g_strv_length(domains), >, 0);
  }
  static const char *const nobody[] = {"", "Jan", "undisclosed:;", "\"x@y\"", "(x@y)"};
  for (guint i = 0; i < G_N_ELEMENTS(nobody); i++) {
    g_auto(GStrv) domains = mail_address_domains(nobody[i]);
    g_assert_cmpuint(g_strv_length(domains), ==, 0);
  }
}

static void
test_message_ids(void)
{
  static const struct {
    const char *raw, *ids;
  } rows[] = {
      {"", ""},
      {" <a@b>", "a@b"},
      {"<a@b> <c@d>\r\n <e@f>", "a@b|c@d|e@f"},
      {"<a@b><c@d>,<e@f>", "a@b|c@d|e@f"},
      {"your mail of Monday <a@b> (was <c@d>)", "a@b|c@d"},
      {"a@b", ""},
      {"<a@b", ""},
      {"<a b@c> <d@e>", "d@e"},
      {"<<a@b> <c@d>", "<a@b|c@d"},
      {"> <a@b>", "a@b"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(GStrv) ids = mail_message_ids(rows[i].raw);
    g_autofree char *joined = g_strjoinv("|", ids);
    g_assert_cmpstr(joined, ==, rows[i].ids);
  }
  g_autofree char *many = g_strnfill(1000000, '<');
  g_auto(GStrv) none = mail_message_ids(many);
  g_assert_cmpuint(g_strv_length(none), ==, 0);
}

static void
test_message_id(void)
{
  static const struct {
    const char *raw, *id;
  } rows[] = {
      {"<1@own.nl>", "<1@own.nl>"},
      {" <1@own.nl> ", "<1@own.nl>"},
      {"\n <1@own.nl>", "<1@own.nl>"},
      {"x <1@own.nl> <2@own.nl>", "<1@own.nl>"},
      {"<1 @own.nl>", ""},
      {"<1\x01@own.nl>", ""},
      {"<\xe9@own.nl>", ""},
      {"1@own.nl", ""},
      {"<1@own.nl", ""},
      {"", ""},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *id = mail_message_id(rows[i].raw);
    g_assert_cmpstr(id, ==, rows[i].id);
  }
  g_autofree char *fill = g_strnfill(2000, 'x');
  g_autofree char *long_id = g_strdup_printf("<%s>", fill);
  g_autofree char *none = mail_message_id(long_id);
  g_assert_cmpstr(none, ==, "");
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_set_nonfatal_assertions();
  mail_init();
  mail_init(); /* twice does no harm */
  g_test_add_func("/header/S2-decode", test_decode);
  g_test_add_func("/header/S4-encode", test_encode);
  g_test_add_func("/header/S4-long-word", test_long_word);
  g_test_add_func("/header/T14-no-injection", test_no_injection);
  g_test_add_func("/header/display-name", test_display_name);
  g_test_add_func("/header/O3-domains", test_domains);
  g_test_add_func("/header/message-id", test_message_id);
  g_test_add_func("/header/message-ids", test_message_ids);
  return g_test_run();
}
