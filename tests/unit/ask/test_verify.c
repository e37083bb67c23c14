#include "common/ask/verify.h"

#include <string.h>

#include "common/ask/ask.h"
#include "common/ask/client_id.h"
#include "common/base/error.h"
#include "tests/unit/tap.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static Attrs *
parse(const char *text)
{
  g_autoptr(GString) block = g_string_new(text);
  g_string_append_c(block, '\n');
  Attrs *attrs = attrs_parse(block->str, block->len, ATTR_ESCAPED, NULL);
  g_assert_nonnull(attrs);
  return attrs;
}

/* ATTRS as they come out at the other side. */
static Attrs *
travel(const Attrs *attrs)
{
  g_autofree char *text = attrs_format(attrs, ATTR_ESCAPED);
  Attrs *read = attrs_parse(text, strlen(text), ATTR_ESCAPED, NULL);
  g_assert_nonnull(read);
  return read;
}

static void
test_question(void)
{
  g_autoptr(VerifyQuestion) question = verify_question_new();
  question->fresh = TRUE;
  question->client_address = g_strdup("2001:db8::1");
  question->helo = g_strdup("mx.example.nl");
  question->sender = g_strdup("jan=x%y@example.nl");
  question->from_domain = g_strdup("example.nl");
  for (guint i = 0; i < VERIFY_MAX_KEYS; i++) {
    g_autofree char *selector = g_strdup_printf("s%u", i);
    g_assert_true(verify_question_add_key(question, "mail.example.nl", selector));
  }
  g_assert_false(verify_question_add_key(question, "mail.example.nl", "more"));
  g_autoptr(Attrs) attrs = verify_question_format(question);
  g_autoptr(Attrs) read = travel(attrs);
  g_autoptr(VerifyQuestion) copy = verify_question_parse(read, NULL);
  g_assert_nonnull(copy);
  g_assert_true(copy->fresh);
  g_assert_cmpstr(copy->client_address, ==, "2001:db8::1");
  g_assert_cmpstr(copy->helo, ==, "mx.example.nl");
  g_assert_cmpstr(copy->sender, ==, "jan=x%y@example.nl");
  g_assert_cmpstr(copy->from_domain, ==, "example.nl");
  g_assert_cmpuint(copy->keys->len, ==, VERIFY_MAX_KEYS);
  const VerifyKey *last = copy->keys->pdata[VERIFY_MAX_KEYS - 1];
  g_assert_cmpstr(last->domain, ==, "mail.example.nl");
  g_assert_cmpstr(last->selector, ==, "s7");
}

/* As zegelctl asks: keys, and nothing else. */
static void
test_keys_only(void)
{
  g_autoptr(VerifyQuestion) question = verify_question_new();
  verify_question_add_key(question, "example.nl", "a");
  g_autoptr(Attrs) attrs = verify_question_format(question);
  g_assert_null(attrs_get(attrs, "client_address"));
  g_assert_null(attrs_get(attrs, "from_domain"));
  g_autoptr(VerifyQuestion) copy = verify_question_parse(attrs, NULL);
  g_assert_nonnull(copy);
  g_assert_null(copy->client_address);
  g_assert_false(copy->fresh);
  g_assert_null(copy->from_domain);
  g_assert_cmpuint(copy->keys->len, ==, 1);
}

#define Q    "request=verify\nversion=3\n"
#define KEY  "key_domain=a.nl\nkey_selector=s\n"
#define KEY4 KEY KEY KEY KEY

static void
test_questions(void)
{
  static const struct {
    const char *text;
    gboolean good;
  } rows[] = {
      {Q, TRUE},
      {Q KEY4 KEY4, TRUE},
      {Q "other=1\n" KEY "other=1\n", TRUE},
      {Q "client_address=192.0.2.1\nhelo=\nsender=\n", TRUE},
      {"request=verify\n", FALSE},
      {"request=verify\nversion=2\n", FALSE},
      {"request=route\nversion=3\n", FALSE},
      {Q "client_address=\nhelo=\nsender=\n", FALSE},
      {Q "client_address=192.0.2.1\nsender=\n", FALSE},
      {Q "client_address=192.0.2.1\nhelo=\n", FALSE},
      {Q "from_domain=\n", FALSE},
      {Q KEY4 KEY4 KEY, FALSE},
      {Q "key_domain=a.nl\n", FALSE},
      {Q "key_selector=s\n", FALSE},
      {Q "key_domain=a.nl\nother=1\nkey_selector=s\n", FALSE},
      {Q "key_domain=a.nl\nkey_domain=b.nl\nkey_selector=s\n", FALSE},
      {Q "key_domain=\nkey_selector=s\n", FALSE},
      {Q "key_domain=a.nl\nkey_selector=\n", FALSE},
      {Q "key_domain=a.nl\nkey_selector=s\nkey_selector=s\n", FALSE},
      {Q "from_domain=" HEX HEX HEX HEX "\n", FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Attrs) attrs = parse(rows[i].text);
    g_autoptr(VerifyQuestion) question = verify_question_parse(attrs, &error);
    g_test_message("row %u", i);
    g_assert_cmpint(question != NULL, ==, rows[i].good);
    if (!rows[i].good)
      g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  }
}

