#include "policyd/answer.h"

#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "common/ask/ask.h"
#include "common/base/error.h"
#include "tests/unit/tap.h"

typedef struct {
  char *directory;
  char *config_path;
  char *book_path;
  char *routes_path;
  Promises *promises;
  Service *service;
} Fixture;

#define BOOK_TEXT                                                                          \
  "partner.nl [mail.partner.nl]:25 dane-only\n"                                            \
  "both.nl [mail.both.nl]:25 secure\n"

static void
write_config(const Fixture *f, const char *first_domains)
{
  g_autofree char *text = g_strdup_printf(
      "[policyd]\nroutes_db = %s\ndomain_book = %s\n"
      "[organisation zorg]\ndomains = %s\nservice_domain = veilig.zorg.nl\n"
      "viewer_url = https://veilig.zorg.nl/\ndisplay_name = Zorg\n"
      "[organisation ander]\ndomains = ander.nl\nservice_domain = veilig.ander.nl\n"
      "viewer_url = https://veilig.ander.nl/\ndisplay_name = Ander\n",
      f->routes_path, f->book_path, first_domains);
  g_assert_true(g_file_set_contents(f->config_path, text, -1, NULL));
}

static void
write_book(const Fixture *f, const char *text)
{
  g_assert_true(g_file_set_contents(f->book_path, text, -1, NULL));
}

static void
set_up(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  f->directory = g_dir_make_tmp("zegel-answer-XXXXXX", NULL);
  f->config_path = g_build_filename(f->directory, "zegel.conf", NULL);
  f->book_path = g_build_filename(f->directory, "domains", NULL);
  f->routes_path = g_build_filename(f->directory, "routes.db", NULL);
  write_config(f, "zorg.nl both.nl xn--mller-kva.nl");
  write_book(f, BOOK_TEXT);
  Config *config = conf_load(f->config_path, &error);
  g_assert_no_error(error);
  Book *book = book_load(f->book_path, &error);
  g_assert_no_error(error);
  f->promises = promises_open(f->routes_path, NULL, &error);
  g_assert_no_error(error);
  f->service = service_new(f->config_path, config, book, f->promises);
  g_assert_true(service_start(f->service, &error));
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  (void) data;
  service_free(f->service);
  promises_close(f->promises);
  g_autoptr(GDir) dir = g_dir_open(f->directory, 0, NULL);
  for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
    g_autofree char *path = g_build_filename(f->directory, name, NULL);
    g_unlink(path);
  }
  g_assert_cmpint(g_rmdir(f->directory), ==, 0);
  g_free(f->directory);
  g_free(f->config_path);
  g_free(f->book_path);
  g_free(f->routes_path);
}

/* "route code,route code" for RECIPIENTS (comma-separated), or "! message". */
static char *
ask(const Fixture *f, const char *organisation, gboolean sensitive, const char *recipients)
{
  g_autoptr(RouteQuestion) question = route_question_new();
  question->organisation = g_strdup(organisation);
  question->queue_id = g_strdup("4ABC");
  question->sensitive = sensitive;
  g_auto(GStrv) list = g_strsplit(recipients, ",", -1);
  for (char **recipient = list; *recipient != NULL; recipient++)
    g_ptr_array_add(question->recipients, g_strdup(*recipient));
  g_autoptr(Attrs) attrs = route_question_format(question);
  g_autofree char *block = attrs_format(attrs, ATTR_ESCAPED);

  g_autofree char *text = service_answer(f->service, block, strlen(block));
  g_assert_nonnull(text);
  g_autoptr(GError) error = NULL;
  g_autoptr(Attrs) reply = attrs_parse(text, strlen(text), ATTR_ESCAPED, NULL);
  g_autoptr(GPtrArray) answers =
      route_answers_parse(reply, question->recipients->len, &error);
  if (answers == NULL)
    return g_strdup_printf("! %s", error->message);
  g_autoptr(GString) all = g_string_new(NULL);
  for (guint i = 0; i < answers->len; i++) {
    const RouteAnswer *answer = answers->pdata[i];
    g_string_append_printf(all, "%s%s %s", i > 0 ? "," : "", route_name(answer->route),
                           answer->code);
  }
  return g_string_free(g_steal_pointer(&all), FALSE);
}

