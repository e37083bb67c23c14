/* The pool of workers with the real, confined zegel-spf, and with one that misbehaves. */
#include "policyd/spf.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/sandbox/sandbox.h"
#include "tests/unit/policyd/fake_dns.h"
#include "tests/unit/tap.h"

#define WAIT_MS  20000 /* for a verdict; far more than it takes */
#define NOTHING  ((SpfVerdict) 99)
#define LOCAL_IP "127.0.0.1"

typedef struct {
  Loop *loop;
  Dns *dns;
  Spf *spf;
  guint waiting; /* verdicts */
  guint killed;
} Fixture;

typedef struct {
  Fixture *f;
  SpfVerdict verdict;
  guint calls;
} Ticket;

static char *
built(const char *name)
{
  return g_test_build_filename(G_TEST_BUILT, name, NULL);
}

static void
use(Fixture *f, const char *program)
{
  spf_free(f->spf);
  f->spf = spf_new(f->loop, f->dns, program);
}

static void
set_up(Fixture *f, gconstpointer data)
{
  (void) data;
  g_autofree char *program = built("policyd/zegel-spf");
  f->loop = loop_new(NULL);
  f->dns = fake_dns_new(f->loop);
  use(f, program);
  fake_dns_put_txt(f->dns, "pass.example", "v=spf1 ip4:192.0.2.1 -all");
  fake_dns_put_txt(f->dns, "none.example", "something else");
  fake_dns_put_txt(f->dns, "a.example", "v=spf1 a:host.example -all");
  dns_answer_add(fake_dns_put(f->dns, "host.example", RR_A, DNS_DATA), "\xc0\x00\x02\x01",
                 4);
  fake_dns_put(f->dns, "broken.example", RR_TXT, DNS_FAILURE);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  (void) data;
  spf_free(f->spf);
  fake_dns_free(f->dns);
  loop_free(f->loop);
}

static void
on_verdict(gpointer data, SpfVerdict verdict)
{
  Ticket *ticket = data;
  ticket->verdict = verdict;
  ticket->calls++;
  if (--ticket->f->waiting == 0)
    loop_stop(ticket->f->loop);
}

static SpfWaiter *
ask(Fixture *f, Ticket *ticket, const char *address, const char *helo, const char *sender)
{
  *ticket = (Ticket){.f = f, .verdict = NOTHING};
  f->waiting++;
  return spf_ask(f->spf, address, helo, sender, on_verdict, ticket);
}

static void
on_too_late(gpointer data)
{
  (void) data;
  g_error("no verdict came");
}

static void
wait_for_all(Fixture *f)
{
  LoopTimer *late = loop_timer(f->loop, WAIT_MS, on_too_late, NULL);
  g_assert_true(loop_run(f->loop, NULL));
  loop_timer_cancel(late);
}

static SpfVerdict
check(Fixture *f, const char *address, const char *helo, const char *sender)
{
  Ticket ticket;
  ask(f, &ticket, address, helo, sender);
  g_assert_cmpuint(ticket.verdict, ==, NOTHING); /* never from within spf_ask */
  wait_for_all(f);
  g_assert_cmpuint(ticket.calls, ==, 1);
  return ticket.verdict;
}

/* Field NUMBER (from 1) of what /proc says of process PID, or NULL. */
static char *
stat_field(const char *pid, guint number)
{
  g_autofree char *path = g_build_filename("/proc", pid, "stat", NULL);
  g_autofree char *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, NULL))
    return NULL;
  const char *after_name = strrchr(text, ')');
  g_auto(GStrv) fields = g_strsplit(after_name + 2, " ", -1);
  return g_strdup(fields[number - 3]);
}

/* Process ids of our children that are no zombies, as texts. */
static GPtrArray *
children(void)
{
  GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *us = g_strdup_printf("%d", getpid());
  g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
  for (const char *name; (name = g_dir_read_name(proc)) != NULL;) {
    g_autofree char *parent = g_ascii_isdigit(*name) ? stat_field(name, 4) : NULL;
    g_autofree char *state = parent != NULL ? stat_field(name, 3) : NULL;
    if (state != NULL && strcmp(parent, us) == 0 && strcmp(state, "Z") != 0)
      g_ptr_array_add(found, g_strdup(name));
  }
  return found;
}

