/*
 * The phone book: what it remembers for whom, who may ask it, and what stands in its file.
 */
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>
#include <sqlite3.h>

#include "common/base/error.h"
#include "policyd/phone_ask.h"
#include "tests/unit/crypt/ring.h"
#include "tests/unit/tap.h"

#define ORG   "first"
#define JAN   "Jan.Canary@Example.COM"
#define ONE   "+31612345678"
#define TWO   "+31687654321"
#define THREE "+31611112222"
#define ALL   (PHONE_MAY_READ | PHONE_MAY_LEARN | PHONE_MAY_CONFIRM | PHONE_MAY_MANAGE)

typedef struct {
  char *directory, *path;
  PhoneBook *book;
  Config *config;
} Fixture;

static const char config_text[] =
    "[organisation first]\ndomains = first.nl\nservice_domain = s.first.nl\n"
    "viewer_url = https://first.nl/\ndisplay_name = First\n"
    "[organisation optional]\ndomains = second.nl\nservice_domain = s.second.nl\n"
    "viewer_url = https://second.nl/\ndisplay_name = Second\nmethod = optional\n"
    "[organisation email]\ndomains = third.nl\nservice_domain = s.third.nl\n"
    "viewer_url = https://third.nl/\ndisplay_name = Third\nmethod = email\n"
    "[organisation forgetful]\ndomains = fourth.nl\nservice_domain = s.fourth.nl\n"
    "viewer_url = https://fourth.nl/\ndisplay_name = Fourth\nphone_book = no\n";

static int
remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
  (void) status;
  (void) type;
  (void) where;
  return remove(path);
}

static void
open_book(Fixture *f, gboolean rotated)
{
  g_clear_pointer(&f->book, phone_book_free);
  f->book = phone_book_new(f->path, ring_new(KEY_PHONE, rotated));
}

