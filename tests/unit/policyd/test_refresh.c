#include "policyd/refresh.h"

#include "policyd/nta.h"
#include "tests/unit/policyd/routes.h"
#include "tests/unit/policyd/zone.h"

/* One round of everything that is promised: first it is spread, then it comes every second.
 */
#define ROUND_MS 2600

#define HOST(name)                                                                         \
  name " A s 192.0.2.1\n" name " AAAA n -\n"                                               \
       "_25._tcp." name " TLSA s 3 1 1 32\n"

typedef struct {
  Fixture routes;
  Config *config;
  Book *book;
  RefreshBasis basis;
  Loop *loop;
  Dns *dns;
  Refresh *refresh;
  guint most;    /* domains that waited for the DNS at once */
  gboolean mute; /* no answer of the DNS comes */
} World;

static char *
record_of(const char *domain, const char *hosts, int months)
{
  int month = nta_month(g_get_real_time() / G_USEC_PER_SEC);
  g_autofree char *start = nta_month_text(month - 1);
  g_autofree char *end = nta_month_text(month + months);
  return g_strdup_printf("%s TXT s v=NTA7516-1;startdate=%s;enddate=%s;provider=Test%s\n",
                         domain, start, end, hosts);
}

/* DOMAIN publishes a record with HOSTS, ";ntamx=10 mx.nl", that ends in MONTHS. */
static void
publish(World *w, const char *domain, const char *hosts, int months)
{
  g_autofree char *line = record_of(domain, hosts, months);
  zone_add(w->dns, line);
}

static void
count_waiting(World *w)
{
  g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < w->dns->waiters->len; i++) {
    const DnsWaiter *waiter = w->dns->waiters->pdata[i];
    if (g_str_has_prefix(waiter->key, "TXT "))
      g_hash_table_add(names, waiter->key);
  }
  w->most = MAX(w->most, g_hash_table_size(names));
}

static void
deliver(gpointer data)
{
  World *w = data;
  count_waiting(w);
  if (!w->mute)
    zone_deliver(w->dns);
  loop_timer(w->loop, 20, deliver, w);
}

static void
stop(gpointer data)
{
  loop_stop(data);
}

static void
run_for(World *w, guint wait_ms)
{
  loop_timer(w->loop, wait_ms, stop, w->loop);
  g_assert_true(loop_run(w->loop, NULL));
}

static void
set_up_world(World *w, gconstpointer data)
{
  static const char config[] =
      "[policyd]\nrecheck_s = 1\npromise_days = 6\n"
      "[organisation zorg]\ndomains = zorg.nl\nservice_domain = veilig.zorg.nl\n"
      "viewer_url = https://veilig.zorg.nl/\ndisplay_name = Zorg\n";
  g_autoptr(GError) error = NULL;
  set_up(&w->routes, data);
  w->config = conf_parse("conf", config, strlen(config), &error);
  g_assert_no_error(error);
  w->book = book_of("partner.nl nta secure\nclash.nl nta dane-only\n");
  w->basis = (RefreshBasis){w->config, w->book, NULL};
  w->loop = loop_new(&error);
  g_assert_no_error(error);
  w->dns = zone_new(HOST("mx1.nl") HOST("mx2.nl"));
  follow(&w->routes, w->book, 0);
  w->refresh = refresh_new(w->loop, w->dns, w->routes.promises, &w->basis);
  loop_timer(w->loop, 20, deliver, w);
}

static void
tear_down_world(World *w, gconstpointer data)
{
  refresh_free(w->refresh);
  zone_free(w->dns);
  loop_free(w->loop);
  tear_down(&w->routes, data);
  book_free(w->book);
  conf_free(w->config);
}

static void
note(World *w, const char *domain, const char *nexthop, const char *policy)
{
  note_nta(&w->routes, domain, LABEL_DIRECT, nexthop, policy, TRUE);
  note_nta(&w->routes, domain, LABEL_PREFER, nexthop, policy, TRUE);
  commit(&w->routes);
}

