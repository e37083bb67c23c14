/* The links to the web form, and its pages (V11). */
#include <glib/gstdio.h>
#include <string.h>

#include "common/crypt/crypt.h"
#include "tests/unit/crypt/ring.h"
#include "tests/unit/tap.h"
#include "viewer-cgi/form_ticket.h"
#include "viewer-cgi/mail.h"
#include "viewer-cgi/page_write.h"

static char *
finish(Html *html)
{
  g_autoptr(GBytes) bytes = html_finish(html);
  gsize len = 0;
  const char *text = g_bytes_get_data(bytes, &len);
  return g_strndup(text, len);
}

static const Frame *
frame(void)
{
  static char colour[] = "#1d5b8f";
  static char name[] = "Care <&> Co";
  static char empty[] = "";
  static char url[] = "https://mail.example.nl/";
  static const Organisation organisation = {.colour = colour,
                                            .display_name = name,
                                            .contact = empty,
                                            .logo = empty,
                                            .viewer_url = url};
  static const Frame one = {
      .organisation = &organisation, .language = LANGUAGE_EN, .self = "/form"};
  return &one;
}

/* ---- Tickets ---- */

static char *
seal(const KeyRing *ring, const char *address)
{
  g_autoptr(GError) error = NULL;
  char *ticket = form_ticket_seal(ring, "first", address, 1770000000, &error);
  g_assert_no_error(error);
  return ticket;
}

static void
test_ticket(void)
{
  g_autoptr(KeyRing) old = ring_new(KEY_STORE, FALSE);
  g_autoptr(KeyRing) rotated = ring_new(KEY_STORE, TRUE);
  g_autofree char *text = seal(old, "jan@example.com");
  g_autofree char *again = seal(old, "jan@example.com");
  FormTicket ticket, other;
  memset(&ticket, 'x', sizeof ticket);
  g_assert_true(form_ticket_open(rotated, "first", text, &ticket));
  g_assert_cmpstr(ticket.address, ==, "jan@example.com");
  g_assert_cmpint(ticket.expires_s, ==, 1770000000);
  g_assert_true(form_ticket_open(old, "first", again, &other));
  g_assert_false(crypt_equal(ticket.nonce, other.nonce, sizeof ticket.nonce));
  for (const char *p = text; *p != '\0'; p++)
    g_assert_true(g_ascii_isalnum(*p) || *p == '-' || *p == '_');
  g_assert_false(form_ticket_open(old, "second", text, &other)); /* O2 */
  g_autofree char *of_new = seal(rotated, "jan@example.com");
  g_assert_false(form_ticket_open(old, "first", of_new, &other));
}

static void
test_ticket_length(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_STORE, FALSE);
  for (gsize len = 1; len <= MAILBOX_MAX_BYTES; len++) {
    g_autofree char *address = g_strnfill(len, 'a');
    g_autofree char *text = seal(ring, address);
    FormTicket ticket;
    g_assert_true(form_ticket_open(ring, "first", text, &ticket));
    g_assert_cmpstr(ticket.address, ==, address);
  }
}

/* Any character changed, added or taken away: not ours (T1). */
static void
test_ticket_forged(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_STORE, FALSE);
  g_autofree char *text = seal(ring, "jan@example.com");
  FormTicket ticket;
  for (gsize i = 0; i < strlen(text); i++) {
    g_autofree char *changed = g_strdup(text);
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    g_assert_false(form_ticket_open(ring, "first", changed, &ticket));
    changed[i] = '\0';
    g_assert_false(form_ticket_open(ring, "first", changed, &ticket));
  }
  g_autofree char *longer = g_strconcat(text, "A", NULL);
  g_autofree char *huge = g_strnfill(100000, 'A');
  g_assert_false(form_ticket_open(ring, "first", longer, &ticket));
  g_assert_false(form_ticket_open(ring, "first", huge, &ticket));
  g_assert_false(form_ticket_open(ring, "first", "", &ticket));
  g_assert_false(form_ticket_open(ring, "first", "../..", &ticket));
}

/* ---- Pages ---- */

