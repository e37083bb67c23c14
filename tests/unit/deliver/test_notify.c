#include <string.h>
#include <time.h>

#include "deliver/notify.h"
#include "tests/unit/tap.h"

#define LINK "https://mail.zorg.example/l/AAECAwQFBgcICQoLDA0ODw"

/* 15 February 2026, 12:00 UTC */
#define NOW_S     1771156800
#define EXPIRES_S (NOW_S + 90 * 24 * 3600)

static NotifyFacts
usual_facts(void)
{
  return (NotifyFacts){
      .organisation_name = "Zorg Noord",
      .service_domain = "veilig.zorg.example",
      .viewer_url = "https://mail.zorg.example/",
      .contact = "020 1234567, balie@zorg.example",
      .sender = "jan@zorg.example",
      .sender_name = "Jan Jansen",
      .recipient = "els@example.com",
      .number = "+31612345678",
      .link = LINK,
      .reference = "ABC123",
      .now_s = NOW_S,
      .expires_s = EXPIRES_S,
  };
}

/* LEN bytes at BYTES without quoted-printable; checks every line on the way. */
static char *
decode(const char *bytes, gsize len)
{
  g_autofree char *part = g_strndup(bytes, len);
  GString *text = g_string_new(NULL);
  g_auto(GStrv) lines = g_strsplit(part, "\r\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    g_assert_cmpuint(strlen(*line), <=, 76);
    g_assert_null(strpbrk(*line, "\r\n"));
    const char *p = *line;
    gboolean soft = FALSE;
    while (*p != '\0') {
      if (*p != '=') {
        g_string_append_c(text, *p++);
      } else if (p[1] == '\0') {
        soft = TRUE;
        p++;
      } else {
        g_assert_true(g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2]));
        int c = g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2]);
        g_string_append_c(text, (char) c);
        p += 3;
      }
    }
    if (!soft && line[1] != NULL)
      g_string_append_c(text, '\n');
  }
  g_assert_true(g_utf8_validate(text->str, (gssize) text->len, NULL));
  return g_string_free(text, FALSE);
}

/* The alternative of MESSAGE that is of TYPE, decoded; there are just two. */
static char *
decode_part(const char *message, const char *type)
{
  static const char boundary[] = "\r\n--=_zegel";
  const char *start = strstr(message, boundary);
  g_autofree char *head = g_strdup_printf("\r\nContent-Type: %s; charset=utf-8\r\n"
                                          "Content-Transfer-Encoding: "
                                          "quoted-printable\r\n\r\n",
                                          type);
  char *found = NULL;
  guint parts = 0;
  g_assert_nonnull(start);
  for (const char *end; (end = strstr(start + 1, boundary)) != NULL; start = end) {
    const char *part = start + strlen(boundary);
    parts++;
    if (!g_str_has_prefix(part, head))
      continue;
    g_assert_null(found);
    part += strlen(head);
    found = decode(part, (gsize) (end - part));
  }
  g_assert_cmpuint(parts, ==, 2);
  g_assert_cmpstr(start, ==, "\r\n--=_zegel--\r\n");
  g_assert_nonnull(found);
  return found;
}

static char *
decode_body(const char *message)
{
  return decode_part(message, "text/plain");
}

/* The names of the header fields, "From To Subject ...". */
static char *
field_names(const char *message)
{
  const char *end = strstr(message, "\r\n\r\n");
  g_autofree char *head = g_strndup(message, (gsize) (end - message));
  g_auto(GStrv) lines = g_strsplit(head, "\r\n", -1);
  GString *names = g_string_new(NULL);
  for (char **line = lines; *line != NULL; line++) {
    g_assert_cmpuint(strlen(*line), <=, 998); /* RFC 5322 2.1.1 */
    g_assert_null(strpbrk(*line, "\r\n"));
    if (**line == ' ')
      continue;
    const char *colon = strchr(*line, ':');
    g_assert_nonnull(colon);
    if (names->len > 0)
      g_string_append_c(names, ' ');
    g_string_append_len(names, *line, colon - *line);
  }
  return g_string_free(names, FALSE);
}

static void
check_shape(const char *message)
{
  g_autofree char *names = field_names(message);
  g_assert_cmpstr(names, ==,
                  "From To Subject Date Message-ID Auto-Submitted "
                  "X-Auto-Response-Suppress Content-Language MIME-Version Content-Type");
  g_autofree char *body = decode_body(message);
  g_assert_nonnull(strstr(body, "\n" LINK "\n"));
}

