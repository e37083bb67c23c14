/* The pages themselves: what stands on them, and that nothing of a visitor is markup. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "common/base/error.h"
#include "common/crypt/ticket.h"
#include "tests/unit/tap.h"
#include "viewer-cgi/logo.h"
#include "viewer-cgi/page_message.h"

#define HOSTILE "\"><script>alert(1)</script>\xE2\x80\xAE"
#define ESCAPED "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"
#define EXPIRES 1770000000
#define HASH_A  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HASH_B  "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define TOKEN   "QUFBQUFBQUFBQUFBQUFBQQ"

static char *
finish(Html *html)
{
  g_autoptr(GBytes) bytes = html_finish(html);
  gsize len = 0;
  const char *start = g_bytes_get_data(bytes, &len);
  return g_strndup(start, len);
}

static Config *
make_config(const char *more, GError **error)
{
  g_autofree char *text =
      g_strconcat("[organisation first]\ndomains = first.nl\nservice_domain = s.first.nl\n"
                  "viewer_url = https://mail.first.nl/\ndisplay_name = First <&>\n",
                  more, NULL);
  return conf_parse("test", text, strlen(text), error);
}

static guint
count(const char *page, const char *words)
{
  guint n = 0;
  for (const char *p = page; (p = strstr(p, words)) != NULL; p++)
    n++;
  return n;
}

/* ---- Pieces ---- */

static void
test_fields(void)
{
  Html *html = html_new();
  const Field field = {.name = "email",
                       .label = HOSTILE,
                       .hint = HOSTILE,
                       .error = HOSTILE,
                       .value = HOSTILE,
                       .type = "email",
                       .autocomplete = "email",
                       .max_chars = 320};
  const Field area = {.name = "text", .label = "Text", .value = "\na", .optional = TRUE};
  const Field tick = {.name = "sure", .label = "Sure"};
  page_upload_form(html, "/m/answer", "TOKEN");
  page_field(html, &field);
  page_textarea(html, &area);
  page_files(html, &(Field){.name = "files", .label = "Files", .optional = TRUE});
  page_tick(html, &tick);
  page_button_named(html, "save", HOSTILE, BUTTON_PLAIN);
  page_form_end(html);
  g_autofree char *page = finish(html);
  g_assert_null(strstr(page, "<script"));
  g_assert_cmpuint(count(page, ESCAPED), ==, 5);
  g_assert_nonnull(strstr(page, "enctype=\"multipart/form-data\" action=\"/m/answer\">"));
  g_assert_nonnull(strstr(page, "<label for=\"email\">"));
  g_assert_nonnull(strstr(page,
                          "<input type=\"email\" id=\"email\" name=\"email\" required "
                          "aria-describedby=\"email-hint email-error\" "
                          "aria-invalid=\"true\" autocomplete=\"email\" "
                          "maxlength=\"320\" spellcheck=\"false\" value=\""));
  g_assert_nonnull(strstr(page, "id=\"email-hint\">"));
  g_assert_nonnull(strstr(page, "id=\"email-error\">"));
  g_assert_nonnull(strstr(page, ">\n\na</textarea>")); /* the first one is the parser's */
  g_assert_nonnull(strstr(page, "<span class=\"optional\">(not required)"));
  g_assert_nonnull(strstr(page, "<input type=\"file\" multiple id=\"files\""));
  g_assert_nonnull(strstr(page, "value=\"1\" id=\"sure\" name=\"sure\" required>"));
  g_assert_nonnull(strstr(page, "class=\"button plain\" name=\"save\" value=\"1\">"));
}

