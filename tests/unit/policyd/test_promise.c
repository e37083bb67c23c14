#include "tests/unit/policyd/routes.h"

static void
test_keeps(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("a.nl [x.nl]:25 dane-only\nb.nl [x.nl]:25 dane-only\n");
  assert_row(f, ROUTE_OF("a.nl"), "-");
  promise(f, book, "a.nl", TRUE);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[x.nl]:25");
  assert_row(f, TLS_OF("[x.nl]:25"), "dane-only");
  assert_row(f, ROUTE_OF("b.nl"), "-");
}

/* A note without a commit is nothing that Postfix could see. */
static void
test_note_only(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("a.nl [x.nl] dane-only\n");
  g_assert_true(note_entry(f, "a.nl", book_find(book, "a.nl")));
  assert_row(f, ROUTE_OF("a.nl"), "-");
}

static void
test_no_second_write(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("a.nl [x.nl] dane-only\n");
  promise(f, book, "a.nl", TRUE);
  sqlite3 *reader = open_reader(f);
  g_autofree char *before = ask(reader, "PRAGMA data_version");
  promise(f, book, "a.nl", FALSE);
  g_autofree char *after = ask(reader, "PRAGMA data_version");
  g_assert_cmpstr(before, ==, after);
  sqlite3_close(reader);
}

static void
test_survives_restart(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("a.nl [x.nl] dane-only\n");
  promise(f, book, "a.nl", TRUE);
  promises_close(g_steal_pointer(&f->promises));
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[x.nl]:25");
  f->promises = promises_open(f->path, NULL, NULL);
  g_assert_nonnull(f->promises);
  promise(f, book, "a.nl", FALSE);
}

static void
test_follows(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  guint changed = 99;
  g_autoptr(Book) old = book_of("same.nl [s.nl] dane-only\ngone.nl [g.nl] dane-only\n"
                                "hop.nl [h.nl] dane-only\nrule.nl [r.nl] dane-only\n");
  promise(f, old, "same.nl", TRUE);
  promise(f, old, "gone.nl", TRUE);
  promise(f, old, "hop.nl", TRUE);
  promise(f, old, "rule.nl", TRUE);
  g_assert_true(promises_follow(f->promises, old, &ways, &changed, &error));
  g_assert_cmpuint(changed, ==, 0);

  g_autoptr(Book) new =
      book_of("same.nl [s.nl] dane-only\nhop.nl [i.nl] dane-only\n"
              "rule.nl [r.nl] secure match=r.nl\nnever-asked.nl [n.nl] secure\n");
  g_assert_true(promises_follow(f->promises, new, &ways, &changed, &error));
  g_assert_no_error(error);
  /* Routes of gone and hop, rules of [i.nl] and [r.nl], next hops [g.nl] and [h.nl]. */
  g_assert_cmpuint(changed, ==, 6);
  assert_row(f, ROUTE_OF("same.nl"), "zegel-direct:[s.nl]:25");
  assert_row(f, ROUTE_OF("gone.nl"), "zegel-store:unix:x");
  assert_row(f, ROUTE_OF("hop.nl"), "zegel-direct:[i.nl]:25");
  assert_row(f, ROUTE_OF("never-asked.nl"), "-");
  assert_row(f, TLS_OF("[r.nl]:25"), "secure match=r.nl");
  assert_row(f, TLS_OF("[i.nl]:25"), "dane-only");
  assert_row(f, TLS_OF("[g.nl]:25"), "-");
  assert_row(f, TLS_OF("[h.nl]:25"), "-");

  promise(f, old, "gone.nl", TRUE);
  assert_row(f, ROUTE_OF("gone.nl"), "zegel-direct:[g.nl]:25");
  assert_row(f, TLS_OF("[g.nl]:25"), "dane-only");
}

