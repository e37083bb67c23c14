#include "policyd/answer.h"

#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "common/ask/ask.h"
#include "common/ask/check.h"
#include "common/base/error.h"
#include "policyd/tester.h"
#include "tests/unit/policyd/answer_fake.h"
#include "tests/unit/policyd/answer_rows.h"
#include "tests/unit/tap.h"

typedef struct {
  char *directory;
  char *config_path;
  char *book_path;
  char *routes_path;
  Loop *loop;
  Dns dns;
  Promises *promises;
  Clients *clients;
  Service *service;
  guint64 peers;       /* that asked */
  GHashTable *answers; /* peer to text */
} Fixture;

static void
write_config(const Fixture *f, const char *first_domains)
{
  g_autofree char *text = g_strdup_printf(
      "[policyd]\nroutes_db = %s\ndomain_book = %s\n"
      "[organisation zorg]\ndomains = %s\nservice_domain = veilig.zorg.nl\n"
      "viewer_url = https://veilig.zorg.nl/\ndisplay_name = Zorg\n"
      "nta_declaration = 2026-01-02\n"
      "[organisation ander]\ndomains = ander.nl\nservice_domain = veilig.ander.nl\n"
      "viewer_url = https://veilig.ander.nl/\ndisplay_name = Ander\n"
      "nta_declaration = 2026-01-02\nprefer_direct = no\n",
      f->routes_path, f->book_path, first_domains);
  g_assert_true(g_file_set_contents(f->config_path, text, -1, NULL));
}

static void
write_book(const Fixture *f, const char *text)
{
  g_assert_true(g_file_set_contents(f->book_path, text, -1, NULL));
}

static void
on_answer(gpointer data, guint64 peer, const char *text)
{
  Fixture *f = data;
  gboolean first = g_hash_table_insert(f->answers, GUINT_TO_POINTER((guint) peer),
                                       g_strdup(text != NULL ? text : "cut off"));
  g_assert_true(first);
  loop_stop(f->loop);
}

#define OUR_DOMAINS "zorg.nl ours.nl both.nl xn--mller-kva.nl"

static void
set_up(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autoptr(GError) error = NULL;
  f->directory = g_dir_make_tmp("zegel-answer-XXXXXX", NULL);
  f->config_path = g_build_filename(f->directory, "zegel.conf", NULL);
  f->book_path = g_build_filename(f->directory, "domains", NULL);
  f->routes_path = g_build_filename(f->directory, "routes.db", NULL);
  write_config(f, OUR_DOMAINS);
  write_book(f, BOOK_TEXT);
  Config *config = conf_load(f->config_path, &error);
  g_assert_no_error(error);
  Book *book = book_load(f->book_path, &error);
  g_assert_no_error(error);
  f->promises = promises_open(f->routes_path, NULL, &error);
  g_assert_no_error(error);
  f->loop = loop_new(NULL);
  f->dns = (Dns){.loop = f->loop, .first = "yes"};
  f->answers = g_hash_table_new_full(NULL, NULL, NULL, g_free);
  f->clients = clients_new();
  fake_certificate(f->clients, 4000, PRINT);
  const ServiceParts parts = {.config_path = f->config_path,
                              .loop = f->loop,
                              .dns = &f->dns,
                              .promises = f->promises,
                              .clients = f->clients,
                              .answer = on_answer,
                              .data = f};
  f->service = service_new(&parts, config, book);
  g_assert_true(service_start(f->service, &error));
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  (void) data;
  service_free(f->service);
  g_assert_cmpuint(f->dns.waiting, ==, 0);
  clients_free(f->clients);
  promises_close(f->promises);
  loop_free(f->loop);
  g_hash_table_unref(f->answers);
  g_autoptr(GDir) dir = g_dir_open(f->directory, 0, NULL);
  for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
    g_autofree char *path = g_build_filename(f->directory, name, NULL);
    g_unlink(path);
  }
  g_assert_cmpint(g_rmdir(f->directory), ==, 0);
  g_free(f->directory);
  g_free(f->config_path);
  g_free(f->book_path);
  g_free(f->routes_path);
}

/* ---- Questions ---- */

