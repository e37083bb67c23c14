#include <string.h>

#include "common/base/error.h"
#include "common/submit/compose.h"
#include "tests/unit/tap.h"

/* Facts of an answer, all of them good. */
static ComposeFacts
good_facts(void)
{
  return (ComposeFacts){
      .author = "jan@example.com",
      .organisation_name = "Praktijk Janssen",
      .service_domain = "veilig.example.nl",
      .reply_to = "jan@example.com",
      .recipient = "janssen@example.nl",
      .subject = "Re: Uitslag",
      .id = "abc.123",
      .in_reply_to = "<x1@example.nl>",
      .now_s = 1700000000,
      .text = "Dank u wel.\n",
  };
}

/* The whole message, or NULL when it is refused for the field. */
static char *
compose(const ComposeFacts *facts)
{
  g_autoptr(GError) error = NULL;
  GString *body = compose_body(facts, &error);
  if (body == NULL) {
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
    return NULL;
  }
  GString *message = compose_message(facts, "X-Mark", "first\r\n second", body);
  char *text = g_strdup(message->str);
  compose_free(message);
  return text;
}

static void
test_plain(void)
{
  ComposeFacts facts = good_facts();
  g_autofree char *text = compose(&facts);
  g_assert_true(g_str_has_prefix(text, "X-Mark: first\r\n second\r\nFrom: \""
                                       "jan@example.com (via Praktijk Janssen)\"\r\n "
                                       "<noreply@veilig.example.nl>\r\n"
                                       "Reply-To: <jan@example.com>\r\n"
                                       "To: <janssen@example.nl>\r\n"
                                       "Subject: Re: Uitslag\r\nDate: "));
  g_assert_nonnull(strstr(text, "\r\nMessage-ID: <abc.123@veilig.example.nl>\r\n"
                                "In-Reply-To: <x1@example.nl>\r\n"
                                "References: <x1@example.nl>\r\nMIME-Version: 1.0\r\n"));
  g_assert_true(g_str_has_suffix(text, "\r\n\r\nDank u wel.\r\n\r\n"));
}

/* T14: a line end, in whatever shape, never comes into a field. */
static void
test_fields(void)
{
  static const char *const bad[] = {"a\rb",
                                    "a\nb",
                                    "a\r\nBcc: x@example.org",
                                    "a\xe2\x80\xa8"
                                    "b",
                                    "a\xe2\x80\xa9"
                                    "b",
                                    "a\xc2\x85"
                                    "b",
                                    "a\x0b"
                                    "b",
                                    "a\x7f"
                                    "b",
                                    "\xff"};
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    const ComposePart part = {.name = bad[i], .type = "text/plain", .bytes = "", .len = 0};
    const ComposePart typed = {.name = "a", .type = bad[i], .bytes = "", .len = 0};
    ComposeFacts rows[9];
    for (gsize j = 0; j < G_N_ELEMENTS(rows); j++)
      rows[j] = good_facts();
    g_autofree char *address = g_strconcat(bad[i], "@example.com", NULL);
    g_autofree char *id = g_strconcat("<", bad[i], "@example.nl>", NULL);
    rows[0].author = rows[1].organisation_name = rows[2].subject = bad[i];
    rows[3].reply_to = rows[4].recipient = address;
    rows[5].id = bad[i];
    rows[6].in_reply_to = id;
    rows[7].parts = &part;
    rows[8].parts = &typed;
    rows[7].part_count = rows[8].part_count = 1;
    for (gsize j = 0; j < G_N_ELEMENTS(rows); j++) {
      g_autofree char *text = compose(&rows[j]);
      g_assert_null(text);
    }
  }
}

/* What looks like an encoded word is encoded itself: it cannot become a line end later. */
static void
test_encoded_words(void)
{
  ComposeFacts facts = good_facts();
  static const char word[] = "=?utf-8?Q?a=0D=0ABcc:_x@example.org?=";
  const ComposePart part = {.name = word, .type = "text/plain", .bytes = "", .len = 0};
  facts.subject = "Re: =?utf-8?Q?a=0D=0ABcc:_x@example.org?=";
  facts.author = word;
  facts.parts = &part;
  facts.part_count = 1;
  g_autofree char *text = compose(&facts);
  g_assert_null(strstr(text, "=0D=0A"));
  g_assert_nonnull(strstr(text, "Subject: =?UTF-8?B?"));
  g_assert_nonnull(strstr(text, "From: =?UTF-8?B?"));
  g_assert_nonnull(strstr(text, "filename*=UTF-8''%3D%3F"));
}