static void
kill_children(int signal_number)
{
  g_autoptr(GPtrArray) pids = children();
  g_assert_cmpuint(pids->len, >, 0);
  for (guint i = 0; i < pids->len; i++)
    g_assert_cmpint(kill((pid_t) g_ascii_strtoll(pids->pdata[i], NULL, 10), signal_number),
                    ==, 0);
}

static void
test_verdicts(Fixture *f, gconstpointer data)
{
  static const struct {
    const char *address, *helo, *sender;
    SpfVerdict verdict;
  } rows[] = {
      {"192.0.2.1", "h.example", "jan@pass.example", SPF_VERDICT_PASS},
      {"192.0.2.2", "h.example", "jan@pass.example", SPF_VERDICT_FAIL},
      {"::ffff:192.0.2.1", "h.example", "jan@pass.example", SPF_VERDICT_PASS},
      {"2001:db8::1", "h.example", "jan@pass.example", SPF_VERDICT_FAIL},
      {"192.0.2.1", "h.example", "jan@PASS.example", SPF_VERDICT_PASS},
      {"192.0.2.1", "h.example", "jan@a.example", SPF_VERDICT_PASS},
      {"192.0.2.1", "h.example", "jan@none.example", SPF_VERDICT_NONE},
      {"192.0.2.1", "h.example", "jan@not-there.example", SPF_VERDICT_NONE},
      {"192.0.2.1", "h.example", "jan@broken.example", SPF_VERDICT_TEMPERROR},
      {"192.0.2.1", "pass.example", "", SPF_VERDICT_PASS},
      {"192.0.2.1", "h.example", "jan@localhost", SPF_VERDICT_NONE},
      {"192.0.2.1", "h.example", "pass.example", SPF_VERDICT_PASS},
      {"pass", "h.example", "jan@pass.example", SPF_VERDICT_TEMPERROR},
      {"", "", "", SPF_VERDICT_TEMPERROR},
      /* libspf2 itself says "pass (localhost)" to these */
      {LOCAL_IP, "h.example", "jan@pass.example", SPF_VERDICT_FAIL},
      {"127.255.0.1", "h.example", "jan@none.example", SPF_VERDICT_NONE},
      {"::1", "h.example", "jan@pass.example", SPF_VERDICT_FAIL},
  };
  (void) data;
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    SpfVerdict verdict = check(f, rows[i].address, rows[i].helo, rows[i].sender);
    g_test_message("%s %s", rows[i].address, rows[i].sender);
    g_assert_cmpstr(spf_verdict_name(verdict), ==, spf_verdict_name(rows[i].verdict));
  }
}

/* Senders that no grammar has, and too long ones, harm nobody. */
static void
test_odd_senders(Fixture *f, gconstpointer data)
{
  static const char *const locals[] = {"\"a b\"", "a\\b", "\x01\x7f", "\xc3\xa9", "%{l}",
                                       "%",       "a@b",  "..",       "'"};
  g_autofree char *long_local = g_strnfill(SPF_TIMEOUT_MS, 'x');
  g_autofree char *long_sender = g_strconcat(long_local, "@pass.example", NULL);
  (void) data;
  fake_dns_put_txt(f->dns, "odd.example",
                   "v=spf1 exists:%{l}.x.example exists:%{S}.x.example ip4:192.0.2.1 -all");
  for (gsize i = 0; i < G_N_ELEMENTS(locals); i++) {
    g_autofree char *sender = g_strconcat(locals[i], "@odd.example", NULL);
    g_assert_cmpint(check(f, "192.0.2.1", "h.example", sender), ==, SPF_VERDICT_PASS);
  }
  g_assert_cmpint(check(f, "192.0.2.1", "h.example", long_sender), ==,
                  SPF_VERDICT_TEMPERROR);
  g_assert_cmpint(check(f, "192.0.2.1", "h.example", "jan@pass.example"), ==,
                  SPF_VERDICT_PASS);
}

/* NAME has a record with MACROS macros and a literal of LITERAL octets. */
static void
put_macros(Fixture *f, const char *name, guint macros, gsize literal)
{
  g_autoptr(GString) text = g_string_new("v=spf1 a:");
  for (guint i = 0; i < macros; i++)
    g_string_append(text, "%{d}");
  g_autofree char *letters = g_strnfill(literal, 'x');
  g_string_append_printf(text, "%s.nl +all", letters);
  g_autoptr(GByteArray) rdata = g_byte_array_new();
  for (gsize at = 0; at < text->len; at += 255) {
    guint8 len = (guint8) MIN(text->len - at, 255);
    g_byte_array_append(rdata, &len, 1);
    g_byte_array_append(rdata, (const guint8 *) text->str + at, len);
  }
  dns_answer_add(fake_dns_put(f->dns, name, RR_TXT, DNS_DATA), rdata->data, rdata->len);
}

