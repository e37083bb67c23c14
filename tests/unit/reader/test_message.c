/*
 * test_message.c - what is body, what is attachment, and how each view shows it.
 *
 * The messages stand in tests/data/mail.
 */
#include "reader/view.h"

#include <string.h>
#include <libxml/parser.h>

#include "common/base/attr.h"
#include "reader/charset.h"
#include "reader/clean.h"
#include "tests/unit/reader/harmless.h"
#include "tests/unit/tap.h"

/* What the summary must say; NULL is not looked at. */
typedef struct {
  const char *file;
  const char *from;
  const char *from_name;
  const char *subject;
  const char *body;
  const char *attachments; /* "type name size" of each, "|" between them */
  const char *text;        /* the whole text view */
} Row;

#define JAN  "jan.devries@zorg.example"
#define NAME "De Vries, Jan"

static const Row rows[] = {
    {"windows-1252.eml", JAN, NAME, "uitslag", "text", "",
     "Beste meneer Pietersen,\n\nDe kosten zijn € 12,50 – “geen” probleem…\nGroet, Zoë\n"},
    {"iso-8859-15.eml", JAN, NAME, "€ 12,50 voor zoë", "text", "",
     "Het kost € 12,50, cœur.\n"},
    {"iso-2022-jp.eml", JAN, NAME, "検査結果", "text", "",
     "こんにちは、ピート様。\n結果は良好です。\n"},
    {"gb18030.eml", JAN, NAME, "检查结果", "html", "", "您好，皮特先生。𠀀\n"},
    {"unknown-charset.eml", JAN, NAME, "café", "text", "", "café in windows\n"},
    {"eight-bit-headers.eml", "zoe@example.org", "Zoë", "naïef", "text", "",
     "Tekst zonder MIME: café.\n"},
    {"smtputf8.eml", "zoë@müller.example", "Zoë", "Grüße", "text", "", "Hallo\n"},
    {"outlook.eml", JAN, NAME, "Uw afspraak – herinnering", "html",
     "image/png image001.png 70",
     "Geachte heer,\n\nUw afspraak is op 3 augustus – tot dan.\n"},
    {"outlook-new.eml", JAN, NAME, "brief", "html",
     "image/png logo.png 70|application/"
     "vnd.openxmlformats-officedocument.wordprocessingml.document brief.docx 4",
     "Hallo \n\n________________________________\nVan: Piet <piet@example.org>\n"},
    {"apple-mail.eml", JAN, NAME, "afspraak", "html",
     "image/png kaart.png 70|application/pdf route.pdf 9",
     "Beste Piet,\n\nZie de praktijk (https://praktijk.example/route).\n\nGroet, Jan\n"},
    {"pgp-signed.eml", JAN, NAME, "ondertekend", "text",
     "application/pgp-keys OpenPGP_0x1.asc 37|"
     "application/pgp-signature OpenPGP_signature.asc 30",
     "Ondertekend met OpenPGP.\n"},
    {"winmail.eml", JAN, NAME, "tnef", "text", "application/ms-tnef winmail.dat 6",
     "Zie de bijlage.\n"},
    {"smime-opaque.eml", JAN, NAME, "versleuteld", "none",
     "application/pkcs7-mime smime.p7m 12", ""},
    {"cut-html.eml", JAN, NAME, "afgebroken", "html", "",
     "Het begin is er\n\n<https://example.com/>\n"},
    {"gmail.eml", JAN, NAME, "Re: uw vraag", "html", "application/pdf uitslag Zoë.pdf 19",
     "Dank u wel! 😀\n\n> Op ma 27 jul schreef Zoë:\n> Hoe gaat het?\n"},
    {"related.eml", JAN, NAME, "met plaatjes", "html",
     "image/png bijlage-1.png 70|image/png nep.png 59",
     "Eigen: [eigen] Vreemd: [vreemd] Pixel: Nep: [nep] Weg: [weg]\n"},
    {"forwarded.eml", JAN, NAME, "Fwd: oorspronkelijk", "text",
     "message/rfc822 oorspronkelijk - vraag.eml 249|message/rfc822 bericht.eml 249",
     "Zie het bericht hieronder.\n"},
    {"secured.eml", JAN, NAME, "ondertekend", "text",
     "application/ms-tnef winmail.dat 6|text/calendar bijlage-2.ics 30|"
     "application/pkcs7-signature smime.p7s 9",
     "Ondertekende tekst.\n"},
    {"encrypted.eml", JAN, NAME, "versleuteld", "none",
     "application/pgp-encrypted bijlage-1.asc 10|"
     "application/octet-stream encrypted.asc 54",
     ""},
    {"enveloped.eml", JAN, NAME, "versleuteld", "none",
     "application/pkcs7-mime smime.p7m 9", ""},
    {"several-texts.eml", JAN, NAME, "stukken", "html",
     "image/jpeg foto.jpg 6|text/plain bijlage.txt 11", "eerste stuk\ntweede < stuk\n"},
    {"blank-text.eml", JAN, NAME, "lege tekst", "html", "", "wel iets\n"},
    {"no-body.eml", JAN, NAME, "alleen kop", "none", "", ""},
    {"no-body-no-line.eml", JAN, NAME, "alleen kop", "none", "", ""},
    {"empty-parts.eml", JAN, NAME, "leeg", "none", "", ""},
    {"headerless.eml", "", "", "", "text", "", "Alleen tekst, geen kop.\n"},
    {"broken-boundary.eml", JAN, NAME, "kapot", "text", "",
     "Tekst in een multipart zonder delen.\n--other\nContent-Type: text/plain\n\nmeer\n"
     "--other--\n"},
    {"no-boundary.eml", JAN, NAME, "kapot", "text", "", "Tekst zonder grens.\n"},
    {"cut-off.eml", JAN, NAME, "afgebroken", "text", "application/pdf half.pdf 9",
     "Het begin is er.\n"},
    {"bad-encoding.eml", JAN, NAME, "vreemde codering", "text", "", "Toch leesbaar.\n"},
    {"header-tricks.eml", "evil@example.net", NULL, NULL, "text", "", "x\n"},
    {"long-line.eml", JAN, NAME, "lang", "text", "", NULL},
    {"encodings.eml", JAN, NAME, "coderingen", "none",
     "application/octet-stream base64.bin 4040|"
     "application/octet-stream quoted-printable.bin 4040|"
     "application/octet-stream binary.bin 4040|application/octet-stream 8bit.bin 4040",
     ""},
    {"file-names.eml", JAN, NAME, "namen", "none", NULL, ""},
    {"padded-words.eml", "jan@example.nl", "éen twee", "éen twee drie", "none",
     "application/pdf éen twee.pdf 3", ""},
};