static void
test_usual(void)
{
  NotifyFacts facts = usual_facts();
  GString *message = notify_format(&facts);
  check_shape(message->str);
  g_assert_true(g_str_is_ascii(message->str));
  g_assert_true(g_str_has_prefix(message->str, "From: \"Zorg Noord\"\r\n"
                                               " <noreply@veilig.zorg.example>\r\n"
                                               "To: <els@example.com>\r\n"
                                               "Subject: Er staat een beveiligd bericht"
                                               " voor u klaar /\r\n A secure message is"
                                               " waiting for you\r\n"));
  g_assert_nonnull(strstr(message->str, "\r\nDate: Sun, 15 Feb 2026 13:00:00 +0100\r\n"));
  g_assert_nonnull(
      strstr(message->str, "\r\nMessage-ID: <notice.ABC123@veilig.zorg.example>\r\n"));
  g_assert_nonnull(strstr(message->str, "\r\nAuto-Submitted: auto-generated\r\n"));
  g_string_free(message, TRUE);
}

static void
test_text(void)
{
  static const char *const expected[] = {
      "Jan Jansen (jan@zorg.example) heeft u een beveiligd bericht gestuurd.",
      "Jan Jansen (jan@zorg.example) has sent you a secure message.",
      "tot 16 mei 2026.",
      "until 16 May 2026.",
      "eindigt op 78.",
      "ends in 78.",
      "begint met https://mail.zorg.example/\n",
      "begins with https://mail.zorg.example/\n",
      "nooit om een wachtwoord",
      "never ask for a password",
      "Neem contact op met Zorg Noord:\n020 1234567, balie@zorg.example\n",
      "Contact Zorg Noord:\n020 1234567, balie@zorg.example\n",
  };
  NotifyFacts facts = usual_facts();
  GString *message = notify_format(&facts);
  g_autofree char *body = decode_body(message->str);
  for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
    g_test_message("%s", expected[i]);
    g_assert_nonnull(strstr(body, expected[i]));
  }
  g_assert_null(strstr(body, "0612345678"));
  g_assert_null(strstr(body, "5678"));
  g_assert_true(strstr(body, "beveiligd") < strstr(body, "secure message"));
  g_string_free(message, TRUE);
}

static void
test_without_name_and_contact(void)
{
  NotifyFacts facts = usual_facts();
  facts.sender_name = "";
  facts.contact = "";
  GString *message = notify_format(&facts);
  g_autofree char *body = decode_body(message->str);
  g_assert_nonnull(strstr(body, "\njan@zorg.example heeft u een"));
  g_assert_null(strstr(body, "Vragen?"));
  g_assert_null(strstr(body, "Questions?"));
  g_string_free(message, TRUE);
}

/* Hostile text: the fields stay the same, and what is shown is one line. */
static const struct {
  const char *text;
  const char *shown; /* in the body, behind a line end */
  const char *from;  /* in the header */
} hostile_rows[] = {
    {"A\r\nBcc: x@y.nl", "A Bcc: x@y.nl", "\"A Bcc: x@y.nl\""},
    {"A\nB\rC", "A B C", "\"A B C\""},
    {"A\r\n\r\nhttp://evil", "A http://evil", "\"A http://evil\""},
    {"say \"hi\" \\ there", "say \"hi\" \\ there", "\"say \\\"hi\\\" \\\\ there\""},
    {"\x01\x02 a\x7f\tb ", "a b", "\"a b\""},
    {"Zo\xc3\xab", "Zo\xc3\xab", "=?UTF-8?B?Wm/Dqw==?="},
    {"a\xe2\x80\xae"
     "b\xe2\x80\xa8"
     "c",
     "a b c", "\"a b c\""}, /* RLO, LS */
    {"caf\xe9", "caf\xef\xbf\xbd", "=?UTF-8?B?Y2Fm77+9?="},
    /* Quoted it is no encoded word, but there are programs that decode it. */
    {"=?utf-8?q?x?=", "=?utf-8?q?x?=", "=?UTF-8?B?PT91dGYtOD9xP3g/PQ==?="},
};

static void
test_hostile_names(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(hostile_rows); i++) {
    NotifyFacts facts = usual_facts();
    facts.sender_name = hostile_rows[i].text;
    facts.organisation_name = hostile_rows[i].text;
    facts.contact = hostile_rows[i].text;
    GString *message = notify_format(&facts);
    check_shape(message->str);
    g_autofree char *from = g_strdup_printf("From: %s\r\n <", hostile_rows[i].from);
    g_assert_true(g_str_has_prefix(message->str, from));
    g_autofree char *body = decode_body(message->str);
    g_autofree char *shown =
        g_strdup_printf("\n%s (jan@zorg.example) heeft u", hostile_rows[i].shown);
    g_assert_nonnull(strstr(body, shown));
    g_string_free(message, TRUE);
  }
}

