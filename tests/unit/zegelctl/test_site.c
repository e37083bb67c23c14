#include "zegelctl/site.h"

#include <glib/gstdio.h>
#include <string.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"
#include "zegelctl/program.h"

static const char main_cf[] = "# zegel_commented = no\n"
                              "compatibility_level = 3.6\n"
                              "myhostname = a.example\n"
                              "transport_maps = hash:/lost\n"
                              "zegel_unused = { unix:x,\n"
                              "\n"
                              "# a comment within\n"
                              "  # another\n"
                              "    default_action=tempfail }\n"
                              "zegel_empty =\n"
                              "smtpd_milters=$zegel_unused\n"
                              "transport_maps = hash:/a\n"
                              "\t$zegel_empty hash:/b   \n"
                              "multi_instance_name = postfix-out\n";
static const char master_cf[] = "smtp inet n - - - - smtpd\n"
                                "127.0.0.1:587 inet n - y - - smtpd\n"
                                "  -o { smtpd_milters = inet:1, inet:2 }\n"
                                "  -o smtpd_helo_restrictions=\n"
                                "  -o mine=x -o transport_maps=$myhostname-$mine\n"
                                "local unix - n n - - local\n";

typedef struct {
  char *directory;
  Site *site;
} Fixture;

static void
write_file(const Fixture *fixture, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename(fixture->directory, name, NULL);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
  (void) data;
  g_autofree char *postconf = program_find("postconf");
  if (postconf == NULL)
    return;
  fixture->directory = g_dir_make_tmp("test-site-XXXXXX", NULL);
  g_assert_nonnull(fixture->directory);
  write_file(fixture, "main.cf", main_cf);
  write_file(fixture, "master.cf", master_cf);
  fixture->site = site_open(fixture->directory, NULL);
  g_assert_nonnull(fixture->site);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = {"main.cf", "master.cf"};
  (void) data;
  site_free(fixture->site);
  for (guint i = 0; i < G_N_ELEMENTS(names) && fixture->directory != NULL; i++) {
    g_autofree char *path = g_build_filename(fixture->directory, names[i], NULL);
    g_remove(path);
  }
  if (fixture->directory != NULL)
    g_rmdir(fixture->directory);
  g_free(fixture->directory);
}

static gboolean
is_absent(const Fixture *fixture)
{
  if (fixture->site == NULL)
    g_test_skip("there is no Postfix here");
  return fixture->site == NULL;
}

/* ---- Lists ---- */

static const struct {
  const char *value, *words; /* joined with '|' */
} lists[] = {
    {"", ""},
    {" , ", ""},
    {"a", "a"},
    {"hash:/a, hash:/b\thash:/c,", "hash:/a|hash:/b|hash:/c"},
    {"{ unix:x, y=z } inet:1", "{ unix:x, y=z }|inet:1"},
    {"pipemap:{hash:/a, {b c}},d", "pipemap:{hash:/a, {b c}}|d"},
    {"a { b", "a|{ b"},
    {"} a", "}|a"},
};

static void
test_words(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
    g_auto(GStrv) words = site_words(lists[i].value);
    g_autofree char *joined = g_strjoinv("|", words);
    g_assert_cmpstr(joined, ==, lists[i].words);
  }
}

/* ---- main.cf ---- */

static const struct {
  const char *name, *value, *expanded;
  gboolean set;
} values[] = {
    {"myhostname", "a.example", "a.example", TRUE},
    {"transport_maps", "hash:/a $zegel_empty hash:/b", "hash:/a hash:/b", TRUE},
    {"zegel_unused", "{ unix:x, default_action=tempfail }",
     "{ unix:x, default_action=tempfail }", TRUE},
    {"zegel_empty", "", "", TRUE},
    {"smtpd_milters", "$zegel_unused", "{ unix:x, default_action=tempfail }", TRUE},
    {"zegel_commented", "", "", FALSE},
    {"zegel", "", "", FALSE},
    {"virtual_alias_maps", "$virtual_maps", "", FALSE},
    {"mailbox_size_limit", "51200000", "51200000", FALSE},
};

