/* The web form, with the real store and reader and an SMTP server (V11). */
#include <string.h>

#include "common/crypt/origin.h"
#include "common/store/share.h"
#include "tests/unit/tap.h"
#include "tests/unit/viewer/site.h"
#include "viewer-cgi/form_ticket.h"

#define EDGE "----edge"
#define TYPE "multipart/form-data; boundary=" EDGE

typedef struct {
  Site *site;
} Case;

static void
set_up(Case *one, gconstpointer data)
{
  (void) data;
  one->site = site_new();
}

static void
tear_down(Case *one, gconstpointer data)
{
  (void) data;
  site_free(one->site);
}

static SiteAnswer
get(const Case *one, const char *path)
{
  return site_ask(one->site, "GET", SITE_HOST, path, NULL, NULL, NULL);
}

static gint64
now_s(void)
{
  return g_get_real_time() / G_USEC_PER_SEC;
}

/* ---- Asking for a link ---- */

static SiteAnswer
ask_link(const Case *one, const char *address, const char *client)
{
  g_auto(SiteAnswer) page = get(one, "/form");
  g_autofree char *token = site_token(&page, "/form");
  g_autofree char *escaped = g_uri_escape_string(address, NULL, FALSE);
  g_autofree char *body = g_strconcat("token=", token, "&address=", escaped, NULL);
  return site_ask(one->site, "POST", SITE_HOST, "/form", client, NULL, body);
}

/* The way to the form in the last mail, a new string: "/form/TICKET". */
static char *
last_link(const Case *one)
{
  g_autofree char *mail = site_last_mail(one->site);
  g_autoptr(GString) text = g_string_new(mail);
  g_string_replace(text, "=\n", "", 0); /* quoted-printable */
  const char *found = strstr(text->str, "https://" SITE_HOST "/form/");
  g_assert_nonnull(found);
  found += strlen("https://" SITE_HOST);
  return g_strndup(found, strcspn(found, "\n"));
}

static void
test_ask(Case *one, gconstpointer data)
{
  (void) data;
  g_auto(SiteAnswer) answer = ask_link(one, " Jan@Example.com ", NULL);
  g_assert_cmpuint(answer.status, ==, 200);
  g_assert_nonnull(strstr(answer.body, "<bdi>Jan@example.com</bdi>"));
  g_assert_cmpuint(site_mail_count(one->site), ==, 1);
  g_autofree char *mail = site_last_mail(one->site);
  g_assert_nonnull(strstr(mail, "MAIL FROM:<noreply@s.first.nl>"));
  g_assert_nonnull(strstr(mail, "RCPT TO:<Jan@example.com>"));
  g_autofree char *link = last_link(one);
  g_auto(SiteAnswer) form = get(one, link);
  g_assert_cmpuint(form.status, ==, 200);
  g_assert_nonnull(strstr(form.body, "<bdi>Jan@example.com</bdi>"));
  g_autofree char *other = g_strdup(link);
  g_auto(SiteAnswer) foreign =
      site_ask(one->site, "GET", SITE_OTHER, other, NULL, NULL, NULL);
  g_assert_cmpuint(foreign.status, ==, 404);
}

/* What is no address is told, and mailed to nobody (T14, T15). */
static void
test_ask_malformed(Case *one, gconstpointer data)
{
  (void) data;
  static const char *const typed[] = {
      "",         "jan",      "a@b.nl,c@d.nl", "a@b.nl\r\nBcc: c@d.nl",
      "a@b.nl\n", "<a@b.nl>", "a%c@b.nl"};
  for (guint i = 0; i < G_N_ELEMENTS(typed); i++) {
    g_auto(SiteAnswer) answer = ask_link(one, typed[i], NULL);
    gboolean harmless = strcmp(typed[i], "a@b.nl\n") == 0;
    g_test_message("row %u", i);
    g_assert_cmpuint(answer.status, ==, harmless ? 200 : 400);
  }
  g_assert_cmpuint(site_mail_count(one->site), ==, 1);
  g_autofree char *mail = site_last_mail(one->site);
  g_assert_nonnull(strstr(mail, "RCPT TO:<a@b.nl>\n"));
  g_assert_null(strstr(mail, "d.nl"));
}