/* The spelling of the question is the key; the book knows the domain by its A-labels. */
static void
test_spelling(Fixture *f, gconstpointer data)
{
  (void) data;
  guint changed = 0;
  g_autoptr(Book) book = book_of("m\xc3\xbcller.nl [x.nl] dane-only\n");
  const BookEntry *entry = book_find(book, "xn--mller-kva.nl");
  g_assert_true(note_entry(f, "m\xc3\xbcller.nl", entry));
  g_assert_true(note_entry(f, "xn--mller-kva.nl", entry));
  g_assert_true(promises_commit(f->promises, NULL));
  assert_row(f, ROUTE_OF("m\xc3\xbcller.nl"), "zegel-direct:[x.nl]:25");
  assert_row(f, ROUTE_OF("xn--mller-kva.nl"), "zegel-direct:[x.nl]:25");
  g_autoptr(Book) empty = book_of("");
  g_assert_true(promises_follow(f->promises, empty, &ways, &changed, NULL));
  g_assert_cmpuint(changed, ==, 3);
  assert_row(f, ROUTE_OF("m\xc3\xbcller.nl"), "zegel-store:unix:x");
}

/* ---- What hangs on NTA records ---- */

static void
test_nta(Fixture *f, gconstpointer data)
{
  (void) data;
  note_nta(f, "a.nl", LABEL_DIRECT, "[mx1.a.nl], [mx2.a.nl]", NULL, TRUE);
  note_nta(f, "a.nl", LABEL_PREFER, "[mx1.a.nl], [mx2.a.nl]", NULL, TRUE);
  note_nta(f, "b.nl", LABEL_DIRECT, "[mx1.b.nl]:25, [mx2.b.nl]:25", "secure", TRUE);
  commit(f);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[mx1.a.nl], [mx2.a.nl]");
  assert_row(f, PREFER_OF("a.nl"), "zegel-prefer:[mx1.a.nl], [mx2.a.nl]");
  assert_row(f, ROUTE_OF("b.nl"), "zegel-direct:[mx1.b.nl]:25, [mx2.b.nl]:25");
  assert_row(f, TLS_OF("[mx1.b.nl]:25"), "secure");
  assert_row(f, TLS_OF("[mx2.b.nl]:25"), "secure");
  assert_row(f, "SELECT count(*) FROM tls", "2");
  note_nta(f, "a.nl", LABEL_DIRECT, "[mx1.a.nl], [mx2.a.nl]", NULL, FALSE);
  note_nta(f, "b.nl", LABEL_DIRECT, "[mx1.b.nl]:25, [mx2.b.nl]:25", "secure", FALSE);
}

/* One domain in both spellings and with both labels is one domain to look at again. */
static void
test_nta_list(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("book.nl [x.nl] dane-only\n");
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
  note_nta(f, "m\xc3\xbcller.nl", LABEL_DIRECT, "[mx.nl]", NULL, TRUE);
  note_nta(f, "xn--mller-kva.nl", LABEL_DIRECT, "[mx.nl]", NULL, TRUE);
  note_nta(f, "xn--mller-kva.nl", LABEL_PREFER, "[mx.nl]", NULL, TRUE);
  promise(f, book, "book.nl", TRUE);
  g_autoptr(GPtrArray) list = promises_nta(f->promises);
  g_assert_cmpuint(list->len, ==, 1);
  const PromisedDomain *one = list->pdata[0];
  g_assert_cmpstr(one->domain, ==, "xn--mller-kva.nl");
  g_assert_cmpint(ABS(one->promised_s - now_s), <=, 2);
}

static void
test_renew(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("");
  follow(f, book, 0);
  note_nta(f, "m\xc3\xbcller.nl", LABEL_DIRECT, "[a.nl]:25, [b.nl]:25", "secure", TRUE);
  note_nta(f, "xn--mller-kva.nl", LABEL_PREFER, "[a.nl]:25, [b.nl]:25", "secure", TRUE);
  note_nta(f, "other.nl", LABEL_DIRECT, "[b.nl]:25", "secure", TRUE);
  commit(f);
  PromiseHop same = {"[a.nl]:25, [b.nl]:25", "secure", PROMISE_NTA};
  PromiseHop hop = {"[b.nl]:25, [c.nl]:25", "secure", PROMISE_NTA};
  g_assert_cmpuint(promises_renew(f->promises, "xn--mller-kva.nl", &same), ==, 0);
  g_assert_cmpuint(promises_renew(f->promises, "unknown.nl", &hop), ==, 0);
  g_assert_cmpuint(promises_renew(f->promises, "xn--mller-kva.nl", &hop), ==, 3);
  commit(f);
  assert_row(f, ROUTE_OF("m\xc3\xbcller.nl"), "zegel-direct:[b.nl]:25, [c.nl]:25");
  assert_row(f, PREFER_OF("xn--mller-kva.nl"), "zegel-prefer:[b.nl]:25, [c.nl]:25");
  assert_row(f, ROUTE_OF("other.nl"), "zegel-direct:[b.nl]:25");
  assert_row(f, TLS_OF("[a.nl]:25"), "-");
  assert_row(f, TLS_OF("[b.nl]:25"), "secure");
  assert_row(f, TLS_OF("[c.nl]:25"), "secure");
}