#define MX1     ";ntamx=10 mx1.nl"
#define MX1_MX2 ";ntamx=10 mx1.nl;ntamx=20 mx2.nl"
#define BOTH(domain)                                                                       \
  "SELECT (SELECT transport FROM route WHERE key = '" domain                               \
  ".direct.zegel.internal') || ' ' || ifnull((SELECT transport FROM route WHERE key = "    \
  "'" domain ".prefer.zegel.internal'), '-')"
#define STORE "zegel-store:unix:x -"

/* What is known of each domain, and what becomes of its promise. */
static void
test_fates(World *w, gconstpointer data)
{
  (void) data;
  note(w, "same.nl", "[mx1.nl]", NULL);
  note(w, "moved.nl", "[old.nl]", NULL);
  note(w, "ended.nl", "[mx1.nl]", NULL);
  note(w, "gone.nl", "[mx1.nl]", NULL);
  note(w, "mute.nl", "[mx1.nl]", NULL);
  note(w, "notlsa.nl", "[mx3.nl]", NULL);
  note(w, "partner.nl", "[former.nl]:25", "secure");
  note(w, "clash.nl", "[mx9.nl]:25", "dane-only");
  publish(w, "same.nl", MX1, 5);
  publish(w, "moved.nl", MX1_MX2, 5);
  publish(w, "ended.nl", MX1, -1);
  publish(w, "notlsa.nl", ";ntamx=10 mx3.nl", 5);
  publish(w, "partner.nl", MX1, 5);
  zone_add(w->dns, "mute.nl TXT f -\nmx3.nl A s 192.0.2.3\nmx3.nl AAAA n -\n");
  run_for(w, ROUND_MS);
  assert_row(&w->routes, BOTH("same.nl"), "zegel-direct:[mx1.nl] zegel-prefer:[mx1.nl]");
  assert_row(&w->routes, BOTH("moved.nl"),
             "zegel-direct:[mx1.nl], [mx2.nl] zegel-prefer:[mx1.nl], [mx2.nl]");
  assert_row(&w->routes, BOTH("ended.nl"), STORE);
  assert_row(&w->routes, BOTH("gone.nl"), STORE);
  assert_row(&w->routes, BOTH("mute.nl"), "zegel-direct:[mx1.nl] zegel-prefer:[mx1.nl]");
  assert_row(&w->routes, BOTH("notlsa.nl"), STORE);
  assert_row(&w->routes, BOTH("partner.nl"),
             "zegel-direct:[mx1.nl]:25 zegel-prefer:[mx1.nl]:25");
  assert_row(&w->routes, TLS_OF("[mx1.nl]:25"), "secure");
  assert_row(&w->routes, TLS_OF("[former.nl]:25"), "-");

  /* The host that clash.nl moves to has the rule of partner.nl already. */
  publish(w, "clash.nl", MX1, 5);
  note_nta(&w->routes, "clash.nl", LABEL_DIRECT, "[mx9.nl]:25", "dane-only", TRUE);
  commit(&w->routes);
  run_for(w, ROUND_MS);
  assert_row(&w->routes, BOTH("clash.nl"), STORE);
  assert_row(&w->routes, TLS_OF("[mx1.nl]:25"), "secure");
  assert_row(&w->routes, TLS_OF("[mx9.nl]:25"), "-");
}

/* Withdrawn, and when somebody asks and it is ready, promised again and kept. */
static void
test_again(World *w, gconstpointer data)
{
  (void) data;
  note(w, "a.nl", "[mx1.nl]", NULL);
  run_for(w, ROUND_MS);
  assert_row(&w->routes, BOTH("a.nl"), STORE);
  publish(w, "a.nl", MX1, 5);
  run_for(w, ROUND_MS);
  assert_row(&w->routes, BOTH("a.nl"), STORE);
  note(w, "a.nl", "[mx1.nl]", NULL);
  run_for(w, ROUND_MS);
  assert_row(&w->routes, BOTH("a.nl"), "zegel-direct:[mx1.nl] zegel-prefer:[mx1.nl]");
}