/* Asks about RECIPIENTS (comma-separated), and returns the peer that did. */
static guint64
begin(Fixture *f, How how, const char *recipients)
{
  g_autoptr(RouteQuestion) question = route_question_new();
  question->organisation = g_strdup(how.organisation != NULL ? how.organisation : "zorg");
  question->sender = g_strdup(how.sender != NULL ? how.sender : "arts@ours.nl");
  question->queue_id = g_strdup("4ABC");
  question->sensitive = !how.plain;
  question->inward = how.inward;
  question->dry_run = how.dry_run;
  question->client_login = g_strdup(how.login);
  question->client_address = g_strdup(how.port != 0 ? "192.0.2.7" : NULL);
  question->client_port = how.port;
  g_auto(GStrv) list = g_strsplit(recipients, ",", -1);
  for (char **recipient = list; *recipient != NULL; recipient++)
    g_ptr_array_add(question->recipients, g_strdup(*recipient));
  g_autoptr(Attrs) attrs = route_question_format(question);
  g_autofree char *block = attrs_format(attrs, ATTR_ESCAPED);
  service_question(f->service, ++f->peers, block, strlen(block));
  return f->peers;
}

static void
on_overdue(gpointer data)
{
  (void) data;
  g_assert_not_reached(); /* nobody answered */
}

static gboolean
is_answered(const Fixture *f, guint64 peer)
{
  return g_hash_table_contains(f->answers, GUINT_TO_POINTER((guint) peer));
}

/* The text that PEER got, once it has. */
static const char *
await(Fixture *f, guint64 peer)
{
  LoopTimer *overdue = loop_timer(f->loop, 2 * ASK_TIMEOUT_MS, on_overdue, NULL);
  while (!is_answered(f, peer))
    g_assert_true(loop_run(f->loop, NULL));
  loop_timer_cancel(overdue);
  return g_hash_table_lookup(f->answers, GUINT_TO_POINTER((guint) peer));
}

static void
on_time(gpointer data)
{
  loop_stop(data);
}

static void
let_pass(Fixture *f, guint ms)
{
  gint64 end_us = g_get_monotonic_time() + ms * G_TIME_SPAN_MILLISECOND;
  loop_timer(f->loop, ms, on_time, f->loop);
  while (g_get_monotonic_time() < end_us)
    g_assert_true(loop_run(f->loop, NULL));
}

/* "route code reason,route code" for COUNT recipients of PEER, or "! message". */
static char *
end(Fixture *f, guint64 peer, guint count)
{
  const char *text = await(f, peer);
  g_autoptr(GError) error = NULL;
  g_autoptr(Attrs) reply = attrs_parse(text, strlen(text), ATTR_ESCAPED, NULL);
  g_assert_nonnull(reply);
  g_autoptr(GPtrArray) answers = route_answers_parse(reply, count, &error);
  if (answers == NULL)
    return g_strdup_printf("! %s", error->message);
  g_autoptr(GString) all = g_string_new(NULL);
  for (guint i = 0; i < answers->len; i++) {
    const RouteAnswer *answer = answers->pdata[i];
    g_string_append_printf(all, "%s%s %s", i > 0 ? "," : "", route_name(answer->route),
                           answer->code);
    if (strcmp(answer->reason, "-") != 0)
      g_string_append_printf(all, " %s", answer->reason);
  }
  return g_string_free(g_steal_pointer(&all), FALSE);
}

static char *
ask_how(Fixture *f, How how, const char *recipients)
{
  guint count = 1;
  for (const char *p = recipients; *p != '\0'; p++)
    count += *p == ',';
  return end(f, begin(f, how, recipients), count);
}

static char *
ask(Fixture *f, const char *recipients)
{
  return ask_how(f, (How){0}, recipients);
}

/* ---- Tests ---- */

static void
test_table(Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *answers = ask_how(f, rows[i].how, rows[i].recipients);
    g_test_message("row %u", i);
    g_assert_cmpstr(answers, ==, rows[i].answers);
  }
}

static const PromiseHop partner_hop = {"[mail.partner.nl]:25", "dane-only", PROMISE_BOOK};
static const PromiseHop yes_hop = {"yes.nl", NULL, PROMISE_NTA};

/* Whether DOMAIN is promised to HOP already: nothing would be new. */
static gboolean
is_promised(const Fixture *f, const char *domain, Label label, const PromiseHop *hop)
{
  static const PromiseWays ways = {
      .direct = "zegel-direct", .store = "unused", .prefer = "zegel-prefer"};
  g_autoptr(Promises) seen = promises_open(f->routes_path, NULL, NULL);
  return !promises_note(seen, domain, label, hop, &ways);
}