static void
test_ask_forged(Case *one, gconstpointer data)
{
  (void) data;
  static const char *const bodies[] = {"address=a@b.nl", "token=&address=a@b.nl",
                                       "token=AAAA&address=a@b.nl"};
  for (guint i = 0; i < G_N_ELEMENTS(bodies); i++) {
    g_auto(SiteAnswer) answer =
        site_ask(one->site, "POST", SITE_HOST, "/form", NULL, NULL, bodies[i]);
    g_assert_cmpuint(answer.status, ==, 403);
  }
  g_assert_cmpuint(site_mail_count(one->site), ==, 0);
}

/* One address gets 3 mails, however it is written and whoever asks; the page does not tell,
 * nor does the time (T16). */
static void
test_address_limit(Case *one, gconstpointer data)
{
  (void) data;
  static const char *const written[] = {"jan@example.com", "JAN@example.com",
                                        "j.an@example.com", "jan+1@example.com",
                                        "jan@EXAMPLE.com"};
  for (guint i = 0; i < G_N_ELEMENTS(written); i++) {
    g_autofree char *client = g_strdup_printf("198.51.100.%u", i);
    gint64 start_us = g_get_monotonic_time();
    g_auto(SiteAnswer) answer = ask_link(one, written[i], client);
    gint64 took_us = g_get_monotonic_time() - start_us;
    g_assert_cmpuint(answer.status, ==, 200);
    g_assert_cmpint(took_us, >=, 3 * G_USEC_PER_SEC / 10);
    g_assert_cmpint(took_us, <, 20 * G_USEC_PER_SEC);
  }
  g_assert_cmpuint(site_mail_count(one->site), ==, 3);
  g_auto(SiteAnswer) sent = ask_link(one, "els@example.com", "198.51.100.99");
  g_auto(SiteAnswer) not_sent = ask_link(one, "jan@example.com", "198.51.100.99");
  g_assert_cmpuint(site_mail_count(one->site), ==, 4);
  g_autoptr(GString) same = g_string_new(sent.body);
  g_string_replace(same, "els@example.com", "jan@example.com", 0);
  g_assert_cmpstr(same->str, ==, not_sent.body);
}

/* From one network address there are 10 an hour; of IPv6, a /64 is one. */
static void
test_client_limit(Case *one, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 14; i++) {
    g_autofree char *client = g_strdup_printf("2001:db8:1:2:%x::1", i);
    g_autofree char *address = g_strdup_printf("p%u@example.com", i);
    g_auto(SiteAnswer) answer = ask_link(one, address, client);
    g_assert_cmpuint(answer.status, ==, i < 10 ? 200 : 429);
  }
  g_assert_cmpuint(site_mail_count(one->site), ==, 10);
  g_auto(SiteAnswer) other = ask_link(one, "els@example.com", "2001:db8:1:3::1");
  g_assert_cmpuint(other.status, ==, 200);
}

/* That Postfix does not know the address is told to nobody; that it takes nothing is. */
static void
test_ask_refused(Case *one, gconstpointer data)
{
  (void) data;
  one->site->refuse = "550 5.1.1 no such user";
  g_auto(SiteAnswer) unknown = ask_link(one, "nobody@first.nl", NULL);
  g_assert_cmpuint(unknown.status, ==, 200);
  one->site->refuse = "451 4.3.0 later";
  g_auto(SiteAnswer) later = ask_link(one, "els@example.com", NULL);
  g_assert_cmpuint(later.status, ==, 503);
}