static void
set_up(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  f->directory = g_dir_make_tmp("zegel-phone-XXXXXX", NULL);
  f->path = g_build_filename(f->directory, "phone.db", NULL);
  f->config = conf_parse("test", config_text, sizeof config_text - 1, &error);
  g_assert_no_error(error);
  open_book(f, FALSE);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  (void) data;
  phone_book_free(f->book);
  conf_free(f->config);
  g_chmod(f->directory, 0700);
  nftw(f->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  g_free(f->directory);
  g_free(f->path);
}

static PhoneEntry
entry_of(const char *organisation, const char *recipient, const char *number)
{
  return (PhoneEntry){organisation, recipient, number, "arts@first.nl", "ref1"};
}

static void
assert_learns(Fixture *f, const char *recipient, const char *number, PhoneChange expected)
{
  PhoneEntry entry = entry_of(ORG, recipient, number);
  PhoneChange change = PHONE_REPLACED;
  g_autoptr(GError) error = NULL;
  g_assert_true(phone_book_learn(f->book, &entry, &change, &error));
  g_assert_no_error(error);
  g_assert_cmpstr(phone_change_name(change), ==, phone_change_name(expected));
}

static void
assert_confirms(Fixture *f, const char *number, PhoneChange expected)
{
  PhoneEntry entry = entry_of(ORG, JAN, number);
  PhoneChange change = PHONE_WAITS;
  g_autoptr(GError) error = NULL;
  g_assert_true(phone_book_confirm(f->book, &entry, &change, &error));
  g_assert_no_error(error);
  g_assert_cmpstr(phone_change_name(change), ==, phone_change_name(expected));
}

static void
assert_finds(Fixture *f, const char *organisation, const char *recipient,
             const char *number, const char *waiting)
{
  g_auto(PhoneFound) found = {0};
  g_autoptr(GError) error = NULL;
  g_assert_true(phone_book_find(f->book, organisation, recipient, &found, &error));
  g_assert_no_error(error);
  g_assert_cmpstr(found.number, ==, number);
  g_assert_cmpstr(found.waiting, ==, waiting);
}

/* ---- What is remembered ---- */

static void
test_learn(Fixture *f, gconstpointer data)
{
  (void) data;
  assert_finds(f, ORG, JAN, NULL, NULL);
  assert_learns(f, JAN, ONE, PHONE_LEARNED);
  assert_learns(f, JAN, ONE, PHONE_KNOWN);
  assert_finds(f, ORG, JAN, ONE, NULL);
  assert_finds(f, "optional", JAN, NULL, NULL);
  assert_finds(f, ORG, "piet@example.com", NULL, NULL);
}

static void
test_replace(Fixture *f, gconstpointer data)
{
  (void) data;
  assert_learns(f, JAN, ONE, PHONE_LEARNED);
  assert_confirms(f, ONE, PHONE_KNOWN);
  assert_learns(f, JAN, TWO, PHONE_WAITS);
  assert_learns(f, JAN, TWO, PHONE_WAITS);
  assert_finds(f, ORG, JAN, ONE, TWO);
  assert_confirms(f, ONE, PHONE_KNOWN); /* the old number opens an older message */
  assert_finds(f, ORG, JAN, ONE, TWO);
  assert_confirms(f, TWO, PHONE_REPLACED);
  assert_finds(f, ORG, JAN, TWO, NULL);
  assert_confirms(f, TWO, PHONE_KNOWN);
  assert_confirms(f, ONE, PHONE_KNOWN); /* and brings it not back */
  assert_finds(f, ORG, JAN, TWO, NULL);
}

static void
test_last_one_waits(Fixture *f, gconstpointer data)
{
  (void) data;
  assert_learns(f, JAN, ONE, PHONE_LEARNED);
  assert_learns(f, JAN, TWO, PHONE_WAITS);
  assert_learns(f, JAN, THREE, PHONE_WAITS);
  assert_confirms(f, TWO, PHONE_KNOWN);
  assert_finds(f, ORG, JAN, ONE, THREE);
  assert_confirms(f, THREE, PHONE_REPLACED);
  assert_finds(f, ORG, JAN, THREE, NULL);
}

static void
test_forget(Fixture *f, gconstpointer data)
{
  (void) data;
  gboolean known = TRUE;
  g_autoptr(GError) error = NULL;
  g_assert_true(phone_book_forget(f->book, ORG, JAN, &known, &error));
  g_assert_false(known);
  assert_learns(f, JAN, ONE, PHONE_LEARNED);
  g_assert_true(phone_book_forget(f->book, ORG, JAN, &known, &error));
  g_assert_no_error(error);
  g_assert_true(known);
  assert_finds(f, ORG, JAN, NULL, NULL);
  assert_confirms(f, ONE, PHONE_KNOWN); /* a code of an older message brings nobody back */
  assert_finds(f, ORG, JAN, NULL, NULL);
}

/* Who is one and the same. */
static void
test_addresses(Fixture *f, gconstpointer data)
{
  (void) data;
  static const struct {
    const char *learned, *asked;
    gboolean same;
  } rows[] = {
      {"a1@example.com", "A1@EXAMPLE.COM", TRUE},
      {"a2@example.com", "a2@example.com.", TRUE},
      {"\"a3\"@example.com", "a3@example.com", TRUE},
      {"\"a\\4\"@example.com", "a4@example.com", TRUE},
      {"a5@b\xc3\xbc"
       "cher.de",
       "a5@xn--bcher-kva.de", TRUE},
      {"a6@[192.0.2.1]", "A6@[192.0.2.1]", TRUE},
      {"a7+x@example.com", "a7@example.com", FALSE},
      {"a8@example.com", "a8@example.org", FALSE},
      {"a9", "a9@example.com", FALSE},
      {"\"\"@example.com", "@example.com", TRUE},
      {"\"@example.com", "x@example.com", FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("row %u", i);
    assert_learns(f, rows[i].learned, ONE, PHONE_LEARNED);
    assert_finds(f, ORG, rows[i].asked, rows[i].same ? ONE : NULL, NULL);
  }
}

/* An organisation's name and an address cannot be read as another pair. */
static void
test_no_mix(Fixture *f, gconstpointer data)
{
  (void) data;
  assert_learns(f, "x@y.nl", ONE, PHONE_LEARNED);
  assert_finds(f, "firs", "tx@y.nl", NULL, NULL);
  assert_finds(f, "firstx", "@y.nl", NULL, NULL);
}

static void
test_rotation(Fixture *f, gconstpointer data)
{
  (void) data;
  assert_learns(f, JAN, ONE, PHONE_LEARNED);
  assert_learns(f, "piet@example.com", THREE, PHONE_LEARNED);
  open_book(f, TRUE);
  assert_finds(f, ORG, JAN, ONE, NULL);
  assert_learns(f, JAN, TWO, PHONE_WAITS); /* written anew under the new key */
  assert_finds(f, ORG, JAN, ONE, TWO);
  open_book(f, FALSE);
  assert_finds(f, ORG, JAN, NULL, NULL);
  open_book(f, TRUE);
  gboolean known = FALSE;
  g_assert_true(phone_book_forget(f->book, ORG, JAN, &known, NULL));
  g_assert_true(known);
  assert_finds(f, ORG, JAN, NULL, NULL);
  known = FALSE;
  g_assert_true(phone_book_forget(f->book, ORG, "piet@example.com", &known, NULL));
  g_assert_true(known);
  assert_finds(f, ORG, "piet@example.com", NULL, NULL);
}

/* ---- What stands in the file ---- */

/* Whether WORD, in any case, is in a file of the directory. */
static gboolean
lies_open(const Fixture *f, const char *word)
{
  g_autoptr(GDir) dir = g_dir_open(f->directory, 0, NULL);
  for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
    g_autofree char *path = g_build_filename(f->directory, name, NULL);
    g_autofree char *bytes = NULL;
    gsize len = 0;
    g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
    for (gsize i = 0; i + strlen(word) <= len; i++)
      if (g_ascii_strncasecmp(bytes + i, word, strlen(word)) == 0)
        return TRUE;
  }
  return FALSE;
}

static void
test_nothing_in_clear(Fixture *f, gconstpointer data)
{
  (void) data;
  assert_learns(f, JAN, ONE, PHONE_LEARNED);
  assert_learns(f, JAN, TWO, PHONE_WAITS);
  g_assert_true(lies_open(f, "CREATE TABLE")); /* the search finds what is there */
  static const char *const words[] = {"12345678", "87654321", "canary", "example", "first"};
  for (guint i = 0; i < G_N_ELEMENTS(words); i++)
    g_assert_false(lies_open(f, words[i]));
  struct stat status;
  g_assert_cmpint(stat(f->path, &status), ==, 0);
  g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
}

/* A box that somebody moved to another recipient, or changed, does not count. */
static void
test_moved_box(Fixture *f, gconstpointer data)
{
  (void) data;
  assert_learns(f, JAN, ONE, PHONE_LEARNED);
  assert_learns(f, "piet@example.com", TWO, PHONE_LEARNED);
  g_clear_pointer(&f->book, phone_book_free);
  g_autofree char *sql = g_strdup_printf(
      "import sqlite3; db = sqlite3.connect('%s'); "
      "rows = db.execute('SELECT id, entry FROM phone').fetchall(); "
      "db.execute('UPDATE phone SET entry = ? WHERE id = ?', (rows[1][1], rows[0][0])); "
      "db.execute('UPDATE phone SET entry = ? WHERE id = ?', (rows[0][1], rows[1][0])); "
      "db.commit()",
      f->path);
  const char *argv[] = {"python3", "-c", sql, NULL};
  int status = -1;
  g_assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                             NULL, NULL, &status, NULL));
  g_assert_cmpint(status, ==, 0);
  open_book(f, FALSE);
  assert_finds(f, ORG, JAN, NULL, NULL);
  assert_finds(f, ORG, "piet@example.com", NULL, NULL);
  assert_learns(f, JAN, THREE, PHONE_LEARNED);
  assert_finds(f, ORG, JAN, THREE, NULL);
}

