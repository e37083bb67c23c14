#include "common/book/book.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"

#define SHA                                                                                \
  "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc" \
  ":dd:ee:ff"
#define SHA_UPPER                                                                          \
  "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC" \
  ":DD:EE:FF"
#define SHA_DIGITS "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define L63        "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"

/* One line, what becomes of it, and how it is written again. */
static const struct {
  const char *line;
  const char *domain;
  const char *nexthop; /* NULL: nta */
  const char *policy;
  const char *network;
  const char *again;
} good[] = {
    {"partner.nl [mail.partner.nl]:25 dane-only", "partner.nl", "[mail.partner.nl]:25",
     "dane-only", "", "partner.nl [mail.partner.nl]:25 dane-only"},
    {"\tPARTNER.nl.\t [Mail.Partner.NL]   dane-only # the old one\r", "partner.nl",
     "[mail.partner.nl]:25", "dane-only", "", "partner.nl [mail.partner.nl]:25 dane-only"},
    {"partner.nl partner.nl secure", "partner.nl", "partner.nl:25", "secure", "",
     "partner.nl partner.nl:25 secure"},
    {"partner.nl relay.nl:02525 secure match=.Relay.nl:nexthop network=Zorg-9",
     "partner.nl", "relay.nl:2525", "secure match=.relay.nl:nexthop", "Zorg-9",
     "partner.nl relay.nl:2525 secure match=.relay.nl:nexthop network=Zorg-9"},
    {"partner.nl [192.0.2.1]:25 secure protocols=TLSv1.3 match=mail.partner.nl",
     "partner.nl", "[192.0.2.1]:25", "secure match=mail.partner.nl protocols=TLSv1.3", "",
     "partner.nl [192.0.2.1]:25 secure match=mail.partner.nl protocols=TLSv1.3"},
    {"partner.nl [2001:DB8::1] fingerprint=" SHA, "partner.nl", "[2001:db8::1]:25",
     "fingerprint match=" SHA_UPPER, "",
     "partner.nl [2001:db8::1]:25 fingerprint=" SHA_UPPER},
    {"partner.nl [a.nl] fingerprint=" SHA "|" SHA " protocols=TLSv1.3 network=n",
     "partner.nl", "[a.nl]:25",
     "fingerprint match=" SHA_UPPER "|" SHA_UPPER " protocols=TLSv1.3", "n",
     "partner.nl [a.nl]:25 fingerprint=" SHA_UPPER "|" SHA_UPPER
     " protocols=TLSv1.3 network=n"},
    {"m\xc3\xbcller.example [a.nl] dane-only protocols=TLSv1.3", "xn--mller-kva.example",
     "[a.nl]:25", "dane-only protocols=TLSv1.3", "",
     "xn--mller-kva.example [a.nl]:25 dane-only protocols=TLSv1.3"},
    {"partner.nl nta secure", "partner.nl", NULL, "secure", "", "partner.nl nta secure"},
    {"partner.nl NTA secure match=.partner.nl network=4", "partner.nl", NULL,
     "secure match=.partner.nl", "4", "partner.nl nta secure match=.partner.nl network=4"},
    {"partner.nl [nta]:25 dane-only", "partner.nl", "[nta]:25", "dane-only", "",
     "partner.nl [nta]:25 dane-only"},
    {"partner.nl [a.nl] secure client=login:x network=n", "partner.nl", "[a.nl]:25",
     "secure", "n", "partner.nl [a.nl]:25 secure client=login:x network=n"},
    {"partner.nl [a.nl] secure network=n client=login:x client=ip:192.0.2.1 client=login:x",
     "partner.nl", "[a.nl]:25", "secure", "n",
     "partner.nl [a.nl]:25 secure client=ip:192.0.2.1 client=login:x network=n"},
    {"partner.nl [a.nl] fingerprint=" SHA " client=sha256:" SHA, "partner.nl", "[a.nl]:25",
     "fingerprint match=" SHA_UPPER, "",
     "partner.nl [a.nl]:25 fingerprint=" SHA_UPPER " client=sha256:" SHA_DIGITS},
};

