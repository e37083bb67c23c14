/* The sender's page, with the real store: what he sees, and what a recall does (S13, S14).
 */
#include <string.h>

#include "common/store/dispatch.h"
#include "tests/unit/tap.h"
#include "tests/unit/viewer/site.h"

/* A message to two people in the viewer, and one who is not. */
typedef struct {
  Site *site;
  char *page; /* "/s/TOKEN" */
  char *links[2];
  char *references[2];
} Case;

static void
fill(gpointer bytes, gsize len)
{
  g_assert_true(crypt_random(bytes, len, NULL));
}

static void
file_message(Case *one, const char *organisation)
{
  static const FilingRoute routes[] = {{"jan@example.com", "viewer"},
                                       {"els@example.com", "viewer"},
                                       {"desk@partner.nl", "direct"}};
  static const char mail[] = "Subject: Secret subject\r\n\r\nSecret words\r\n";
  guint8 ticket[TICKET_ID_BYTES], digest[CRYPT_SHA256_BYTES] = {0};
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
  FilingDispatch dispatch = {.routes = routes, .route_count = G_N_ELEMENTS(routes)};
  FilingMeta meta = {.organisation = organisation,
                     .ticket_id = ticket,
                     .body_sha256 = digest,
                     .sender = "m@first.nl",
                     .sender_name = "Marieke",
                     .message_id = "<a@b>",
                     .queue_id = "4Abc",
                     .received_s = now_s,
                     .expires_s = now_s + 10 * 86400,
                     .dispatch = &dispatch};
  FilingRecipient recipients[] = {{.address = routes[0].address, .number = "+31687654321"},
                                  {.address = routes[1].address, .number = "+31687654399"}};
  g_autoptr(GError) error = NULL;
  fill(ticket, sizeof ticket);
  fill(dispatch.status_nonce, sizeof dispatch.status_nonce);
  fill(dispatch.status_secret, sizeof dispatch.status_secret);
  for (guint i = 0; i < G_N_ELEMENTS(recipients); i++) {
    fill(recipients[i].link_nonce, sizeof recipients[i].link_nonce);
    fill(recipients[i].link_secret, sizeof recipients[i].link_secret);
  }
  g_autoptr(Filing) filing = filing_begin(one->site->viewer.store, &error);
  g_assert_true(filing_write(filing, mail, strlen(mail), &error));
  g_assert_true(filing_commit(filing, &meta, recipients, G_N_ELEMENTS(recipients), &error));
  g_assert_no_error(error);
  g_autofree char *token =
      crypt_base64url(dispatch.status_secret, sizeof dispatch.status_secret);
  one->page = g_strconcat("/s/", token, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(recipients); i++) {
    g_autofree char *link =
        crypt_base64url(recipients[i].link_secret, sizeof recipients[i].link_secret);
    one->links[i] = g_strconcat("/l/", link, NULL);
    one->references[i] = g_strdup(recipients[i].reference);
  }
}

static void
set_up(Case *one, gconstpointer data)
{
  (void) data;
  one->site = site_new();
  file_message(one, "first");
}

static void
tear_down(Case *one, gconstpointer data)
{
  (void) data;
  site_free(one->site);
  g_free(one->page);
  for (guint i = 0; i < G_N_ELEMENTS(one->links); i++) {
    g_free(one->links[i]);
    g_free(one->references[i]);
  }
}

static SiteAnswer
get(const Case *one, const char *path)
{
  return site_ask(one->site, "GET", SITE_HOST, path, NULL, NULL, NULL);
}

static guint
status_of(const Case *one, const char *path)
{
  g_auto(SiteAnswer) answer = get(one, path);
  return answer.status;
}

/* Whether the message can be opened with LINK ("/l/TOKEN"), as its state says. */
static gboolean
can_open(const Case *one, const char *link, EntryState expected)
{
  Store *store = one->site->viewer.store;
  EntryState state = ENTRY_NONE;
  g_autoptr(Entry) entry = NULL;
  g_autoptr(Secret) secret =
      crypt_base64url_decode(link + strlen("/l/"), STORE_LINK_SECRET_BYTES);
  g_assert_true(
      store_find_entry(store, "first", secret_peek(secret), &state, &entry, NULL));
  g_assert_cmpint(state, ==, expected);
  g_autoptr(MessageSource) source =
      store_open_message(store, entry, secret_peek(secret), NULL);
  return source != NULL;
}