static void
test_table(void)
{
  static const char *const headings[] = {"Who", HOSTILE, NULL};
  Html *html = html_new();
  page_table_begin(html, "All", headings);
  page_row_begin(html);
  page_cell(html, headings[0], HOSTILE);
  page_cell(html, headings[1], "b");
  page_row_end(html);
  page_table_end(html);
  page_facts_begin(html);
  page_fact(html, "Empty", "");
  page_fact_person(html, "From", HOSTILE, HOSTILE);
  page_facts_end(html);
  g_autofree char *page = finish(html);
  g_assert_null(strstr(page, "<script"));
  g_assert_null(strstr(page, "Empty"));
  g_assert_cmpuint(count(page, "<bdi>" ESCAPED "</bdi>"), ==, 3);
  g_assert_cmpuint(count(page, "role=\"columnheader\""), ==, 2);
  g_assert_nonnull(strstr(page, "data-heading=\"Who\"><bdi>"));
}

/* V10: until when, and the way out; the logo only when there is one. */
static void
test_frame(void)
{
  g_autoptr(Config) config = make_config("logo = /x.svg\n", NULL);
  g_autoptr(Config) without = make_config("", NULL);
  Frame frame = {.organisation = config->organisations->pdata[0],
                 .language = LANGUAGE_EN,
                 .self = "/m"};
  g_autofree char *before = finish(page_help(&frame));
  g_assert_null(strstr(before, "Log out"));
  g_assert_null(strstr(before, "Logged in until"));
  g_assert_nonnull(strstr(before, "<img class=\"logo\" src=\"/logo\" alt=\"\">"));
  frame.organisation = without->organisations->pdata[0];
  frame.logout_token = HOSTILE;
  frame.session_ends_s = EXPIRES;
  g_autofree char *time = text_time(EXPIRES);
  g_autofree char *until = g_strconcat("Logged in until ", time, NULL);
  g_autofree char *inside = finish(page_help(&frame));
  g_assert_nonnull(strstr(inside, until));
  g_assert_nonnull(strstr(inside, "action=\"/logout\">"));
  g_assert_null(strstr(inside, "<script"));
  g_assert_null(strstr(inside, "<img"));
  g_assert_nonnull(strstr(inside, "First &lt;&amp;&gt;"));
  g_assert_nonnull(strstr(inside, "href=\"/m?lang=nl\""));
}

/* ---- Pages ---- */

static void
test_number_pages(void)
{
  g_autoptr(Config) config = make_config("", NULL);
  const Frame frame = {.organisation = config->organisations->pdata[0],
                       .language = LANGUAGE_EN,
                       .self = "/l/" TOKEN};
  WrongFacts wrong = {.token = TOKEN, .form_token = "FORM", .number = "+31612345678"};
  g_autofree char *asked = finish(page_wrong(&frame, &wrong));
  g_assert_nonnull(strstr(asked, "action=\"/l/" TOKEN "/wrong\">"));
  g_assert_nonnull(strstr(asked, "ends in 78 "));
  g_assert_null(strstr(asked, "678"));          /* T16 */
  g_assert_null(strstr(asked, "type=\"tel\"")); /* T31 */
  g_assert_null(strstr(asked, "role=\"alert\""));
  wrong.unticked = TRUE;
  g_autofree char *again = finish(page_wrong(&frame, &wrong));
  g_assert_nonnull(strstr(again, "role=\"alert\""));
  g_autofree char *told = finish(page_wrong_told(&frame, TOKEN, FALSE));
  g_autofree char *before = finish(page_wrong_told(&frame, TOKEN, TRUE));
  g_assert_nonnull(strstr(told, "We have told the sender"));
  g_assert_nonnull(strstr(before, "The sender knows already"));

  const LinkFacts facts = {.token = TOKEN,
                           .form_token = "FORM",
                           .sender = "a@b.nl",
                           .sender_name = "",
                           .number = "+31612345678",
                           .expires_s = EXPIRES};
  g_autofree char *link = finish(page_link(&frame, &facts));
  g_assert_nonnull(strstr(link, "href=\"/l/" TOKEN "/wrong\""));
  g_assert_nonnull(strstr(link, "href=\"/l/" TOKEN "/no-phone\""));
  g_autofree char *no_phone = finish(page_no_phone(&frame, &facts));
  g_assert_null(strstr(no_phone, "<form"));
  g_assert_null(strstr(no_phone, "678"));
  g_assert_nonnull(strstr(no_phone, "href=\"/l/" TOKEN "\""));
}

