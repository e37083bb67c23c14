/* What we sign: which fields, how it is folded, and that it verifies. */
#include "milter/dkim.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milter/dkim_canon.h"
#include "tests/unit/milter/dkim_message.h"
#include "tests/unit/tap.h"

static const char message_text[] = "Received: by x\r\n"
                                   "From: Jan <jan@own.nl>\r\n"
                                   "To: Eva <eva@example.net>,\r\n Piet <p@example.net>\r\n"
                                   "Subject:  A  subject\t\r\n"
                                   "X-NTA7516: 1\r\n"
                                   "X-Zegel-Ticket: secret\r\n"
                                   "Authentication-Results: x; none\r\n"
                                   "\r\n"
                                   "Hello  Eva \t\r\n\r\nJan\r\n\r\n";

static char *directory; /* of keys */

static char *
copy_key(const char *name, const char *selector)
{
  g_autofree char *from = g_test_build_filename(G_TEST_DIST, "tests/data/dkim/keys", NULL);
  g_autofree char *file = g_strconcat(from, "/", name, ".pem", NULL);
  g_autofree char *leaf = g_strconcat(selector, ".key", NULL);
  char *to = g_build_filename(directory, "own.nl", leaf, NULL);
  g_autofree char *pem = NULL;
  gsize len = 0;
  g_assert_true(g_file_get_contents(file, &pem, &len, NULL));
  g_assert_true(g_file_set_contents(to, pem, (gssize) len, NULL));
  g_assert_cmpint(g_chmod(to, 0400), ==, 0);
  return to;
}

static char *
read_record(const char *name)
{
  g_autofree char *path = g_test_build_filename(G_TEST_DIST, "tests/data/dkim/cases", NULL);
  g_autofree char *file = g_strconcat(path, "/valid-", name, NULL);
  g_autofree char *text = NULL;
  g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
  const char *begin = strstr(text, "v=DKIM1");
  return g_strndup(begin, strcspn(begin, "\n"));
}

/* Signs TEXT with KEY, body in pieces of STEP, and gives it back with the field on top. */
static char *
sign(const DkimKey *key, const char *text, gsize len, gsize step, gsize *signed_len)
{
  g_autoptr(GError) error = NULL;
  DkimMessage message = dkim_message_cut(text, len);
  g_autoptr(DkimSigner) signer = dkim_signer_new(key, "own.nl", message.fields);
  for (gsize at = 0; at < message.body_len; at += step)
    dkim_signer_body(signer, message.body + at, MIN(step, message.body_len - at));
  g_autofree char *value = dkim_signer_finish(signer, &error);
  g_assert_no_error(error);
  fields_free(message.fields);
  g_auto(GStrv) lines = g_strsplit(value, "\n", -1);
  g_autofree char *field = g_strjoinv("\r\n", lines);
  GString *all = g_string_new("DKIM-Signature: ");
  g_string_append(all, field);
  g_string_append(all, "\r\n");
  g_string_append_len(all, text, (gssize) len);
  *signed_len = all->len;
  return g_string_free(all, FALSE);
}

static void
test_signs(void)
{
  static const char *const names[] = {"rsa1024", "rsa2048", "rsa4096", "ed25519"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = copy_key(names[i], "sel");
    g_autofree char *record = read_record(names[i]);
    g_autoptr(DkimKeys) keys = dkim_keys_new(directory);
    g_autoptr(GPtrArray) found = dkim_keys_of(keys, "own.nl");
    g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func(dkim_test_key_free);
    dkim_test_key_add(records, "own.nl", "sel", VERIFY_FOUND, record);
    g_assert_cmpuint(found->len, ==, 1);
    for (gsize step = 1; step < sizeof message_text; step++) {
      gsize len = 0;
      g_autofree char *text =
          sign(found->pdata[0], message_text, sizeof message_text - 1, step, &len);
      g_autoptr(GPtrArray) results = dkim_test_verify(text, len, 64, records);
      const DkimResult *result = results->pdata[0];
      g_assert_cmpstr(result->reason, ==, "");
      g_assert_cmpint(result->status, ==, DKIM_PASS);
    }
    g_assert_cmpint(g_unlink(path), ==, 0);
  }
}