static void
test_hostile_addresses(void)
{
  NotifyFacts facts = usual_facts();
  facts.sender = "jan@zorg.example\r\nX: y\r\n\r\nz";
  facts.recipient = "els@example.com>\r\nBcc: <x@y.nl";
  GString *message = notify_format(&facts);
  check_shape(message->str);
  g_string_free(message, TRUE);
}

static void
test_long(void)
{
  static const char *const units[] = {"x", "\xc3\xab", "\xf0\x9f\x94\x92", "\"", "a "};
  for (guint i = 0; i < G_N_ELEMENTS(units); i++) {
    GString *text = g_string_new(NULL);
    while (text->len < 10240)
      g_string_append(text, units[i]);
    NotifyFacts facts = usual_facts();
    facts.sender_name = text->str;
    facts.organisation_name = text->str;
    facts.contact = text->str;
    GString *message = notify_format(&facts);
    check_shape(message->str);
    g_assert_cmpuint(message->len, <, 65536);
    g_autofree char *body = decode_body(message->str);
    g_assert_nonnull(strstr(body, "\xe2\x80\xa6 (jan@zorg.example) heeft u"));
    g_string_free(message, TRUE);
    g_string_free(text, TRUE);
  }
}

static void
test_long_link(void)
{
  g_autofree char *host = g_strnfill(60, 'h');
  g_autofree char *url = g_strdup_printf("https://%s.example:8443/", host);
  g_autofree char *link = notify_link(url, "AAECAwQFBgcICQoLDA0ODw");
  g_assert_true(g_str_has_prefix(link, url));
  g_assert_true(g_str_has_suffix(link, "/l/AAECAwQFBgcICQoLDA0ODw"));
  NotifyFacts facts = usual_facts();
  facts.link = link;
  GString *message = notify_format(&facts);
  g_autofree char *body = decode_body(message->str);
  g_autofree char *line = g_strdup_printf("\n%s\n", link);
  g_assert_nonnull(strstr(body, line));
  g_string_free(message, TRUE);
}

static void
test_utf8_recipient(void)
{
  NotifyFacts facts = usual_facts();
  facts.recipient = "\xc3\xabls@\xc3\xa9xample.com";
  GString *message = notify_format(&facts);
  check_shape(message->str);
  g_assert_nonnull(strstr(message->str, "\r\nTo: <\xc3\xabls@\xc3\xa9xample.com>\r\n"));
  g_string_free(message, TRUE);
}

static void
test_repeat(void)
{
  NotifyFacts facts = usual_facts();
  GString *first = notify_format(&facts);
  facts.now_s += 3600;
  GString *second = notify_format(&facts);
  g_autofree char *one = decode_body(first->str);
  g_autofree char *two = decode_body(second->str);
  g_assert_cmpstr(one, ==, two);
  g_assert_nonnull(strstr(second->str, "\r\nMessage-ID: <notice.ABC123@"));
  g_assert_nonnull(strstr(second->str, " 14:00:00 +0100\r\n"));
  g_string_free(first, TRUE);
  g_string_free(second, TRUE);
}

static void
test_short_number(void)
{
  static const char *const numbers[] = {"7", "78", "+31612345678"};
  for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
    NotifyFacts facts = usual_facts();
    facts.number = numbers[i];
    GString *message = notify_format(&facts);
    g_autofree char *body = decode_body(message->str);
    g_autofree char *expected = g_strdup_printf(
        "ends in %s.\n", numbers[i] + strlen(numbers[i]) - MIN(strlen(numbers[i]), 2));
    g_assert_nonnull(strstr(body, expected));
    g_string_free(message, TRUE);
  }
}

/* Who has no number gets the code by e-mail, and neither language speaks of SMS. */
static void
test_code_by_mail(void)
{
  NotifyFacts facts = usual_facts();
  facts.number = "";
  GString *message = notify_format(&facts);
  g_autofree char *body = decode_body(message->str);
  g_assert_nonnull(strstr(body, "aparte e-mail"));
  g_assert_nonnull(strstr(body, "in a separate\nemail"));
  g_assert_null(strstr(body, "sms"));
  g_assert_null(strstr(body, "text message"));
  g_assert_null(strstr(body, "ends in"));
  g_string_free(message, TRUE);
}