/* Where there is no form, there is nothing. */
static void
test_no_form(Case *one, gconstpointer data)
{
  (void) data;
  g_auto(SiteAnswer) nowhere =
      site_ask(one->site, "GET", SITE_OTHER, "/nowhere", NULL, NULL, NULL);
  g_autofree char *ticket =
      form_ticket_seal(one->site->store_keys, "second", "a@b.nl", now_s() + 100, NULL);
  g_autofree char *form = g_strconcat("/form/", ticket, NULL);
  const char *const paths[] = {"/form", form, "/form/", "/form/x"};
  for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
    g_auto(SiteAnswer) answer =
        site_ask(one->site, "GET", SITE_OTHER, paths[i], NULL, NULL, NULL);
    g_auto(SiteAnswer) post = site_ask(one->site, "POST", SITE_OTHER, paths[i], NULL, NULL,
                                       "token=x&address=a@b.nl");
    g_assert_cmpuint(answer.status, ==, 404);
    g_assert_cmpstr(answer.body, ==, nowhere.body);
    g_assert_cmpuint(post.status, ==, 404);
  }
}

/* ---- Writing ---- */

static void
add_field(GString *body, const char *name, const char *value)
{
  g_string_append_printf(
      body, "--" EDGE "\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", name,
      value);
}

static void
add_file(GString *body, const char *name, const char *type, const char *bytes)
{
  g_string_append_printf(body,
                         "--" EDGE "\r\nContent-Disposition: form-data; name=\"file\"; "
                         "filename=\"%s\"\r\nContent-Type: %s\r\n\r\n%s\r\n",
                         name, type, bytes);
}

/* The path of a form for jan@example.com that ends at EXPIRES_S, a new string. */
static char *
new_form(const Case *one, gint64 expires_s)
{
  g_autofree char *ticket =
      form_ticket_seal(one->site->store_keys, "first", "jan@example.com", expires_s, NULL);
  return g_strconcat("/form/", ticket, NULL);
}

/* A body with the token of FORM and the usual fields; EXTRA is put before the end. */
static char *
new_body(const Case *one, const char *form, const char *name, const char *text,
         const char *extra)
{
  g_auto(SiteAnswer) page = get(one, form);
  g_assert_cmpuint(page.status, ==, 200);
  g_autofree char *token = site_token(&page, form);
  GString *body = g_string_new(NULL);
  add_field(body, "token", token);
  add_field(body, "name", name);
  add_field(body, "phone", "06 12345678");
  add_field(body, "text", text);
  g_string_append(body, extra);
  g_string_append(body, "--" EDGE "--\r\n");
  return g_string_free(body, FALSE);
}

static SiteAnswer
send_body(const Case *one, const char *form, const char *body)
{
  return site_ask(one->site, "POST", SITE_HOST, form, NULL, TYPE, body);
}

/* What stands beside TERM on a page, a new string. */
static char *
fact(const SiteAnswer *answer, const char *term)
{
  g_autofree char *start = g_strdup_printf("<dt>%s</dt><dd><bdi>", term);
  const char *found = strstr(answer->body, start);
  g_assert_nonnull(found);
  if (found == NULL)
    return g_strdup("");
  found += strlen(start);
  return g_strndup(found, strcspn(found, "<"));
}

/* The text of the copy that REFERENCE and PASSWORD open, a new string. */
static char *
read_copy(const Case *one, const char *reference, const char *password)
{
  Store *store = one->site->viewer.store;
  SharedCheck check = SHARED_WRONG;
  guint8 link[STORE_LINK_SECRET_BYTES], session[STORE_SESSION_BYTES];
  EntryState state = ENTRY_NONE;
  g_autoptr(Entry) entry = NULL;
  g_autoptr(Entry) over = NULL;
  g_autoptr(GError) error = NULL;
  g_assert_true(store_open_shared(store, "first", reference, password, NULL, &check, link,
                                  session, &state, &over, &error));
  g_assert_no_error(error);
  g_assert_cmpint(check, ==, SHARED_RIGHT);
  if (check != SHARED_RIGHT)
    return g_strdup("");
  g_assert_true(store_find_entry(store, "first", link, &state, &entry, &error));
  g_assert_cmpint(state, ==, ENTRY_OPEN);
  g_assert_true(entry->shared && entry->from_reader);
  g_assert_cmpstr(entry->address, ==, "jan@example.com");
  g_assert_cmpstr(entry->number, ==, "");
  g_autoptr(MessageSource) source = store_open_message(store, entry, link, &error);
  char text[8192] = "";
  gsize have = 0;
  for (gssize n;
       have < sizeof text - 1 &&
       (n = message_source_read(source, text + have, sizeof text - 1 - have, &error)) > 0;
       have += (gsize) n)
    ;
  g_assert_no_error(error);
  return g_strdup(text);
}