/*
 * CVE-2023-42118: with 127 macros, a longer literal is copied over the stack of libspf2
 * (3700 octets ended its process). The worker lives, and its process is the same.
 */
static void
test_overflow(Fixture *f, gconstpointer data)
{
  static const gsize literals[] = {200, 1500, 3700, 20000};
  (void) data;
  g_assert_cmpint(check(f, "192.0.2.1", "h", "jan@pass.example"), ==, SPF_VERDICT_PASS);
  g_autoptr(GPtrArray) before = children();
  for (gsize i = 0; i < G_N_ELEMENTS(literals); i++) {
    put_macros(f, "macros.example", 127, literals[i]);
    g_assert_cmpint(check(f, "192.0.2.1", "h", "jan@macros.example"), ==,
                    SPF_VERDICT_PERMERROR);
  }
  g_autoptr(GPtrArray) after = children();
  g_assert_cmpuint(after->len, ==, 1);
  g_assert_cmpstr(before->pdata[0], ==, after->pdata[0]);
}

static void
kill_asker(gpointer data, const char *name)
{
  Fixture *f = data;
  if (strcmp(name, "host.example") != 0)
    return;
  f->killed++;
  fake_dns_on_ask(f->dns, NULL, NULL);
  kill_children(SIGABRT);
}

/* libspf2's abort() in the middle of a check. */
static void
test_abort_costs_one_answer(Fixture *f, gconstpointer data)
{
  (void) data;
  g_assert_cmpint(check(f, "192.0.2.1", "h", "jan@a.example"), ==, SPF_VERDICT_PASS);
  fake_dns_on_ask(f->dns, kill_asker, f);
  g_assert_cmpint(check(f, "192.0.2.1", "h", "jan@a.example"), ==, SPF_VERDICT_TEMPERROR);
  g_assert_cmpuint(f->killed, ==, 1);
  g_assert_cmpint(check(f, "192.0.2.1", "h", "jan@a.example"), ==, SPF_VERDICT_PASS);
}

/* One that dies between two checks costs nothing but its start. */
static void
test_death_while_idle(Fixture *f, gconstpointer data)
{
  (void) data;
  for (guint i = 0; i < 3; i++) {
    g_assert_cmpint(check(f, "192.0.2.1", "h", "jan@pass.example"), ==, SPF_VERDICT_PASS);
    kill_children(SIGKILL);
    loop_timer(f->loop, 100, (LoopDue) loop_stop, f->loop); /* it is noticed */
    g_assert_true(loop_run(f->loop, NULL));
  }
}

static void
test_confined(Fixture *f, gconstpointer data)
{
  (void) data;
  g_assert_cmpint(check(f, "192.0.2.1", "h", "jan@pass.example"), ==, SPF_VERDICT_PASS);
  g_autoptr(GPtrArray) pids = children();
  g_assert_cmpuint(pids->len, ==, 1);
  const char *pid = pids->pdata[0];
  g_autofree char *path = g_build_filename("/proc", pid, "status", NULL);
  g_autofree char *status = NULL, *environment = NULL;
  gsize len = 1;
  g_assert_true(g_file_get_contents(path, &status, NULL, NULL));
  g_assert_nonnull(strstr(status, "\nSeccomp:\t2\n"));
  g_assert_nonnull(strstr(status, "\nNoNewPrivs:\t1\n"));
  g_assert_nonnull(strstr(status, "\nThreads:\t1\n"));

  g_autofree char *environ_path = g_build_filename("/proc", pid, "environ", NULL);
  g_assert_true(g_file_get_contents(environ_path, &environment, &len, NULL));
  g_assert_cmpuint(len, ==, 0);
  g_autofree char *fd_path = g_build_filename("/proc", pid, "fd", NULL);
  g_autoptr(GDir) fds = g_dir_open(fd_path, 0, NULL);
  guint count = 0;
  while (fds != NULL && g_dir_read_name(fds) != NULL)
    count++;
  g_assert_cmpuint(count, ==, 3);
}