static Message *
load(const char *file)
{
  g_autofree char *path =
      g_test_build_filename(G_TEST_DIST, "tests", "data", "mail", file, NULL);
  char *bytes = NULL;
  gsize len = 0;
  g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
  return message_parse(g_byte_array_new_take((guint8 *) bytes, len));
}

static Message *
parse(const char *text)
{
  GByteArray *bytes = g_byte_array_new();
  return message_parse(
      g_byte_array_append(bytes, (const guint8 *) text, (guint) strlen(text)));
}

static Attrs *
summarise(const Message *message)
{
  g_autofree char *block = view_summary(message);
  g_autoptr(GError) error = NULL;
  Attrs *attrs = attrs_parse(block, strlen(block), ATTR_ESCAPED, &error);
  g_assert_no_error(error);
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name;
    const char *value;
    attrs_nth(attrs, i, &name, &value);
    g_assert_true(g_utf8_validate(value, -1, NULL));
    for (const char *p = value; *p != '\0'; p++)
      g_assert_false(g_ascii_iscntrl(*p));
  }
  return attrs;
}

static char *
list_attachments(const Attrs *attrs)
{
  static const char *const order[] = {"part", "type", "name", "size", "sha256"};
  g_autoptr(GString) list = g_string_new(NULL);
  guint first;
  for (first = 0; first < attrs_count(attrs); first++) {
    const char *name;
    const char *value;
    attrs_nth(attrs, first, &name, &value);
    if (strcmp(name, "part") == 0)
      break;
  }
  for (guint i = first; i < attrs_count(attrs); i++) {
    const char *name;
    const char *value;
    attrs_nth(attrs, i, &name, &value);
    g_assert_cmpstr(name, ==, order[(i - first) % G_N_ELEMENTS(order)]);
    if (strcmp(name, "sha256") == 0)
      g_assert_cmpuint(strlen(value), ==, 64);
    else if (strcmp(name, "part") != 0)
      g_string_append_printf(list, "%s ", value);
    else if (i > first)
      list->str[list->len - 1] = '|';
  }
  return g_strchomp(g_string_free(g_steal_pointer(&list), FALSE));
}