static void
test_send(Case *one, gconstpointer data)
{
  (void) data;
  GString *files = g_string_new(NULL);
  add_file(files, "../foto <1>.png", "image/png", "PNGBYTES");
  g_autofree char *form = new_form(one, now_s() + 100);
  g_autofree char *body =
      new_body(one, form, "Jan Jansen", "Dag dokter,\r\nhet doet pijn.", files->str);
  g_string_free(files, TRUE);
  g_auto(SiteAnswer) done = send_body(one, form, body);
  g_assert_cmpuint(done.status, ==, 200);
  g_assert_cmpuint(site_mail_count(one->site), ==, 1);
  g_autofree char *mail = site_last_mail(one->site);
  /* Where its bounces go. */
  g_assert_true(
      g_regex_match_simple("MAIL FROM:<answer-[a-z0-9-]+@s\\.first\\.nl>", mail, 0, 0));
  g_assert_nonnull(strstr(mail, "RCPT TO:<desk@first.nl>\n"));
  g_assert_nonnull(strstr(mail, "\n" ORIGIN_HEADER ": "));
  g_assert_nonnull(strstr(mail, "\nSubject: Message from the web form\n"));
  g_assert_nonnull(strstr(mail, "Reply-To: "));
  g_assert_nonnull(strstr(mail, "\nhet doet pijn."));
  g_assert_nonnull(strstr(mail, "06 12345678 (not verified)"));
  g_assert_nonnull(strstr(mail, "UE5HQllURVM=")); /* the file */
  g_assert_null(strstr(mail, "../"));
  g_autofree char *reference = fact(&done, "Reference");
  g_autofree char *password = fact(&done, "Password");
  g_autofree char *copy = read_copy(one, reference, password);
  g_assert_nonnull(strstr(copy, "\nhet doet pijn."));
  g_assert_nonnull(strstr(copy, "UE5HQllURVM="));
  g_assert_null(strstr(copy, ORIGIN_HEADER));
  g_assert_nonnull(strstr(done.body, reference));
  g_assert_null(strstr(done.head, password));
}

/* The same form twice is one mail, and shows the same password; then the link is used up.
 */
static void
test_twice(Case *one, gconstpointer data)
{
  (void) data;
  g_autofree char *form = new_form(one, now_s() + 100);
  g_autofree char *body = new_body(one, form, "Jan", "Een", "");
  g_autofree char *other = new_body(one, form, "Jan", "Twee", "");
  g_auto(SiteAnswer) first = send_body(one, form, body);
  g_auto(SiteAnswer) second = send_body(one, form, body);
  g_autofree char *password = fact(&first, "Password");
  g_autofree char *again = fact(&second, "Password");
  g_autofree char *reference = fact(&first, "Reference");
  g_autofree char *same = fact(&second, "Reference");
  g_assert_cmpuint(strlen(password), >=, 12);
  g_assert_cmpstr(password, ==, again);
  g_assert_cmpstr(reference, ==, same);
  g_auto(SiteAnswer) changed = send_body(one, form, other);
  g_assert_cmpuint(changed.status, ==, 410);
  g_assert_null(strstr(changed.body, "Password"));
  g_auto(SiteAnswer) page = get(one, form);
  g_assert_cmpuint(page.status, ==, 410);
  g_assert_cmpuint(site_mail_count(one->site), ==, 1);
  /* Another link has another copy of the same words. */
  g_autofree char *fresh = new_form(one, now_s() + 100);
  g_autofree char *fresh_body = new_body(one, fresh, "Jan", "Een", "");
  g_auto(SiteAnswer) third = send_body(one, fresh, fresh_body);
  g_autofree char *new_password = fact(&third, "Password");
  g_assert_cmpstr(password, !=, new_password);
  g_assert_cmpuint(site_mail_count(one->site), ==, 2);
}