/* The promise is on disk when the answer is there, for a second reader of the file. */
static void
test_promised_before_answer(Fixture *f, gconstpointer data)
{
  (void) data;
  g_assert_false(is_promised(f, "partner.nl", LABEL_DIRECT, &partner_hop));
  g_autofree char *plain = ask_how(f, (How){.plain = TRUE}, "jan@partner.nl");
  g_assert_cmpstr(plain, ==, PREFER);
  g_assert_true(is_promised(f, "partner.nl", LABEL_PREFER, &partner_hop));
  g_assert_false(is_promised(f, "partner.nl", LABEL_DIRECT, &partner_hop));
  g_autofree char *answer = ask(f, "jan@Partner.nl");
  g_assert_cmpstr(answer, ==, COMMUNITY);
  g_assert_true(is_promised(f, "partner.nl", LABEL_DIRECT, &partner_hop));
  g_autofree char *nta = ask(f, "jan@yes.nl");
  g_assert_cmpstr(nta, ==, NTA);
  g_assert_true(is_promised(f, "yes.nl", LABEL_DIRECT, &yes_hop));
  g_assert_false(is_promised(f, "yes.nl", LABEL_PREFER, &yes_hop));
}

/* Who only wants to know, and mail that comes in, get no promise. */
static void
test_nothing_promised(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autofree char *dry = ask_how(f, (How){.dry_run = TRUE}, "a@partner.nl,b@yes.nl");
  g_assert_cmpstr(dry, ==, COMMUNITY "," NTA);
  g_autofree char *prefer =
      ask_how(f, (How){.dry_run = TRUE, .plain = TRUE}, "a@partner.nl");
  g_assert_cmpstr(prefer, ==, PREFER);
  g_autofree char *inward = ask_how(
      f, (How){.inward = TRUE, .sender = "a@partner.nl", .port = 4000}, "b@ours.nl");
  g_assert_cmpstr(inward, ==, COMMUNITY);
  g_assert_false(is_promised(f, "partner.nl", LABEL_DIRECT, &partner_hop));
  g_assert_false(is_promised(f, "partner.nl", LABEL_PREFER, &partner_hop));
  g_assert_false(is_promised(f, "yes.nl", LABEL_DIRECT, &yes_hop));
}

/* R5: one next hop cannot have two TLS rules; the first that was promised stays. */
static void
test_conflict(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autofree char *both = ask(f, "a@yes-partner.nl,b@yes-other.nl,c@yes-partner.nl");
  g_assert_cmpstr(both, ==, NTA ",viewer Z-R1-VIEWER Z-R5-CONFLICT," NTA);
  g_autofree char *later = ask(f, "b@yes-other.nl");
  g_assert_cmpstr(later, ==, "viewer Z-R1-VIEWER Z-R5-CONFLICT");
}

/* Without the promise there is no answer, for nobody in the question; then it works again.
 */
static void
test_no_promise_no_answer(Fixture *f, gconstpointer data)
{
  (void) data;
  g_assert_cmpint(g_unlink(f->routes_path), ==, 0);
  g_assert_cmpint(g_mkdir(f->routes_path, 0700), ==, 0); /* nothing can be put back there */
  g_usleep(1000 * PROMISES_LOOK_MS);
  g_autofree char *viewer = ask(f, "jan@no.nl");
  g_assert_cmpstr(viewer, ==, VIEWER);
  g_autofree char *failed = ask(f, "jan@no.nl,jan@partner.nl");
  g_assert_true(g_str_has_prefix(failed, "! policyd: "));
  g_assert_cmpint(g_rmdir(f->routes_path), ==, 0);
  g_usleep(1000 * PROMISES_LOOK_MS);
  g_autofree char *direct = ask(f, "jan@partner.nl");
  g_assert_cmpstr(direct, ==, COMMUNITY);
  g_assert_true(is_promised(f, "partner.nl", LABEL_DIRECT, &partner_hop));
}

/* ---- The same once more ---- */