#define OWN       "own Z-R1-OWN"
#define COMMUNITY "direct Z-R1-COMMUNITY"
#define VIEWER    "viewer Z-R1-VIEWER"
#define NO_LABEL  "viewer Z-R1-NO-LABEL"
#define ORDINARY  "ordinary Z-R9-ORDINARY"
#define L63       "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

static const struct {
  const char *organisation;
  gboolean sensitive;
  const char *recipients;
  const char *answers;
} rows[] = {
    {"zorg", TRUE, "jan@zorg.nl", OWN},
    {"zorg", TRUE, "jan@ZORG.nl.", OWN},
    {"zorg", TRUE, "jan@m\xc3\xbcller.nl", OWN},
    {"zorg", TRUE, "jan@XN--MLLER-KVA.nl", OWN},
    {"zorg", TRUE, "jan@partner.nl", COMMUNITY},
    {"zorg", TRUE, "jan@PARTNER.nl", COMMUNITY},
    {"zorg", TRUE, "jan@both.nl", COMMUNITY},
    {"zorg", TRUE, "jan@example.com", VIEWER},
    {"zorg", TRUE, "jan@sub.zorg.nl", VIEWER},
    {"zorg", TRUE, "jan@sub.partner.nl", VIEWER},
    {"zorg", TRUE, "jan@ander.nl", VIEWER}, /* O2: another organisation's is not own */
    {"ander", TRUE, "jan@ander.nl", OWN},
    {"ander", TRUE, "jan@zorg.nl", VIEWER},
    {"ander", TRUE, "jan@partner.nl", COMMUNITY},
    {"zorg", TRUE, "jan%example.com@zorg.nl", VIEWER}, /* would leave again */
    {"zorg", TRUE, "example.com!jan@zorg.nl", VIEWER},
    {"zorg", TRUE, "\"jan@example.com\"@zorg.nl", VIEWER},
    {"zorg", TRUE, "jan", NO_LABEL},
    {"zorg", TRUE, "jan@[192.0.2.1]", NO_LABEL},
    {"zorg", TRUE, "jan@" L63 "." L63 "." L63 "." L63 ".nl", NO_LABEL},
    {"zorg", TRUE, "jan@x.viewer.zegel.internal", NO_LABEL},
    {"zorg", TRUE, "a@zorg.nl,b@partner.nl,c@example.com", OWN "," COMMUNITY "," VIEWER},
    {"zorg", FALSE, "a@zorg.nl,b@partner.nl,c@example.com,d",
     ORDINARY "," ORDINARY "," ORDINARY "," ORDINARY},
    {"nobody", TRUE, "a@zorg.nl",
     "! policyd: there is no organisation nobody in "
     "zegel.conf here"},
};

static void
test_table(Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *answers =
        ask(f, rows[i].organisation, rows[i].sensitive, rows[i].recipients);
    g_test_message("row %u", i);
    g_assert_cmpstr(answers, ==, rows[i].answers);
  }
}

/* Whether DOMAIN is promised to the book's entry already: nothing would be new. */
static gboolean
is_promised(const Fixture *f, const char *domain, const char *book_text)
{
  static const PromiseWays ways = {"zegel-direct", "unused", "unused"};
  g_autoptr(Book) book = book_parse("book", book_text, strlen(book_text), NULL);
  g_autoptr(Promises) seen = promises_open(f->routes_path, NULL, NULL);
  const BookEntry *entry = book_find(book, "partner.nl");
  PromiseHop hop = {entry->nexthop, entry->policy, PROMISE_BOOK};
  return !promises_note(seen, domain, LABEL_DIRECT, &hop, &ways);
}