static void
test_ask_page(void)
{
  g_autofree char *fresh = finish(page_write_ask(frame(), "FORM", NULL));
  g_assert_nonnull(strstr(fresh, "action=\"/form\""));
  g_assert_nonnull(strstr(fresh, "name=\"token\" value=\"FORM\""));
  g_assert_nonnull(strstr(fresh, "type=\"email\""));
  g_assert_nonnull(strstr(fresh, "autocomplete=\"email\""));
  g_assert_nonnull(strstr(fresh, "Care &lt;&amp;&gt; Co"));
  g_assert_null(strstr(fresh, "role=\"alert\""));
  g_autofree char *again = finish(page_write_ask(frame(), "FORM", "\"><script>"));
  g_assert_nonnull(strstr(again, "role=\"alert\""));
  g_assert_nonnull(strstr(again, "value=\"&quot;&gt;&lt;script&gt;\""));
  g_assert_null(strstr(again, "<script"));
  g_autofree char *mailed = finish(page_write_mailed(frame(), "<i>@x.nl", 3));
  g_assert_nonnull(strstr(mailed, "<bdi>&lt;i&gt;@x.nl</bdi>"));
  g_assert_nonnull(strstr(mailed, "3 times a day"));
}

static void
test_form_page(void)
{
  WriteFacts facts = {.path = "/form/TICKET",
                      .token = "FORM",
                      .address = "jan@example.com",
                      .name = "\"><b>",
                      .phone = "06 \xE2\x80\xAE",
                      .text = "\nEen\n</textarea><script>",
                      .max_mb = 25};
  g_autofree char *fresh = finish(page_write(frame(), &facts));
  g_assert_nonnull(strstr(fresh, "enctype=\"multipart/form-data\""));
  g_assert_nonnull(strstr(fresh, "action=\"/form/TICKET\""));
  g_assert_nonnull(strstr(fresh, "at most 25 MB"));
  g_assert_nonnull(strstr(fresh, "\n\nEen\n&lt;/textarea&gt;&lt;script&gt;</textarea>"));
  g_assert_null(strstr(fresh, "<b>"));
  g_assert_null(strstr(fresh, "\xE2\x80\xAE"));
  g_assert_null(strstr(fresh, "role=\"alert\""));
  g_assert_null(strstr(fresh, "aria-invalid"));
  for (guint note = WRITE_NOTE_NAME; note <= WRITE_NOTE_LATER; note++) {
    facts.note = (WriteNote) note;
    g_autofree char *page = finish(page_write(frame(), &facts));
    g_test_message("note %u", note);
    g_assert_nonnull(strstr(page, "role=\"alert\""));
    g_assert_nonnull(strstr(page, "Choose them once more"));
    g_assert_cmpint(strstr(page, "aria-invalid") != NULL, ==, note != WRITE_NOTE_LATER);
  }
}

static void
test_done_page(void)
{
  const WriteDone done = {.address = "jan@example.com",
                          .reference = "k2f7",
                          .password = "abcd-efgh-jkmn-pqrs",
                          .sent_s = 1770000000,
                          .expires_s = 1777000000};
  g_autofree char *page = finish(page_write_done(frame(), &done));
  g_assert_nonnull(strstr(page, "abcd-efgh-jkmn-pqrs"));
  g_assert_nonnull(strstr(page, "https://mail.example.nl/r/k2f7"));
  g_assert_nonnull(strstr(page, "href=\"/r/k2f7\""));
  g_assert_null(strstr(page, "abcd-efgh-jkmn-pqrs\"")); /* in no link */
  g_autofree char *used = finish(page_write_over(frame(), TRUE));
  g_autofree char *old = finish(page_write_over(frame(), FALSE));
  g_assert_nonnull(strstr(used, "has been used"));
  g_assert_nonnull(strstr(old, "too old"));
}

/* The mail has the organisation and the link, and no more (T32). */
static void
test_mail(void)
{
  g_autofree char *text =
      mail_form_text(frame()->organisation, "https://mail.example.nl/form/TICKET");
  g_assert_nonnull(strstr(text, "\nhttps://mail.example.nl/form/TICKET\n"));
  g_assert_nonnull(strstr(text, "Care <&> Co"));
  g_assert_null(strchr(text, '@'));
  g_assert_null(strstr(text, "%"));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_set_nonfatal_assertions();
  g_test_add_func("/form/ticket (V11, O2)", test_ticket);
  g_test_add_func("/form/ticket-length", test_ticket_length);
  g_test_add_func("/form/ticket-forged (T1)", test_ticket_forged);
  g_test_add_func("/form/ask-page", test_ask_page);
  g_test_add_func("/form/form-page", test_form_page);
  g_test_add_func("/form/done-page", test_done_page);
  g_test_add_func("/form/mail (T32)", test_mail);
  return g_test_run();
}