/* What nobody asked for in promise_days goes, ready or not; what was asked for stays. */
static void
test_forgotten(World *w, gconstpointer data)
{
  (void) data;
  publish(w, "old.nl", MX1, 5);
  publish(w, "new.nl", MX1, 5);
  note(w, "old.nl", "[mx1.nl]", NULL);
  note(w, "new.nl", "[mx1.nl]", NULL);
  refresh_free(g_steal_pointer(&w->refresh));
  promises_close(w->routes.promises);
  run_sql(w->routes.path,
          "UPDATE route SET promised = promised - 6 * 86400 - 60 WHERE key LIKE 'old%';"
          "UPDATE route SET promised = promised - 6 * 86400 + 60 WHERE key LIKE 'new%'");
  reopen(&w->routes);
  follow(&w->routes, w->book, 0);
  w->refresh = refresh_new(w->loop, w->dns, w->routes.promises, &w->basis);
  run_for(w, ROUND_MS);
  assert_row(&w->routes, BOTH("old.nl"), STORE);
  assert_row(&w->routes, BOTH("new.nl"), "zegel-direct:[mx1.nl] zegel-prefer:[mx1.nl]");
}

/* After a restart everything in the file is looked at again, and never too much at once. */
static void
test_many(World *w, gconstpointer data)
{
  (void) data;
  refresh_free(g_steal_pointer(&w->refresh));
  for (guint i = 0; i < 60; i++) {
    g_autofree char *domain = g_strdup_printf("d%u.nl", i);
    note(w, domain, "[former.nl]", NULL);
    publish(w, domain, MX1, 5);
  }
  promises_close(w->routes.promises);
  reopen(&w->routes);
  follow(&w->routes, w->book, 0);
  w->refresh = refresh_new(w->loop, w->dns, w->routes.promises, &w->basis);
  run_for(w, ROUND_MS);
  assert_row(&w->routes, "SELECT count(*) FROM route WHERE transport LIKE '%:[mx1.nl]'",
             "120");
  g_assert_cmpuint(w->most, >, REFRESH_MAX_LOOKUPS / 2);
  g_assert_cmpuint(w->most, <=, REFRESH_MAX_LOOKUPS);
}

/* Nobody asks anything, and the file is back all the same. */
static void
test_puts_back(World *w, gconstpointer data)
{
  (void) data;
  publish(w, "a.nl", MX1, 5);
  note(w, "a.nl", "[mx1.nl]", NULL);
  g_assert_cmpint(g_unlink(w->routes.path), ==, 0);
  run_for(w, 1500);
  assert_row(&w->routes, BOTH("a.nl"), "zegel-direct:[mx1.nl] zegel-prefer:[mx1.nl]");
}

/* Ends while it waits for answers; nothing is called afterwards. */
static void
test_ends_in_the_middle(World *w, gconstpointer data)
{
  (void) data;
  w->mute = TRUE;
  note(w, "a.nl", "[mx1.nl]", NULL);
  while (w->dns->asked == 0)
    run_for(w, 10);
  refresh_free(g_steal_pointer(&w->refresh));
  run_for(w, 100);
  assert_row(&w->routes, BOTH("a.nl"), "zegel-direct:[mx1.nl] zegel-prefer:[mx1.nl]");
}

static void
add_world(const char *path, void (*test)(World *, gconstpointer))
{
  g_test_add(path, World, NULL, set_up_world, test, tear_down_world);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  add_world("/refresh/fates", test_fates);
  add_world("/refresh/again", test_again);
  add_world("/refresh/forgotten", test_forgotten);
  add_world("/refresh/many", test_many);
  add_world("/refresh/puts-back", test_puts_back);
  add_world("/refresh/ends-in-the-middle", test_ends_in_the_middle);
  return g_test_run();
}