static void
test_row(gconstpointer data)
{
  const Row *row = data;
  g_autoptr(Message) message = load(row->file);
  g_autoptr(Attrs) attrs = summarise(message);
  g_assert_cmpstr(attrs_get(attrs, "from"), ==, row->from);
  if (row->from_name != NULL)
    g_assert_cmpstr(attrs_get(attrs, "from-name"), ==, row->from_name);
  if (row->subject != NULL)
    g_assert_cmpstr(attrs_get(attrs, "subject"), ==, row->subject);
  g_assert_cmpstr(attrs_get(attrs, "body"), ==, row->body);
  g_assert_cmpstr(attrs_get(attrs, "cut"), ==, "0");
  g_autofree char *attachments = list_attachments(attrs);
  if (row->attachments != NULL)
    g_assert_cmpstr(attachments, ==, row->attachments);
  g_autofree char *text = view_text(message);
  if (row->text != NULL)
    g_assert_cmpstr(text, ==, row->text);
  g_autofree char *html = view_html(message);
  g_autofree char *fault = harmless_find_fault(html, strlen(html), TRUE);
  g_assert_cmpstr(fault, ==, NULL);
}

static void
test_people(void)
{
  static const struct {
    const char *headers;
    const char *from;
    const char *from_name;
    const char *to;
  } people[] = {
      {"From: a@example.nl\nTo: b@example.nl", "a@example.nl", "", "b@example.nl"},
      {"From: \"Vries, Jan\" <a@example.nl>\nTo: \"Vries, Jan\" <b@example.nl>",
       "a@example.nl", "Vries, Jan", "\"Vries, Jan\" <b@example.nl>"},
      {"From: =?utf-8?Q?bank=40bank.nl?= <evil@example.net>\nTo: x: b@example.nl, C "
       "<c@example.nl>;",
       "evil@example.net", "bank@bank.nl", "b@example.nl, C <c@example.nl>"},
      {"From: Jan: de Vries <a@example.nl>", "a@example.nl", "de Vries", ""},
      {"From: \"bank@bank.nl\" evil@example.net", "evil@example.net",
       "\"bank@bank.nl\" evil@example.net", ""},
      {"From: helemaal niemand", "", "helemaal niemand", ""},
      {"Sender: s@example.nl", "s@example.nl", "", ""},
      {"From: a@example.nl\nSender: s@example.nl", "a@example.nl", "", ""},
      {"From: =?utf-8?Q?a=00b=E2=80=AEc=0D=0Ad?= <a@example.nl>", "a@example.nl", NULL, ""},
      {"X: y", "", "", ""},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(people); i++) {
    g_autofree char *text = g_strconcat(people[i].headers, "\n\nx\n", NULL);
    g_autoptr(Message) message = parse(text);
    g_autoptr(Attrs) attrs = summarise(message);
    g_assert_cmpstr(attrs_get(attrs, "from"), ==, people[i].from);
    if (people[i].from_name != NULL)
      g_assert_cmpstr(attrs_get(attrs, "from-name"), ==, people[i].from_name);
    g_assert_cmpstr(attrs_get(attrs, "to"), ==, people[i].to);
    g_assert_null(strstr(attrs_get(attrs, "from-name"), "\xe2\x80\xae"));
  }
}