/* TEXT with REGEX replaced by INSTEAD; frees TEXT. */
static char *
replace(char *text, const char *regex, const char *instead)
{
  g_autoptr(GRegex) compiled = g_regex_new(regex, 0, 0, NULL);
  char *result = g_regex_replace_literal(compiled, text, -1, 0, instead, 0, NULL);
  g_free(text);
  return result;
}

/* The words with one space in between, and no dashes. */
static char *
words_of(char *text)
{
  return g_strstrip(replace(text, "[\\s-]+", " "));
}

/* HTML as a reader sees it, without the buttons. */
static char *
words_of_html(const char *html)
{
  char *text = replace(g_strdup(html), "(?s)<head>.*</head>", "");
  text = replace(text, "(?s)<table.*?</table>", "");
  text = replace(text, "<[^>]*>", "");
  text = replace(text, "&lt;", "<");
  text = replace(text, "&gt;", ">");
  text = replace(text, "&quot;", "\"");
  text = replace(text, "&apos;|&#39;", "'");
  return words_of(replace(text, "&amp;", "&"));
}

/* Both parts say the same; the HTML brings nothing from outside and no colour of its own.
 */
static void
check_html(const char *message)
{
  g_autofree char *html = decode_part(message, "text/html");
  g_autofree char *seen = words_of_html(html);
  g_autofree char *read = words_of(decode_body(message));
  g_assert_cmpstr(seen, ==, read);
  static const char *const never[] = {"<img", "<script", "<style", "<link",
                                      "url(", "@import", "<form",  "<iframe"};
  for (guint i = 0; i < G_N_ELEMENTS(never); i++) {
    g_test_message("%s in %s", never[i], html);
    g_assert_null(strstr(html, never[i]));
  }
  g_auto(GStrv) links = g_strsplit(html, "href=", -1);
  g_assert_cmpuint(g_strv_length(links), ==, 3);
  for (guint i = 1; links[i] != NULL; i++)
    g_assert_true(g_str_has_prefix(links[i], "\"" LINK "\""));
}

static void
test_html(void)
{
  static const char *const names[] = {"Jan Jansen", "", "<b>Jan</b> & \"co\"",
                                      "<img src=x onerror=alert(1)>", "'-->"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    NotifyFacts facts = usual_facts();
    facts.sender_name = names[i];
    facts.organisation_name = *names[i] != '\0' ? names[i] : "Zorg";
    facts.contact = names[i];
    GString *message = notify_format(&facts);
    g_autofree char *html = decode_part(message->str, "text/html");
    if (strchr(names[i], '<') != NULL) {
      g_assert_null(strstr(html, names[i]));
      g_assert_null(strstr(html, "<b>"));
    }
    check_html(message->str);
    g_string_free(message, TRUE);
  }
}

/* A reminder says so in both languages, and is another message (V7). */
static void
test_reminder(void)
{
  NotifyFacts facts = usual_facts();
  facts.reminder = TRUE;
  GString *message = notify_format(&facts);
  g_autofree char *body = decode_body(message->str);
  g_assert_nonnull(strstr(message->str, "\r\nMessage-ID: <reminder.ABC123@"));
  g_assert_nonnull(strstr(message->str, "\r\nSubject: Herinnering: "));
  g_assert_nonnull(strstr(body, "nog niet gelezen"));
  g_assert_nonnull(strstr(body, "not read it yet"));
  g_assert_nonnull(strstr(body, "tot 16 mei 2026."));
  check_html(message->str);
  check_shape(message->str);
  g_string_free(message, TRUE);
}

int
main(int argc, char **argv)
{
  g_setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", TRUE);
  tzset();
  tap_init(argc, argv);
  g_test_add_func("/deliver/notify/usual", test_usual);
  g_test_add_func("/deliver/notify/text", test_text);
  g_test_add_func("/deliver/notify/without", test_without_name_and_contact);
  g_test_add_func("/deliver/notify/hostile-names", test_hostile_names);
  g_test_add_func("/deliver/notify/hostile-addresses", test_hostile_addresses);
  g_test_add_func("/deliver/notify/long", test_long);
  g_test_add_func("/deliver/notify/long-link", test_long_link);
  g_test_add_func("/deliver/notify/utf8-recipient", test_utf8_recipient);
  g_test_add_func("/deliver/notify/repeat", test_repeat);
  g_test_add_func("/deliver/notify/short-number", test_short_number);
  g_test_add_func("/deliver/notify/code by mail", test_code_by_mail);
  g_test_add_func("/deliver/notify/html", test_html);
  g_test_add_func("/deliver/notify/reminder", test_reminder);
  return g_test_run();
}