static void
test_removed_while_open(Fixture *f, gconstpointer data)
{
  (void) data;
  assert_learns(f, JAN, ONE, PHONE_LEARNED);
  g_assert_cmpint(unlink(f->path), ==, 0);
  assert_finds(f, ORG, JAN, NULL, NULL);
  assert_learns(f, JAN, TWO, PHONE_LEARNED);
  open_book(f, FALSE);
  assert_finds(f, ORG, JAN, TWO, NULL);
}

static void
test_damaged(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autofree char *aside = g_strconcat(f->path, ".damaged", NULL);
  g_autofree char *junk = g_strnfill(8192, 'x');
  assert_learns(f, JAN, ONE, PHONE_LEARNED);
  g_clear_pointer(&f->book, phone_book_free);
  g_assert_true(g_file_set_contents(f->path, junk, -1, NULL));
  open_book(f, FALSE);
  assert_finds(f, ORG, JAN, NULL, NULL);
  assert_learns(f, JAN, TWO, PHONE_LEARNED);
  g_assert_true(g_file_test(aside, G_FILE_TEST_EXISTS));
}

static void
set_version(const Fixture *f, int version)
{
  sqlite3 *db = NULL;
  g_autofree char *sql = g_strdup_printf("PRAGMA user_version = %d", version);
  g_assert_cmpint(sqlite3_open(f->path, &db), ==, SQLITE_OK);
  g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close(db);
}

