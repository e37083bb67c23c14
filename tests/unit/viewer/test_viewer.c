/* Whole visits, with the real store, the real reader, and a script for SMS adapter. */
#include <glib.h>
#include <signal.h>
#include <string.h>

#include "tests/unit/tap.h"
#include "tests/unit/viewer/world.h"
#include "viewer-cgi/cookie.h"
#include "viewer-cgi/mail.h"
#include "viewer-cgi/text.h"

static void
test_read(World *world, gconstpointer data)
{
  (void) data;
  g_autofree char *cookie = log_in(world, world->link);
  g_auto(Answer) page = ask(world, "GET", HOST, "/m", cookie, NULL);
  g_assert_cmpuint(page.status, ==, 200);
  g_assert_nonnull(strstr(page.body, "<h1>Uitslag &lt;b&gt;x&lt;/b&gt;</h1>"));
  g_assert_nonnull(strstr(page.body, "De uitslag is &lt;goed&gt;."));
  g_assert_nonnull(strstr(page.body, "<bdi>a b.html</bdi>"));
  g_assert_nonnull(strstr(page.body, "by a secure way"));

  g_auto(Answer) part = ask(world, "GET", HOST, "/m/part/1", cookie, NULL);
  g_assert_cmpuint(part.status, ==, 200);
  g_assert_cmpstr(part.body, ==, "<script>alert(1)</script>");
  g_assert_nonnull(strstr(part.head, "Content-Type: application/octet-stream\r\n"));
  g_assert_nonnull(
      strstr(part.head, "Content-Disposition: attachment; filename=\"a b.html\""));

  g_auto(Answer) original = ask(world, "GET", HOST, "/m/original", cookie, NULL);
  gsize mail_len = 0;
  const char *mail = message_bytes(&mail_len);
  g_assert_cmpmem(original.body, original.body_len, mail, mail_len);
  g_assert_cmpuint(status_of(world, HOST, "/m/part/2", cookie), ==, 404);
  g_assert_cmpuint(status_of(world, HOST, "/m/x/style.css", cookie), ==, 404);
  g_assert_cmpuint(status_of(world, HOST, "/m/text", cookie), ==, 200);

  g_auto(Answer) out = submit(world, "/m", "/logout", cookie, "");
  g_assert_cmpuint(out.status, ==, 200);
  g_assert_nonnull(strstr(out.head, "Clear-Site-Data: "));
  g_assert_nonnull(strstr(out.head, "Set-Cookie: __Host-zegel=; Max-Age=0;"));
  g_assert_cmpuint(status_of(world, HOST, "/m", cookie), ==, 403);
  g_assert_cmpuint(status_of(world, HOST, "/m/part/1", cookie), ==, 403);
}

static void
test_code(World *world, gconstpointer data)
{
  (void) data;
  g_auto(Answer) early = try_code(world, world->link, "123456");
  g_assert_cmpuint(early.status, ==, 403);
  g_assert_nonnull(strstr(early.body, "not valid any more"));
  g_auto(Answer) sent = send_code(world, world->link);
  g_assert_nonnull(strstr(sent.head, "/code\r\n"));
  g_auto(Answer) again = send_code(world, world->link);
  g_assert_cmpuint(again.status, ==, 303);
  g_assert_nonnull(strstr(again.head, "/code?wait="));
  g_assert_cmpuint(count_sms(world), ==, 1);

  g_autofree char *code = last_code(world);
  g_autofree char *wrong = g_strdup(code);
  wrong[0] = wrong[0] == '9' ? '0' : (char) (wrong[0] + 1);
  for (guint left = 4; left >= 1; left--) {
    g_auto(Answer) malformed = try_code(world, world->link, "12345");
    g_assert_cmpuint(malformed.status, ==, 400);
    g_auto(Answer) refused = try_code(world, world->link, wrong);
    g_autofree char *words = g_strdup_printf("You can try %u more time", left);
    g_assert_cmpuint(refused.status, ==, 403);
    g_assert_nonnull(strstr(refused.body, words));
  }
  g_auto(Answer) last = try_code(world, world->link, wrong);
  g_assert_nonnull(strstr(last.body, "wrong too often"));
  g_auto(Answer) sixth = try_code(world, world->link, code); /* T2 */
  g_assert_cmpuint(sixth.status, ==, 403);
  g_assert_null(strstr(sixth.head, "__Host-zegel="));
}