/* What was answered just now is decided anew when something changed. */
static void
test_changed(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autofree char *first = ask(f, "jan@partner.nl");
  g_autofree char *again = ask(f, "jan@partner.nl");
  g_assert_cmpstr(first, ==, COMMUNITY);
  g_assert_cmpstr(again, ==, COMMUNITY);
  g_autofree char *also = ask(f, "jan@yes.nl");
  g_autofree char *kept = ask(f, "jan@yes.nl");
  g_assert_cmpstr(also, ==, NTA);
  g_assert_cmpstr(kept, ==, NTA);
  g_assert_cmpuint(promises_withdraw(f->promises, "yes.nl"), ==, 1);
  g_assert_true(promises_commit(f->promises, NULL));
  g_assert_false(is_promised(f, "yes.nl", LABEL_DIRECT, &yes_hop));
  g_autofree char *withdrawn = ask(f, "jan@yes.nl");
  g_assert_cmpstr(withdrawn, ==, NTA);
  g_assert_true(is_promised(f, "yes.nl", LABEL_DIRECT, &yes_hop));

  write_book(f, "new.nl [mail.new.nl] dane-only\n");
  g_assert_true(service_reload(f->service, NULL));
  g_autofree char *reloaded = ask(f, "jan@partner.nl");
  g_assert_cmpstr(reloaded, ==, VIEWER);
}

/* While answers are given again it is seen all the same that routes.db is gone. */
static void
test_gone_meanwhile(Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 3; i++) {
    g_autofree char *answer = ask(f, "jan@partner.nl");
    g_assert_cmpstr(answer, ==, COMMUNITY);
  }
  g_assert_cmpint(g_unlink(f->routes_path), ==, 0);
  g_assert_cmpint(g_mkdir(f->routes_path, 0700), ==, 0);
  let_pass(f, PROMISES_LOOK_MS);
  for (guint i = 0; i < 3; i++) {
    g_autofree char *failed = ask(f, "jan@partner.nl");
    g_assert_true(g_str_has_prefix(failed, "! policyd: "));
  }
  g_assert_cmpint(g_rmdir(f->routes_path), ==, 0);
}

/* However often it is asked, a verdict lasts no longer than what it hung on. */
static void
test_expires_meanwhile(Fixture *f, gconstpointer data)
{
  (void) data;
  f->dns.keep_us = 1; /* counts as VERDICTS_KEEP_MIN_S */
  g_autofree char *first = ask(f, "a@yes.nl");
  gint64 kept_us = g_get_monotonic_time() + VERDICTS_KEEP_MIN_S * G_TIME_SPAN_SECOND;
  g_assert_cmpstr(first, ==, NTA);
  f->dns.first = "no";
  while (g_get_monotonic_time() < kept_us)
    g_free(ask(f, "a@yes.nl"));
  let_pass(f, 1); /* answers are given again by the clock of the loop */
  g_autofree char *last = ask(f, "a@yes.nl");
  g_assert_cmpstr(last, ==, NOT_OURS);
}

/* What was not known in time is no answer to keep. */
static void
test_late_once(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autofree char *late = ask_how(f, (How){.plain = TRUE}, "c@slow.nl");
  g_assert_cmpstr(late, ==, ORDINARY " Z-R6-LATE");
  guint64 next = begin(f, (How){.plain = TRUE}, "c@slow.nl");
  g_assert_false(is_answered(f, next));
  g_autofree char *once_more = end(f, next, 1);
  g_assert_cmpstr(once_more, ==, late);
}

/* ---- Waiting for the DNS ---- */

/* What the book and zegel.conf know needs no DNS, and is answered within the question. */
static void
test_at_once(Fixture *f, gconstpointer data)
{
  (void) data;
  guint64 own = begin(f, (How){0}, "a@zorg.nl,b@partner.nl,c");
  g_assert_true(is_answered(f, own));
  guint64 off =
      begin(f, (How){.organisation = "ander", .sender = "a@ander.nl", .plain = TRUE},
            "a@yes.nl,b@silent.nl");
  g_assert_true(is_answered(f, off));
  g_assert_cmpuint(f->dns.asked, ==, 0);
  guint64 cold = begin(f, (How){0}, "a@yes.nl");
  g_assert_false(is_answered(f, cold));
  await(f, cold);
  guint64 warm = begin(f, (How){0}, "a@yes.nl");
  g_assert_true(is_answered(f, warm));
  g_assert_cmpuint(f->dns.asked, ==, 4); /* two for each side */
}

