#include "common/seen/seen.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"

typedef struct {
  char *directory, *path;
  Seen *seen;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  (void) data;
  fixture->directory = g_dir_make_tmp("seen-XXXXXX", NULL);
  fixture->path = g_build_filename(fixture->directory, "seen.db", NULL);
  fixture->seen = seen_open(fixture->path, &error);
  g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
  static const char *const suffixes[] = {"", "-wal", "-shm", ".damaged"};
  (void) data;
  seen_close(fixture->seen);
  for (guint i = 0; i < G_N_ELEMENTS(suffixes); i++) {
    g_autofree char *name = g_strconcat(fixture->path, suffixes[i], NULL);
    g_unlink(name);
  }
  g_assert_cmpint(g_rmdir(fixture->directory), ==, 0);
  g_free(fixture->directory);
  g_free(fixture->path);
}

/* A sight of a.nl at AT_S whose host had the records of TLSA, split at commas. */
static Sight *
sight_of(gint64 at_s, SightReadiness readiness, const char *code, const char *tlsa)
{
  Sight *sight = sight_new("a.nl", FALSE, at_s);
  sight->readiness = readiness;
  g_free(sight->code);
  sight->code = g_strdup(code);
  SightLook *look = sight_look(sight, SEEN_TLSA, "mx.a.nl");
  g_auto(GStrv) records = g_strsplit(tlsa, ",", -1);
  for (char **record = records; *record != NULL; record++)
    sight_add(look, *record, 0, 0);
  return sight;
}

static void
write_one(Seen *seen, Sight *sight)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) sights = g_ptr_array_new();
  g_ptr_array_add(sights, sight);
  gboolean good = seen_write(seen, sights, &error);
  g_assert_no_error(error);
  g_assert_true(good);
  sight_free(sight);
}

/* The records of mx.a.nl: "TEXT FIRST-LAST[!][+]": ! when it is there, + when it is later.
 */
static char *
describe(Seen *seen)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) records = seen_records(seen, SEEN_TLSA, "mx.a.nl", &error);
  g_assert_no_error(error);
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < records->len; i++) {
    const SeenRecord *record = records->pdata[i];
    g_string_append_printf(text, "%s%s %" G_GINT64_FORMAT "-%" G_GINT64_FORMAT "%s%s",
                           i > 0 ? ", " : "", record->text, record->first_s, record->last_s,
                           record->there ? "!" : "", record->later ? "+" : "");
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

#define assert_records(seen, expected)                                                     \
  G_STMT_START                                                                             \
  {                                                                                        \
    g_autofree char *found_ = describe(seen);                                              \
    g_assert_cmpstr(found_, ==, expected);                                                 \
  }                                                                                        \
  G_STMT_END

static void
test_records(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Seen *seen = fixture->seen;
  assert_records(seen, "");
  write_one(seen, sight_of(100, SIGHT_READY, "Z-N1-READY", "A,B"));
  assert_records(seen, "A 100-100!, B 100-100!");
  write_one(seen, sight_of(200, SIGHT_READY, "Z-N1-READY", "B,A"));
  assert_records(seen, "A 100-200!, B 100-200!");
  write_one(seen, sight_of(300, SIGHT_READY, "Z-N1-READY", "B,C"));
  assert_records(seen, "C 300-300!+, A 100-200, B 100-300!");
  write_one(seen, sight_of(400, SIGHT_NOT_READY, "Z-N1-TLSA", ""));
  assert_records(seen, "C 300-300+, A 100-200, B 100-300");
}

static void
test_none_is_seen_too(Fixture *fixture, gconstpointer data)
{
  (void) data;
  write_one(fixture->seen, sight_of(100, SIGHT_READY, "Z-N1-READY", "A"));
  Sight *none = sight_new("a.nl", FALSE, 200);
  sight_look(none, SEEN_TLSA, "mx.a.nl");
  write_one(fixture->seen, none);
  assert_records(fixture->seen, "A 100-100");
  write_one(fixture->seen, sight_new("a.nl", FALSE, 300)); /* nothing could be proved */
  write_one(fixture->seen, sight_of(400, SIGHT_READY, "Z-N1-READY", "A"));
  assert_records(fixture->seen, "A 100-400!");
}

static void
check_domain(Seen *seen, gboolean ready, const char *code, gint64 since_s, gint64 last_s,
             gint64 ready_s)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(SeenDomain) domain = NULL;
  g_autoptr(SeenDomain) other = NULL;
  g_assert_true(seen_domain(seen, "a.nl", FALSE, &domain, &error));
  g_assert_true(seen_domain(seen, "a.nl", TRUE, &other, &error));
  g_assert_no_error(error);
  g_assert_nonnull(domain);
  g_assert_null(other);
  g_assert_cmpint(domain->ready, ==, ready);
  g_assert_cmpstr(domain->code, ==, code);
  g_assert_cmpint(domain->since_s, ==, since_s);
  g_assert_cmpint(domain->last_s, ==, last_s);
  g_assert_cmpint(domain->ready_s, ==, ready_s);
}