/* That of a later zegel is neither read nor taken for a damaged one. */
static void
test_newer(Fixture *f, gconstpointer data)
{
  (void) data;
  assert_learns(f, JAN, ONE, PHONE_LEARNED);
  g_clear_pointer(&f->book, phone_book_free);
  set_version(f, 2);
  open_book(f, FALSE);
  g_autoptr(GError) error = NULL;
  g_auto(PhoneFound) found = {0};
  g_assert_false(phone_book_find(f->book, ORG, JAN, &found, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
  g_assert_nonnull(strstr(error->message, "newer zegel"));
  set_version(f, 1);
  assert_finds(f, ORG, JAN, ONE, NULL);
}

/* ---- Who may ask what ---- */

/* The value of NAME in the answer to REQUEST of a peer with RIGHTS; NULL: cut off. */
static char *
ask(Fixture *f, const char *request, const char *organisation, const char *number,
    guint rights, const char *name)
{
  PhoneEntry entry = entry_of(organisation, JAN, number);
  g_autoptr(Attrs) question = phone_question_format(request, &entry);
  g_autofree char *block = attrs_format(question, ATTR_ESCAPED);
  g_autofree char *text =
      phone_ask(f->book, f->config, block, strlen(block), (PhoneRights) rights);
  if (text == NULL)
    return NULL;
  g_autoptr(Attrs) answer = attrs_parse(text, strlen(text), ATTR_ESCAPED, NULL);
  g_assert_nonnull(answer);
  return g_strdup(attrs_get(answer, name));
}

static void
test_rights(Fixture *f, gconstpointer data)
{
  (void) data;
  static const struct {
    const char *request, *number;
    guint right;
    const char *result;
  } rows[] = {
      {"phone-learn", ONE, PHONE_MAY_LEARN, "learned"},
      {"phone-learn", TWO, PHONE_MAY_LEARN, "waits"},
      {"phone-confirm", TWO, PHONE_MAY_CONFIRM, "replaced"},
      {"phone-show", NULL, PHONE_MAY_MANAGE, "known"},
      {"phone-forget", NULL, PHONE_MAY_MANAGE, "forgotten"},
      {"phone-forget", NULL, PHONE_MAY_MANAGE, "unknown"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("row %u", i);
    g_assert_null(
        ask(f, rows[i].request, ORG, rows[i].number, ALL & ~rows[i].right, "result"));
    g_autofree char *result =
        ask(f, rows[i].request, ORG, rows[i].number, rows[i].right, "result");
    g_assert_cmpstr(result, ==, rows[i].result);
  }
  g_assert_null(ask(f, "route", ORG, NULL, ALL, "result"));
  g_assert_null(ask(f, "phone-learn", ORG, NULL, ALL, "result"));
  g_assert_null(ask(f, "phone-learn", ORG, "0612345678", ALL, "result"));
}

static void
test_masked(Fixture *f, gconstpointer data)
{
  (void) data;
  assert_learns(f, JAN, ONE, PHONE_LEARNED);
  assert_learns(f, JAN, TWO, PHONE_WAITS);
  g_autofree char *number = ask(f, "phone-show", ORG, NULL, ALL, "number");
  g_autofree char *waiting = ask(f, "phone-show", ORG, NULL, ALL, "waiting");
  g_assert_cmpstr(number, ==, "+316******78");
  g_assert_cmpstr(waiting, ==, "+316******21");
}

static void
test_who_remembers(Fixture *f, gconstpointer data)
{
  (void) data;
  static const char *const not [] = {"email", "forgetful", "unknown"};
  for (guint i = 0; i < G_N_ELEMENTS(not ); i++) {
    g_autofree char *error = ask(f, "phone-learn", not [i], ONE, ALL, "error");
    g_assert_nonnull(error);
    assert_finds(f, not [i], JAN, NULL, NULL);
  }
  g_autofree char *result = ask(f, "phone-learn", "optional", ONE, ALL, "result");
  g_assert_cmpstr(result, ==, "learned");
}

/* ---- Numbers for routes ---- */

typedef struct {
  const char *organisation;
  Route route;
  gboolean numbers, sensitive, inward;
} NumberRow;

/* The number that comes with the route; *DONE is whether there is an answer at all. */
static char *
number_for(Fixture *f, const NumberRow *row, gboolean *done)
{
  g_autoptr(RouteQuestion) question = route_question_new();
  g_autoptr(GPtrArray) answers =
      g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free);
  question->organisation = g_strdup(row->organisation);
  question->numbers = row->numbers;
  question->sensitive = row->sensitive;
  question->inward = row->inward;
  g_ptr_array_add(question->recipients, g_strdup("jan.canary@example.com"));
  g_ptr_array_add(answers, route_answer_new(row->route, "Z-R1-VIEWER", "-"));
  g_autoptr(GError) error = NULL;
  *done = phone_ask_numbers(f->book, f->config, question, answers, &error);
  g_assert_cmpint(*done, ==, error == NULL);
  return g_strdup(((RouteAnswer *) answers->pdata[0])->number);
}

static void
test_numbers(Fixture *f, gconstpointer data)
{
  (void) data;
  static const struct {
    NumberRow row;
    gboolean known;
  } rows[] = {
      {{ORG, ROUTE_VIEWER, TRUE, TRUE, FALSE}, TRUE},
      {{ORG, ROUTE_DIRECT, TRUE, TRUE, FALSE}, TRUE},
      {{ORG, ROUTE_OWN, TRUE, TRUE, FALSE}, FALSE},
      {{ORG, ROUTE_VIEWER, FALSE, TRUE, FALSE}, FALSE},
      {{ORG, ROUTE_VIEWER, TRUE, FALSE, FALSE}, FALSE},
      {{ORG, ROUTE_VIEWER, TRUE, TRUE, TRUE}, FALSE},
      {{"optional", ROUTE_VIEWER, TRUE, TRUE, FALSE}, FALSE},
      {{"email", ROUTE_VIEWER, TRUE, TRUE, FALSE}, FALSE},
      {{"forgetful", ROUTE_VIEWER, TRUE, TRUE, FALSE}, FALSE},
  };
  assert_learns(f, JAN, ONE, PHONE_LEARNED);
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    gboolean done = FALSE;
    g_test_message("row %u", i);
    g_autofree char *number = number_for(f, &rows[i].row, &done);
    g_assert_true(done);
    g_assert_cmpstr(number, ==, rows[i].known ? ONE : NULL);
  }
}

/* Without key or file: routes without numbers, but none for who would get a weaker way. */
static void
test_not_to_be_had(Fixture *f, gconstpointer data)
{
  const NumberRow required = {ORG, ROUTE_VIEWER, TRUE, TRUE, FALSE};
  const NumberRow optional = {"optional", ROUTE_VIEWER, TRUE, TRUE, FALSE};
  gboolean done = FALSE;
  (void) data;
  g_clear_pointer(&f->book, phone_book_free);
  for (guint turn = 0; turn < 2; turn++) {
    g_autofree char *nowhere = g_build_filename(f->directory, "none", "phone.db", NULL);
    f->book = turn == 0 ? phone_book_new(f->path, NULL)
                        : phone_book_new(nowhere, ring_new(KEY_PHONE, FALSE));
    g_assert_null(number_for(f, &required, &done));
    g_assert_true(done);
    g_assert_null(number_for(f, &optional, &done));
    g_assert_false(done);
    g_autofree char *error = ask(f, "phone-learn", ORG, ONE, ALL, "error");
    g_assert_nonnull(error);
    g_clear_pointer(&f->book, phone_book_free);
  }
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*test)(Fixture *, gconstpointer);
  } tests[] = {
      {"/phone/learn", test_learn},
      {"/phone/replace", test_replace},
      {"/phone/the last one waits", test_last_one_waits},
      {"/phone/forget", test_forget},
      {"/phone/addresses", test_addresses},
      {"/phone/no mix", test_no_mix},
      {"/phone/rotation", test_rotation},
      {"/phone/nothing in clear", test_nothing_in_clear},
      {"/phone/moved box", test_moved_box},
      {"/phone/removed while open", test_removed_while_open},
      {"/phone/damaged", test_damaged},
      {"/phone/newer", test_newer},
      {"/phone/rights", test_rights},
      {"/phone/masked", test_masked},
      {"/phone/who remembers", test_who_remembers},
      {"/phone/numbers", test_numbers},
      {"/phone/not to be had", test_not_to_be_had},
  };
  tap_init(argc, argv);
  for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
    g_test_add(tests[i].name, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run();
}