/* T6: following, preloading and asking twice use nothing up. */
static void
test_get_changes_nothing(World *world, gconstpointer data)
{
  static const char *const tails[] = {"", "/code", "/send"};
  (void) data;
  for (guint i = 0; i < 20; i++)
    for (guint t = 0; t < G_N_ELEMENTS(tails); t++) {
      g_autofree char *uri = g_strconcat("/l/", world->link, tails[t], NULL);
      g_auto(Answer) got = ask(world, "GET", HOST, uri, NULL, NULL);
      g_auto(Answer) head = ask(world, "HEAD", HOST, uri, NULL, NULL);
      g_assert_cmpuint(got.status, ==, t == 2 ? 404 : 200);
      g_assert_cmpuint(head.status, ==, got.status);
    }
  g_assert_cmpuint(count_sms(world), ==, 0);
  g_autofree char *cookie = log_in(world, world->link);
  g_assert_cmpuint(status_of(world, HOST, "/m", cookie), ==, 200);
}

/* T1: nothing tells a link that never existed from any other path. */
static void
test_not_found(World *world, gconstpointer data)
{
  (void) data;
  g_autofree char *other = g_strconcat("/l/", world->link, NULL);
  const char *const uris[] = {"/l/AAAAAAAAAAAAAAAAAAAAAA", "/l/short", "/m/part/0", other};
  g_auto(Answer) none = ask(world, "GET", OTHER, "/nothing", NULL, NULL);
  g_assert_cmpuint(none.status, ==, 404);
  for (guint i = 0; i < G_N_ELEMENTS(uris); i++) {
    g_auto(Answer) same = ask(world, "GET", OTHER, uris[i], NULL, NULL);
    g_assert_cmpuint(same.status, ==, 404);
    g_assert_cmpstr(same.head, ==, none.head);
    g_assert_cmpstr(same.body, ==, none.body);
  }
}

static void
test_expired(World *world, gconstpointer data)
{
  (void) data;
  g_autofree char *link = file_message(world, "first", "+31612345678", -86400);
  g_autofree char *uri = g_strconcat("/l/", link, NULL);
  g_auto(Answer) answer = ask(world, "GET", HOST, uri, NULL, NULL);
  g_assert_cmpuint(answer.status, ==, 410);
  g_assert_nonnull(strstr(answer.body, "You could read this message until "));
}