static void
test_readiness(Fixture *fixture, gconstpointer data)
{
  (void) data;
  Seen *seen = fixture->seen;
  write_one(seen, sight_of(100, SIGHT_NOT_READY, "Z-N1-DATES", "A"));
  check_domain(seen, FALSE, "Z-N1-DATES", 100, 100, 0);
  write_one(seen, sight_of(200, SIGHT_READY, "Z-N1-READY", "A"));
  check_domain(seen, TRUE, "Z-N1-READY", 200, 200, 200);
  write_one(seen, sight_of(300, SIGHT_READY, "Z-N1-READY", "A"));
  check_domain(seen, TRUE, "Z-N1-READY", 200, 300, 300);
  write_one(seen, sight_of(400, SIGHT_UNKNOWN, "Z-N1-DNSSEC", "A"));
  check_domain(seen, TRUE, "Z-N1-READY", 200, 300, 300);
  write_one(seen, sight_of(500, SIGHT_NOT_READY, "Z-N1-TLSA", "A"));
  check_domain(seen, FALSE, "Z-N1-TLSA", 500, 500, 300);
}

static void
test_old_rows_go(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  (void) data;
  Seen *seen = fixture->seen;
  write_one(seen, sight_of(100, SIGHT_READY, "Z-N1-READY", "A,B"));
  write_one(seen, sight_of(200, SIGHT_READY, "Z-N1-READY", "B,C"));
  write_one(seen, sight_of(300, SIGHT_READY, "Z-N1-READY", "B,D"));
  g_assert_true(seen_expire(seen, 200, 100, 100, &error));
  assert_records(seen, "D 300-300!+, C 200-200+, B 100-300!");
  /* What lasted stays before what was there once. */
  write_one(seen, sight_of(400, SIGHT_READY, "Z-N1-READY", "E"));
  g_assert_true(seen_expire(seen, 0, 1, 100, &error));
  assert_records(seen, "B 100-300");
  g_assert_true(seen_expire(seen, 1000, 100, 100, &error));
  g_assert_no_error(error);
  assert_records(seen, "");
  g_autoptr(GPtrArray) domains = seen_domains(seen, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(domains->len, ==, 0);
}

static void
test_told(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  gboolean told = TRUE;
  (void) data;
  g_assert_true(seen_was_told(fixture->seen, SEEN_TOLD_EVENT, "x", &told, &error));
  g_assert_false(told);
  g_assert_true(seen_tell(fixture->seen, SEEN_TOLD_EVENT, "x", 100, &error));
  g_assert_true(seen_was_told(fixture->seen, SEEN_TOLD_EVENT, "x", &told, &error));
  g_assert_true(told);
  g_assert_true(seen_was_told(fixture->seen, SEEN_TOLD_MAIL, "x", &told, &error));
  g_assert_false(told);
  g_assert_no_error(error);
}

static void
test_limits(void)
{
  g_autoptr(Sight) sight = sight_new("a.nl", FALSE, 1);
  SightLook *look = sight_look(sight, SEEN_NTA, "a.nl");
  g_autofree char *large = g_strnfill(3 * SIGHT_VALUE_MAX_BYTES, 'x');
  sight_add(look, large, 0, 0);
  sight_add(look, large, 0, 0);
  g_assert_cmpuint(look->values->len, ==, 1);
  const SightValue *value = look->values->pdata[0];
  g_assert_cmpuint(strlen(value->text), ==, SIGHT_VALUE_MAX_BYTES);
  for (guint i = 0; i < 2 * SIGHT_VALUES_MAX; i++) {
    g_autofree char *text = g_strdup_printf("%u", i);
    sight_add(look, text, 0, 0);
  }
  g_assert_cmpuint(look->values->len, ==, SIGHT_VALUES_MAX);
}

static void
test_digest(void)
{
  g_autoptr(Sight) one = sight_of(1, SIGHT_READY, "Z-N1-READY", "A,B");
  g_autoptr(Sight) same = sight_of(2, SIGHT_READY, "Z-N1-READY", "B,A");
  g_autoptr(Sight) other = sight_of(1, SIGHT_READY, "Z-N1-READY", "A,C");
  g_autoptr(Sight) lost = sight_of(1, SIGHT_NOT_READY, "Z-N1-READY", "A,B");
  g_autofree char *digest = sight_digest(one), *same_digest = sight_digest(same);
  g_autofree char *other_digest = sight_digest(other), *lost_digest = sight_digest(lost);
  g_assert_cmpstr(digest, ==, same_digest);
  g_assert_cmpstr(digest, !=, other_digest);
  g_assert_cmpstr(digest, !=, lost_digest);
}

static void
test_damaged(Fixture *fixture, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *aside = g_strconcat(fixture->path, ".damaged", NULL);
  g_autofree char *wal = g_strconcat(fixture->path, "-wal", NULL);
  struct stat status;
  (void) data;
  g_clear_pointer(&fixture->seen, seen_close);
  g_unlink(wal); /* it has all that the file has */
  g_assert_true(g_file_set_contents(fixture->path, "no database at all", -1, NULL));
  g_assert_null(seen_open_existing(fixture->path, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  g_clear_error(&error);
  fixture->seen = seen_open(fixture->path, &error);
  g_assert_no_error(error);
  g_assert_true(g_file_test(aside, G_FILE_TEST_EXISTS));
  g_assert_cmpint(g_stat(fixture->path, &status), ==, 0);
  g_assert_cmpint(status.st_mode & 0777, ==, 0600);
  write_one(fixture->seen, sight_of(1, SIGHT_READY, "Z-N1-READY", "A"));
  assert_records(fixture->seen, "A 1-1!");
}

#define ADD(name, test) g_test_add("/seen/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  ADD("records", test_records);
  ADD("none is seen too", test_none_is_seen_too);
  ADD("readiness", test_readiness);
  ADD("old rows go", test_old_rows_go);
  ADD("told", test_told);
  ADD("damaged", test_damaged);
  g_test_add_func("/seen/limits", test_limits);
  g_test_add_func("/seen/digest", test_digest);
  return g_test_run();
}
