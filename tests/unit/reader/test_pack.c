/*
 * test_pack.c - the archive of a message holds all of it, under names that are no trap.
 */
#include "reader/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <string.h>
#include <time.h>

#include "config.h"
#include "reader/charset.h"
#include "reader/view.h"
#include "tests/unit/tap.h"

#define DATE_S 1785146400

/* What one file in an archive is. */
typedef struct {
  char *name;
  GByteArray *bytes;
  gint64 date_s;
} Packed;

static void
packed_free(gpointer p)
{
  Packed *packed = p;
  g_free(packed->name);
  g_byte_array_unref(packed->bytes);
  g_free(packed);
}

static gboolean
collect(const char *bytes, gsize len, gpointer data)
{
  g_byte_array_append(data, (const guint8 *) bytes, (guint) len);
  return TRUE;
}

static Message *
parse(const char *text)
{
  GByteArray *bytes = g_byte_array_new();
  return message_parse(
      g_byte_array_append(bytes, (const guint8 *) text, (guint) strlen(text)));
}

static GByteArray *
pack(const char *text)
{
  g_autoptr(Message) message = parse(text);
  g_autoptr(GByteArray) zip = g_byte_array_new();
  g_assert_true(pack_zip(message, collect, zip));
  return g_steal_pointer(&zip);
}

/* What is in ZIP, as libarchive finds it, which reads an archive from its beginning. */
static GPtrArray *
unpack(GByteArray *zip)
{
  GPtrArray *all = g_ptr_array_new_with_free_func(packed_free);
  struct archive *archive = archive_read_new();
  struct archive_entry *entry = NULL;
  archive_read_support_format_zip(archive);
  g_assert_cmpint(archive_read_open_memory(archive, zip->data, zip->len), ==, ARCHIVE_OK);
  while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
    Packed *packed = g_new0(Packed, 1);
    packed->name = g_strdup(archive_entry_pathname_utf8(entry));
    packed->date_s = archive_entry_mtime(entry);
    packed->bytes = g_byte_array_new();
    char chunk[4096];
    for (gssize n; (n = archive_read_data(archive, chunk, sizeof chunk)) != 0;) {
      g_assert_cmpint(n, >, 0);
      g_byte_array_append(packed->bytes, (const guint8 *) chunk, (guint) n);
    }
    g_assert_cmpint(archive_entry_filetype(entry), ==, AE_IFREG);
    g_ptr_array_add(all, packed);
  }
  g_assert_cmpint(archive_errno(archive), ==, 0);
  archive_read_free(archive);
  return all;
}

static void
assert_file(const GPtrArray *files, guint i, const char *name, const char *content)
{
  const Packed *packed = files->pdata[i];
  g_assert_cmpstr(packed->name, ==, name);
  g_assert_cmpmem(packed->bytes->data, packed->bytes->len, content, strlen(content));
}

static void
test_content(void)
{
  g_autoptr(GByteArray) zip =
      pack("From: a@example.nl\nDate: Mon, 27 Jul 2026 12:00:00 +0200\n"
           "Content-Type: multipart/mixed; boundary=b\n\n"
           "--b\nContent-Type: text/plain; charset=utf-8\n\nDag Zo\xc3\xab\n\n"
           "--b\nContent-Type: application/pdf; name=\"uitslag Zo\xc3\xab.pdf\"\n"
           "Content-Transfer-Encoding: base64\n\nJVBERi0xLjQK\n"
           "--b\nContent-Type: image/png\n\n\n--b--\n");
  g_autoptr(GPtrArray) files = unpack(zip);
  g_assert_cmpuint(files->len, ==, 3);
  assert_file(files, 0, "bericht.txt", "Dag Zo\xc3\xab\n");
  assert_file(files, 1, "uitslag Zo\xc3\xab.pdf", "%PDF-1.4\n");
  assert_file(files, 2, "bijlage-2.png", "");
  for (guint i = 0; i < files->len; i++)
    g_assert_cmpint(((Packed *) files->pdata[i])->date_s, ==, DATE_S);
}

static void
test_nothing(void)
{
  g_autoptr(GByteArray) empty = pack("");
  g_autoptr(GPtrArray) none = unpack(empty);
  g_assert_cmpuint(none->len, ==, 0);
  g_assert_cmpuint(empty->len, ==, 22); /* the end of a directory, of nothing */
}

static char *
attach(const char *const *names)
{
  GString *text = g_string_new("From: a@example.nl\nContent-Type: multipart/mixed; "
                               "boundary=b\n\n--b\n\ntekst\n");
  for (guint i = 0; names[i] != NULL; i++)
    g_string_append_printf(text,
                           "--b\nContent-Type: application/octet-stream\n"
                           "Content-Disposition: attachment; filename=\"%s\"\n\n%u\n",
                           names[i], i);
  g_string_append(text, "--b--\n");
  return g_string_free(text, FALSE);
}

/* No two names are one file, on any system, and none leads out of its directory. */
static void
assert_safe(const GPtrArray *files)
{
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < files->len; i++) {
    const char *name = ((Packed *) files->pdata[i])->name;
    g_autofree char *folded = g_utf8_casefold(name, -1);
    g_test_message("%s", name);
    g_assert_true(g_utf8_validate(name, -1, NULL));
    g_assert_null(strpbrk(name, "/\\:*?\"<>|\r\n\t"));
    g_assert_true(name[0] != '.' && name[0] != '\0' && name[0] != ' ');
    g_assert_cmpuint(strlen(name), <=, 255);
    g_assert_false(strchr(". ", name[strlen(name) - 1]) != NULL);
    g_assert_null(strstr(name, "\xe2\x80\xae"));
    g_assert_false(g_ascii_strncasecmp(name, "nul.", 4) == 0);
    g_assert_true(g_hash_table_add(seen, g_utf8_normalize(folded, -1, G_NORMALIZE_ALL)));
  }
}

