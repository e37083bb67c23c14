/*
 * The preview: what it asks for routes, what it makes of them, and what it takes for no
 * question at all.
 */
#include <string.h>

#include "policyd/preview.h"
#include "tests/unit/tap.h"

#define PEER 7
#define ASK  "request=preview\nversion=1\n"

static const char config_text[] =
    "[organisation first]\ndomains = first.nl\nservice_domain = s.first.nl\n"
    "viewer_url = https://first.nl/\ndisplay_name = First\nrecipients_max = 2\n"
    "[organisation optional]\ndomains = second.nl\nservice_domain = s.second.nl\n"
    "viewer_url = https://second.nl/\ndisplay_name = Second\nmethod = optional\n"
    "[organisation email]\ndomains = third.nl\nservice_domain = s.third.nl\n"
    "viewer_url = https://third.nl/\ndisplay_name = Third\nmethod = email\n"
    "[organisation none]\ndomains = fourth.nl\nservice_domain = s.fourth.nl\n"
    "viewer_url = https://fourth.nl/\ndisplay_name = Fourth\nmethod = none\n";

typedef struct {
  Config *config;
  Previews *previews;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  f->config = conf_parse("test", config_text, sizeof config_text - 1, &error);
  g_assert_no_error(error);
  f->previews = previews_new();
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  (void) data;
  previews_free(f->previews);
  conf_free(f->config);
}

/* ---- What is asked of the sender ---- */

static void
test_number_and_refusal(Fixture *f, gconstpointer data)
{
  (void) data;
  static const struct {
    const char *organisation;
    gboolean sensitive;
    guint count;
    Route route;
    const char *code, *known;
    PreviewNumber number;
    const char *refusal;
  } rows[] = {
      {"first", TRUE, 1, ROUTE_VIEWER, "Z-R1-VIEWER", NULL, PREVIEW_NUMBER_NEEDED,
       "Z-S7-NUMBER"},
      {"first", TRUE, 2, ROUTE_VIEWER, "Z-R1-VIEWER", "+31612345678", PREVIEW_NUMBER_KNOWN,
       NULL},
      {"first", TRUE, 3, ROUTE_VIEWER, "Z-R1-VIEWER", "+31612345678", PREVIEW_NUMBER_KNOWN,
       "Z-S9-RECIPIENTS"},
      {"first", TRUE, 1, ROUTE_DIRECT, "Z-R1-NTA", NULL, PREVIEW_NUMBER_NO, NULL},
      {"first", TRUE, 1, ROUTE_DIRECT, "Z-R1-NTA", "+31612345678", PREVIEW_NUMBER_NO, NULL},
      {"first", TRUE, 1, ROUTE_OWN, "Z-R1-OWN", NULL, PREVIEW_NUMBER_NO, NULL},
      {"first", TRUE, 1, ROUTE_VIEWER, "Z-R1-NO-LABEL", NULL, PREVIEW_NUMBER_NEEDED,
       "Z-R4-ADDRESS"},
      {"first", FALSE, 3, ROUTE_ORDINARY, "Z-R9-ORDINARY", NULL, PREVIEW_NUMBER_NO, NULL},
      {"first", FALSE, 1, ROUTE_PREFER, "Z-R1-NTA", NULL, PREVIEW_NUMBER_NO, NULL},
      {"optional", TRUE, 1, ROUTE_VIEWER, "Z-R1-VIEWER", NULL, PREVIEW_NUMBER_OPTIONAL,
       NULL},
      {"optional", TRUE, 1, ROUTE_VIEWER, "Z-R1-VIEWER", "+31612345678",
       PREVIEW_NUMBER_KNOWN, NULL},
      {"email", TRUE, 1, ROUTE_VIEWER, "Z-R1-VIEWER", NULL, PREVIEW_NUMBER_OPTIONAL, NULL},
      {"none", TRUE, 1, ROUTE_VIEWER, "Z-R1-VIEWER", NULL, PREVIEW_NUMBER_NO,
       "Z-S6-NO-VIEWER"},
      {"none", TRUE, 1, ROUTE_DIRECT, "Z-R1-COMMUNITY", NULL, PREVIEW_NUMBER_NO, NULL},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("row %u", i);
    const Organisation *organisation = conf_organisation(f->config, rows[i].organisation);
    RouteAnswer *answer = route_answer_new(rows[i].route, rows[i].code, "-");
    answer->number = g_strdup(rows[i].known);
    PreviewNumber number = preview_number(organisation, rows[i].sensitive, answer);
    g_assert_cmpint(number, ==, rows[i].number);
    g_assert_cmpstr(
        preview_refusal(organisation, rows[i].sensitive, rows[i].count, answer, number), ==,
        rows[i].refusal);
    route_answer_free(answer);
  }
}

/* ---- Questions ---- */

static char *
ask(Fixture *f, guint64 peer, const char *block, char **question)
{
  static char wrong[] = "not set";
  *question = wrong;
  return previews_ask(f->previews, f->config, peer, block, strlen(block), question);
}

/* BLOCK is answered at once with TEXT; NULL: it is cut off. */
static void
assert_at_once(Fixture *f, const char *block, const char *text)
{
  char *question;
  g_autofree char *answer = ask(f, PEER, block, &question);
  g_assert_null(question);
  g_assert_cmpstr(answer, ==, text);
}