/* Those who ask about the same domain wait for one lookup. */
static void
test_shared(Fixture *f, gconstpointer data)
{
  (void) data;
  guint64 peers[20];
  for (guint i = 0; i < G_N_ELEMENTS(peers); i++)
    peers[i] = begin(f, (How){.plain = i % 3 == 0}, "a@yes.nl,b@yes.nl,c@no.nl");
  for (guint i = 0; i < G_N_ELEMENTS(peers); i++) {
    g_autofree char *answers = end(f, peers[i], 3);
    if (i % 3 != 0)
      g_assert_cmpstr(answers, ==, NTA "," NTA "," VIEWER);
  }
  g_assert_cmpuint(f->dns.asked, ==, 2 + 2 + 1);
}

/* A domain of ours that is not ready decides: nobody else's is looked at then. */
static void
test_ours_first(Fixture *f, gconstpointer data)
{
  (void) data;
  f->dns.first = "no";
  g_autofree char *cold = ask(f, "a@no.nl");
  g_assert_cmpstr(cold, ==, NOT_OURS);
  guint asked = f->dns.asked;
  guint64 peer = begin(f, (How){0}, "a@yes.nl,b@silent.nl");
  g_assert_true(is_answered(f, peer));
  g_autofree char *warm = end(f, peer, 2);
  g_assert_cmpstr(warm, ==, NOT_OURS "," NOT_OURS);
  g_assert_cmpuint(f->dns.asked, ==, asked);
}

/* R6: sensitive mail hears "not now" before its asker gives up; the rest goes on. */
static void
test_silent(Fixture *f, gconstpointer data)
{
  (void) data;
  gint64 start_us = g_get_monotonic_time();
  guint64 sensitive = begin(f, (How){0}, "a@zorg.nl,b@silent.nl");
  guint64 plain = begin(f, (How){.plain = TRUE}, "a@silent.nl,b@yes.nl,c@slow.nl");
  g_autofree char *ordinary = end(f, plain, 3);
  gint64 plain_ms = (g_get_monotonic_time() - start_us) / 1000;
  g_assert_cmpstr(ordinary, ==,
                  ORDINARY " Z-R6-LATE,prefer Z-R1-NTA Z-N1-FAKE," ORDINARY " Z-R6-LATE");
  g_assert_cmpint(plain_ms, >=, SERVICE_PREFER_MS - 10);
  g_assert_cmpint(plain_ms, <, 4 * ASK_PREFER_TIMEOUT_MS);
  g_autofree char *waits = end(f, sensitive, 2);
  gint64 sensitive_ms = (g_get_monotonic_time() - start_us) / 1000;
  g_assert_cmpstr(waits, ==, UNKNOWN("silent.nl", "Z-N1-FAKE"));
  g_assert_cmpint(sensitive_ms, <, 4 * ASK_TIMEOUT_MS);
  /* What came after the first had gone on is known now. */
  g_autofree char *slow = ask_how(f, (How){.plain = TRUE}, "c@slow.nl");
  g_assert_cmpstr(slow, ==, "prefer Z-R1-NTA Z-N1-FAKE");
}

/* A verdict lasts as long as the answers that it hung on, and a failure a few seconds. */
static void
test_kept(Fixture *f, gconstpointer data)
{
  (void) data;
  f->dns.keep_us = 1; /* counts as VERDICTS_KEEP_MIN_S */
  g_autofree char *first = ask(f, "a@yes.nl");
  g_assert_cmpstr(first, ==, NTA);
  g_assert_cmpuint(f->dns.asked, ==, 4);
  let_pass(f, 1000 * VERDICTS_KEEP_MIN_S + 50);
  f->dns.keep_us = 0;
  f->dns.first = "no";
  g_autofree char *second = ask(f, "a@yes.nl");
  g_assert_cmpstr(second, ==, NOT_OURS);
  g_assert_cmpuint(f->dns.asked, ==, 4 + 1 + 2);
  g_autofree char *failure = ask_how(f, (How){.sender = "x@both.nl"}, "a@failure.nl");
  g_autofree char *again = ask_how(f, (How){.sender = "x@both.nl"}, "a@failure.nl");
  g_assert_cmpstr(failure, ==, again);
}