static void
check_good(const BookEntry *entry, guint row)
{
  g_autofree char *again = book_entry_format(entry);
  g_assert_cmpstr(entry->domain, ==, good[row].domain);
  g_assert_cmpstr(entry->nexthop, ==, good[row].nexthop);
  g_assert_cmpint(entry->nta, ==, good[row].nexthop == NULL);
  g_assert_cmpstr(book_entry_nexthop(entry), ==,
                  good[row].nexthop != NULL ? good[row].nexthop : "nta");
  g_assert_cmpstr(entry->policy, ==, good[row].policy);
  g_assert_cmpstr(entry->network, ==, good[row].network);
  g_assert_cmpstr(again, ==, good[row].again);
  g_assert_cmpuint(entry->line, ==, 1);
}

static void
try_good(const char *line, guint row)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Book) book = book_parse("book", line, strlen(line), &error);
  g_test_message("row %u: %s", row, line);
  g_assert_no_error(error);
  g_assert_cmpuint(book_count(book), ==, 1);
  const BookEntry *entry = book_find(book, good[row].domain);
  g_assert_nonnull(entry);
  check_good(entry, row);
  if (good[row].nexthop != NULL)
    g_assert_cmpstr(book_policy_of(book, good[row].nexthop), ==, good[row].policy);
  g_assert_null(book_policy_of(book, "[other.nl]:25"));
  g_assert_null(book_policy_of(book, "nta"));
}

static void
test_good_lines(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
    try_good(good[i].line, i);
    try_good(good[i].again, i);
  }
}

/* What stands in the message after "book:3: ". */
static const struct {
  const char *line;
  const char *message;
} bad[] = {
    {"*.partner.nl [a.nl] dane-only", "one domain"},
    {".partner.nl [a.nl] dane-only", "one domain"},
    {"partner [a.nl] dane-only", "a domain such as"},
    {"jan@partner.nl [a.nl] dane-only", "a domain such as"},
    {"par..tner.nl [a.nl] dane-only", "a domain such as"},
    {"192.0.2.1 [a.nl] dane-only", "a domain such as"},
    {"x.viewer.zegel.internal [a.nl] dane-only", "zegel's own"},
    {L63 "." L63 "." L63 "." L63 " [a.nl] dane-only", "a domain such as"},
    {L63 "." L63 "." L63 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa [a.nl] dane-only",
     "too long"},
    {"partner.nl", "are missing"},
    {"partner.nl [a.nl]", "dane-only, secure"},
    {"partner.nl [a.nl dane-only", "']' is missing"},
    {"partner.nl [a.nl]25 dane-only", "a next hop such as"},
    {"partner.nl [a.nl]:0 dane-only", "a next hop such as"},
    {"partner.nl [a.nl]:65536 dane-only", "a next hop such as"},
    {"partner.nl [a.nl]:smtp dane-only", "a next hop such as"},
    {"partner.nl [a.nl]: dane-only", "a next hop such as"},
    {"partner.nl [] dane-only", "a next hop such as"},
    {"partner.nl a.nl,b.nl dane-only", "a next hop such as"},
    {"partner.nl 192.0.2.1 secure match=a.nl", "a next hop such as"},
    {"partner.nl m\xc3\xbcller.nl secure", "a next hop such as"},
    {"partner.nl [a.nl] none", "dane-only, secure"},
    {"partner.nl [a.nl] may", "dane-only, secure"},
    {"partner.nl [a.nl] encrypt", "dane-only, secure"},
    {"partner.nl [a.nl] dane", "dane-only, secure"},
    {"partner.nl [a.nl] verify", "dane-only, secure"},
    {"partner.nl [192.0.2.1] dane-only", "DANE needs a host name"},
    {"partner.nl [192.0.2.1] secure", "an address needs match="},
    {"partner.nl [a.nl] secure match=hostname", "names such as"},
    {"partner.nl [a.nl] secure match=", "names such as"},
    {"partner.nl [a.nl] secure match=a.nl::b.nl", "names such as"},
    {"partner.nl [a.nl] secure match=nl", "names such as"},
    {"partner.nl [a.nl] secure match=.nl", "names such as"},
    {"partner.nl [a.nl] secure match=a.nl match=b.nl", "a word too many"},
    {"partner.nl [a.nl] secure a.nl", "a word too many"},
    {"partner.nl [a.nl] secure client=login:x match=a.nl", "a word too many"},
    {"partner.nl [a.nl] secure client=", "sha256:, cn:, login: or ip: is expected"},
    {"partner.nl [a.nl] secure client=sha256:00", "a SHA-256"},
    {"partner.nl [a.nl] secure client=ip:a.nl", "an address or a network"},
    {"partner.nl [a.nl] secure network=a client=login:x network=b", "of one network"},
    {"partner.nl nta secure client=login:x", "not for nta"},
    {"partner.nl [a.nl] dane-only match=a.nl", "a word too many"},
    {"partner.nl [a.nl] dane-only protocols=TLSv1.2", "protocols=TLSv1.3"},
    {"partner.nl [a.nl] dane-only protocols=", "protocols=TLSv1.3"},
    {"partner.nl [a.nl] fingerprint=", "a SHA-256"},
    {"partner.nl [a.nl] fingerprint=00:11", "a SHA-256"},
    {"partner.nl [a.nl] fingerprint=" SHA "|", "a SHA-256"},
    {"partner.nl [a.nl] fingerprint="
     "00-11-22-33-44-55-66-77-88-99-aa-bb-cc-dd-ee-ff-"
     "00-11-22-33-44-55-66-77-88-99-aa-bb-cc-dd-ee-ff",
     "a SHA-256"},
    {"partner.nl [a.nl] fingerprint=" SHA ":00", "a SHA-256"},
    {"partner.nl [a.nl] fingerprint match=" SHA, "dane-only, secure"},
    {"first.nl [a.nl] dane-only", "stands in line 2 already"},
    {"FIRST.nl. [a.nl] secure", "stands in line 2 already"},
    {"other.nl [first.nl]:25 secure", "another TLS rule in line 2"},
    {"other.nl [first.nl] secure", "another TLS rule in line 2"},
    {"other.nl [first.nl]:025 secure", "another TLS rule in line 2"},
    {"partner.nl nta", "dane-only, secure"},
    {"partner.nl nta network=n", "dane-only, secure"},
    {"partner.nl network=n", "are missing"},
    {"partner.nl nta:25 secure network", "a word too many"},
    {"partner.nl [a.nl] network=n secure", "dane-only, secure"},
    {"partner.nl [a.nl] secure network=n match=a.nl", "a word too many"},
    {"partner.nl [a.nl] secure network=n network=n", "of one network"},
    {"partner.nl [a.nl] secure network=", "letters, digits"},
    {"partner.nl [a.nl] secure network=a_b", "letters, digits"},
    {"partner.nl [a.nl] secure network=" L63 "bb", "letters, digits"},
};