static void
test_many_at_once(Fixture *f, gconstpointer data)
{
  static Ticket tickets[SPF_MAX_WAITING];
  (void) data;
  for (guint i = 0; i < G_N_ELEMENTS(tickets); i++)
    ask(f, &tickets[i], i % 2 == 0 ? "192.0.2.1" : "192.0.2.2", "h", "jan@a.example");
  g_autoptr(GPtrArray) pids = children();
  g_assert_cmpuint(pids->len, ==, SPF_WORKERS);
  wait_for_all(f);
  for (guint i = 0; i < G_N_ELEMENTS(tickets); i++)
    g_assert_cmpint(tickets[i].verdict, ==,
                    i % 2 == 0 ? SPF_VERDICT_PASS : SPF_VERDICT_FAIL);
}

/* A worker is replaced after a thousand checks, without losing one. */
static void
test_replaced(Fixture *f, gconstpointer data)
{
  (void) data;
  g_assert_cmpint(check(f, "192.0.2.1", "h", "jan@pass.example"), ==, SPF_VERDICT_PASS);
  g_autoptr(GPtrArray) before = children();
  g_assert_cmpuint(before->len, ==, 1);
  for (guint i = 0; i < 1005; i++)
    g_assert_cmpint(check(f, "192.0.2.1", "h", "jan@pass.example"), ==, SPF_VERDICT_PASS);
  g_autoptr(GPtrArray) after = children();
  g_assert_cmpuint(after->len, ==, 1);
  g_assert_cmpstr(before->pdata[0], !=, after->pdata[0]);
}

static int
kept(Fixture *f, const char *sender, gint64 *expires_us)
{
  SpfVerdict verdict = SPF_VERDICT_NONE;
  return spf_cached(f->spf, "192.0.2.1", "h", sender, &verdict, expires_us) ? (int) verdict
                                                                            : -1;
}

/* A verdict is kept until the first of the answers behind it expires; an error is not. */
static void
test_cached(Fixture *f, gconstpointer data)
{
  (void) data;
  gint64 expires_us = 0, now_us = g_get_monotonic_time();
  gint64 soon_us = now_us + 60 * G_TIME_SPAN_SECOND, late_us = 2 * soon_us;
  DnsAnswer *host = fake_dns_put(f->dns, "kept.example", RR_A, DNS_DATA);
  dns_answer_add(host, "\xc0\x00\x02\x01", 4);
  host->expires_us = soon_us;
  DnsAnswer *record = fake_dns_put(f->dns, "mail.example", RR_TXT, DNS_DATA);
  static const char text[] = "\x1cv=spf1 a:kept.example ?all  ";
  dns_answer_add(record, text, sizeof text - 1);
  record->expires_us = late_us;
  g_assert_cmpint(kept(f, "jan@mail.example", &expires_us), ==, -1);
  g_assert_cmpint(check(f, "192.0.2.1", "h", "jan@mail.example"), ==, SPF_VERDICT_PASS);
  g_assert_cmpint(kept(f, "jan@mail.example", &expires_us), ==, SPF_VERDICT_PASS);
  g_assert_cmpint(expires_us, ==, soon_us);
  g_assert_cmpint(kept(f, "els@mail.example", &expires_us), ==, -1);
  g_assert_cmpint(check(f, "192.0.2.1", "h", "jan@pass.example"), ==, SPF_VERDICT_PASS);
  g_assert_cmpint(kept(f, "jan@pass.example", &expires_us), ==, -1); /* expired already */
  DnsAnswer *broken = fake_dns_put(f->dns, "fails.example", RR_TXT, DNS_FAILURE);
  broken->expires_us = late_us;
  g_assert_cmpint(check(f, "192.0.2.1", "h", "jan@fails.example"), ==,
                  SPF_VERDICT_TEMPERROR);
  g_assert_cmpint(kept(f, "jan@fails.example", &expires_us), ==, -1);
}

/* A DNS that says nothing: the worker is ended, and what waited behind it gets its turn. */
static void
test_overdue(Fixture *f, gconstpointer data)
{
  Ticket held[SPF_WORKERS], behind, cancelled;
  (void) data;
  fake_dns_hold(f->dns, "silent.example");
  gint64 begin_us = g_get_monotonic_time();
  for (guint i = 0; i < SPF_WORKERS; i++)
    ask(f, &held[i], "192.0.2.1", "h", "jan@silent.example");
  SpfWaiter *waiter = ask(f, &cancelled, "192.0.2.1", "h", "jan@pass.example");
  ask(f, &behind, "192.0.2.1", "h", "jan@pass.example");
  spf_cancel(waiter);
  f->waiting--;
  wait_for_all(f);
  gint64 took_ms = (g_get_monotonic_time() - begin_us) / G_TIME_SPAN_MILLISECOND;
  for (guint i = 0; i < SPF_WORKERS; i++)
    g_assert_cmpint(held[i].verdict, ==, SPF_VERDICT_TEMPERROR);
  g_assert_cmpint(took_ms, >=, SPF_TIMEOUT_MS);
  g_assert_cmpint(took_ms, <, 2 * SPF_TIMEOUT_MS);
  g_assert_cmpint(cancelled.verdict, ==, NOTHING);
  g_assert_cmpint(check(f, "192.0.2.1", "h", "jan@pass.example"), ==, SPF_VERDICT_PASS);
}