/* A reload while somebody waits: what counts when he is answered is the new state. */
static void
test_reload_meanwhile(Fixture *f, gconstpointer data)
{
  (void) data;
  guint64 joined = begin(f, (How){0}, "a@yes.nl");
  guint64 left =
      begin(f, (How){.organisation = "ander", .sender = "a@ander.nl"}, "a@no.nl");
  write_book(f, "yes.nl [mail.yes.nl] dane-only\n");
  write_config(f, OUR_DOMAINS);
  g_assert_true(service_reload(f->service, NULL));
  g_autofree char *community = end(f, joined, 1);
  g_assert_cmpstr(community, ==, COMMUNITY);
  g_autofree char *viewer = end(f, left, 1);
  g_assert_cmpstr(viewer, ==, NOT_OURS);
}

/* Freed while many wait: nobody is called any more. */
static void
test_end(Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 50; i++)
    begin(f, (How){.plain = i % 2 == 0}, "a@silent.nl,b@slow.nl,c@yes.nl");
  let_pass(f, 100);
  g_assert_cmpuint(f->dns.waiting, >, 0);
}

/* ---- Checks ---- */

static guint64
begin_check(Fixture *f, const char *domain, gboolean fresh)
{
  const CheckQuestion question = {(char *) domain, fresh};
  g_autoptr(Attrs) attrs = check_question_format(&question);
  g_autofree char *block = attrs_format(attrs, ATTR_ESCAPED);
  service_question(f->service, ++f->peers, block, strlen(block));
  return f->peers;
}

/* "code result own|other" of the only line, or "! message". */
static char *
check(Fixture *f, const char *domain, gboolean fresh)
{
  const char *text = await(f, begin_check(f, domain, fresh));
  gboolean own = -1;
  g_autoptr(GError) error = NULL;
  g_autoptr(Attrs) attrs = attrs_parse(text, strlen(text), ATTR_ESCAPED, NULL);
  g_autoptr(GPtrArray) lines = check_answer_parse(attrs, &own, &error);
  if (lines == NULL)
    return g_strdup_printf("! %s", error->message);
  g_assert_cmpuint(lines->len, ==, 1);
  const CheckLine *line = lines->pdata[0];
  return g_strdup_printf("%s %s %s", line->code, check_result_name(line->result),
                         own ? "own" : "other");
}

static void
test_check(Fixture *f, gconstpointer data)
{
  static const struct {
    const char *domain, *answer;
  } checks[] = {
      {"yes.nl", "Z-N1-FAKE pass other"},
      {"Yes.NL.", "Z-N1-FAKE pass other"},
      {"no.nl", "Z-N1-FAKE fail other"},
      {"failure.nl", "Z-N1-FAKE unknown other"},
      {"ours.nl", "Z-N2-FAKE pass own"},
      {"zorg.nl", "Z-N2-FAKE fail own"},
      {"ander.nl", "Z-N2-FAKE fail own"},
      {"partner.nl", "Z-N1-FAKE fail other"},
      {"a@b", "! policyd: this is no domain name"},
  };
  (void) data;
  for (guint i = 0; i < G_N_ELEMENTS(checks); i++) {
    g_autofree char *answer = check(f, checks[i].domain, i % 2 == 0);
    g_test_message("row %u", i);
    g_assert_cmpstr(answer, ==, checks[i].answer);
  }
}

/* The router takes over what a check found. */
static void
test_check_counts(Fixture *f, gconstpointer data)
{
  (void) data;
  f->dns.first = "no";
  g_autofree char *before = ask(f, "a@yes.nl");
  g_assert_cmpstr(before, ==, NOT_OURS);
  f->dns.first = "yes";
  g_autofree char *same = ask(f, "a@yes.nl");
  g_assert_cmpstr(same, ==, NOT_OURS);
  g_autofree char *answer = check(f, "ours.nl", TRUE);
  g_assert_cmpstr(answer, ==, "Z-N2-FAKE pass own");
  g_autofree char *after = ask(f, "a@yes.nl");
  g_assert_cmpstr(after, ==, NTA);
}

/* A person waits longer than a message, and others not for him. */
static void
test_checks_bounded(Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < TESTER_MAX; i++)
    g_assert_false(is_answered(f, begin_check(f, "silent.nl", FALSE)));
  g_autofree char *full = check(f, "yes.nl", FALSE);
  g_assert_cmpstr(full, ==, "! policyd: too many domains are checked now");
  g_autofree char *route = ask(f, "a@yes.nl");
  g_assert_cmpstr(route, ==, NTA);
}