/* What waits goes to the viewer; what is not sensitive takes the ordinary way. Ready again,
 * it is promised again. */
static void
test_withdraw(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("");
  follow(f, book, 0);
  note_nta(f, "a.nl", LABEL_DIRECT, "[a.nl]:25", "secure", TRUE);
  note_nta(f, "a.nl", LABEL_PREFER, "[a.nl]:25", "secure", TRUE);
  note_nta(f, "b.nl", LABEL_DIRECT, "[b.nl]", NULL, TRUE);
  commit(f);
  g_assert_cmpuint(promises_withdraw(f->promises, "a.nl"), ==, 2);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[a.nl]:25");
  commit(f);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-store:unix:x");
  assert_row(f, PREFER_OF("a.nl"), "-");
  assert_row(f, TLS_OF("[a.nl]:25"), "-");
  assert_row(f, ROUTE_OF("b.nl"), "zegel-direct:[b.nl]");
  g_assert_cmpuint(promises_withdraw(f->promises, "a.nl"), ==, 0);
  g_autoptr(GPtrArray) list = promises_nta(f->promises);
  g_assert_cmpuint(list->len, ==, 1);
  follow(f, book, 0);
  note_nta(f, "a.nl", LABEL_DIRECT, "[a.nl]:25", "secure", TRUE);
  commit(f);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[a.nl]:25");
  assert_row(f, TLS_OF("[a.nl]:25"), "secure");
}

static gboolean
conflicts(const Fixture *f, const char *nexthop, const char *policy)
{
  PromiseHop hop = {nexthop, policy, PROMISE_NTA};
  return promises_conflict(f->promises, &hop);
}

static void
test_conflict(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) book = book_of("book.nl [book.nl] dane-only\n");
  follow(f, book, 0);
  note_nta(f, "a.nl", LABEL_DIRECT, "[a.nl]:25", "secure", TRUE);
  g_assert_true(conflicts(f, "[a.nl]:25", "secure match=a.nl")); /* noted only */
  commit(f);
  g_assert_true(conflicts(f, "[x.nl]:25, [a.nl]:25", "dane-only"));
  g_assert_false(conflicts(f, "[x.nl]:25, [a.nl]:25", "secure"));
  g_assert_false(conflicts(f, "[a.nl]", NULL));
  g_assert_true(conflicts(f, "[book.nl]:25", "secure")); /* of the book, not promised yet */
  g_assert_false(conflicts(f, "[book.nl]:25", "dane-only"));
}

/* The rule for NTA hosts is the book's, at once: not when they are looked at again. */
static void
test_nta_follows(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) none = book_of("");
  g_autoptr(Book) rule = book_of("a.nl nta secure\n");
  g_autoptr(Book) other = book_of("a.nl nta secure match=.a.nl\n");
  g_autoptr(Book) clash = book_of("a.nl nta secure\nb.nl [mx2.a.nl] dane-only\n");
  g_autoptr(Book) line = book_of("a.nl [x.nl] dane-only\n");
  follow(f, none, 0);
  note_nta(f, "a.nl", LABEL_DIRECT, "[mx1.a.nl], [mx2.a.nl]", NULL, TRUE);
  commit(f);
  follow(f, none, 0);
  follow(f, rule, 3);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[mx1.a.nl]:25, [mx2.a.nl]:25");
  assert_row(f, TLS_OF("[mx2.a.nl]:25"), "secure");
  follow(f, other, 2);
  assert_row(f, TLS_OF("[mx2.a.nl]:25"), "secure match=.a.nl");
  follow(f, none, 3);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[mx1.a.nl], [mx2.a.nl]");
  assert_row(f, TLS_OF("[mx2.a.nl]:25"), "-");
  follow(f, clash, 1);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-store:unix:x");
  note_nta(f, "a.nl", LABEL_DIRECT, "[mx1.a.nl]", NULL, TRUE);
  note_nta(f, "a.nl", LABEL_PREFER, "[mx1.a.nl]", NULL, TRUE);
  commit(f);
  follow(f, line, 3);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-direct:[x.nl]:25");
  assert_row(f, PREFER_OF("a.nl"), "zegel-prefer:[x.nl]:25");
  assert_row(f, SOURCE_OF("a.nl"), "0");
  follow(f, none, 3);
  assert_row(f, ROUTE_OF("a.nl"), "zegel-store:unix:x");
  assert_row(f, PREFER_OF("a.nl"), "-");
}

