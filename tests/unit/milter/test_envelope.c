/* Addresses and parameters of MAIL and RCPT. */
#include "milter/envelope.h"

#include <string.h>

#include "tests/unit/tap.h"

static const struct {
  const char *arg;
  const char *address; /* NULL: odd */
} addresses[] = {
    {"<jan@example.com>", "jan@example.com"},
    {"jan@example.com", "jan@example.com"},
    {"<Jan@Example.COM>", "Jan@example.com"},
    {"<>", ""},
    {"", ""},
    {"<\"jan\"@example.com>", "jan@example.com"},
    {"<\"jan jansen\"@example.com>", "\"jan jansen\"@example.com"},
    {"<\"ja\\n\"@example.com>", "jan@example.com"},
    {"<\"a\\\"b\\\\c\"@example.com>", "\"a\\\"b\\\\c\"@example.com"},
    {"<\"a@b\"@example.com>", "\"a@b\"@example.com"},
    {"<jan.@example.com>", "\"jan.\"@example.com"},
    {"<a..b@example.com>", "\"a..b\"@example.com"},
    {"<a+b=c/d%e!f@example.com>", "a+b=c/d%e!f@example.com"},
    {"<j\xc3\xa4n@ex\xc3\xa4mple.nl>", "j\xc3\xa4n@ex\xc3\xa4mple.nl"},
    {"<jan@a_b.example.com>", "jan@a_b.example.com"},
    {"<@relay.nl:jan@example.com>", NULL},
    {"<@relay.nl,@b.nl:jan@example.com>", NULL},
    {"<jan@[192.0.2.1]>", NULL},
    {"<jan>", NULL},
    {"<jan@>", NULL},
    {"<@example.com>", NULL},
    {"<\"\"@example.com>", NULL},
    {"<jan@example.com.>", NULL},
    {"<jan@.example.com>", NULL},
    {"<jan@example..com>", NULL},
    {"<(c)jan@example.com>", NULL},
    {"<jan(c)@example.com>", NULL},
    {"<jan@example.com(c)>", NULL},
    {"<jan jansen@example.com>", NULL},
    {"<jan@example.com jansen>", NULL},
    {"<jan@example.com,piet@example.com>", NULL},
    {"<jan@a@example.com>", NULL},
    {"<jan@example.com>>", NULL},
    {"<<jan@example.com>", NULL},
    {"<jan@example.com", NULL},
    {"<\"jan@example.com>", NULL},
    {"<\"jan\"x@example.com>", NULL},
    {"<x\"jan\"@example.com>", NULL},
    {"<ja\\n@example.com>", NULL},
    {"<\"ja\x01n\"@example.com>", NULL},
    {"<ja\x7fn@example.com>", NULL},
    {"<jan@exa%mple.com>", NULL},
    {"<j\xe4n@example.com>", NULL},
    {"root", NULL},
};

static void
test_addresses(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(addresses); i++) {
    g_autofree char *address = envelope_address(addresses[i].arg);
    g_test_message("row %u: %s", i, addresses[i].arg);
    g_assert_cmpstr(address, ==, addresses[i].address);
    if (address == NULL)
      continue;
    g_autofree char *again = envelope_address(address);
    g_assert_cmpstr(again, ==, address);
  }
}

static void
test_long(void)
{
  g_autofree char *local = g_strnfill(512, 'a');
  g_autofree char *fits = g_strdup_printf("<%s@example.com>", local);
  g_autofree char *over = g_strdup_printf("<%sa@example.com>", local);
  g_autofree char *good = envelope_address(fits);
  g_autofree char *bad = envelope_address(over);
  g_assert_nonnull(good);
  g_assert_null(bad);
}