static void
test_bad_lines(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autofree char *text =
        g_strconcat("# book\nfirst.nl [first.nl]:25 dane-only\n", bad[i].line, "\n", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Book) book = book_parse("book", text, strlen(text), &error);
    g_test_message("row %u: %s", i, bad[i].line);
    g_assert_null(book);
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
    g_assert_true(g_str_has_prefix(error->message, "book:3: "));
    g_assert_nonnull(strstr(error->message, bad[i].message));
  }
}

static void
test_whole(void)
{
  static const char text[] = "\n  # only a comment\n\na.nl [x.nl] dane-only\n"
                             "b.nl [x.nl] dane-only\nc.nl [y.nl] secure";
  g_autoptr(Book) book = book_parse("book", text, strlen(text), NULL);
  g_assert_nonnull(book);
  g_assert_cmpuint(book_count(book), ==, 3);
  g_assert_cmpuint(book_find(book, "c.nl")->line, ==, 6);
  g_assert_null(book_find(book, "d.nl"));
  g_assert_null(book_find(book, "sub.a.nl"));
  g_assert_cmpuint(strlen(book_digest(book)), ==, 64);

  g_autoptr(Book) empty = book_parse("book", "", 0, NULL);
  g_assert_nonnull(empty);
  g_assert_cmpuint(book_count(empty), ==, 0);
}

static void
test_no_text(void)
{
  static const struct {
    const char *bytes;
    gsize len;
  } rows[] = {{"a.nl\0 [a.nl] dane-only", 22}, {"\xff\xfe\n", 3}};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Book) book = book_parse("book", rows[i].bytes, rows[i].len, &error);
    g_assert_null(book);
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  }
}