/* Two NTA domains on one host that get two rules: only one of them can go direct. */
static void
test_nta_rules_clash(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(Book) before = book_of("a.nl nta secure\nb.nl nta secure\n");
  g_autoptr(Book) after = book_of("a.nl nta secure\nb.nl nta dane-only\n");
  follow(f, before, 0);
  note_nta(f, "a.nl", LABEL_DIRECT, "[mx.nl]:25", "secure", TRUE);
  note_nta(f, "b.nl", LABEL_DIRECT, "[mx.nl]:25", "secure", TRUE);
  commit(f);
  guint changed = 0;
  g_assert_true(promises_follow(f->promises, after, &ways, &changed, NULL));
  assert_row(f,
             "SELECT count(*) || ' ' || max(key LIKE 'a%' AND policy = 'secure'"
             " OR key LIKE 'b%' AND policy = 'dane-only') FROM route, tls"
             " WHERE transport = 'zegel-direct:[mx.nl]:25' AND nexthop = '[mx.nl]:25'",
             "1 1");
  assert_row(f, "SELECT count(*) FROM route WHERE transport = 'zegel-store:unix:x'", "1");
}

/* ---- Times ---- */

/* A promise that is kept costs no write: its new time is written later, or at the end. */
static void
test_times(Fixture *f, gconstpointer data)
{
  (void) data;
  note_nta(f, "a.nl", LABEL_DIRECT, "[a.nl]", NULL, TRUE);
  note_nta(f, "b.nl", LABEL_DIRECT, "[b.nl]", NULL, TRUE);
  commit(f);
  promises_close(g_steal_pointer(&f->promises));
  run_sql(f->path, "UPDATE route SET promised = promised - 7200 WHERE key LIKE 'a.nl%';"
                   "UPDATE route SET promised = promised - 3000 WHERE key LIKE 'b.nl%'");
  reopen(f);
  sqlite3 *reader = open_reader(f);
  g_autofree char *before = ask(reader, "PRAGMA data_version");
  note_nta(f, "a.nl", LABEL_DIRECT, "[a.nl]", NULL, FALSE);
  note_nta(f, "b.nl", LABEL_DIRECT, "[b.nl]", NULL, FALSE);
  commit(f);
  g_autofree char *after = ask(reader, "PRAGMA data_version");
  g_assert_cmpstr(before, ==, after);
  sqlite3_close(reader);
  assert_row(f, AGE_OF("a.nl"), "12");
  promises_close(g_steal_pointer(&f->promises));
  assert_row(f, AGE_OF("a.nl"), "0");
  assert_row(f, AGE_OF("b.nl"), "5");
  reopen(f);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  add("/promise/keeps", test_keeps);
  add("/promise/note-only", test_note_only);
  add("/promise/no-second-write", test_no_second_write);
  add("/promise/survives-restart", test_survives_restart);
  add("/promise/follows", test_follows);
  add("/promise/spelling", test_spelling);
  add("/promise/nta", test_nta);
  add("/promise/nta-list", test_nta_list);
  add("/promise/renew", test_renew);
  add("/promise/withdraw", test_withdraw);
  add("/promise/conflict", test_conflict);
  add("/promise/nta-follows", test_nta_follows);
  add("/promise/nta-rules-clash", test_nta_rules_clash);
  add("/promise/times", test_times);
  return g_test_run();
}
