#include "policyd/delegation.h"

#include <string.h>

#include "common/base/attr.h"
#include "tests/unit/tap.h"

static const char config_text[] =
    "[organisation zorg]\ndomains = zorg.nl xn--mller-kva.nl\nlogins = *@zorg.nl "
    "*@alias.nl\n"
    "networks = 192.0.2.0/24 2001:db8:1::/48\nservice_domain = veilig.zorg.nl\n"
    "viewer_url = https://veilig.zorg.nl/\ndisplay_name = Zorg\n"
    "[organisation ander]\ndomains = ander.nl\nlogins = *@ander.nl\n"
    "networks = 198.51.100.7\ndefault = on-request\nservice_domain = veilig.ander.nl\n"
    "viewer_url = https://veilig.ander.nl/\ndisplay_name = Ander\n"
    "[organisation kijkt]\ndomains = kijkt.nl\nlogins = *@kijkt.nl\n"
    "networks = 203.0.113.0/24\ndefault = observe\nservice_domain = veilig.kijkt.nl\n"
    "viewer_url = https://veilig.kijkt.nl/\ndisplay_name = Kijkt\n";

#define DUNNO  NULL
#define LABEL  "5.1.2 Z-R4-LABEL"
#define SENDER "5.7.1 Z-O3-SENDER"
#define OUT    "203.0.114.9" /* nobody's network */