static void
test_values(Fixture *fixture, gconstpointer data)
{
  (void) data;
  if (is_absent(fixture))
    return;
  g_assert_cmpstr(site_name(fixture->site), ==, "postfix-out");
  g_assert_cmpstr(site_directory(fixture->site), ==, fixture->directory);
  for (guint i = 0; i < G_N_ELEMENTS(values); i++) {
    g_autofree char *value = site_value(fixture->site, values[i].name, NULL);
    g_autofree char *expanded = site_expanded(fixture->site, values[i].name, NULL);
    g_assert_cmpstr(value, ==, values[i].value);
    g_assert_cmpstr(expanded, ==, values[i].expanded);
    g_assert_cmpint(site_is_set(fixture->site, values[i].name), ==, values[i].set);
  }
}

/* What somebody changes meanwhile counts. */
static void
test_changes(Fixture *fixture, gconstpointer data)
{
  (void) data;
  if (is_absent(fixture))
    return;
  write_file(fixture, "main.cf", "myhostname = b.example\n");
  g_autofree char *value = site_value(fixture->site, "myhostname", NULL);
  g_assert_cmpstr(value, ==, "b.example");
  g_assert_false(site_is_set(fixture->site, "transport_maps"));
}

static void
test_no_postfix(void)
{
  GError *error = NULL;
  g_autoptr(Site) site = site_open("/nonexistent", &error);
  g_assert_null(site);
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  g_error_free(error);
}

/* ---- master.cf ---- */

static void
test_services(Fixture *fixture, gconstpointer data)
{
  (void) data;
  if (is_absent(fixture))
    return;
  g_autoptr(GPtrArray) services = site_services(fixture->site, NULL);
  g_assert_nonnull(services);
  g_assert_cmpuint(services->len, ==, 3);
  g_assert_null(site_service(services, "smtp", "unix"));
  const SiteService *smtp = site_service(services, "smtp", "inet");
  const SiteService *port = site_service(services, "127.0.0.1:587", "inet");
  g_assert_true(smtp == services->pdata[0] && port == services->pdata[1]);
  g_assert_cmpstr(port->command, ==, "smtpd");
  g_assert_true(port->chroot);
  g_assert_false(smtp->chroot); /* from level 1 on "-" is "n" */
  g_assert_cmpuint(g_hash_table_size(port->options), ==, 4);
  g_assert_cmpstr(g_hash_table_lookup(port->options, "smtpd_milters"), ==,
                  "inet:1, inet:2");
  g_assert_cmpstr(g_hash_table_lookup(port->options, "smtpd_helo_restrictions"), ==, "");
}

static void
test_old_chroot(Fixture *fixture, gconstpointer data)
{
  (void) data;
  if (is_absent(fixture))
    return;
  write_file(fixture, "main.cf", "myhostname = b.example\n");
  g_autoptr(GPtrArray) services = site_services(fixture->site, NULL);
  g_assert_true(site_service(services, "smtp", "inet")->chroot);
}

static void
test_service_values(Fixture *fixture, gconstpointer data)
{
  (void) data;
  if (is_absent(fixture))
    return;
  g_autoptr(GPtrArray) services = site_services(fixture->site, NULL);
  const SiteService *port = site_service(services, "127.0.0.1:587", "inet");
  const SiteService *smtp = site_service(services, "smtp", "inet");
  g_autofree char *own = site_service_value(fixture->site, port, "transport_maps", NULL);
  g_autofree char *theirs = site_service_value(fixture->site, smtp, "smtpd_milters", NULL);
  g_assert_cmpstr(own, ==, "a.example-x");
  g_assert_cmpstr(theirs, ==, "{ unix:x, default_action=tempfail }");
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/site/words", test_words);
  g_test_add_func("/site/no-postfix", test_no_postfix);
#define WITH_SITE(path, test) g_test_add(path, Fixture, NULL, set_up, test, tear_down)
  WITH_SITE("/site/values", test_values);
  WITH_SITE("/site/changes", test_changes);
  WITH_SITE("/site/services", test_services);
  WITH_SITE("/site/old-chroot", test_old_chroot);
  WITH_SITE("/site/service-values", test_service_values);
  return g_test_run();
}