typedef struct {
  const Case *one;
  const char *form, *body;
  SiteAnswer answer;
} Press;

static gpointer
press(gpointer data)
{
  Press *one = data;
  one->answer = send_body(one->one, one->form, one->body);
  return NULL;
}

/* A double click: two requests at one time are one mail, and both show where the copy is.
 */
static void
test_at_once(Case *one, gconstpointer data)
{
  (void) data;
  Press presses[4];
  GThread *threads[G_N_ELEMENTS(presses)];
  g_autofree char *form = new_form(one, now_s() + 100);
  g_autofree char *body = new_body(one, form, "Jan", "Een", "");
  one->site->delay_ms = 700;
  for (guint i = 0; i < G_N_ELEMENTS(presses); i++) {
    presses[i] = (Press){.one = one, .form = form, .body = body};
    threads[i] = g_thread_new("press", press, &presses[i]);
  }
  g_autofree char *password = NULL;
  for (guint i = 0; i < G_N_ELEMENTS(presses); i++) {
    g_thread_join(threads[i]);
    g_assert_cmpuint(presses[i].answer.status, ==, 200);
    g_autofree char *shown = fact(&presses[i].answer, "Password");
    if (password == NULL)
      password = g_strdup(shown);
    g_assert_cmpstr(shown, ==, password);
    site_answer_clear(&presses[i].answer);
  }
  g_assert_cmpuint(site_mail_count(one->site), ==, 1);
}

/* When Postfix takes nothing, what was typed comes back, and the next press sends it. */
static void
test_later(Case *one, gconstpointer data)
{
  g_autofree char *form = new_form(one, now_s() + 100);
  g_autofree char *body = new_body(one, form, "Jan", "Een lang verhaal", "");
  g_autofree char *other = new_body(one, form, "Jan", "Een kort verhaal", "");
  one->site->refuse = "451 4.3.0 later";
  g_auto(SiteAnswer) failed = send_body(one, form, body);
  g_assert_cmpuint(failed.status, ==, 503);
  g_assert_nonnull(strstr(failed.body, "Een lang verhaal"));
  g_assert_nonnull(strstr(failed.body, "role=\"alert\""));
  g_assert_null(strstr(failed.body, "Password"));
  one->site->refuse = NULL;
  const gboolean mended = GPOINTER_TO_INT(data);
  g_auto(SiteAnswer) done = send_body(one, form, mended ? other : body);
  g_assert_cmpuint(done.status, ==, 200);
  g_autofree char *reference = fact(&done, "Reference");
  g_autofree char *password = fact(&done, "Password");
  g_autofree char *copy = read_copy(one, reference, password);
  g_assert_nonnull(strstr(copy, " verhaal"));
  g_assert_cmpuint(site_mail_count(one->site), ==, 1);
}

/* The header of the last mail: the names of its fields, in order. */
static char *
header_names(const Case *one)
{
  g_autofree char *mail = site_last_mail(one->site);
  g_auto(GStrv) lines = g_strsplit(mail, "\n", -1);
  GString *names = g_string_new(NULL);
  for (guint i = 3; lines[i] != NULL && *lines[i] != '\0'; i++)
    if (*lines[i] != ' ' && *lines[i] != '\t')
      g_string_append_printf(names, "%.*s ", (int) strcspn(lines[i], ":"), lines[i]);
  return g_string_free(names, FALSE);
}