static const struct {
  const char *sender, *recipient, *login, *client;
  const char *refused; /* or NULL */
} rows[] = {
    /* strangers on port 25 */
    {"a@example.com", "b@zorg.nl", "", OUT, DUNNO},
    {"", "b@zorg.nl", "", OUT, DUNNO},
    {"a@zorg.nl", "b@zorg.nl", "", OUT, DUNNO},
    {"a@example.com", "b@zorg.nl", "", "", DUNNO},
    {"a@example.com", "b@zorg.nl", "", "unknown", DUNNO},
    {"a@example.com", "postmaster", "", OUT, DUNNO},
    /* senders of an organisation, by login */
    {"a@zorg.nl", "b@example.com", "a@zorg.nl", OUT, DUNNO},
    {"a@ZORG.nl", "b@example.com", "a@zorg.nl", OUT, DUNNO},
    {"a@zorg.nl.", "b@example.com", "a@zorg.nl", OUT, DUNNO},
    {"a@m\xc3\xbcller.nl", "b@example.com", "a@zorg.nl", OUT, DUNNO},
    {"a@XN--MLLER-KVA.nl", "b@example.com", "a@zorg.nl", OUT, DUNNO},
    {"other@zorg.nl", "b@example.com", "x@alias.nl", OUT, DUNNO},
    {"", "b@example.com", "a@zorg.nl", OUT, DUNNO},
    {"a@example.com", "b@example.com", "a@zorg.nl", OUT, SENDER},
    {"a@ander.nl", "b@example.com", "a@zorg.nl", OUT, SENDER},
    {"a@zorg.nl", "b@example.com", "a@ander.nl", OUT, SENDER},
    {"a@sub.zorg.nl", "b@example.com", "a@zorg.nl", OUT, SENDER},
    {"a@notzorg.nl", "b@example.com", "a@zorg.nl", OUT, SENDER},
    {"a@zorg.nl.example.com", "b@example.com", "a@zorg.nl", OUT, SENDER},
    {"a@alias.nl", "b@example.com", "x@alias.nl", OUT, SENDER},
    {"a@veilig.zorg.nl", "b@example.com", "a@zorg.nl", OUT, SENDER},
    {"a@[192.0.2.1]", "b@example.com", "a@zorg.nl", OUT, SENDER},
    {"a", "b@example.com", "a@zorg.nl", OUT, SENDER},
    {"a@zorg.nl@example.com", "b@example.com", "a@zorg.nl", OUT, SENDER},
    {"a@m\xc3\xbcller.nl\xff", "b@example.com", "a@zorg.nl", OUT, SENDER},
    {"a@example.com", "b@zorg.nl", "nobody", OUT, DUNNO},
    /* a login that is nobody's does not fall back on the network */
    {"a@example.com", "b@zorg.nl", "nobody", "192.0.2.3", DUNNO},
    /* by network */
    {"a@zorg.nl", "b@example.com", "", "192.0.2.3", DUNNO},
    {"a@zorg.nl", "b@example.com", "", "2001:db8:1::9", DUNNO},
    {"a@example.com", "b@example.com", "", "192.0.2.3", SENDER},
    {"a@example.com", "b@example.com", "", "2001:db8:1::9", SENDER},
    {"a@zorg.nl", "b@example.com", "", "198.51.100.7", SENDER},
    {"a@example.com", "b@example.com", "", "198.51.100.8", DUNNO},
    /* observe changes nothing, but a label is ours alone */
    {"a@example.com", "b@example.com", "a@kijkt.nl", OUT, DUNNO},
    {"a@example.com", "b@example.com", "", "203.0.113.5", DUNNO},
    {"a@kijkt.nl", "b@x.viewer.zegel.internal", "a@kijkt.nl", OUT, LABEL},
    /* labels */
    {"a@example.com", "b@example.com.viewer.zegel.internal", "", OUT, LABEL},
    {"a@example.com", "b@example.com.direct.zegel.internal", "", OUT, LABEL},
    {"a@example.com", "b@example.com.prefer.zegel.internal", "", OUT, LABEL},
    {"a@example.com", "b@example.com.own.zegel.internal", "", OUT, LABEL},
    {"a@example.com", "b@example.com.seal.zegel.internal", "", OUT, LABEL},
    {"a@example.com", "b@x.other.zegel.internal", "", OUT, LABEL},
    {"a@example.com", "b@ZEGEL.Internal", "", OUT, LABEL},
    {"a@example.com", "b@x.VIEWER.Zegel.INTERNAL", "", OUT, LABEL},
    {"a@example.com", "b@x.viewer.zegel.internal.", "", OUT, LABEL},
    {"a@example.com", "\"b c\"@x.viewer.zegel.internal", "", OUT, LABEL},
    {"a@example.com", "b%x.viewer.zegel.internal@zorg.nl", "", OUT, LABEL},
    {"a@example.com", "b%x.viewer.zegel.internal", "", OUT, LABEL},
    {"a@example.com", "\"b@x.viewer.zegel.internal\"@zorg.nl", "", OUT, LABEL},
    {"a@example.com", "x.viewer.zegel.internal!b@zorg.nl", "", OUT, LABEL},
    {"a@example.com", "x.viewer.zegel.internal!b", "", OUT, LABEL},
    {"a@example.com", "@x.viewer.zegel.internal:b@zorg.nl", "", OUT, LABEL},
    {"a@x.viewer.zegel.internal", "b@zorg.nl", "", OUT, LABEL},
    {"a@x.Direct.zegel.internal", "b@zorg.nl", "a@zorg.nl", OUT, LABEL},
    {"", "b@x.viewer.zegel.internal", "", OUT, LABEL},
    /* and what only looks like one */
    {"a@example.com", "b@zegel.internal.example.com", "", OUT, DUNNO},
    {"a@example.com", "b@notzegel.internal", "", OUT, DUNNO},
    {"a@example.com", "zegel.internal@zorg.nl", "", OUT, DUNNO},
    {"a@example.com", "x.zegel.internal+b@zorg.nl", "", OUT, DUNNO},
    {"a@example.com", "b@internal", "", OUT, DUNNO},
    {"a@example.com", "b@.internal", "", OUT, DUNNO},
};

static Clients *clients; /* who is known of all that was asked in a test */

static char *
answer_to(const char *format, ...) G_GNUC_PRINTF(1, 2);