/* T8 */
static void
test_forged_form(World *world, gconstpointer data)
{
  (void) data;
  g_autofree char *page = g_strconcat("/l/", world->link, NULL);
  g_autofree char *action = g_strconcat(page, "/send", NULL);
  g_autofree char *code_page = g_strconcat(page, "/code", NULL);
  g_auto(Answer) shown = ask(world, "GET", HOST, code_page, NULL, NULL);
  g_autofree char *token = find_token(&shown, action);
  g_autofree char *code_token = find_token(&shown, code_page);
  g_autofree char *good = g_strconcat("token=", token, NULL);
  g_autofree char *purpose = g_strconcat("token=", code_token, NULL);
  const struct {
    const char *header;
    const char *form;
  } rows[] = {
      {NULL, NULL},
      {NULL, "token="},
      {NULL, "token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
      {NULL, purpose},
      {"HTTP_ORIGIN=https://evil.example", good},
      {"HTTP_SEC_FETCH_SITE=cross-site", good},
      {"HTTP_SEC_FETCH_SITE=same-site", good},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_auto(Answer) refused = ask(world, "POST", HOST, action, rows[i].header, rows[i].form);
    g_assert_cmpuint(refused.status, ==, 403);
  }
  g_assert_cmpuint(count_sms(world), ==, 0);
  g_auto(Answer) sent = ask(world, "POST", HOST, action, "HTTP_ORIGIN=null", good);
  g_assert_cmpuint(sent.status, ==, 303);
  g_assert_cmpuint(count_sms(world), ==, 1);
}

/* T4, T7, O2: a session is for one message of one organisation, and made by us. */
static void
test_session(World *world, gconstpointer data)
{
  (void) data;
  g_autofree char *cookie = log_in(world, world->link);
  SessionCookie mine;
  g_assert_true(cookie_session_parse(cookie + strlen("HTTP_COOKIE="), TRUE, &mine));
  g_assert_cmpuint(status_of(world, HOST, "/m", cookie), ==, 200);
  g_assert_cmpuint(status_of(world, OTHER, "/m", cookie), ==, 403);
  g_assert_cmpuint(status_of(world, "evil.example", "/m", cookie), ==, 421);

  SessionCookie planted = mine;
  memset(planted.session, 0x41, sizeof planted.session);
  g_autofree char *value = cookie_session_format(&planted, TRUE);
  g_autofree char *header = g_strconcat("HTTP_COOKIE=", value, NULL);
  g_assert_cmpuint(status_of(world, HOST, "/m", header), ==, 403);

  g_autofree char *second = file_message(world, "first", "+31612345679", 1000);
  g_autoptr(Secret) secret = crypt_base64url_decode(second, STORE_LINK_SECRET_BYTES);
  SessionCookie crossed = mine;
  memcpy(crossed.link_secret, secret_peek(secret), sizeof crossed.link_secret);
  g_autofree char *crossed_value = cookie_session_format(&crossed, TRUE);
  g_autofree char *crossed_header = g_strconcat("HTTP_COOKIE=", crossed_value, NULL);
  g_assert_cmpuint(status_of(world, HOST, "/m", crossed_header), ==, 403);

  g_autofree char *bare = g_strconcat("HTTP_COOKIE=", strstr(cookie, "zegel="), NULL);
  g_assert_cmpuint(status_of(world, HOST, "/m", bare), ==, 403);
}

/* T22 */
static void
test_host(World *world, gconstpointer data)
{
  (void) data;
  g_auto(Answer) answer = ask(world, "GET", "evil.example", "/", NULL, NULL);
  g_assert_cmpuint(answer.status, ==, 421);
  g_assert_null(strstr(answer.body, "evil"));
  g_assert_null(strstr(answer.body, "First"));
  g_auto(Answer) style = ask(world, "GET", HOST, "/style.css", NULL, NULL);
  g_assert_true(g_str_has_prefix(style.body, ":root{--brand:#1d5b8f;--on-brand:#fff}"));
}

static void
test_gateway(World *world, gconstpointer data)
{
  (void) data;
  write_adapter(world, "exit 75");
  g_auto(Answer) failed = send_code(world, world->link);
  g_assert_cmpuint(failed.status, ==, 503);
  g_assert_nonnull(strstr(failed.body, "No code could be sent now"));
  write_adapter(world, "exit 0"); /* nothing was used up: at once again */
  g_auto(Answer) sent = send_code(world, world->link);
  g_assert_cmpuint(sent.status, ==, 303);
  g_assert_nonnull(strstr(sent.head, "/code\r\n"));

  g_autofree char *slow = file_message(world, "first", "+31612345670", 1000);
  write_adapter(world, "sleep 20");
  g_auto(Answer) unknown = send_code(world, slow);
  g_assert_cmpuint(unknown.status, ==, 303);
  g_assert_nonnull(strstr(unknown.head, "/code?slow=1\r\n"));
  guint before = count_sms(world);
  g_auto(Answer) waiting = send_code(world, slow); /* it may have gone: not a second one */
  g_assert_nonnull(strstr(waiting.head, "/code?wait="));
  g_assert_cmpuint(count_sms(world), ==, before);

  g_autofree char *foreign = file_message(world, "first", "+4915112345678", 1000);
  g_auto(Answer) refused = send_code(world, foreign); /* T5 */
  g_assert_cmpuint(refused.status, ==, 403);
  g_assert_cmpuint(count_sms(world), ==, before);
}

/* Without a number the code goes by e-mail, the page says that it is weak and tells no
 * address; when it cannot be sent nothing is used up, and no SMS goes instead (S6, T16). */
static void
test_by_mail(World *world, gconstpointer data)
{
  (void) data;
  g_autofree char *link = file_message(world, "first", "", 1000);
  g_autofree char *path = g_strconcat("/l/", link, NULL);
  g_auto(Answer) page = ask(world, "GET", HOST, path, NULL, NULL);
  g_assert_cmpuint(page.status, ==, 200);
  g_assert_nonnull(strstr(page.body, "We send it by e-mail"));
  g_assert_nonnull(strstr(page.body, "less safe"));
  g_assert_null(strstr(page.body, "jan@"));
  g_assert_null(strstr(page.body, "Your number"));
  for (guint turn = 0; turn < 2; turn++) {
    g_auto(Answer) failed = send_code(world, link);
    g_assert_cmpuint(failed.status, ==, 503);
    g_assert_nonnull(strstr(failed.body, "could not send an e-mail"));
  }
  g_assert_cmpuint(count_sms(world), ==, 0);
  g_autofree char *typing = g_strconcat(path, "/code", NULL);
  g_auto(Answer) code = ask(world, "GET", HOST, typing, NULL, NULL);
  g_assert_nonnull(strstr(code.body, "You get an e-mail with the code"));
  g_assert_null(strstr(code.body, "jan@"));
  g_assert_null(strstr(code.body, "SMS"));
}

/* What the viewer writes itself: the code, and nothing of the message (T32). */
static void
test_mail_texts(World *world, gconstpointer data)
{
  (void) data;
  const Organisation *organisation = conf_organisation(world->config, "first");
  Entry entry = {.reference = (char *) "ref",
                 .address = (char *) "jan@example.com\r\nBcc: x",
                 .sender = (char *) "m@first.nl",
                 .number = (char *) "+31612345678"};
  g_autofree char *code = mail_code_text(organisation, "012345");
  g_assert_nonnull(strstr(code, "Uw toegangscode is: 012345\n"));
  g_assert_nonnull(strstr(code, "Your access code is: 012345\n"));
  g_assert_null(strstr(code, "http"));
  g_autofree char *replaced = mail_replaced_text(organisation, &entry);
  g_assert_nonnull(strstr(replaced, "Voor jan@example.com Bcc: x\n"));
  g_assert_nonnull(strstr(replaced, "eindigt op 78."));
  g_assert_nonnull(strstr(replaced, "ends in 78 "));
  g_assert_null(strstr(replaced, "345678"));
  g_autofree char *wrong = mail_wrong_text(organisation, &entry);
  g_assert_nonnull(strstr(wrong, "\njan@example.com Bcc: x.\n"));
  g_assert_nonnull(strstr(wrong, "eindigt op 78 "));
  g_assert_nonnull(strstr(wrong, "ends in 78 "));
  g_assert_null(strstr(wrong, "31612345678"));
}

/* Without its store the viewer says so at once, and nothing else. */
static void
test_no_store(World *world, gconstpointer data)
{
  (void) data;
  g_autofree char *cookie = log_in(world, world->link);
  g_autofree char *uri = g_strconcat("/l/", world->link, NULL);
  store_close(g_steal_pointer(&world->viewer.store));
  g_assert_cmpuint(status_of(world, HOST, uri, NULL), ==, 503);
  g_assert_cmpuint(status_of(world, HOST, "/m", cookie), ==, 503);
  g_assert_cmpuint(status_of(world, HOST, "/m/original", cookie), ==, 503);
  g_assert_cmpuint(status_of(world, HOST, "/help", NULL), ==, 200);
  g_auto(Answer) answer = ask(world, "GET", HOST, uri, NULL, NULL);
  g_assert_nonnull(strstr(answer.head, "\r\nRetry-After: "));
}

/* T13: what the reader cannot show can still be had. */
static void
test_reader_fails(World *world, gconstpointer data)
{
  (void) data;
  g_autofree char *cookie = log_in(world, world->link);
  g_free(world->config->viewer_reader);
  world->config->viewer_reader = g_strdup("/bin/false");
  g_auto(Answer) page = ask(world, "GET", HOST, "/m", cookie, NULL);
  g_assert_cmpuint(page.status, ==, 200);
  g_assert_nonnull(strstr(page.body, "We cannot show this message"));
  g_assert_nonnull(strstr(page.body, "/m/original"));
  g_assert_cmpuint(status_of(world, HOST, "/m/part/1", cookie), ==, 500);
  g_assert_cmpuint(status_of(world, HOST, "/m/html", cookie), ==, 500);
  g_auto(Answer) original = ask(world, "GET", HOST, "/m/original", cookie, NULL);
  gsize mail_len = 0;
  const char *mail = message_bytes(&mail_len);
  g_assert_cmpmem(original.body, original.body_len, mail, mail_len);
}

static void
test_languages(World *world, gconstpointer data)
{
  (void) data;
  g_auto(Answer) dutch = ask(world, "GET", HOST, "/?lang=nl", NULL, NULL);
  g_assert_nonnull(strstr(dutch.body, "<html lang=\"nl\">"));
  g_assert_nonnull(strstr(dutch.body, "Beveiligde mail"));
  g_assert_nonnull(strstr(dutch.head, "Set-Cookie: __Host-zegel-language=nl;"));
  g_auto(Answer) kept =
      ask(world, "GET", HOST, "/", "HTTP_COOKIE=__Host-zegel-language=nl", NULL);
  g_assert_nonnull(strstr(kept.body, "Beveiligde mail"));
  g_auto(Answer) asked = ask(world, "GET", HOST, "/", "HTTP_ACCEPT_LANGUAGE=nl-NL", NULL);
  g_assert_nonnull(strstr(asked.body, "Beveiligde mail"));
  g_auto(Answer) english = ask(world, "GET", HOST, "/", NULL, NULL);
  g_assert_nonnull(strstr(english.body, "Secure mail"));
  g_assert_null(strstr(english.head, "Set-Cookie"));
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*run)(World *, gconstpointer);
  } tests[] = {
      {"/viewer/visit/read", test_read},
      {"/viewer/visit/code", test_code},
      {"/viewer/visit/get-changes-nothing", test_get_changes_nothing},
      {"/viewer/visit/not-found", test_not_found},
      {"/viewer/visit/expired", test_expired},
      {"/viewer/visit/forged-form", test_forged_form},
      {"/viewer/visit/session", test_session},
      {"/viewer/visit/host", test_host},
      {"/viewer/visit/gateway", test_gateway},
      {"/viewer/visit/by-mail", test_by_mail},
      {"/viewer/visit/mail-texts", test_mail_texts},
      {"/viewer/visit/no-store", test_no_store},
      {"/viewer/visit/reader-fails", test_reader_fails},
      {"/viewer/visit/languages", test_languages},
  };
  const struct sigaction ignore = {.sa_handler = SIG_IGN};
  tap_init(argc, argv);
  sigaction(SIGPIPE, &ignore, NULL);
  g_autofree char *locale = g_test_build_filename(G_TEST_BUILT, "po", NULL);
  text_init(locale);
  for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
    g_test_add(tests[i].path, World, NULL, set_up, tests[i].run, tear_down);
  return g_test_run();
}