static void
test_answer(void)
{
  g_autoptr(VerifyAnswer) answer = verify_answer_new();
  answer->spf = g_strdup("softfail");
  answer->spf_domain = g_strdup("mail.example.nl");
  answer->spf_aligned = TRUE;
  answer->dmarc = VERIFY_FOUND;
  answer->dmarc_policy = g_strdup("quarantine");
  answer->dmarc_domain = g_strdup("example.nl");
  verify_answer_add_key(answer, VERIFY_FOUND, "v=DKIM1; p=ab\n%", TRUE, FALSE);
  verify_answer_add_key(answer, VERIFY_ABSENT, NULL, FALSE, TRUE);
  verify_answer_add_key(answer, VERIFY_UNKNOWN, NULL, FALSE, FALSE);
  g_autoptr(Attrs) attrs = verify_answer_format(answer);
  g_autoptr(Attrs) read = travel(attrs);
  g_autoptr(VerifyAnswer) copy = verify_answer_parse(read, 3, NULL);
  g_assert_nonnull(copy);
  g_assert_cmpstr(copy->spf, ==, "softfail");
  g_assert_cmpstr(copy->spf_domain, ==, "mail.example.nl");
  g_assert_true(copy->spf_aligned);
  g_assert_cmpint(copy->dmarc, ==, VERIFY_FOUND);
  g_assert_cmpstr(copy->dmarc_policy, ==, "quarantine");
  g_assert_cmpstr(copy->dmarc_domain, ==, "example.nl");
  for (guint i = 0; i < 3; i++) {
    const VerifyKeyAnswer *key = answer->keys->pdata[i], *other = copy->keys->pdata[i];
    g_assert_cmpint(other->state, ==, key->state);
    g_assert_cmpstr(other->text, ==, key->text);
    g_assert_cmpint(other->secure, ==, key->secure);
    g_assert_cmpint(other->aligned, ==, key->aligned);
  }
  g_assert_null(verify_answer_parse(read, 2, NULL));
  g_assert_null(verify_answer_parse(read, 4, NULL));
  g_assert_null(verify_answer_parse(read, G_MAXUINT, NULL));
}

#define A    "version=3\nspf=pass\nspf_domain=a.nl\nspf_aligned=yes\n"
#define P    "dmarc=found\ndmarc_policy=reject\ndmarc_domain=a.nl\n"
#define NONE "dmarc=absent\ndmarc_policy=\ndmarc_domain=\n"

static void
test_answers(void)
{
  static const struct {
    const char *text;
    gboolean good;
  } rows[] = {
      {A P "key=found\ntext=p=\nsecure=no\naligned=no\n", TRUE},
      {A P "key=absent\ntext=\nsecure=no\naligned=no\n", TRUE},
      {A NONE "key=absent\ntext=\nsecure=no\naligned=no\n", TRUE},
      {A P "key=found\ntext=\nsecure=no\naligned=no\n", TRUE},
      {A P "key=absent\ntext=x\nsecure=no\naligned=no\n", FALSE},
      {A P "key=other\ntext=\nsecure=no\naligned=no\n", FALSE},
      {A P "key=absent\ntext=\nsecure=maybe\naligned=no\n", FALSE},
      {A P "key=absent\ntext=\nsecure=no\naligned=\n", FALSE},
      {A P "key=absent\nsecure=no\ntext=\naligned=no\n", FALSE},
      {A P, FALSE},
      {"version=3\nspf=passed\nspf_domain=a.nl\nspf_aligned=yes\n" P
       "key=absent\ntext=\nsecure=no\naligned=no\n",
       FALSE},
      {A "dmarc=found\ndmarc_policy=none at all\ndmarc_domain=a.nl\n"
         "key=absent\ntext=\nsecure=no\naligned=no\n",
       FALSE},
      {A "dmarc=found\ndmarc_policy=\ndmarc_domain=a.nl\n"
         "key=absent\ntext=\nsecure=no\naligned=no\n",
       FALSE},
      {A "dmarc=unknown\ndmarc_policy=reject\ndmarc_domain=\n"
         "key=absent\ntext=\nsecure=no\naligned=no\n",
       FALSE},
      {"version=2\n", FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Attrs) attrs = parse(rows[i].text);
    g_autoptr(VerifyAnswer) answer = verify_answer_parse(attrs, 1, &error);
    g_test_message("row %u", i);
    g_assert_cmpint(answer != NULL, ==, rows[i].good);
    if (!rows[i].good)
      g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  }
}