/* The header has exactly the fields that it should, whatever was typed as text. */
static void
test_text_stays_text(void)
{
  ComposeFacts facts = good_facts();
  facts.text = "Bcc: a@example.org\r\n\r\n.\r\nMAIL FROM:<>\r--=_abc.123--\n\xe2\x80\xa8 "
               "caf\xc3\xa9 =";
  g_autofree char *text = compose(&facts);
  const char *body = strstr(text, "\r\n\r\n") + 4;
  g_assert_true(g_str_has_prefix(body, "Bcc: a@example.org\r\n\r\n.\r\nMAIL FROM:<>\r\n"
                                       "--=3D_abc.123--\r\n=E2=80=A8 caf=C3=A9 =3D\r\n"));
}

static void
test_attachments(void)
{
  guint8 bytes[200];
  for (gsize i = 0; i < sizeof bytes; i++)
    bytes[i] = (guint8) i;
  const ComposePart parts[] = {
      {"uitslag.pdf", "application/pdf", bytes, sizeof bytes},
      {"caf\xc3\xa9 \"1\".txt", "text/html; charset=x", "x", 1},
      {"a.eml", "message/rfc822", "", 0},
  };
  ComposeFacts facts = good_facts();
  facts.parts = parts;
  facts.part_count = G_N_ELEMENTS(parts);
  g_autofree char *text = compose(&facts);
  g_assert_nonnull(
      strstr(text, "Content-Type: multipart/mixed;\r\n boundary=\"=_abc.123\"\r\n"));
  g_assert_nonnull(
      strstr(text, "\r\n--=_abc.123\r\nContent-Type: application/pdf\r\n"
                   "Content-Disposition: attachment;\r\n filename=\"uitslag.pdf\"\r\n"
                   "Content-Transfer-Encoding: base64\r\n\r\nAAECAwQF"));
  g_assert_nonnull(strstr(text,
                          "\r\n--=_abc.123\r\nContent-Type: application/octet-stream;\r\n"
                          " name=\"=?UTF-8?B?Y2Fmw6kgIjEiLnR4dA==?=\"\r\n"
                          "Content-Disposition: attachment;\r\n"
                          " filename*=UTF-8''caf%C3%A9%20%221%22.txt\r\n"));
  g_assert_null(strstr(text, "message/rfc822"));
  g_assert_true(g_str_has_suffix(text, "\r\n--=_abc.123--\r\n"));
  g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);
  for (char **line = lines; *line != NULL; line++)
    g_assert_cmpuint(strlen(*line), <=, 76);
}

static void
test_original(void)
{
  ComposeFacts facts = good_facts();
  facts.original = "Subject: x\r\n\r\ncaf\xc3\xa9\r\n";
  facts.original_len = strlen(facts.original);
  g_autofree char *text = compose(&facts);
  g_assert_nonnull(strstr(text, "Content-Type: message/rfc822\r\n"));
  g_assert_nonnull(strstr(text, "Content-Transfer-Encoding: 8bit\r\n\r\nSubject: x\r\n\r\n"
                                "caf\xc3\xa9\r\n\r\n--=_abc.123--\r\n"));
}

static void
test_too_many(void)
{
  ComposePart parts[COMPOSE_MAX_PARTS + 1];
  for (gsize i = 0; i < G_N_ELEMENTS(parts); i++)
    parts[i] = (ComposePart){"a", "text/plain", "", 0};
  ComposeFacts facts = good_facts();
  g_autoptr(GError) error = NULL;
  facts.parts = parts;
  facts.part_count = G_N_ELEMENTS(parts);
  g_assert_null(compose_body(&facts, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT);
}

/* The body does not change when the header comes: its hash stands in the mark. */
static void
test_body_stays(void)
{
  const ComposePart part = {"a.bin", "application/octet-stream", "abc", 3};
  ComposeFacts facts = good_facts();
  facts.parts = &part;
  facts.part_count = 1;
  GString *body = compose_body(&facts, NULL);
  g_autofree char *before = g_strdup(body->str);
  GString *message = compose_message(&facts, NULL, NULL, body);
  g_assert_cmpstr(strstr(message->str, "\r\n\r\n") + 4, ==, before);
  g_assert_null(strstr(message->str, "X-Mark"));
  compose_free(message);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/submit/compose/plain", test_plain);
  g_test_add_func("/submit/compose/fields", test_fields);
  g_test_add_func("/submit/compose/encoded-words", test_encoded_words);
  g_test_add_func("/submit/compose/text", test_text_stays_text);
  g_test_add_func("/submit/compose/attachments", test_attachments);
  g_test_add_func("/submit/compose/original", test_original);
  g_test_add_func("/submit/compose/too-many", test_too_many);
  g_test_add_func("/submit/compose/body", test_body_stays);
  return g_test_run();
}