static void
test_dates(void)
{
  static const struct {
    const char *date;
    const char *seconds;
  } dates[] = {
      {"Mon, 27 Jul 2026 12:00:00 +0200", "1785146400"},
      {"27 Jul 2026 10:00:00 GMT", "1785146400"},
      {"Mon, 27 Jul 2026 06:00:00 EDT", "1785146400"},
      {"Mon, 27 Jul 2026 12:00:00 +0200 (CEST)", "1785146400"},
      {"gisteren", "0"},
      {"", "0"},
      {"Mon, 99 Foo 2026 99:99:99 +9999", "0"},
      {"Thu, 1 Jan 1960 00:00:00 +0000", "0"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(dates); i++) {
    g_autofree char *text = g_strdup_printf("Date: %s\n\nx\n", dates[i].date);
    g_autoptr(Message) message = parse(text);
    g_autoptr(Attrs) attrs = summarise(message);
    g_assert_cmpstr(attrs_get(attrs, "date"), ==, dates[i].seconds);
    g_assert_cmpstr(attrs_get(attrs, "date-text"), ==, dates[i].date);
  }
}

static void
test_long_subject(void)
{
  g_autoptr(Message) message = load("long-subject.eml");
  g_autoptr(Attrs) attrs = summarise(message);
  const char *subject = attrs_get(attrs, "subject");
  g_assert_true(g_str_has_prefix(subject, "SMS 0612345678 woord SMS 0612345678"));
  g_assert_cmpuint(strlen(subject), <=, VIEW_HEADER_MAX_BYTES);
  g_assert_cmpuint(strlen(subject), >, VIEW_HEADER_MAX_BYTES - 10);
}

static void
test_tricks(void)
{
  g_autoptr(Message) message = load("header-tricks.eml");
  g_autoptr(Attrs) attrs = summarise(message);
  g_assert_cmpstr(attrs_get(attrs, "to"), ==, "\"a@example.org, b\" <c@example.org>");
  g_assert_true(g_str_has_prefix(attrs_get(attrs, "subject"), "een Set-Cookie: twee drie"));
}

static void
test_long_line(void)
{
  g_autoptr(Message) message = load("long-line.eml");
  g_autofree char *text = view_text(message);
  g_assert_cmpuint(strlen(text), ==, 100001);
  g_assert_true(g_str_has_suffix(text, "0123456789\n"));
}

static void
test_file_names(void)
{
  static const char *const names[] = {"passwd",        "rekeningfdp.exe",
                                      "brief.docx",    "htaccess",
                                      "bijlage-5.png", "regel Set-Cookie_ x_y.txt",
                                      "_con.txt",      NULL,
                                      "notitie.txt",   "brief.docx"};
  g_autoptr(Message) message = load("file-names.eml");
  g_assert_cmpuint(message->attachments->len, ==, G_N_ELEMENTS(names));
  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    const Attachment *attachment = message->attachments->pdata[i];
    if (names[i] != NULL)
      g_assert_cmpstr(attachment->name, ==, names[i]);
    else
      g_assert_cmpuint(strlen(attachment->name), ==, CLEAN_FILE_NAME_MAX_BYTES);
  }
}

static gboolean
collect(const char *bytes, gsize len, gpointer data)
{
  g_byte_array_append(data, (const guint8 *) bytes, (guint) len);
  return TRUE;
}