static void
test_over_pages(void)
{
  static const struct {
    EntryState state;
    const char *title;
    const char *words;
  } rows[] = {
      {ENTRY_EXPIRED, "This message has expired", "You could read this message until "},
      {ENTRY_WITHDRAWN, "This message was withdrawn", "The message was withdrawn on "},
      {ENTRY_DELETED, "This message was deleted", "The message was deleted on "},
  };
  g_autoptr(Config) config = make_config("", NULL);
  const Frame frame = {.organisation = config->organisations->pdata[0],
                       .language = LANGUAGE_EN};
  g_autofree char *date = text_date(EXPIRES);
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *page = finish(page_over(&frame, rows[i].state, EXPIRES));
    g_autofree char *title = g_strconcat("<h1>", rows[i].title, "</h1>", NULL);
    g_autofree char *words = g_strconcat(rows[i].words, date, NULL);
    g_assert_nonnull(strstr(page, title));
    g_assert_nonnull(strstr(page, words));
  }
}

static void
test_delete_pages(void)
{
  g_autoptr(Config) config = make_config("", NULL);
  const Frame frame = {.organisation = config->organisations->pdata[0],
                       .language = LANGUAGE_EN};
  g_autofree char *asks = finish(page_delete(&frame, HOSTILE, EXPIRES));
  g_assert_nonnull(strstr(asks, "<form method=\"post\" action=\"/m/delete\">"));
  g_assert_null(strstr(asks, "<script"));
  g_assert_nonnull(strstr(asks, "href=\"/m\">"));
  g_autofree char *done = finish(page_deleted(&frame));
  g_assert_null(strstr(done, "<form"));
}

/* ---- The message, and whether it is what was sent (K3) ---- */

static Summary *
two_attachments(void)
{
  static const char block[] = "from=a@b.nl\nbody=html\npart=1\ntype=text/plain\nname=a\n"
                              "size=1\nsha256=" HASH_A "\npart=2\ntype=text/plain\nname=b\n"
                              "size=2\nsha256=" HASH_B "\n\n";
  g_autoptr(GError) error = NULL;
  Summary *summary = summary_parse(block, strlen(block), &error);
  g_assert_no_error(error);
  return summary;
}

/* Adds a part with the hash of ATTACHMENT of SUMMARY, or another one. */
static void
add_sent(GPtrArray *sent, const Summary *summary, guint attachment, gboolean same)
{
  const Attachment *shown = summary->attachments->pdata[attachment];
  TicketPart *part = g_new0(TicketPart, 1);
  memcpy(part->sha256, shown->sha256, sizeof part->sha256);
  part->sha256[31] ^= same ? 0 : 1;
  g_ptr_array_add(sent, part);
}