static char *
answer_to(const char *format, ...)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Config) config = conf_parse("test", config_text, strlen(config_text), &error);
  g_assert_no_error(error);
  va_list args;
  va_start(args, format);
  g_autofree char *block = g_strdup_vprintf(format, args);
  va_end(args);
  return delegation_answer(config, clients, block, strlen(block));
}

static char *
answer_row(guint i)
{
  return answer_to("request=smtpd_access_policy\nprotocol_state=RCPT\n"
                   "client_address=%s\nsender=%s\nrecipient=%s\nqueue_id=\n"
                   "sasl_username=%s\npolicy_context=zegel\n\n",
                   rows[i].client, rows[i].sender, rows[i].recipient, rows[i].login);
}

static void
test_table(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *answer = answer_row(i);
    g_autofree char *refusal = g_strdup_printf("action=REJECT %s ", rows[i].refused);
    g_test_message("row %u: %s", i, answer);
    if (rows[i].refused == NULL)
      g_assert_cmpstr(answer, ==, "action=DUNNO\n\n");
    else
      g_assert_true(g_str_has_prefix(answer, refusal));
  }
}

/* Whatever is refused: one line of printable ASCII that is short enough, and its end. */
static void
test_lines(void)
{
  g_autofree char *longest = g_strnfill(1500, 'a');
  g_autofree char *strange = g_strdup_printf("\x01\x7f\xc3\xa9 %s", longest);
  const char *const names[] = {longest, strange, "x"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++)
    for (guint label = 0; label < 2; label++) {
      g_autofree char *answer = answer_to(
          "request=smtpd_access_policy\nsasl_username=a@zorg.nl\nsender=%s@example.com\n"
          "recipient=%s@%s\n\n",
          names[i], names[i], label ? "x.viewer.zegel.internal" : "example.com");
      g_assert_true(g_str_has_prefix(answer, "action=REJECT "));
      const char *end = strchr(answer, '\n');
      g_assert_cmpstr(end, ==, "\n\n");
      g_assert_cmpint(end - answer, <=, DELEGATION_LINE_MAX_BYTES);
      for (const char *p = answer; p < end; p++)
        g_assert_true(*p >= 0x20 && *p < 0x7f);
    }
}

static void
test_text(void)
{
  g_autofree char *answer = answer_row(13);
  g_assert_cmpstr(answer, ==,
                  "action=REJECT 5.7.1 Z-O3-SENDER Verstuur van een adres van uw eigen "
                  "organisatie. Dit hoort er niet bij: a@example.com. / Send from an "
                  "address of your own organisation. This is not one: a@example.com.\n\n");
}

/* Postfix leaves out what it does not know; a later one may say more. */
static void
test_attributes(void)
{
  g_autofree char *bare = answer_to("request=smtpd_access_policy\n\n");
  g_assert_cmpstr(bare, ==, "action=DUNNO\n\n");
  g_autofree char *more = answer_to("request=smtpd_access_policy\nnew=100%%41\n"
                                    "recipient=a@zegel.internal\n\n");
  g_assert_true(g_str_has_prefix(more, "action=REJECT " LABEL));
}

static void
test_nonsense(void)
{
  static const char *const blocks[] = {"\n", "HELO there\n\n", "request=route\n\n", "=\n\n",
                                       "sender=a@zegel.internal\n\n"};
  for (guint i = 0; i < G_N_ELEMENTS(blocks); i++) {
    g_autofree char *answer = answer_to("%s", blocks[i]);
    g_assert_null(answer);
  }
}

/* ---- Certificates ---- */

/* O4: a certificate counts before the login and the network, and the milter knows whose it
 * is. */