static void
test_limits(void)
{
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < BOOK_MAX_DOMAINS; i++)
    g_string_append_printf(text, "d%u.nl [x.nl] dane-only\n", i);
  g_autoptr(Book) full = book_parse("book", text->str, text->len, NULL);
  g_assert_nonnull(full);
  g_string_append(text, "one-more.nl [x.nl] dane-only\n");
  g_autoptr(Book) over = book_parse("book", text->str, text->len, NULL);
  g_assert_null(over);

  g_autofree char *pad = g_strnfill(BOOK_LINE_MAX_BYTES, '#');
  g_autofree char *longer = g_strconcat(pad, "#", NULL);
  g_autoptr(Book) longest_line = book_parse("book", pad, strlen(pad), NULL);
  g_assert_nonnull(longest_line);
  g_autoptr(Book) too_long = book_parse("book", longer, strlen(longer), NULL);
  g_assert_null(too_long);
}

static void
test_load(void)
{
  g_autofree char *dir = g_dir_make_tmp("zegel-book-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(dir, "domains", NULL);
  g_autofree char *fifo = g_build_filename(dir, "fifo", NULL);
  g_autoptr(GError) error = NULL;
  g_assert_null(book_load(path, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  g_assert_nonnull(strstr(error->message, path));

  g_assert_true(g_file_set_contents(path, "a.nl [x.nl] dane-only\n", -1, NULL));
  g_autoptr(Book) book = book_load(path, NULL);
  g_assert_nonnull(book);
  g_assert_cmpuint(book_count(book), ==, 1);

  g_assert_cmpint(g_chmod(path, 0666), ==, 0);
  g_assert_null(book_load(path, NULL));
  g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
  g_assert_null(book_load(fifo, NULL));
  g_assert_null(book_load(dir, NULL));
  g_unlink(path);
  g_unlink(fifo);
  g_rmdir(dir);
}

static void
note_change(BookChange change, const BookEntry *entry, gpointer data)
{
  static const char marks[] = {
      [BOOK_ADDED] = '+', [BOOK_REMOVED] = '-', [BOOK_CHANGED] = '~'};
  GPtrArray *notes = data;
  g_ptr_array_add(notes, g_strdup_printf("%c%s %s", marks[change], entry->domain,
                                         book_entry_nexthop(entry)));
}

static gint
compare_notes(gconstpointer a, gconstpointer b)
{
  return strcmp(*(char *const *) a, *(char *const *) b);
}

static void
test_compare(void)
{
  static const char before[] = "same.nl [x.nl] dane-only\ngone.nl [x.nl] dane-only\n"
                               "hop.nl [x.nl] dane-only\nrule.nl [r.nl] dane-only\n"
                               "nta.nl [x.nl] dane-only\nn.nl nta dane-only\n"
                               "net.nl [x.nl] dane-only network=a\n"
                               "who.nl [x.nl] dane-only client=login:a\n"
                               "as.nl [x.nl] dane-only client=login:a client=login:b\n";
  static const char after[] = "same.nl [x.nl] dane-only\nnew.nl [x.nl] dane-only\n"
                              "hop.nl [y.nl] dane-only\nrule.nl [r.nl] secure\n"
                              "nta.nl nta dane-only\nn.nl [x.nl]:25 dane-only\n"
                              "net.nl [x.nl]:25 dane-only network=b\n"
                              "who.nl [x.nl] dane-only client=login:b\n"
                              "as.nl [x.nl] dane-only client=login:b client=login:a\n";
  g_autoptr(Book) old = book_parse("book", before, strlen(before), NULL);
  g_autoptr(Book) new = book_parse("book", after, strlen(after), NULL);
  g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
  book_compare(old, new, note_change, notes);
  g_ptr_array_sort(notes, compare_notes);
  g_ptr_array_add(notes, NULL);
  g_autofree char *all = g_strjoinv(",", (char **) notes->pdata);
  g_assert_cmpstr(
      all, ==,
      "+new.nl [x.nl]:25,-gone.nl [x.nl]:25,~hop.nl [y.nl]:25,~n.nl "
      "[x.nl]:25,~net.nl [x.nl]:25,~nta.nl nta,~rule.nl [r.nl]:25,~who.nl [x.nl]:25");
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/book/good-lines", test_good_lines);
  g_test_add_func("/book/bad-lines", test_bad_lines);
  g_test_add_func("/book/whole", test_whole);
  g_test_add_func("/book/no-text", test_no_text);
  g_test_add_func("/book/limits", test_limits);
  g_test_add_func("/book/load", test_load);
  g_test_add_func("/book/compare", test_compare);
  return g_test_run();
}