static void
test_compare(void)
{
  static const struct {
    const char *sent; /* a letter for each part: "=" the same, "x" another */
    gboolean cut;
    AttachmentCheck first, second;
    gboolean missing;
  } rows[] = {
      {"==", FALSE, CHECK_SAME, CHECK_SAME, FALSE},
      {"=x", FALSE, CHECK_SAME, CHECK_DIFFERS, FALSE},
      {"x=", FALSE, CHECK_DIFFERS, CHECK_SAME, FALSE},
      {"=", FALSE, CHECK_SAME, CHECK_DIFFERS, FALSE},
      {"=", TRUE, CHECK_SAME, CHECK_UNKNOWN, FALSE},
      {"", TRUE, CHECK_UNKNOWN, CHECK_UNKNOWN, FALSE},
      {"", FALSE, CHECK_DIFFERS, CHECK_DIFFERS, FALSE},
      {"===", FALSE, CHECK_SAME, CHECK_SAME, TRUE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(Summary) summary = two_attachments();
    g_autoptr(GPtrArray) sent = g_ptr_array_new_with_free_func(g_free);
    for (guint n = 0; rows[i].sent[n] != '\0'; n++)
      add_sent(sent, summary, MIN(n, 1), rows[i].sent[n] == '=');
    gboolean same = summary_compare(summary, sent, rows[i].cut);
    const Attachment *first = summary->attachments->pdata[0];
    const Attachment *second = summary->attachments->pdata[1];
    g_test_message("%s", rows[i].sent);
    g_assert_cmpint(first->check, ==, rows[i].first);
    g_assert_cmpint(second->check, ==, rows[i].second);
    g_assert_cmpint(summary->missing, ==, rows[i].missing);
    g_assert_cmpint(same, ==,
                    rows[i].first != CHECK_DIFFERS && rows[i].second != CHECK_DIFFERS &&
                        !rows[i].missing);
  }
}

static void
test_no_hash(void)
{
  static const char block[] = "body=none\npart=1\nname=a\nsize=1\n\n";
  static const char *const bad[] = {
      "body=none\npart=1\nsha256=00\n\n",
      "body=none\npart=1\nsha256=" HASH_A "00\n\n",
      "body=none\npart=1\nsha256="
      "zz112233445566778899aabbccddeeff00112233445566778899aabbccddee"
      "ff\n\n",
  };
  g_autoptr(Summary) summary = summary_parse(block, strlen(block), NULL);
  g_autoptr(GPtrArray) sent = g_ptr_array_new();
  g_assert_true(summary_compare(summary, sent, FALSE));
  g_assert_cmpint(((Attachment *) summary->attachments->pdata[0])->check, ==,
                  CHECK_UNKNOWN);
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
    g_assert_null(summary_parse(bad[i], strlen(bad[i]), NULL));
}

static void
test_message(void)
{
  g_autoptr(Config) config = make_config("", NULL);
  g_autoptr(Summary) summary = two_attachments();
  g_autoptr(GPtrArray) sent = g_ptr_array_new_with_free_func(g_free);
  add_sent(sent, summary, 0, TRUE);
  add_sent(sent, summary, 1, TRUE);
  summary_compare(summary, sent, FALSE);
  const Frame frame = {.organisation = config->organisations->pdata[0],
                       .language = LANGUAGE_EN};
  MessageFacts facts = {.summary = summary, .text = HOSTILE, .sender = "e@b.nl"};
  g_autofree char *page = finish(page_message(&frame, &facts));
  g_assert_null(strstr(page, "<script"));
  g_assert_nonnull(strstr(page, "This is a genuine secure message."));
  g_assert_nonnull(strstr(page, HASH_A));
  g_assert_cmpuint(count(page, "The same as when it was sent."), ==, 2);
  g_assert_nonnull(strstr(page, "href=\"/m/zip\""));
  g_assert_nonnull(strstr(page, "href=\"/m/pdf\""));
  g_assert_nonnull(strstr(page, "href=\"/m/html\""));
  g_assert_nonnull(strstr(page, "href=\"/m/delete\""));
  g_assert_null(strstr(page, "/m/answer"));
  g_assert_null(strstr(page, "/m/forward"));
  /* Outside of what the sender wrote, and before it. */
  g_assert_true(strstr(page, "This is a genuine") <
                strstr(page, "<section class=\"letter"));
  facts.may_answer = facts.may_forward = TRUE;
  g_autofree char *with = finish(page_message(&frame, &facts));
  g_assert_nonnull(strstr(with, "href=\"/m/answer\""));
  g_assert_nonnull(strstr(with, "href=\"/m/forward\""));
}

static void
test_changed_message(void)
{
  g_autoptr(Config) config = make_config("", NULL);
  g_autoptr(Summary) summary = two_attachments();
  const Frame frame = {.organisation = config->organisations->pdata[0],
                       .language = LANGUAGE_EN};
  const MessageFacts facts = {.summary = summary, .text = "x", .sender = "e@b.nl"};
  ((Attachment *) summary->attachments->pdata[1])->check = CHECK_DIFFERS;
  g_autofree char *page = finish(page_message(&frame, &facts));
  g_assert_null(strstr(page, "genuine"));
  g_assert_nonnull(strstr(page, "Be careful: the attachments are not as they were sent."));
  g_assert_cmpuint(count(page, "This is not the file that was sent."), ==, 1);
  ((Attachment *) summary->attachments->pdata[1])->check = CHECK_SAME;
  summary->missing = TRUE;
  g_autofree char *missing = finish(page_message(&frame, &facts));
  g_assert_null(strstr(missing, "genuine"));
  g_assert_nonnull(strstr(missing, "is missing."));
}

/* ---- Logo ---- */

static const char svg[] =
    "<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>";

static void
test_logo(void)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp("zegel-logo-XXXXXX", &error);
  g_assert_no_error(error);
  g_autofree char *path = g_build_filename(dir, "logo", NULL);
  g_autofree char *line = g_strconcat("logo = ", path, "\n", NULL);
  g_autoptr(Config) config = make_config(line, &error);
  g_assert_no_error(error);
  g_autofree char *large = g_strnfill(LOGO_MAX_BYTES + 1 - 6, ' ');
  g_autofree char *too_large = g_strconcat("<svg/>", large, NULL);
  const struct {
    const char *bytes; /* NULL: no file */
    gssize len;
    const char *type; /* NULL: refused */
  } rows[] = {
      {NULL, 0, NULL},
      {"", 0, NULL},
      {"GIF89a", 6, NULL},
      {"<html><script>", -1, NULL},
      {"\x89PNG\r\n\x1a", 7, NULL},
      {too_large, -1, NULL},
      {too_large, LOGO_MAX_BYTES, "image/svg+xml"},
      {svg, -1, "image/svg+xml"},
      {"\x89PNG\r\n\x1a\nrest", 12, "image/png"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) refusal = NULL;
    g_test_message("row %u", i);
    if (rows[i].bytes != NULL)
      g_assert_true(g_file_set_contents(path, rows[i].bytes, rows[i].len, NULL));
    g_autoptr(Logos) logos = logos_load(config, &refusal);
    g_assert_true((logos != NULL) == (rows[i].type != NULL));
    if (logos == NULL) {
      g_assert_error(refusal, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
      g_assert_nonnull(strstr(refusal->message, path));
      g_assert_nonnull(strstr(refusal->message, "[organisation first]"));
      continue;
    }
    const Logo *logo = logos_find(logos, config->organisations->pdata[0]);
    g_assert_cmpstr(logo->type, ==, rows[i].type);
    g_assert_null(logos_find(logos, NULL));
  }
  g_remove(path);
  g_autoptr(Logos) directory = NULL;
  g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
  directory = logos_load(config, &error);
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
  g_assert_null(directory);
  g_assert_null(logos_find(NULL, config->organisations->pdata[0]));
  g_rmdir(path);
  g_rmdir(dir);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/viewer/pages/fields", test_fields);
  g_test_add_func("/viewer/pages/table", test_table);
  g_test_add_func("/viewer/pages/frame", test_frame);
  g_test_add_func("/viewer/pages/number", test_number_pages);
  g_test_add_func("/viewer/pages/over", test_over_pages);
  g_test_add_func("/viewer/pages/delete", test_delete_pages);
  g_test_add_func("/viewer/pages/compare", test_compare);
  g_test_add_func("/viewer/pages/no-hash", test_no_hash);
  g_test_add_func("/viewer/pages/message", test_message);
  g_test_add_func("/viewer/pages/changed-message", test_changed_message);
  g_test_add_func("/viewer/pages/logo", test_logo);
  return g_test_run();
}