/* The fields that are signed, and how the field is laid out. */
static void
test_layout(void)
{
  g_autofree char *path = copy_key("ed25519", "sel");
  g_autoptr(DkimKeys) keys = dkim_keys_new(directory);
  g_autoptr(GPtrArray) found = dkim_keys_of(keys, "own.nl");
  DkimMessage message = dkim_message_cut(message_text, sizeof message_text - 1);
  g_autoptr(DkimSigner) signer = dkim_signer_new(found->pdata[0], "own.nl", message.fields);
  dkim_signer_set_time(signer, 1793520000);
  dkim_signer_body(signer, message.body, message.body_len);
  g_autofree char *value = dkim_signer_finish(signer, NULL);
  fields_free(message.fields);
  char *b = strstr(value, "\tb=");
  g_assert_nonnull(b);
  g_assert_cmpuint(strlen(b), ==, strlen("\tb=") + 88 + strlen("\n\t "));
  b[strlen("\tb=")] = '\0';
  g_assert_cmpstr(value, ==,
                  "v=1; a=ed25519-sha256; c=relaxed/relaxed;\n"
                  "\td=own.nl;\n"
                  "\ts=sel; t=1793520000;\n"
                  "\th=From:From:Subject:Subject:To:To:Cc:Date:Reply-To:Sender:\n"
                  "\t Message-ID:In-Reply-To:References:MIME-Version:Content-Type:\n"
                  "\t Content-Transfer-Encoding:X-NTA7516:X-NTA7516;\n"
                  "\tbh=z0xDydgtIHIlj5dvIIjafVRjPrps3qAzOPsYKCsKFxk=;\n"
                  "\tb=");
  g_assert_cmpint(g_unlink(path), ==, 0);
}

/* A message with more fields of a name than anybody signs. */
static void
test_many(void)
{
  g_autofree char *path = copy_key("ed25519", "sel");
  g_autofree char *record = read_record("ed25519");
  g_autoptr(DkimKeys) keys = dkim_keys_new(directory);
  g_autoptr(GPtrArray) found = dkim_keys_of(keys, "own.nl");
  g_autoptr(GPtrArray) records = g_ptr_array_new_with_free_func(dkim_test_key_free);
  dkim_test_key_add(records, "own.nl", "sel", VERIFY_FOUND, record);
  g_autoptr(GString) text = g_string_new("From: jan@own.nl\r\n");
  for (guint i = 0; i < 1500; i++)
    g_string_append_printf(text, "To: %u@x.nl\r\nList-Id: %u\r\n", i, i);
  g_string_append(text, "\r\n");
  gsize len = 0;
  g_autofree char *all = sign(found->pdata[0], text->str, text->len, 10, &len);
  DkimMessage message = dkim_message_cut(all, len);
  g_assert_true(message.fields->cut);
  g_assert_cmpuint(strlen(fields_find(message.fields, "DKIM-Signature", 1)->value), <,
                   1000);
  fields_free(message.fields);
  g_autoptr(GPtrArray) results = dkim_test_verify(all, len, 64, records);
  g_assert_cmpstr(((DkimResult *) results->pdata[0])->reason, ==, "header too long");
  g_assert_cmpint(g_unlink(path), ==, 0);
}

/* RFC 6376 3.4.5 */
static void
test_canonical(void)
{
  static const struct {
    const char *body, *canonical;
  } bodies[] = {
      {" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"},
      {"", ""},
      {"\r\n\r\n", ""},
      {" \t\r\n \r\n", ""},
      {"x", "x\r\n"},
      {"x \t", "x\r\n"},
      {"\r\n\r\nx\r\n", "\r\n\r\nx\r\n"},
      {"a\r b\r\n", "a\r b\r\n"},
      {"a \rb\r\n", "a \rb\r\n"},
      {"a\r", "a\r\r\n"},
      {"a\nb\n", "a\r\nb\r\n"},
  };
  g_autoptr(GString) text = g_string_new(NULL);
  dkim_canon_field(text, "A", " X");
  dkim_canon_field(text, "B ", " Y\t\n\tZ  ");
  g_assert_cmpstr(text->str, ==, "a:Xb:Y Z");
  for (guint i = 0; i < G_N_ELEMENTS(bodies); i++) {
    for (gsize step = 1; step < 8; step++) {
      guint8 got[CRYPT_SHA256_BYTES] = {0}, want[CRYPT_SHA256_BYTES];
      gsize len = strlen(bodies[i].body);
      g_autoptr(DkimBody) body = dkim_canon_body_new();
      for (gsize at = 0; at < len; at += step)
        dkim_canon_body_add(body, bodies[i].body + at, MIN(step, len - at));
      dkim_canon_body_finish(body, got);
      g_autoptr(CryptHash) hash = crypt_hash_new();
      crypt_hash_update(hash, bodies[i].canonical, strlen(bodies[i].canonical));
      crypt_hash_finish(hash, want);
      g_test_message("case %u, pieces of %zu", i, step);
      g_assert_cmpmem(got, sizeof got, want, sizeof want);
    }
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_assert_true(dkim_prepare(NULL));
  directory = g_dir_make_tmp("zegel-dkim-XXXXXX", NULL);
  g_autofree char *place = g_build_filename(directory, "own.nl", NULL);
  g_assert_cmpint(g_mkdir(place, 0700), ==, 0);
  g_test_add_func("/dkim/sign/verifies", test_signs);
  g_test_add_func("/dkim/sign/layout", test_layout);
  g_test_add_func("/dkim/sign/many", test_many);
  g_test_add_func("/dkim/sign/canonical", test_canonical);
  int status = g_test_run();
  g_rmdir(place);
  g_rmdir(directory);
  g_free(directory);
  return status;
}