static void
test_failure(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Attrs) attrs = route_failure_format("not now");
  g_assert_null(verify_answer_parse(attrs, 0, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
  g_autoptr(GError) other = NULL;
  g_assert_null(client_certificate_parse(attrs, &other));
  g_assert_error(other, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
}

static void
test_long_text(void)
{
  g_autofree char *text = g_strnfill(VERIFY_TEXT_MAX_BYTES + 1, 'x');
  g_autoptr(VerifyAnswer) answer = verify_answer_new();
  verify_answer_add_key(answer, VERIFY_FOUND, text + 1, FALSE, FALSE);
  g_autoptr(Attrs) attrs = verify_answer_format(answer);
  g_autoptr(VerifyAnswer) copy = verify_answer_parse(attrs, 1, NULL);
  g_assert_nonnull(copy);
  verify_answer_add_key(answer, VERIFY_FOUND, text, FALSE, FALSE);
  g_autoptr(Attrs) longer = verify_answer_format(answer);
  g_assert_null(verify_answer_parse(longer, 2, NULL));
}

static void
test_client_question(void)
{
  g_autoptr(Attrs) attrs = client_question_format("192.0.2.1", 40123);
  g_autoptr(Attrs) read = travel(attrs);
  const char *address = NULL;
  guint16 port = 0;
  g_assert_true(client_question_parse(read, &address, &port, NULL));
  g_assert_cmpstr(address, ==, "192.0.2.1");
  g_assert_cmpuint(port, ==, 40123);
  static const char *const bad[] = {
      "request=client\nversion=3\nclient_address=192.0.2.1\n",
      "request=client\nversion=3\nclient_address=192.0.2.1\nclient_port=65536\n",
      "request=client\nversion=3\nclient_address=192.0.2.1\nclient_port=x\n",
      "request=client\nversion=3\nclient_address=\nclient_port=25\n",
      "request=client\nversion=3\nclient_port=25\n",
      "request=client\nversion=2\nclient_address=192.0.2.1\nclient_port=25\n",
      "request=verify\nversion=3\nclient_address=192.0.2.1\nclient_port=25\n",
  };
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(Attrs) question = parse(bad[i]);
    g_test_message("row %u", i);
    g_assert_false(client_question_parse(question, &address, &port, NULL));
  }
}

static void
test_certificate(void)
{
  char fingerprint[] = HEX, subject[] = "mail.example.nl", issuer[] = "Zorg CA=G2";
  const ClientCertificate all = {fingerprint, subject, issuer}, none = {NULL, NULL, NULL};
  g_autoptr(Attrs) attrs = client_certificate_format(&all);
  g_autoptr(Attrs) read = travel(attrs);
  g_autoptr(ClientCertificate) copy = client_certificate_parse(read, NULL);
  g_assert_nonnull(copy);
  g_assert_cmpstr(copy->fingerprint, ==, HEX);
  g_assert_cmpstr(copy->subject, ==, subject);
  g_assert_cmpstr(copy->issuer, ==, issuer);
  g_autoptr(Attrs) empty = client_certificate_format(&none);
  g_autoptr(ClientCertificate) nobody = client_certificate_parse(empty, NULL);
  g_assert_nonnull(nobody);
  g_assert_null(nobody->fingerprint);
  g_assert_null(nobody->subject);
  g_assert_null(nobody->issuer);
  static const char *const bad[] = {
      "version=3\nfingerprint=\nsubject=\n",
      "version=3\nfingerprint=ab\nsubject=\nissuer=\n",
      "version=3\nfingerprint=0" HEX "\nsubject=\nissuer=\n",
      "version=2\nfingerprint=\nsubject=\nissuer=\n",
  };
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(Attrs) answer = parse(bad[i]);
    g_assert_null(client_certificate_parse(answer, NULL));
  }
  fingerprint[0] = 'A';
  g_assert_false(client_fingerprint_is_valid(fingerprint));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/verify/question", test_question);
  g_test_add_func("/verify/keys-only", test_keys_only);
  g_test_add_func("/verify/questions", test_questions);
  g_test_add_func("/verify/answer", test_answer);
  g_test_add_func("/verify/answers", test_answers);
  g_test_add_func("/verify/failure", test_failure);
  g_test_add_func("/verify/long-text", test_long_text);
  g_test_add_func("/client/question", test_client_question);
  g_test_add_func("/client/certificate", test_certificate);
  return g_test_run();
}