static void
test_page(Case *one, gconstpointer data)
{
  (void) data;
  g_auto(SiteAnswer) page = get(one, one->page);
  g_assert_cmpuint(page.status, ==, 200);
  g_assert_nonnull(strstr(page.body, "<bdi>jan@example.com</bdi>"));
  g_assert_nonnull(strstr(page.body, "<bdi>els@example.com</bdi>"));
  g_assert_nonnull(strstr(page.body, "<bdi>desk@partner.nl</bdi>"));
  g_assert_nonnull(strstr(page.body, "Stored safely"));
  g_assert_nonnull(strstr(page.body, "Not opened yet"));
  g_assert_nonnull(strstr(page.body, "Straight to the"));
  g_assert_nonnull(strstr(page.body, "ends in 21"));
  g_assert_null(strstr(page.body, "Secret"));
  g_assert_null(strstr(page.body, "192.0.2."));
  g_assert_nonnull(strstr(page.head, "\r\nReferrer-Policy: no-referrer\r\n"));
  g_assert_nonnull(strstr(page.head, "\r\nCache-Control: no-store\r\n"));
  g_assert_null(strstr(page.head, "Set-Cookie"));
  /* What happens shows. */
  g_assert_true(store_note(one->site->viewer.store, "first", one->references[0],
                           HISTORY_OPENED, NULL, NULL, NULL));
  g_auto(SiteAnswer) later = get(one, one->page);
  g_assert_nonnull(strstr(later.body, "<dd><bdi>Opened</bdi>"));
}

/* A page that was never given out is no other than any that does not exist; that of another
 * organisation and its kin too (T1, O2). */
static void
test_unknown(Case *one, gconstpointer data)
{
  (void) data;
  g_auto(SiteAnswer) nowhere = get(one, "/nowhere");
  static const char *const paths[] = {"/s/AAAAAAAAAAAAAAAAAAAAAA",
                                      "/s/AAAAAAAAAAAAAAAAAAAAAA/recall",
                                      "/s/AAAAAAAAAAAAAAAAAAAAAA/recall?ref=x",
                                      "/s/AAAAAAAAAAAAAAAAAAAAA",
                                      "/s/AAAAAAAAAAAAAAAAAAAAAAA",
                                      "/s/",
                                      "/s"};
  for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
    g_auto(SiteAnswer) answer = get(one, paths[i]);
    g_test_message("%s", paths[i]);
    g_assert_cmpuint(answer.status, ==, 404);
    g_assert_cmpstr(answer.body, ==, nowhere.body);
    g_assert_cmpstr(answer.head, ==, nowhere.head);
  }
  g_auto(SiteAnswer) other =
      site_ask(one->site, "GET", SITE_OTHER, one->page, NULL, NULL, NULL);
  g_assert_cmpuint(other.status, ==, 404);
  /* A reader's link opens no status page, and a status page no message. */
  g_autofree char *as_status = g_strconcat("/s/", one->links[0] + strlen("/l/"), NULL);
  g_autofree char *as_link = g_strconcat("/l/", one->page + strlen("/s/"), NULL);
  g_assert_cmpuint(status_of(one, as_status), ==, 404);
  g_assert_cmpuint(status_of(one, as_link), ==, 404);
  g_auto(SiteAnswer) post =
      site_ask(one->site, "POST", SITE_HOST, paths[1], NULL, NULL, "token=x&sure=1");
  g_assert_cmpuint(post.status, ==, 404);
  g_assert_cmpstr(post.body, ==, nowhere.body);
}

/* A hundred thousand guesses find nothing (T1). */
static void
test_guesses(Case *one, gconstpointer data)
{
  (void) data;
  guint8 secret[STORE_LINK_SECRET_BYTES];
  for (guint i = 0; i < 100000; i++) {
    Dispatch *found = NULL;
    fill(secret, sizeof secret);
    if (!store_find_dispatch(one->site->viewer.store, "first", secret, &found, NULL) ||
        found != NULL)
      g_test_fail();
    dispatch_free(found);
  }
}

/* GET changes nothing, whatever is in the URL (T6). */
static void
test_get_changes_nothing(Case *one, gconstpointer data)
{
  (void) data;
  g_autofree char *recall =
      g_strconcat(one->page, "/recall?sure=1&ref=", one->references[0], NULL);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint(status_of(one, recall), ==, 200);
  g_assert_cmpuint(status_of(one, one->links[0]), ==, 200);
}

/* POSTs the recall with FIELDS ("&a=b") after "token=TOKEN". */
static SiteAnswer
recall(const Case *one, const char *token, const char *fields)
{
  g_autofree char *action = g_strconcat(one->page, "/recall", NULL);
  g_autofree char *body = g_strconcat("token=", token, fields, NULL);
  return site_ask(one->site, "POST", SITE_HOST, action, NULL, NULL, body);
}

static char *
recall_token(const Case *one)
{
  g_autofree char *action = g_strconcat(one->page, "/recall", NULL);
  g_auto(SiteAnswer) asked = get(one, action);
  g_assert_cmpuint(asked.status, ==, 200);
  return site_token(&asked, action);
}