static void
test_asks_dry(Fixture *f, gconstpointer data)
{
  (void) data;
  char *question;
  g_autofree char *answer = ask(f, PEER,
                                ASK "sender=arts@First.NL\nrecipient=jan@example.com\n"
                                    "dry_run=no\nrecipient=els@example.com\n\n",
                                &question);
  g_assert_null(answer);
  g_assert_cmpstr(question, ==,
                  "request=route\nversion=3\norganisation=first\nsender=arts@First.NL\n"
                  "queue_id=\nsensitive=yes\ninward=no\ndry_run=yes\nnumbers=yes\n"
                  "recipient=jan@example.com\nrecipient=els@example.com\n\n");
  g_free(question);
}

static void
test_refuses(Fixture *f, gconstpointer data)
{
  (void) data;
  assert_at_once(f, ASK "sender=arts@elsewhere.nl\nrecipient=j@example.com\n\n",
                 "version=1\nerror=the sender's domain is of no organisation here\n\n");
  assert_at_once(f, ASK "sender=\nrecipient=j@example.com\n\n",
                 "version=1\nerror=the sender's domain is of no organisation here\n\n");
  assert_at_once(
      f, "request=preview\nversion=2\nsender=a@first.nl\nrecipient=j@example.com\n\n",
      "version=1\nerror=this version is not spoken here\n\n");
  assert_at_once(f, ASK "sender=arts@first.nl\n\n", NULL);
  assert_at_once(f, ASK "recipient=j@example.com\n\n", NULL);
  assert_at_once(f, ASK "sender=a@first.nl\nsensitive=ja\nrecipient=j@example.com\n\n",
                 NULL);
  assert_at_once(f, "request=preview\nsender=a@first.nl\nrecipient=j@example.com\n\n",
                 NULL);
  assert_at_once(
      f, "request=route\nversion=1\nsender=a@first.nl\nrecipient=j@example.com\n\n", NULL);
  assert_at_once(f, "GET / HTTP/1.1\n\n", NULL);
}

static void
test_recipients_bounded(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(GString) block = g_string_new(ASK "sender=arts@first.nl\n");
  for (guint i = 0; i <= ASK_MAX_RECIPIENTS; i++)
    g_string_append_printf(block, "recipient=j%u@example.com\n", i);
  g_string_append_c(block, '\n');
  assert_at_once(f, block->str, "version=1\nerror=too many recipients\n\n");
}

static void
test_waiting_bounded(Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint64 peer = 1; peer <= PREVIEW_MAX_WAITING; peer++) {
    char *question;
    g_autofree char *answer =
        ask(f, peer, ASK "sender=a@first.nl\nrecipient=j@example.com\n\n", &question);
    g_assert_null(answer);
    g_assert_nonnull(question);
    g_free(question);
  }
  assert_at_once(f, ASK "sender=a@first.nl\nrecipient=j@example.com\n\n",
                 "version=1\nerror=too many questions wait for the DNS\n\n");
  g_free(previews_answer(f->previews, f->config, 1, NULL));
  char *question;
  g_assert_null(
      ask(f, PEER, ASK "sender=a@first.nl\nrecipient=j@example.com\n\n", &question));
  g_assert_nonnull(question);
  g_free(question);
}

/* ---- Answers ---- */

/* What the preview of two recipients by SENDER makes of ROUTES. */
static char *
preview(Fixture *f, const char *sender, const char *routes)
{
  g_autofree char *block = g_strdup_printf(
      ASK "sender=%s\nrecipient=a@example.com\nrecipient=b@example.com\n\n", sender);
  char *question;
  g_assert_null(ask(f, PEER, block, &question));
  g_free(question);
  return previews_answer(f->previews, f->config, PEER, routes);
}

static void
test_answers(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autofree char *answer = preview(
      f, "arts@first.nl",
      "version=3\nroute=direct\ncode=Z-R1-COMMUNITY\nreason=-\nnumber=\n"
      "route=viewer\ncode=Z-R1-VIEWER\nreason=Z-N1-RECORD\nnumber=+31612345678\n\n");
  g_assert_cmpstr(answer, ==,
                  "version=1\nroute=direct\ncode=Z-R1-COMMUNITY\nreason=-\nnumber=no\n"
                  "refusal=-\nroute=viewer\ncode=Z-R1-VIEWER\nreason=Z-N1-RECORD\n"
                  "number=known\nrefusal=-\n\n");
}

static void
test_answers_once(Fixture *f, gconstpointer data)
{
  (void) data;
  static const char routes[] = "version=3\nroute=own\ncode=Z-R1-OWN\nreason=-\nnumber=\n"
                               "route=own\ncode=Z-R1-OWN\nreason=-\nnumber=\n\n";
  g_autofree char *first = preview(f, "arts@first.nl", routes);
  g_assert_nonnull(first);
  g_assert_null(previews_answer(f->previews, f->config, PEER, routes));
}

static void
test_tells_failure(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autofree char *later =
      preview(f, "arts@first.nl", "version=3\nerror=not known now\n\n");
  g_assert_cmpstr(later, ==, "version=1\nerror=not known now\n\n");
  g_assert_null(preview(f, "arts@first.nl", NULL));
  g_assert_null(preview(f, "arts@first.nl",
                        "version=3\nroute=own\ncode=Z-R1-OWN\nreason=-\nnumber=\n\n"));
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*test)(Fixture *, gconstpointer);
  } tests[] = {
      {"/preview/number and refusal", test_number_and_refusal},
      {"/preview/asks dry", test_asks_dry},
      {"/preview/refuses", test_refuses},
      {"/preview/recipients bounded", test_recipients_bounded},
      {"/preview/waiting bounded", test_waiting_bounded},
      {"/preview/answers", test_answers},
      {"/preview/answers once", test_answers_once},
      {"/preview/tells failure", test_tells_failure},
  };
  tap_init(argc, argv);
  for (guint i = 0; i < G_N_ELEMENTS(tests); i++)
    g_test_add(tests[i].name, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run();
}