/* The promise is on disk when the answer is there, for a second reader of the file. */
static void
test_promised_before_answer(Fixture *f, gconstpointer data)
{
  (void) data;
  g_assert_false(is_promised(f, "partner.nl", BOOK_TEXT));
  g_autofree char *plain = ask(f, "zorg", FALSE, "jan@partner.nl");
  g_assert_cmpstr(plain, ==, ORDINARY);
  g_assert_false(is_promised(f, "partner.nl", BOOK_TEXT));
  g_autofree char *answer = ask(f, "zorg", TRUE, "jan@Partner.nl");
  g_assert_cmpstr(answer, ==, COMMUNITY);
  g_assert_true(is_promised(f, "partner.nl", BOOK_TEXT));
}

/* Without the promise there is no answer, for nobody in the question; then it works again.
 */
static void
test_no_promise_no_answer(Fixture *f, gconstpointer data)
{
  (void) data;
  g_assert_cmpint(g_unlink(f->routes_path), ==, 0);
  g_assert_cmpint(g_mkdir(f->routes_path, 0700), ==, 0); /* nothing can be put back there */
  g_usleep(1000 * PROMISES_LOOK_MS);
  g_autofree char *viewer = ask(f, "zorg", TRUE, "jan@example.com");
  g_assert_cmpstr(viewer, ==, VIEWER);
  g_autofree char *failed = ask(f, "zorg", TRUE, "jan@example.com,jan@partner.nl");
  g_assert_true(g_str_has_prefix(failed, "! policyd: "));
  g_assert_cmpint(g_rmdir(f->routes_path), ==, 0);
  g_usleep(1000 * PROMISES_LOOK_MS);
  g_autofree char *direct = ask(f, "zorg", TRUE, "jan@partner.nl");
  g_assert_cmpstr(direct, ==, COMMUNITY);
  g_assert_true(is_promised(f, "partner.nl", BOOK_TEXT));
}

static void
test_nonsense(Fixture *f, gconstpointer data)
{
  (void) data;
  static const char *const blocks[] = {"\n", "HELO there\n\n", "request=route\n\n",
                                       "=\n\n"};
  for (guint i = 0; i < G_N_ELEMENTS(blocks); i++)
    g_assert_null(service_answer(f->service, blocks[i], strlen(blocks[i])));
}

static void
test_reload(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autofree char *before = ask(f, "zorg", TRUE, "jan@partner.nl");
  g_assert_cmpstr(before, ==, COMMUNITY);

  write_book(f, "new.nl [mail.new.nl] dane-only\n");
  write_config(f, "zorg.nl later.nl");
  service_reload(f->service);
  g_autofree char *after =
      ask(f, "zorg", TRUE, "jan@partner.nl,jan@new.nl,jan@both.nl,jan@later.nl");
  g_assert_cmpstr(after, ==, VIEWER "," COMMUNITY "," VIEWER "," OWN);
  g_assert_false(is_promised(f, "partner.nl", BOOK_TEXT));
}

/* A bad book, a bad configuration or none at all: what was known stays known. */
static void
test_bad_reload(Fixture *f, gconstpointer data)
{
  (void) data;
  write_book(f, "new.nl [mail.new.nl] dane-only\npartner.nl oops\n");
  service_reload(f->service);
  g_autofree char *first = ask(f, "zorg", TRUE, "jan@partner.nl,jan@new.nl");
  g_assert_cmpstr(first, ==, COMMUNITY "," VIEWER);
  g_unlink(f->book_path);
  service_reload(f->service);
  write_book(f, "new.nl [mail.new.nl] dane-only\n");
  g_assert_true(g_file_set_contents(f->config_path, "[nothing]\n", -1, NULL));
  service_reload(f->service);
  g_autofree char *last = ask(f, "zorg", TRUE, "jan@partner.nl,jan@new.nl");
  g_assert_cmpstr(last, ==, COMMUNITY "," VIEWER);
}

static void
add(const char *path, void (*test)(Fixture *, gconstpointer))
{
  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  add("/answer/table", test_table);
  add("/answer/promised-before-answer", test_promised_before_answer);
  add("/answer/no-promise-no-answer", test_no_promise_no_answer);
  add("/answer/nonsense", test_nonsense);
  add("/answer/reload", test_reload);
  add("/answer/bad-reload", test_bad_reload);
  return g_test_run();
}