/* Nothing typed becomes a field, an envelope or another recipient (T14, T15). */
static void
test_injection(Case *one, gconstpointer data)
{
  (void) data;
  static const char *const names[] = {
      "Jan\r\nBcc: evil@example.org", "Jan\nBcc: evil@example.org",
      "Jan\rBcc: evil@example.org",   "Jan\xE2\x80\xA8 Bcc: evil@example.org",
      "=?utf-8?q?Jan=0D=0ABcc:_x?=",  "Jan\" <evil@example.org>, \"",
      "Jan\x0b\x0c\x1b[2J",           "<evil@example.org>"};
  g_autofree char *plain_form = new_form(one, now_s() + 100);
  g_autofree char *plain = new_body(one, plain_form, "Jan", "Een", "");
  g_auto(SiteAnswer) sent = send_body(one, plain_form, plain);
  g_assert_cmpuint(sent.status, ==, 200);
  g_autofree char *fields = header_names(one);
  g_assert_true(g_str_has_prefix(fields, ORIGIN_HEADER " "));
  GString *extra = g_string_new(NULL);
  static const char *const more[] = {"to",       "cc",        "bcc",     "from",
                                     "reply-to", "recipient", "subject", "address"};
  for (guint i = 0; i < G_N_ELEMENTS(more); i++)
    add_field(extra, more[i], "evil@example.org");
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *form = new_form(one, now_s() + 100);
    g_autofree char *body =
        new_body(one, form, names[i], "Een\r\n.\r\nMAIL FROM:<x@y.nl>", extra->str);
    guint before = site_mail_count(one->site);
    g_auto(SiteAnswer) answer = send_body(one, form, body);
    g_test_message("row %u: %u", i, answer.status);
    if (answer.status == 400) {
      g_assert_cmpuint(site_mail_count(one->site), ==, before);
      continue;
    }
    g_assert_cmpuint(answer.status, ==, 200);
    g_assert_cmpuint(site_mail_count(one->site), ==, before + 1);
    g_autofree char *mail = site_last_mail(one->site);
    g_autofree char *now = header_names(one);
    g_assert_cmpstr(now, ==, fields);
    g_assert_nonnull(strstr(mail, "RCPT TO:<desk@first.nl>\n"));
    g_assert_null(strstr(mail, "RCPT TO:<evil"));
    g_assert_nonnull(strstr(mail, "\nTo: <desk@first.nl>\n"));
    g_assert_nonnull(strstr(mail, "\nSubject: Message from the web form\n"));
  }
  g_string_free(extra, TRUE);
}

/* What is not in order comes back with what was typed; too much is not taken (T26). */
static void
test_malformed(Case *one, gconstpointer data)
{
  (void) data;
  g_autofree char *form = new_form(one, now_s() + 100);
  g_autofree char *no_name = new_body(one, form, "", "Een verhaal", "");
  g_auto(SiteAnswer) nameless = send_body(one, form, no_name);
  g_assert_cmpuint(nameless.status, ==, 400);
  g_assert_nonnull(strstr(nameless.body, "Een verhaal"));
  g_autofree char *no_text = new_body(one, form, "Jan", "", "");
  g_auto(SiteAnswer) wordless = send_body(one, form, no_text);
  g_assert_cmpuint(wordless.status, ==, 400);
  g_assert_nonnull(strstr(wordless.body, "value=\"Jan\""));
  g_autofree char *long_text = g_strnfill(20001, 'x');
  g_autofree char *too_long = new_body(one, form, "Jan", long_text, "");
  g_auto(SiteAnswer) wordy = send_body(one, form, too_long);
  g_assert_cmpuint(wordy.status, ==, 400);
  GString *file = g_string_new(NULL);
  g_autofree char *bytes = g_strnfill(1200000, 'x');
  add_file(file, "a.txt", "text/plain", bytes);
  g_autofree char *too_large = new_body(one, form, "Jan", "Een verhaal", file->str);
  g_auto(SiteAnswer) large = send_body(one, form, too_large);
  g_assert_cmpuint(large.status, >=, 400);
  g_assert_cmpuint(large.status, <=, 413);
  g_string_free(file, TRUE);
  g_assert_cmpuint(site_mail_count(one->site), ==, 0);
}