static void
assert_part(const Message *message, guint number, const char *bytes, gsize len)
{
  g_autoptr(GByteArray) part = g_byte_array_new();
  g_assert_true(view_part(message, number, collect, part));
  g_assert_cmpmem(part->data, part->len, bytes, len);
}

static void
test_parts(void)
{
  g_autofree char *path =
      g_test_build_filename(G_TEST_DIST, "tests", "data", "mail", "encodings.bin", NULL);
  g_autofree char *bytes = NULL;
  gsize len = 0;
  g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
  g_autoptr(Message) message = load("encodings.eml");
  for (guint part = 1; part <= 4; part++)
    assert_part(message, part, bytes, len);
  g_autoptr(GByteArray) none = g_byte_array_new();
  g_assert_false(view_part(message, 0, collect, none));
  g_assert_false(view_part(message, 5, collect, none));
  g_assert_cmpuint(none->len, ==, 0);
}

/* The hash is of what is downloaded, however it was encoded (K3). */
static void
test_hashes(void)
{
  g_autoptr(Message) message = load("encodings.eml");
  g_autoptr(Attrs) attrs = summarise(message);
  guint part = 0;
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name;
    const char *value;
    attrs_nth(attrs, i, &name, &value);
    if (strcmp(name, "sha256") != 0)
      continue;
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_assert_true(view_part(message, ++part, collect, bytes));
    g_autofree char *expected =
        g_compute_checksum_for_data(G_CHECKSUM_SHA256, bytes->data, bytes->len);
    g_assert_cmpstr(value, ==, expected);
  }
  g_assert_cmpuint(part, ==, 4);
}

/* Both forwarded messages are the same, one sent as it is and one in base64. */
static void
test_forwarded(void)
{
  g_autoptr(Message) message = load("forwarded.eml");
  g_autoptr(GByteArray) encoded = g_byte_array_new();
  g_assert_true(view_part(message, 2, collect, encoded));
  g_assert_true(g_str_has_prefix((const char *) encoded->data,
                                 "Subject: oorspronkelijk / vraag\r\nFrom: Bron"));
  assert_part(message, 1, (const char *) encoded->data, encoded->len);
}

/* A message of multiparts in multiparts, DEPTH of them, around one text. */
static char *
nest(guint depth)
{
  GString *text = g_string_new("From: a@example.nl\n");
  for (guint i = 0; i < depth; i++)
    g_string_append_printf(text, "Content-Type: multipart/mixed; boundary=b%u\n\n--b%u\n",
                           i, i);
  g_string_append(text, "\nhet diepste\n");
  for (guint i = depth; i > 0; i--)
    g_string_append_printf(text, "--b%u--\n", i - 1);
  return g_string_free(text, FALSE);
}

static void
test_depth(void)
{
  static const struct {
    guint depth;
    gboolean is_shown;
  } depths[] = {{MESSAGE_MAX_DEPTH, TRUE},
                {MESSAGE_MAX_DEPTH + 1, FALSE},
                {1000, FALSE},
                {3000, FALSE}};
  for (gsize i = 0; i < G_N_ELEMENTS(depths); i++) {
    g_autofree char *source = nest(depths[i].depth);
    g_autoptr(Message) message = parse(source);
    g_autofree char *text = view_text(message);
    g_autofree char *html = view_html(message);
    g_autoptr(Attrs) attrs = summarise(message);
    g_assert_cmpint(strstr(text, "het diepste") != NULL, ==, depths[i].is_shown);
    g_assert_cmpstr(attrs_get(attrs, "cut"), ==, depths[i].is_shown ? "0" : "1");
    g_assert_cmpint(strstr(text, "te groot") != NULL, ==, !depths[i].is_shown);
    g_assert_cmpint(strstr(html, "te groot") != NULL, ==, !depths[i].is_shown);
  }
}

