#include "policyd/community.h"

#include <string.h>

#include "tests/unit/tap.h"

#define DIGITS "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"
#define LINE   "partner.nl [mail.partner.nl] secure "

static const struct {
  const char *line; /* of the book, behind the TLS rule */
  ClientDemand demand;
  const char *address;
  guint16 port;
  const char *login;
  gboolean brings;
} rows[] = {
    {"client=sha256:" DIGITS, CLIENT_CERTIFICATE, "192.0.2.7", 4000, NULL, TRUE},
    {"client=sha256:" DIGITS, CLIENT_ADDRESS, "192.0.2.7", 4000, NULL, TRUE},
    {"client=cn:mail.partner.nl/CA", CLIENT_CERTIFICATE, "192.0.2.7", 4000, NULL, TRUE},
    {"client=sha256:" DIGITS, CLIENT_CERTIFICATE, "192.0.2.7", 4001, NULL, FALSE},
    {"client=sha256:" DIGITS, CLIENT_CERTIFICATE, "192.0.2.8", 4000, NULL, FALSE},
    {"client=sha256:" DIGITS, CLIENT_CERTIFICATE, NULL, 0, NULL, FALSE},
    {"client=login:partner", CLIENT_CERTIFICATE, NULL, 0, "partner", TRUE},
    {"client=login:partner", CLIENT_CERTIFICATE, "192.0.2.7", 4000, NULL, FALSE},
    {"client=login:other client=sha256:" DIGITS, CLIENT_CERTIFICATE, "192.0.2.7", 4000,
     NULL, TRUE},
    {"client=ip:192.0.2.0/24", CLIENT_CERTIFICATE, "192.0.2.9", 1, NULL, FALSE},
    {"client=ip:192.0.2.0/24", CLIENT_ADDRESS, "192.0.2.9", 1, NULL, TRUE},
    {"client=ip:192.0.2.0/24", CLIENT_ADDRESS, "192.0.3.9", 1, NULL, FALSE},
    {"", CLIENT_CERTIFICATE, "192.0.2.7", 4000, "partner", FALSE},
    {"", CLIENT_ADDRESS, "192.0.2.7", 4000, "partner", FALSE},
    {"", CLIENT_ANY, "192.0.2.9", 1, NULL, TRUE},
    {"", CLIENT_ANY, NULL, 0, NULL, TRUE},
};

static void
test_table(void)
{
  g_autoptr(Clients) clients = clients_new();
  ClientCertificate *certificate = g_new0(ClientCertificate, 1);
  certificate->fingerprint = g_strdup(DIGITS);
  certificate->subject = g_strdup("mail.partner.nl");
  certificate->issuer = g_strdup("CA");
  clients_note(clients, "192.0.2.7", 4000, certificate, g_get_monotonic_time());
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *line = g_strconcat(LINE, rows[i].line, NULL);
    g_autoptr(Book) book = book_parse("book", line, strlen(line), NULL);
    g_assert_nonnull(book);
    g_autoptr(RouteQuestion) question = route_question_new();
    question->inward = TRUE;
    question->client_address = g_strdup(rows[i].address);
    question->client_port = rows[i].port;
    question->client_login = g_strdup(rows[i].login);
    g_test_message("row %" G_GSIZE_FORMAT, i);
    const BookEntry *entry = book_find(book, "partner.nl");
    g_assert_cmpint(community_brings(entry, rows[i].demand, question, clients), ==,
                    rows[i].brings);
    if (rows[i].login == NULL && rows[i].demand != CLIENT_ANY && rows[i].port == 4000)
      g_assert_false(community_brings(entry, rows[i].demand, question, NULL));
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/community/table", test_table);
  return g_test_run();
}