/* ---- The rest ---- */

static void
test_nonsense(Fixture *f, gconstpointer data)
{
  (void) data;
  static const char *const blocks[] = {"\n", "HELO there\n\n", "request=route\n\n",
                                       "request=domain\n\n", "=\n\n"};
  for (guint i = 0; i < G_N_ELEMENTS(blocks); i++) {
    service_question(f->service, ++f->peers, blocks[i], strlen(blocks[i]));
    g_assert_cmpstr(await(f, f->peers), ==, "cut off");
  }
}

static void
test_reload(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autofree char *before = ask(f, "jan@partner.nl");
  g_assert_cmpstr(before, ==, COMMUNITY);

  write_book(f, "new.nl [mail.new.nl] dane-only\n");
  write_config(f, "zorg.nl later.nl");
  g_assert_true(service_reload(f->service, NULL));
  g_autofree char *after = ask(f, "jan@partner.nl,jan@new.nl,jan@both.nl,jan@later.nl");
  g_assert_cmpstr(after, ==,
                  "viewer Z-R1-VIEWER Z-N2-NOT-OURS," COMMUNITY
                  ",viewer Z-R1-VIEWER Z-N2-NOT-OURS," OWN);
  g_assert_false(is_promised(f, "partner.nl", LABEL_DIRECT, &partner_hop));
}

/* A bad book, a bad configuration or none at all: what was known stays known. */
static void
test_bad_reload(Fixture *f, gconstpointer data)
{
  (void) data;
  write_book(f, "new.nl [mail.new.nl] dane-only\npartner.nl oops\n");
  g_assert_false(service_reload(f->service, NULL));
  g_autofree char *first = ask(f, "jan@partner.nl,jan@new.nl");
  g_assert_cmpstr(first, ==, COMMUNITY "," VIEWER);
  g_unlink(f->book_path);
  g_assert_false(service_reload(f->service, NULL));
  write_book(f, "new.nl [mail.new.nl] dane-only\n");
  g_assert_true(g_file_set_contents(f->config_path, "[nothing]\n", -1, NULL));
  g_assert_false(service_reload(f->service, NULL));
  g_autofree char *last = ask(f, "jan@partner.nl,jan@new.nl");
  g_assert_cmpstr(last, ==, COMMUNITY "," VIEWER);
}

/* Who comes to the same address and port a moment later is not taken for the last one. */
static void
test_next_client(Fixture *f, gconstpointer data)
{
  (void) data;
  const How how = {.inward = TRUE, .sender = "a@partner.nl", .port = 4000};
  g_autofree char *first = ask_how(f, how, "b@ours.nl");
  g_assert_cmpstr(first, ==, COMMUNITY);
  fake_certificate(f->clients, 4000, NULL);
  g_autofree char *second = ask_how(f, how, "b@ours.nl");
  g_assert_cmpstr(second, ==, STRANGER);
  fake_certificate(f->clients, 4000, PRINT);
  g_autofree char *third = ask_how(f, how, "b@ours.nl");
  g_assert_cmpstr(third, ==, COMMUNITY);
}

static void
add(const char *path, void (*test)(Fixture *, gconstpointer))
{
  g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  add("/answer/table", test_table);
  add("/answer/promised-before-answer", test_promised_before_answer);
  add("/answer/nothing-promised", test_nothing_promised);
  add("/answer/conflict", test_conflict);
  add("/answer/no-promise-no-answer", test_no_promise_no_answer);
  add("/answer/changed", test_changed);
  add("/answer/gone-meanwhile", test_gone_meanwhile);
  add("/answer/expires-meanwhile", test_expires_meanwhile);
  add("/answer/late-once", test_late_once);
  add("/answer/at-once", test_at_once);
  add("/answer/shared", test_shared);
  add("/answer/ours-first", test_ours_first);
  add("/answer/silent", test_silent);
  add("/answer/kept", test_kept);
  add("/answer/reload-meanwhile", test_reload_meanwhile);
  add("/answer/end", test_end);
  add("/answer/check", test_check);
  add("/answer/check-counts", test_check_counts);
  add("/answer/checks-bounded", test_checks_bounded);
  add("/answer/nonsense", test_nonsense);
  add("/answer/reload", test_reload);
  add("/answer/bad-reload", test_bad_reload);
  add("/answer/next-client", test_next_client);
  return g_test_run();
}