static void
test_many_parts(void)
{
  g_autoptr(GString) source =
      g_string_new("From: a@example.nl\nContent-Type: multipart/mixed; boundary=b\n\n");
  for (guint i = 0; i < 10000; i++)
    g_string_append(source, "--b\nContent-Type: image/png\n\nx\n");
  g_string_append(source, "--b--\n");
  g_autoptr(Message) message = parse(source->str);
  g_autoptr(Attrs) attrs = summarise(message);
  g_assert_cmpstr(attrs_get(attrs, "cut"), ==, "1");
  g_assert_cmpuint(message->attachments->len, ==, MESSAGE_MAX_PARTS - 1);
  g_assert_cmpuint(attrs_count(attrs), <, ATTR_MAX_COUNT);
}

static void
test_large_text(void)
{
  g_autofree char *body = g_strnfill(VIEW_TEXT_MAX_BYTES, 'x');
  g_autofree char *exact = g_strconcat("From: a@example.nl\n\n", body, NULL);
  g_autoptr(Message) fits = parse(exact);
  g_autofree char *text = view_text(fits);
  g_assert_true(g_str_has_prefix(text, body));
  g_assert_cmpstr(text + VIEW_TEXT_MAX_BYTES, ==, "\n");
  g_autofree char *more = g_strconcat(exact, "y", NULL);
  g_autoptr(Message) large = parse(more);
  g_autofree char *cut = view_text(large);
  g_assert_true(g_str_has_prefix(cut, body));
  g_assert_nonnull(strstr(cut, "Download the original message"));
  g_assert_cmpint(cut[VIEW_TEXT_MAX_BYTES], !=, 'y');
}

/* A cut is made between characters, and does not make UTF-8 something else. */
static void
test_cut_characters(void)
{
  static const char *const types[] = {"text/plain", "text/html",
                                      "text/html; charset=utf-8"};
  g_autoptr(GString) body = g_string_new(NULL);
  while (body->len < VIEW_TEXT_MAX_BYTES + 10)
    g_string_append(body, "\xf0\x9f\x98\x80");
  for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
    for (guint shift = 0; shift < 4; shift++) {
      g_autofree char *pad = g_strnfill(shift, 'x');
      g_autofree char *source =
          g_strdup_printf("Content-Type: %s\n\n%s%s\n", types[i], pad, body->str);
      g_autoptr(Message) message = parse(source);
      g_autofree char *text = view_text(message);
      g_autofree char *html = view_html(message);
      g_assert_true(g_utf8_validate(text, -1, NULL));
      g_assert_true(g_utf8_validate(html, -1, NULL));
      g_assert_null(strstr(text, "\xef\xbf\xbd"));
      g_assert_null(strstr(text, "\xc3\xb0"));
      g_assert_nonnull(strstr(text, "\xf0\x9f\x98\x80\n\n["));
    }
  }
}

/* The title is text of a stranger in a place of ours. */
static void
test_title(void)
{
  g_autoptr(Message) message =
      parse("Subject: </title><script>alert(1)</script>\n\n</div><script>x</script>\n");
  g_autofree char *html = view_html(message);
  g_autofree char *fault = harmless_find_fault(html, strlen(html), TRUE);
  g_assert_cmpstr(fault, ==, NULL);
  g_assert_nonnull(strstr(html, "<title>&lt;/title&gt;&lt;script&gt;"));
  g_assert_nonnull(strstr(html, "&lt;/div&gt;&lt;script&gt;x"));
}