/* Freed with checks in every state: nobody is called, no process stays. */
static void
test_freed_early(Fixture *f, gconstpointer data)
{
  Ticket tickets[3 * SPF_WORKERS];
  (void) data;
  fake_dns_hold(f->dns, "silent.example");
  for (guint i = 0; i < G_N_ELEMENTS(tickets); i++)
    ask(f, &tickets[i], "192.0.2.1", "h", "jan@silent.example");
  loop_timer(f->loop, 200, (LoopDue) loop_stop, f->loop);
  g_assert_true(loop_run(f->loop, NULL));
  spf_free(g_steal_pointer(&f->spf));
  g_autoptr(GPtrArray) pids = children();
  g_assert_cmpuint(pids->len, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS(tickets); i++)
    g_assert_cmpuint(tickets[i].calls, ==, 0);
}

static void
test_misbehaves(Fixture *f, gconstpointer data)
{
  static const char *const ways[] = {"flood",         "leave",      "two-questions",
                                     "verdict-first", "other-type", "no-such-verdict",
                                     "long-verdict",  "bad-name",   "too-long"};
  g_autofree char *program = built("tests/unit/policyd/bad_spf");
  (void) data;
  use(f, program);
  fake_dns_hold(f->dns, "one.example"); /* so that what follows comes out of turn */
  for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
    gint64 begin_us = g_get_monotonic_time();
    g_test_message("%s", ways[i]);
    g_assert_cmpint(check(f, "192.0.2.1", ways[i], "jan@pass.example"), ==,
                    SPF_VERDICT_TEMPERROR);
    g_assert_cmpint(g_get_monotonic_time() - begin_us, <,
                    SPF_TIMEOUT_MS / 2 * G_TIME_SPAN_MILLISECOND);
  }
  g_assert_cmpuint(fake_dns_asked(f->dns), <, 300);
  g_assert_cmpint(check(f, "192.0.2.1", "talk-on", "jan@pass.example"), ==,
                  SPF_VERDICT_PASS);
  g_assert_cmpint(check(f, "192.0.2.1", "good", "jan@pass.example"), ==, SPF_VERDICT_PASS);
}

static void
test_no_program(Fixture *f, gconstpointer data)
{
  static const char *const programs[] = {"/nonexistent/zegel-spf", "/dev/null",
                                         "/bin/false", "/bin/cat"};
  (void) data;
  for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
    use(f, programs[i]);
    gint64 begin_us = g_get_monotonic_time();
    for (guint again = 0; again < 3; again++)
      g_assert_cmpint(check(f, "192.0.2.1", "h", "jan@pass.example"), ==,
                      SPF_VERDICT_TEMPERROR);
    g_assert_cmpint(g_get_monotonic_time() - begin_us, <,
                    SPF_TIMEOUT_MS / 2 * G_TIME_SPAN_MILLISECOND);
  }
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  log_open("test_spf", TRUE);
  /* As zegel-policyd is: workers must start all the same. */
  g_assert_true(sandbox_harden(NULL));
#define ADD(path, test) g_test_add("/spf/" path, Fixture, NULL, set_up, test, tear_down)
  ADD("verdicts", test_verdicts);
  ADD("odd-senders", test_odd_senders);
  ADD("overflow", test_overflow);
  ADD("abort-costs-one-answer", test_abort_costs_one_answer);
  ADD("death-while-idle", test_death_while_idle);
  ADD("confined", test_confined);
  ADD("many-at-once", test_many_at_once);
  ADD("replaced", test_replaced);
  ADD("cached", test_cached);
  ADD("overdue", test_overdue);
  ADD("freed-early", test_freed_early);
  ADD("misbehaves", test_misbehaves);
  ADD("no-program", test_no_program);
  return g_test_run();
}