static void
test_routing(void)
{
  static const struct {
    const char *address;
    gboolean routing;
  } cases[] = {
      {"jan@own.nl", FALSE},        {"jan+x@own.nl", FALSE},  {"jan%evil.nl@own.nl", TRUE},
      {"evil.nl!jan@own.nl", TRUE}, {"\"a@b\"@own.nl", TRUE}, {"", FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
    g_assert_cmpint(envelope_is_routing(cases[i].address), ==, cases[i].routing);
  g_assert_cmpstr(envelope_domain("\"a@b\"@own.nl"), ==, "own.nl");
  g_assert_null(envelope_domain(""));
}

/* GIVEN and two arguments of RCPT, and with what the labelled recipient is added (S12). */
static const struct {
  const char *given, *args[3];
  const char *parameters;
} recipients[] = {
    {"<a@b.nl>", {NULL}, "NOTIFY=FAILURE,DELAY ORCPT=rfc822;a@b.nl"},
    {"a@b.nl", {NULL}, "NOTIFY=FAILURE,DELAY ORCPT=rfc822;a@b.nl"},
    {"<a+b@b.nl>", {NULL}, "NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bb@b.nl"},
    {"<\"a b=\"@b.nl>", {NULL}, "NOTIFY=FAILURE,DELAY ORCPT=rfc822;\"a+20b+3D\"@b.nl"},
    {"<j\xc3\xa4n@b.nl>", {NULL}, "NOTIFY=FAILURE,DELAY ORCPT=rfc822;j+C3+A4n@b.nl"},
    {"<a@b.nl>", {"NOTIFY=NEVER"}, "NOTIFY=FAILURE,DELAY ORCPT=rfc822;a@b.nl"},
    {"<a@b.nl>", {"NOTIFY=FAILURE"}, "NOTIFY=FAILURE,DELAY ORCPT=rfc822;a@b.nl"},
    {"<a@b.nl>", {"NOTIFY=SUCCESS"}, "NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;a@b.nl"},
    {"<a@b.nl>",
     {"notify=delay,success"},
     "NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;a@b.nl"},
    {"<a@b.nl>",
     {"ORCPT=rfc822;x+2By@z.nl", "NOTIFY=SUCCESS"},
     "NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;x+2By@z.nl"},
    {"<a@b.nl>", {"orcpt=x400;/G=a"}, "NOTIFY=FAILURE,DELAY ORCPT=x400;/G=a"},
    {"<a@b.nl>",
     {"ORCPT=utf-8;j\\x{E4}n+2@z.nl"},
     "NOTIFY=FAILURE,DELAY ORCPT=utf-8;j+C3+A4n+2B2@z.nl"},
    {"<a@b.nl>",
     {"ORCPT=utf-8;\\x{0}\\x{D800}\\x{110000}\\x{4"},
     "NOTIFY=FAILURE,DELAY ORCPT=utf-8;\\x{0}\\x{D800}\\x{110000}\\x{4"},
    {"<a@b.nl>", {"ORCPT=broken"}, "NOTIFY=FAILURE,DELAY ORCPT=rfc822;a@b.nl"},
    /* a copy (bcc) came with our label */
    {"<a@b.nl>",
     {"ORCPT=rfc822;c@d.nl.own.zegel.internal"},
     "NOTIFY=FAILURE,DELAY ORCPT=rfc822;c@d.nl"},
    {"<a@b.nl.seal.zegel.internal>", {NULL}, "NOTIFY=FAILURE,DELAY ORCPT=rfc822;a@b.nl"},
};

/* The same for mail that is not sensitive (R3): as the client asked. */
static const struct {
  const char *args[3], *parameters;
} ordinary[] = {
    {{NULL}, "NOTIFY=FAILURE,DELAY ORCPT=rfc822;a@b.nl"},
    {{"NOTIFY=NEVER"}, "NOTIFY=NEVER ORCPT=rfc822;a@b.nl"},
    {{"notify=Success", "ORCPT=rfc822;x@y.nl"}, "NOTIFY=Success ORCPT=rfc822;x@y.nl"},
    {{"NOTIFY=SUCCESS,FAILURE"}, "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a@b.nl"},
};

static void
test_parameters(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(recipients); i++) {
    g_autofree char *parameters =
        envelope_recipient_parameters(recipients[i].given, recipients[i].args, TRUE);
    g_test_message("row %u", i);
    g_assert_cmpstr(parameters, ==, recipients[i].parameters);
  }
  for (guint i = 0; i < G_N_ELEMENTS(ordinary); i++) {
    g_autofree char *parameters =
        envelope_recipient_parameters("<a@b.nl>", ordinary[i].args, FALSE);
    g_assert_cmpstr(parameters, ==, ordinary[i].parameters);
  }
  const char *const args[] = {"SIZE=100", "RET=FULL", "EnvID=a+3Db", NULL};
  const char *const bare[] = {"RET=FULL", "BODY=8BITMIME", NULL};
  g_autofree char *with = envelope_sender_parameters(args);
  g_autofree char *without = envelope_sender_parameters(bare);
  g_assert_cmpstr(with, ==, "RET=HDRS ENVID=a+3Db");
  g_assert_cmpstr(without, ==, "RET=HDRS");
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/envelope/addresses", test_addresses);
  g_test_add_func("/envelope/long", test_long);
  g_test_add_func("/envelope/R4-routing", test_routing);
  g_test_add_func("/envelope/S12-parameters", test_parameters);
  return g_test_run();
}