static void
test_zip_slip(void)
{
  static const char *const names[] = {"../../../../etc/passwd",
                                      "..\\\\..\\\\windows\\\\win.ini",
                                      "/etc/passwd",
                                      "C:\\\\boot.ini",
                                      "..",
                                      ".",
                                      ".ssh/authorized_keys",
                                      ".htaccess",
                                      "nul.txt",
                                      "a:b",
                                      "brief\xe2\x80\xae"
                                      "fdp.exe",
                                      "bericht.txt",
                                      "BERICHT.TXT",
                                      "bericht (2).txt",
                                      "a.txt",
                                      "A.TXT",
                                      "a (2).txt",
                                      "zo\xc3\xab",
                                      "zoe\xcc\x88",
                                      "%2e%2e%2fx",
                                      "a. . .",
                                      "....//x",
                                      "x\\\"y",
                                      NULL};
  g_autofree char *text = attach(names);
  g_autoptr(GByteArray) zip = pack(text);
  g_autoptr(GPtrArray) files = unpack(zip);
  g_assert_cmpuint(files->len, ==, G_N_ELEMENTS(names)); /* the text in the place of NULL */
  assert_safe(files);
  assert_file(files, 1, "passwd", "0");
  assert_file(files, 3, "passwd (2)", "2");
  assert_file(files, 12, "bericht (2).txt", "11");
  assert_file(files, 13, "BERICHT (3).TXT", "12");
  assert_file(files, 14, "bericht (2) (2).txt", "13");
}

/* As many of one name as there may be, and as fast as with others. */
static void
test_same_names(void)
{
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (guint i = 0; i < MESSAGE_MAX_PARTS - 2; i++)
    g_ptr_array_add(names, (gpointer) "een.pdf");
  g_ptr_array_add(names, NULL);
  g_autofree char *text = attach((const char *const *) names->pdata);
  gint64 before_us = g_get_monotonic_time();
  g_autoptr(GByteArray) zip = pack(text);
  g_assert_cmpint(g_get_monotonic_time() - before_us, <, 5 * G_USEC_PER_SEC);
  g_autoptr(GPtrArray) files = unpack(zip);
  g_assert_cmpuint(files->len, ==, MESSAGE_MAX_PARTS - 1);
  assert_safe(files);
  g_assert_cmpstr(((Packed *) files->pdata[998])->name, ==, "een (998).pdf");
}

static void
test_dates(void)
{
  static const struct {
    const char *date;
    gint64 seconds;
  } rows[] = {
      {"Mon, 27 Jul 2026 12:00:00 +0200", DATE_S},
      {"Thu, 1 Jan 1970 00:00:00 +0000", 315619200},
      {"gisteren", 315619200},
      {"Mon, 27 Jul 9026 12:00:00 +0200", 4354732800},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *text = g_strdup_printf("Date: %s\n\nx\n", rows[i].date);
    g_autoptr(GByteArray) zip = pack(text);
    g_autoptr(GByteArray) again = pack(text);
    g_autoptr(GPtrArray) files = unpack(zip);
    g_assert_cmpuint(files->len, ==, 1);
    g_assert_cmpmem(zip->data, zip->len, again->data, again->len);
    /* the extended field has 32 bits: what is later is told by the other one */
    if (rows[i].seconds <= G_MAXINT32)
      g_assert_cmpint(((Packed *) files->pdata[0])->date_s, ==, rows[i].seconds);
  }
}

#ifdef ZEGEL_SANITIZERS
/* libarchive loses what zlib holds when writing failed; zegel-reader-export ends then. */
void
__lsan_disable(void);

void
__lsan_enable(void);
#else
#define __lsan_disable()
#define __lsan_enable()
#endif

static gboolean
stop_at(const char *bytes, gsize len, gpointer data)
{
  gsize *room = data;
  (void) bytes;
  if (len > *room)
    return FALSE;
  *room -= len;
  return TRUE;
}

static void
test_stopped(void)
{
  static const char *const names[] = {"a", "b", NULL};
  g_autofree char *text = attach(names);
  g_autoptr(GByteArray) zip = pack(text);
  g_autoptr(Message) message = parse(text);
  for (gsize len = 0; len <= zip->len; len++) {
    gsize room = len;
    __lsan_disable();
    gboolean packed = pack_zip(message, stop_at, &room);
    __lsan_enable();
    g_assert_cmpint(packed, ==, len == zip->len);
  }
}

int
main(int argc, char **argv)
{
  g_setenv("TZ", "UTC0", TRUE);
  tzset();
  g_assert_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
  tap_init(argc, argv);
  charset_open();
  message_init();
  g_test_add_func("/pack/V4/content", test_content);
  g_test_add_func("/pack/V4/nothing", test_nothing);
  g_test_add_func("/pack/T12/zip slip", test_zip_slip);
  g_test_add_func("/pack/T13/same names", test_same_names);
  g_test_add_func("/pack/V4/dates", test_dates);
  g_test_add_func("/pack/V4/stopped", test_stopped);
  return g_test_run();
}