static void
test_sender_with_certificate(void)
{
  static const char *const certificates[] = {"ccert_fingerprint=AB:CD\n",
                                             "ccert_subject=epd.ander.nl\n"};
  for (guint i = 0; i < G_N_ELEMENTS(certificates); i++) {
    g_autofree char *answer = answer_to(
        "request=smtpd_access_policy\nclient_address=192.0.2.3\nsender=a@ander.nl\n"
        "recipient=b@example.com\n%s\n",
        certificates[i]);
    g_assert_cmpstr(answer, ==, "action=DUNNO\n\n");
  }
}

#define PRINT                                                                              \
  "AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:"   \
  "23:45:67:89"
#define DIGITS "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"

static void
tell(const char *port, const char *fingerprint, const char *subject, const char *issuer)
{
  g_autofree char *answer =
      answer_to("request=smtpd_access_policy\nclient_address=192.0.2.9\nclient_port=%s\n"
                "ccert_subject=%s\nccert_issuer=%s\nccert_fingerprint=%s\n\n",
                port, subject, issuer, fingerprint);
  g_assert_cmpstr(answer, ==, "action=DUNNO\n\n");
}

/* What is known of the client at port 4000: "FINGERPRINT SUBJECT ISSUER". */
static char *
known(void)
{
  const ClientCertificate *found =
      clients_find(clients, "192.0.2.9", 4000, g_get_monotonic_time());
  if (found == NULL)
    return g_strdup("nobody");
  return g_strdup_printf("%s %s %s", found->fingerprint != NULL ? found->fingerprint : "-",
                         found->subject != NULL ? found->subject : "-",
                         found->issuer != NULL ? found->issuer : "-");
}

static void
test_certificates(void)
{
  static const struct {
    const char *fingerprint, *subject, *issuer, *known;
  } all[] = {
      {PRINT, "mail.partner.nl", "Lab+20CA", DIGITS " mail.partner.nl Lab CA"},
      {PRINT, "", "", DIGITS " - -"},
      {"", "", "", "nobody"},
      {PRINT, "a+2Bb+3Dc", "d+C3+A9", DIGITS " a+b=c d\xc3\xa9"},
      {"AB:CD", "mail.partner.nl", "CA", "- mail.partner.nl CA"}, /* MD5 and the like */
      {"AB:CD", "", "", "nobody"},
      {PRINT ":00", "", "", "nobody"},
      {PRINT, "a+00b", "CA", DIGITS " - CA"},
      {PRINT, "a+", "CA", DIGITS " - CA"},
      {PRINT, "a+4", "CA", DIGITS " - CA"},
      {PRINT, "a+xy", "CA", DIGITS " - CA"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
    g_test_message("row %" G_GSIZE_FORMAT, i);
    tell("4000", all[i].fingerprint, all[i].subject, all[i].issuer);
    g_autofree char *now = known();
    g_assert_cmpstr(now, ==, all[i].known);
  }
}

/* Another port says nothing of this one; the next client there shows its own, or none. */
static void
test_next_client(void)
{
  tell("4000", PRINT, "a", "CA");
  tell("4001", "", "", "");
  tell("unknown", "", "", "");
  tell("0", "", "", "");
  tell("65537", "", "", "");
  g_autofree char *first = known();
  g_assert_cmpstr(first, ==, DIGITS " a CA");
  tell("4000", "", "b", "CA");
  g_autofree char *second = known();
  g_assert_cmpstr(second, ==, "- b CA");
  tell("4000", "", "", "");
  g_autofree char *third = known();
  g_assert_cmpstr(third, ==, "nobody");
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/delegation/table", test_table);
  g_test_add_func("/delegation/lines", test_lines);
  g_test_add_func("/delegation/text", test_text);
  g_test_add_func("/delegation/attributes", test_attributes);
  g_test_add_func("/delegation/nonsense", test_nonsense);
  g_test_add_func("/delegation/O4-sender-with-certificate", test_sender_with_certificate);
  g_test_add_func("/delegation/certificates", test_certificates);
  g_test_add_func("/delegation/next-client", test_next_client);
  clients = clients_new();
  int status = g_test_run();
  clients_free(clients);
  return status;
}