/* What each program marks for itself is gone, and what it meant is there. */
static void
test_programs(void)
{
  static const struct {
    const char *file;
    const char *shown[3];
    const char *gone[4];
  } programs[] = {
      {"outlook.eml",
       {"<p style=\"margin:0\">Geachte heer,</p>", "<img src=\"data:image/png;base64,"},
       {"<o:p>", "behavior", "shapedefaults", "[endif]"}},
      {"outlook-new.eml",
       {">Hallo</div>", "<img src=\"data:image/png;base64,", "rgb(0, 0, 0)"},
       {"alleen Outlook", "tracker.example", "v:shape", "margin-top"}},
      {"apple-mail.eml",
       {"<img src=\"data:image/png;base64,", ">de praktijk</a>", "Groet, Jan"},
       {"apple-inline", "-webkit", "line-break"}},
      {"gmail.eml",
       {"<blockquote style=\"margin:0px 0px 0px 0.8ex;border-left:1px solid "
        "rgb(204,204,204);padding-left:1ex\">"},
       {"gmail_quote"}},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
    g_autoptr(Message) message = load(programs[i].file);
    g_autofree char *html = view_html(message);
    g_test_message("%s", html);
    for (gsize j = 0; j < G_N_ELEMENTS(programs[i].shown); j++)
      g_assert_true(programs[i].shown[j] == NULL ||
                    strstr(html, programs[i].shown[j]) != NULL);
    for (gsize j = 0; j < G_N_ELEMENTS(programs[i].gone); j++)
      g_assert_true(programs[i].gone[j] == NULL ||
                    strstr(html, programs[i].gone[j]) == NULL);
  }
}

/* The second HTML of an alternative is in its text; unless that has no words. */
static void
test_said(void)
{
  static const char *const texts[][2] = {{"alles", "alles\n"}, {"  ", "een\ntwee\n"}};
  for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autofree char *source =
        g_strdup_printf("Content-Type: multipart/alternative; boundary=b\n\n--b\n\n%s\n"
                        "--b\nContent-Type: multipart/mixed; boundary=c\n\n"
                        "--c\nContent-Type: text/html\n\n<p>een</p>\n"
                        "--c\nContent-Type: text/html\n\n<p>twee</p>\n--c--\n--b--\n",
                        texts[i][0]);
    g_autoptr(Message) message = parse(source);
    g_autofree char *text = view_text(message);
    g_autofree char *html = view_html(message);
    g_assert_cmpstr(text, ==, texts[i][1]);
    g_assert_nonnull(strstr(html, "twee"));
  }
}

/* Only the real image of the message is in the document. */
static void
test_images(void)
{
  g_autoptr(Message) message = load("related.eml");
  g_autofree char *html = view_html(message);
  g_assert_nonnull(strstr(html, "<img src=\"data:image/png;base64,iVBORw0KGgo"));
  g_assert_nonnull(strstr(html, "[vreemd]"));
  g_assert_nonnull(strstr(html, "[nep]"));
  g_assert_null(strstr(html, "tracker.example"));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  charset_open();
  message_init();
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *path = g_strdup_printf("/message/F25/%s", rows[i].file);
    g_test_add_data_func(path, &rows[i], test_row);
  }
  g_test_add_func("/message/T30/people", test_people);
  g_test_add_func("/message/T30/header tricks", test_tricks);
  g_test_add_func("/message/V4/dates", test_dates);
  g_test_add_func("/message/V4/images", test_images);
  g_test_add_func("/message/V4/mail programs", test_programs);
  g_test_add_func("/message/V4/said before", test_said);
  g_test_add_func("/message/F24/long subject", test_long_subject);
  g_test_add_func("/message/F24/long line", test_long_line);
  g_test_add_func("/message/T12/file names", test_file_names);
  g_test_add_func("/message/K3/parts", test_parts);
  g_test_add_func("/message/K3/hashes", test_hashes);
  g_test_add_func("/message/K3/forwarded", test_forwarded);
  g_test_add_func("/message/T13/depth", test_depth);
  g_test_add_func("/message/T13/many parts", test_many_parts);
  g_test_add_func("/message/T13/large text", test_large_text);
  g_test_add_func("/message/T13/cut characters", test_cut_characters);
  g_test_add_func("/message/T9/title", test_title);
  int failed = g_test_run();
  charset_close();
  xmlCleanupParser();
  return failed;
}