static void
test_recall_one(Case *one, gconstpointer data)
{
  (void) data;
  g_autofree char *token = recall_token(one);
  g_autofree char *fields = g_strconcat("&sure=1&ref=", one->references[0], NULL);
  g_auto(SiteAnswer) answer = recall(one, token, fields);
  g_assert_cmpuint(answer.status, ==, 303);
  g_autofree char *done = g_strconcat(one->page, "?recalled=1", NULL);
  g_autofree char *location = g_strconcat("\r\nLocation: ", done, "\r\n", NULL);
  g_assert_nonnull(strstr(answer.head, location));
  g_auto(SiteAnswer) told = get(one, done);
  g_assert_nonnull(strstr(told.body, "The message was recalled."));
  g_assert_false(can_open(one, one->links[0], ENTRY_WITHDRAWN));
  g_assert_true(can_open(one, one->links[1], ENTRY_OPEN));
  g_auto(SiteAnswer) page = get(one, one->page);
  g_assert_nonnull(strstr(page.body, "Recalled on"));
  g_assert_null(strstr(page.body, one->references[0])); /* no button any more */
  g_assert_nonnull(strstr(page.body, one->references[1]));
  /* Once more is no error, and asks nothing. */
  g_auto(SiteAnswer) again = recall(one, token, fields);
  g_assert_cmpuint(again.status, ==, 303);
  g_autofree char *ask = g_strconcat(one->page, "/recall?ref=", one->references[0], NULL);
  g_assert_cmpuint(status_of(one, ask), ==, 303);
}

/* The address of a page is no proof of what happened. */
static void
test_not_recalled(Case *one, gconstpointer data)
{
  (void) data;
  g_autofree char *claim = g_strconcat(one->page, "?recalled=1", NULL);
  g_auto(SiteAnswer) page = get(one, claim);
  g_assert_cmpuint(page.status, ==, 200);
  g_assert_null(strstr(page.body, "was recalled"));
}

static void
test_recall_all(Case *one, gconstpointer data)
{
  (void) data;
  g_autofree char *token = recall_token(one);
  g_auto(SiteAnswer) answer = recall(one, token, "&sure=1");
  g_assert_cmpuint(answer.status, ==, 303);
  for (guint i = 0; i < G_N_ELEMENTS(one->links); i++)
    g_assert_false(can_open(one, one->links[i], ENTRY_WITHDRAWN));
  g_auto(SiteAnswer) page = get(one, one->page);
  g_assert_null(strstr(page.body, "/recall"));
}

/* Without the tick, without the token, from elsewhere, or for somebody else: nothing (T8).
 */
static void
test_recall_refused(Case *one, gconstpointer data)
{
  (void) data;
  g_autofree char *token = recall_token(one);
  g_autofree char *action = g_strconcat(one->page, "/recall", NULL);
  g_auto(SiteAnswer) unticked = recall(one, token, "");
  g_assert_cmpuint(unticked.status, ==, 400);
  g_assert_nonnull(strstr(unticked.body, "role=\"alert\""));
  g_auto(SiteAnswer) forged = recall(one, "AAAA", "&sure=1");
  g_assert_cmpuint(forged.status, ==, 403);
  g_auto(SiteAnswer) bare =
      site_ask(one->site, "POST", SITE_HOST, action, NULL, NULL, "sure=1");
  g_assert_cmpuint(bare.status, ==, 403);
  g_auto(SiteAnswer) elsewhere = recall(one, token, "&sure=1&ref=nobody");
  g_assert_cmpuint(elsewhere.status, ==, 303);
  Case other = {.site = one->site};
  file_message(&other, "first");
  g_autofree char *other_token = recall_token(&other);
  g_auto(SiteAnswer) foreign = recall(one, other_token, "&sure=1");
  g_assert_cmpuint(foreign.status, ==, 403);
  g_autofree char *fields = g_strconcat("&sure=1&ref=", other.references[0], NULL);
  g_auto(SiteAnswer) not_his = recall(one, token, fields);
  g_assert_cmpuint(not_his.status, ==, 303);
  for (guint i = 0; i < G_N_ELEMENTS(one->links); i++) {
    g_assert_true(can_open(one, one->links[i], ENTRY_OPEN));
    g_assert_true(can_open(&other, other.links[i], ENTRY_OPEN));
    g_free(other.links[i]);
    g_free(other.references[i]);
  }
  g_free(other.page);
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
  add("/status/page (S14)", test_page);
  add("/status/unknown (T1, O2)", test_unknown);
  add("/status/guesses (T1)", test_guesses);
  add("/status/get-changes-nothing (T6)", test_get_changes_nothing);
  add("/status/recall-one (S13)", test_recall_one);
  add("/status/not recalled", test_not_recalled);
  add("/status/recall-all (S13)", test_recall_all);
  add("/status/recall-refused (T8)", test_recall_refused);
  return g_test_run();
}