/* Without the token of this form, nothing (T8). */
static void
test_forged(Case *one, gconstpointer data)
{
  (void) data;
  g_autofree char *form = new_form(one, now_s() + 100);
  g_autofree char *other_form = new_form(one, now_s() + 100);
  g_autofree char *body = new_body(one, other_form, "Jan", "Een", "");
  g_auto(SiteAnswer) foreign = send_body(one, form, body);
  g_assert_cmpuint(foreign.status, ==, 403);
  GString *bare = g_string_new(NULL);
  add_field(bare, "name", "Jan");
  add_field(bare, "text", "Een");
  g_string_append(bare, "--" EDGE "--\r\n");
  g_auto(SiteAnswer) tokenless = send_body(one, form, bare->str);
  g_assert_cmpuint(tokenless.status, ==, 403);
  g_string_free(bare, TRUE);
  g_assert_cmpuint(site_mail_count(one->site), ==, 0);
}

static void
test_expired(Case *one, gconstpointer data)
{
  (void) data;
  g_autofree char *form = new_form(one, now_s() - 10);
  g_autofree char *old = new_form(one, now_s() - FORM_TICKET_GRACE_S - 10);
  g_auto(SiteAnswer) page = get(one, form);
  g_assert_cmpuint(page.status, ==, 410);
  g_assert_nonnull(strstr(page.body, "too old"));
  /* Who is still writing when it ends may send it: his token is of before. */
  g_auto(SiteAnswer) late =
      site_ask(one->site, "POST", SITE_HOST, form, NULL, TYPE, "--" EDGE "--\r\n");
  g_assert_cmpuint(late.status, ==, 403);
  g_auto(SiteAnswer) over =
      site_ask(one->site, "POST", SITE_HOST, old, NULL, TYPE, "--" EDGE "--\r\n");
  g_assert_cmpuint(over.status, ==, 410);
}

/* One link does not have us read any number of bodies. */
static void
test_uploads(Case *one, gconstpointer data)
{
  (void) data;
  g_autofree char *form = new_form(one, now_s() + 100);
  guint refused = 0;
  for (guint i = 0; i < 25; i++) {
    g_auto(SiteAnswer) answer = send_body(one, form, "--" EDGE "--\r\n");
    refused += answer.status == 429 ? 1 : 0;
  }
  g_assert_cmpuint(refused, ==, 5);
}

static void
add(const char *path, void (*test)(Case *one, gconstpointer data))
{
  g_test_add(path, Case, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_set_nonfatal_assertions();
  add("/form/ask (V11)", test_ask);
  add("/form/ask-malformed (T14, T15)", test_ask_malformed);
  add("/form/ask-forged (T8)", test_ask_forged);
  add("/form/ask-refused (T16)", test_ask_refused);
  add("/form/address-limit (V11, T16)", test_address_limit);
  add("/form/client-limit (V11, T26)", test_client_limit);
  add("/form/none (V11)", test_no_form);
  add("/form/send (V11)", test_send);
  add("/form/twice", test_twice);
  add("/form/at-once", test_at_once);
  g_test_add("/form/later", Case, GINT_TO_POINTER(FALSE), set_up, test_later, tear_down);
  g_test_add("/form/later-mended", Case, GINT_TO_POINTER(TRUE), set_up, test_later,
             tear_down);
  add("/form/injection (T14, T15)", test_injection);
  add("/form/malformed (T26)", test_malformed);
  add("/form/forged (T8)", test_forged);
  add("/form/expired", test_expired);
  add("/form/uploads (T26)", test_uploads);
  return g_test_run();
}
