/* What a reader does with his message, and with a number that is not his. */
#include <glib.h>
#include <signal.h>
#include <string.h>

#include "common/store/dispatch.h"
#include "tests/unit/tap.h"
#include "tests/unit/viewer/world.h"
#include "viewer-cgi/text.h"

/* K3: an attachment that is not what the milter saw, or one that is not here, is said. */
static void
test_integrity(World *world, gconstpointer data)
{
  (void) data;
  g_autoptr(GPtrArray) other = g_ptr_array_new_with_free_func(g_free);
  add_part(other, "x", 1);
  g_autofree char *changed = file_parts(world, "first", "+31612345670", 1000, other);
  g_autofree char *changed_cookie = log_in(world, changed);
  g_auto(Answer) shown = ask(world, "GET", HOST, "/m", changed_cookie, NULL);
  g_assert_null(strstr(shown.body, "genuine"));
  g_assert_nonnull(strstr(shown.body, "This is not the file that was sent."));
  g_assert_cmpuint(status_of(world, HOST, "/m/part/1", changed_cookie), ==, 200);

  g_autoptr(GPtrArray) more = g_ptr_array_new_with_free_func(g_free);
  add_part(more, ATTACHMENT, strlen(ATTACHMENT));
  add_part(more, "x", 1);
  g_autofree char *missing = file_parts(world, "first", "+31612345671", 1000, more);
  g_autofree char *missing_cookie = log_in(world, missing);
  g_auto(Answer) less = ask(world, "GET", HOST, "/m", missing_cookie, NULL);
  g_assert_null(strstr(less.body, "genuine"));
  g_assert_nonnull(strstr(less.body, "is missing."));
}

/* V12 */
static void
test_delete(World *world, gconstpointer data)
{
  (void) data;
  g_autofree char *link = g_strconcat("/l/", world->link, NULL);
  g_autofree char *cookie = log_in(world, world->link);
  g_auto(Answer) forged = ask(world, "POST", HOST, "/m/delete", cookie, "token=A");
  g_assert_cmpuint(forged.status, ==, 403);
  g_auto(Answer) asks = ask(world, "GET", HOST, "/m/delete", cookie, NULL);
  g_assert_cmpuint(asks.status, ==, 200);
  g_assert_cmpuint(status_of(world, HOST, "/m", cookie), ==, 200);
  g_auto(Answer) done = submit(world, "/m/delete", "/m/delete", cookie, "");
  g_assert_cmpuint(done.status, ==, 200);
  g_assert_nonnull(strstr(done.body, "The message has been deleted"));
  g_assert_nonnull(strstr(done.head, "Set-Cookie: __Host-zegel=; Max-Age=0;"));
  g_assert_null(strstr(done.body, "Logged in until"));
  g_auto(Answer) over = ask(world, "GET", HOST, link, NULL, NULL);
  g_assert_cmpuint(over.status, ==, 410);
  g_assert_nonnull(strstr(over.body, "The message was deleted on "));
  g_auto(Answer) session = ask(world, "GET", HOST, "/m/original", cookie, NULL);
  g_assert_cmpuint(session.status, ==, 410);
  g_assert_null(strstr(session.body, "uitslag"));
}

static void
test_withdrawn(World *world, gconstpointer data)
{
  (void) data;
  g_autofree char *token = file_message(world, "first", "+31612345670", 30 * 86400);
  g_autofree char *link = g_strconcat("/l/", token, NULL);
  g_autofree char *today = text_date(g_get_real_time() / G_USEC_PER_SEC);
  g_autofree char *words = g_strdup_printf("The message was withdrawn on %s.", today);
  g_autoptr(Secret) secret = crypt_base64url_decode(token, STORE_LINK_SECRET_BYTES);
  EntryState state = ENTRY_NONE;
  g_autoptr(Entry) entry = NULL;
  gboolean changed = FALSE;
  g_assert_true(store_find_entry(world->viewer.store, "first", secret_peek(secret), &state,
                                 &entry, NULL));
  g_assert_true(store_withdraw(world->viewer.store, "first", entry->reference,
                               HISTORY_RECALLED, NULL, &changed, NULL));
  g_auto(Answer) over = ask(world, "GET", HOST, link, NULL, NULL);
  g_assert_cmpuint(over.status, ==, 410);
  g_assert_nonnull(strstr(over.body, words));
}

/* T31, V2: nothing listens where the mail would go, and that is said. */
static void
test_wrong_number(World *world, gconstpointer data)
{
  (void) data;
  g_autofree char *page = g_strconcat("/l/", world->link, "/wrong", NULL);
  g_autofree char *no_phone = g_strconcat("/l/", world->link, "/no-phone", NULL);
  g_assert_cmpuint(status_of(world, HOST, no_phone, NULL), ==, 200);
  g_auto(Answer) unticked = submit(world, page, page, NULL, "");
  g_assert_cmpuint(unticked.status, ==, 400);
  g_auto(Answer) forged = ask(world, "POST", HOST, page, NULL, "sure=1&token=A");
  g_assert_cmpuint(forged.status, ==, 403);
  g_auto(Answer) failed = submit(world, page, page, NULL, "&sure=1");
  g_assert_cmpuint(failed.status, ==, 503);
  g_assert_nonnull(strstr(failed.body, "tell him or her yourself"));
  g_auto(Answer) again = submit(world, page, page, NULL, "&sure=1");
  g_assert_cmpuint(again.status, ==, 429);
  g_assert_null(strstr(again.body, "knows already"));

  g_autofree char *by_mail = file_message(world, "first", NULL, 1000);
  g_autofree char *none = g_strconcat("/l/", by_mail, "/wrong", NULL);
  g_assert_cmpuint(status_of(world, HOST, none, NULL), ==, 404);
}

static void
test_downloads(World *world, gconstpointer data)
{
  (void) data;
  g_autofree char *cookie = log_in(world, world->link);
  g_auto(Answer) zip = ask(world, "GET", HOST, "/m/zip", cookie, NULL);
  g_assert_cmpuint(zip.status, ==, 200);
  g_assert_nonnull(strstr(zip.head, "Content-Type: application/zip\r\n"));
  g_assert_nonnull(strstr(zip.head, "attachment; filename=\"attachments.zip\""));
  g_assert_cmpmem(zip.body, 4, "PK\3\4", 4);
  g_auto(Answer) pdf = ask(world, "GET", HOST, "/m/pdf", cookie, NULL);
  g_assert_cmpuint(pdf.status, ==, 200);
  g_assert_nonnull(strstr(pdf.head, "Content-Type: application/pdf\r\n"));
  g_assert_nonnull(strstr(pdf.head, "attachment; filename=\"message.pdf\""));
  g_assert_cmpmem(pdf.body, 5, "%PDF-", 5);
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*run)(World *, gconstpointer);
  } tests[] = {
      {"/viewer/reading/integrity", test_integrity},
      {"/viewer/reading/delete", test_delete},
      {"/viewer/reading/withdrawn", test_withdrawn},
      {"/viewer/reading/wrong-number", test_wrong_number},
      {"/viewer/reading/downloads", test_downloads},
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
