#include "policyd/clients.h"

#include "tests/unit/tap.h"

#define S (G_TIME_SPAN_SECOND)

static ClientCertificate *
certificate(const char *subject)
{
  ClientCertificate *made = g_new0(ClientCertificate, 1);
  made->subject = g_strdup(subject);
  return made;
}

static const char *
subject_of(Clients *clients, const char *address, guint16 port, gint64 now_us)
{
  const ClientCertificate *found = clients_find(clients, address, port, now_us);
  return found != NULL ? found->subject : NULL;
}

/* Each is known by address and port together, in any spelling of the address. */
static void
test_known(void)
{
  g_autoptr(Clients) clients = clients_new();
  clients_note(clients, "192.0.2.1", 4000, certificate("a"), 0);
  clients_note(clients, "192.0.2.1", 4001, certificate("b"), 0);
  clients_note(clients, "2001:db8::1", 4000, certificate("c"), 0);
  g_assert_cmpstr(subject_of(clients, "192.0.2.1", 4000, 0), ==, "a");
  g_assert_cmpstr(subject_of(clients, "192.0.2.1", 4001, 0), ==, "b");
  g_assert_cmpstr(subject_of(clients, "2001:DB8:0::1", 4000, 0), ==, "c");
  g_assert_null(subject_of(clients, "192.0.2.1", 4002, 0));
  g_assert_null(subject_of(clients, "192.0.2.2", 4000, 0));
  g_assert_null(subject_of(clients, "", 4000, 0));
  g_assert_null(subject_of(clients, "unknown", 4000, 0));
}

/* Nobody inherits what somebody else showed from the same address and port. */
static void
test_next_client(void)
{
  g_autoptr(Clients) clients = clients_new();
  clients_note(clients, "192.0.2.1", 4000, certificate("a"), 0);
  clients_note(clients, "192.0.2.1", 4000, certificate("b"), 1);
  g_assert_cmpstr(subject_of(clients, "192.0.2.1", 4000, 1), ==, "b");
  clients_note(clients, "192.0.2.1", 4000, NULL, 2);
  g_assert_null(subject_of(clients, "192.0.2.1", 4000, 2));
  g_assert_cmpuint(clients_count(clients), ==, 0);
}

static void
test_time(void)
{
  g_autoptr(Clients) clients = clients_new();
  clients_note(clients, "192.0.2.1", 4000, certificate("a"), 0);
  g_assert_cmpstr(subject_of(clients, "192.0.2.1", 4000, CLIENTS_KEEP_S * S - 1), ==, "a");
  clients_note(clients, "192.0.2.1", 4000, certificate("a"), 5 * S);
  g_assert_cmpstr(subject_of(clients, "192.0.2.1", 4000, CLIENTS_KEEP_S * S), ==, "a");
  g_assert_null(subject_of(clients, "192.0.2.1", 4000, (CLIENTS_KEEP_S + 5) * S));
  g_assert_cmpuint(clients_count(clients), ==, 0);
}

/* No place: no port, no address, or no room. */
static void
test_limits(void)
{
  g_autoptr(Clients) clients = clients_new();
  clients_note(clients, "192.0.2.1", 0, certificate("a"), 0);
  clients_note(clients, "unknown", 4000, certificate("a"), 0);
  g_assert_cmpuint(clients_count(clients), ==, 0);
  for (guint i = 0; i <= CLIENTS_MAX; i++) {
    g_autofree char *address = g_strdup_printf("10.0.%u.%u", i / 256, i % 256);
    clients_note(clients, address, 4000, certificate("a"), i);
  }
  g_assert_cmpuint(clients_count(clients), ==, CLIENTS_MAX);
  g_assert_null(subject_of(clients, "10.0.0.0", 4000, 0));
  g_assert_cmpstr(subject_of(clients, "10.0.0.1", 4000, 0), ==, "a");
  clients_note(clients, "192.0.2.1", 4000, certificate("b"), 2 * CLIENTS_KEEP_S * S);
  g_assert_cmpuint(clients_count(clients), ==, 1);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/clients/known", test_known);
  g_test_add_func("/clients/next-client", test_next_client);
  g_test_add_func("/clients/time", test_time);
  g_test_add_func("/clients/limits", test_limits);
  return g_test_run();
}
