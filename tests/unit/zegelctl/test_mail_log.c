/* What Postfix's own lines say of a message, through all its passes (M1). */
#include "zegelctl/mail_log.h"

#include <ftw.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <utime.h>

#include "tests/unit/tap.h"
#include "zegelctl/log_date.h"
#include "zegelctl/mail_line.h"

#define NOW_S  1795342717 /* 2026-11-22 10:18:37 UTC */
#define DATE   "Nov 22 04:18:37 mx "
#define ISO    "2026-11-22T04:18:37.123456+01:00 mx "
#define ISO_S  1795317517
#define OLD    "4jXbf720bBzBN"
#define PASS1  "4jXbf73FX3zBk"
#define PASS2  "4jXbf73xwmzBq"
#define ABOUT  "devries@praktijk.nl"
#define FIELDS "relay=a[192.0.2.1]:25, delay=0.4, delays=0/0/0/0.4, dsn=2.0.0, "
#define SENT   FIELDS "status=sent (250 2.0.0 Ok: queued as "

/* ---- One line ---- */

static const struct {
  const char *line;
  MailLineKind kind;
  const char *id, *to, *status, *reply, *next, *origin;
} rows[] = {
    {DATE "postfix/smtp[7]: " OLD ": to=<a@b.nl>, " SENT "9F2)", MAIL_LINE_DELIVERY, OLD,
     "a@b.nl", "sent", "250 2.0.0 Ok: queued as 9F2", NULL, NULL},
    {ISO "postfix/smtp[7]: 4F2A1: to=<a@b.nl>, orig_to=<c@d.nl>, relay=none, conn_use=3, "
         "delay=9, delays=1/2/3/3, dsn=4.4.1, status=deferred (connect to x: refused)",
     MAIL_LINE_DELIVERY, "4F2A1", "a@b.nl", "deferred", "connect to x: refused", NULL,
     NULL},
    {ISO "postfix-out/zegel-direct/smtp[7]: " OLD ": to=<a@b.nl>, " SENT "4Xyz12)",
     MAIL_LINE_DELIVERY, OLD, "a@b.nl", "sent", "250 2.0.0 Ok: queued as 4Xyz12", "4Xyz12",
     NULL},
    {ISO "postfix/local[7]: " OLD ": to=<a@b.nl>, relay=local, delay=1, delays=1, "
         "dsn=2.0.0, status=sent (forwarded as 4Xyz12)",
     MAIL_LINE_DELIVERY, OLD, "a@b.nl", "sent", "forwarded as 4Xyz12", "4Xyz12", NULL},
    {ISO "postfix/smtp[7]: " OLD ": to=<a@b.nl>, relay=x, delay=1, delays=1, dsn=2.0.0, "
         "status=sent (forwarded as 4Xyz12)",
     MAIL_LINE_DELIVERY, OLD, "a@b.nl", "sent", "forwarded as 4Xyz12", NULL, NULL},
    {ISO "postfix/zegel-pass2/smtpd[9]: " PASS1 ": client=localhost[127.0.0.1], "
         "orig_queue_id=" OLD ", orig_client=unknown[192.0.2.100]",
     MAIL_LINE_CLIENT, PASS1, NULL, NULL, NULL, NULL, OLD},
    {ISO "postfix/qmgr[9]: " OLD ": removed", MAIL_LINE_REMOVED, OLD, NULL, NULL, NULL,
     NULL, NULL},
    {ISO "postfix/qmgr[9]: " OLD ": from=<a@b.nl>, status=expired, returned to sender",
     MAIL_LINE_EXPIRED, OLD, NULL, NULL, NULL, NULL, NULL},
    /* what the other side says stands for no field */
    {ISO "postfix/smtp[7]: " OLD ": to=<a@b.nl>, relay=x, delay=1, delays=1, dsn=5.1.1, "
         "status=bounced (host said: 550 to=<x@y.nl>, relay=y, dsn=2.0.0, status=sent (ok)",
     MAIL_LINE_DELIVERY, OLD, "a@b.nl", "bounced",
     "host said: 550 to=<x@y.nl>, relay=y, dsn=2.0.0, status=sent (ok", NULL, NULL},
    /* nothing to be learned, or not Postfix's */
    {ISO "postfix/qmgr[9]: " OLD ": from=<a@b.nl>, size=7, nrcpt=2 (queue active)",
     MAIL_LINE_OTHER, OLD, NULL, NULL, NULL, NULL, NULL},
    {ISO "postfix/smtpd[9]: " OLD ": client=localhost[127.0.0.1]", MAIL_LINE_OTHER, OLD,
     NULL, NULL, NULL, NULL, NULL},
    {ISO "postfix/smtp[7]: " OLD ": to=<a@b.nl>, relay=x, delay=1", MAIL_LINE_OTHER, OLD,
     NULL, NULL, NULL, NULL, NULL},
    {ISO "zegel-milter[7]: " OLD ": to=<a@b.nl>, " SENT "x)", MAIL_LINE_OTHER, NULL, NULL,
     NULL, NULL, NULL, NULL},
    {ISO "postfix/smtp[7x]: " OLD ": to=<a@b.nl>, " SENT "x)", MAIL_LINE_OTHER, NULL, NULL,
     NULL, NULL, NULL, NULL},
    {ISO "sshd[7]: x postfix/smtp[7]: " OLD ": to=<a@b.nl>, " SENT "x)", MAIL_LINE_OTHER,
     NULL, NULL, NULL, NULL, NULL, NULL},
    {ISO "postfix/smtpd[7]: NOQUEUE : x", MAIL_LINE_OTHER, NULL, NULL, NULL, NULL, NULL,
     NULL},
    {"Foo 22 04:18:37 mx postfix/qmgr[9]: " OLD ": removed", MAIL_LINE_OTHER, OLD, NULL,
     NULL, NULL, NULL, NULL},
    {"", MAIL_LINE_OTHER, NULL, NULL, NULL, NULL, NULL, NULL},
};

static void
test_lines(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    MailHead head = {.id = "wrong"};
    g_auto(MailLine) parsed = {.kind = MAIL_LINE_OTHER};
    gboolean split = mail_line_split(rows[i].line, &head);
    g_test_message("%s", rows[i].line);
    g_assert_true(split == (rows[i].id != NULL));
    if (!split)
      continue;
    g_assert_cmpstr(head.id, ==, rows[i].id);
    gboolean good = mail_line_parse(rows[i].line, &head, NOW_S, &parsed);
    g_assert_true(good == (rows[i].kind != MAIL_LINE_OTHER));
    g_assert_cmpint(parsed.kind, ==, rows[i].kind);
    g_assert_cmpstr(parsed.to, ==, rows[i].to);
    g_assert_cmpstr(parsed.status, ==, rows[i].status);
    g_assert_cmpstr(parsed.reply, ==, rows[i].reply);
    g_assert_cmpstr(parsed.next, ==, rows[i].next);
    g_assert_cmpstr(parsed.origin, ==, rows[i].origin);
  }
}

static void
test_dates(void)
{
  const char *rest = NULL;
  g_assert_cmpint(log_date_parse(ISO, NOW_S, &rest), ==, ISO_S);
  g_assert_cmpstr(rest, ==, " mx ");
  g_autoptr(GDateTime) date =
      g_date_time_new_from_unix_local(log_date_parse(DATE, NOW_S, &rest));
  g_assert_cmpstr(rest, ==, " mx ");
  g_assert_cmpint(g_date_time_get_year(date), ==, 2026);
  g_assert_cmpint(g_date_time_get_hour(date), ==, 4);
  date = (g_date_time_unref(date), g_date_time_new_from_unix_local(log_date_parse(
                                       "Dec 31 23:59:59 mx x", NOW_S, &rest)));
  g_assert_cmpint(g_date_time_get_year(date), ==, 2025);
}

/* ---- Passes ---- */

#define SMTP(id)   ISO "postfix/smtp[7]: " id ": "
#define AGAIN(id)  ISO "postfix/zegel-again/smtp[7]: " id ": "
#define CLIENT(id) ISO "postfix/smtpd[7]: " id ": client=localhost[127.0.0.1], "
#define GONE(id)   ISO "postfix/qmgr[7]: " id ": removed"

/* An own recipient: expansion, second pass, mailbox; and one direct. */
static const char *const passes[] = {
    CLIENT(PASS1) "orig_queue_id=" OLD ", orig_client=x",
    AGAIN(OLD) "to=<" ABOUT ".own.zegel.internal>, " SENT PASS1 ")",
    SMTP(OLD) "to=<jan@ziekenhuis.nl.direct.zegel.internal>, " SENT "4jXbf75MK5zC2)",
    GONE(OLD),
    CLIENT(PASS2) "orig_queue_id=" OLD ", orig_client=x",
    AGAIN(PASS1) "to=<" ABOUT ".seal.zegel.internal>, orig_to=<" ABOUT ">, " SENT PASS2 ")",
    GONE(PASS1),
    /* the other side's server logs here too: its queue is not ours */
    ISO "ready/virtual[7]: 4jXbf75MK5zC2: to=<jan@ziekenhuis.nl>, " FIELDS
        "status=bounced (no such user)",
    ISO "postfix/virtual[7]: " PASS2 ": to=<" ABOUT ">, relay=virtual, delay=0.1, "
        "delays=0, dsn=2.0.0, status=sent (delivered to maildir)",
    GONE(PASS2),
    NULL,
};

static MailTrace *
trace_of(const char *const *lines, gint64 from_s)
{
  MailTrace *trace = mail_trace_new();
  mail_trace_want(trace, OLD, from_s);
  for (guint i = 0; lines[i] != NULL; i++)
    mail_trace_line(trace, lines[i], NOW_S);
  return trace;
}

/* The only delivery of RECIPIENT. */
static const MailDelivery *
one(const MailTrace *trace, const char *recipient)
{
  g_autoptr(GPtrArray) found = mail_trace_find(trace, OLD, recipient);
  g_assert_cmpuint(found->len, ==, 1);
  return found->pdata[0];
}

static void
test_last_hop(void)
{
  g_autoptr(MailTrace) trace = trace_of(passes, 0);
  g_assert_true(mail_trace_is_done(trace));
  for (guint round = 0; round < 2; round++) {
    const MailDelivery *own = one(trace, "DeVries@praktijk.nl");
    g_assert_cmpstr(own->queue_id, ==, PASS2);
    g_assert_cmpstr(own->reply, ==, "delivered to maildir");
    g_assert_cmpint(own->at_s, ==, ISO_S);
    const MailDelivery *direct = one(trace, "jan@ziekenhuis.nl");
    g_assert_cmpstr(direct->queue_id, ==, OLD);
    g_assert_cmpstr(direct->status, ==, "sent");
    g_assert_cmpstr(direct->dsn, ==, "2.0.0");
    g_assert_cmpstr(direct->relay, ==, "a[192.0.2.1]:25");
    mail_trace_restart(trace);
    g_assert_false(mail_trace_is_done(trace));
    for (guint i = 0; passes[i] != NULL; i++)
      mail_trace_line(trace, passes[i], NOW_S);
  }
  g_autoptr(GPtrArray) nobody = mail_trace_find(trace, OLD, "x@ziekenhuis.nl");
  g_assert_cmpuint(nobody->len, ==, 0);
}

/* Another client's queue id behind "queued as" is no pass of ours. */
static void
test_only_our_passes(void)
{
  static const char *const lines[] = {AGAIN(OLD) "to=<" ABOUT ">, " SENT PASS1 ")",
                                      ISO "postfix/virtual[7]: " PASS1 ": to=<" ABOUT
                                          ">, " FIELDS "status=bounced (x)",
                                      GONE(OLD), NULL};
  g_autoptr(MailTrace) trace = trace_of(lines, 0);
  g_assert_cmpstr(one(trace, ABOUT)->status, ==, "sent");
}

static void
test_list_expands(void)
{
  static const char *const lines[] = {
      CLIENT(PASS1) "orig_queue_id=" OLD ", orig_client=x",
      AGAIN(OLD) "to=<team@praktijk.nl.own.zegel.internal>, " SENT PASS1 ")",
      ISO "postfix/virtual[7]: " PASS1
          ": to=<a@praktijk.nl>, orig_to=<team@praktijk.nl>, " FIELDS "status=sent (ok)",
      ISO "postfix/virtual[7]: " PASS1
          ": to=<b@praktijk.nl>, orig_to=<team@praktijk.nl>, " FIELDS
          "status=deferred (full)",
      NULL};
  g_autoptr(MailTrace) trace = trace_of(lines, 0);
  g_autoptr(GPtrArray) found = mail_trace_find(trace, OLD, "team@praktijk.nl");
  g_assert_cmpuint(found->len, ==, 2);
  g_assert_cmpstr(((MailDelivery *) found->pdata[1])->to, ==, "b@praktijk.nl");
  g_assert_cmpstr(((MailDelivery *) found->pdata[1])->status, ==, "deferred");
}

static void
test_deferred_then(void)
{
  static const char *const lines[] = {
      SMTP(OLD) "to=<" ABOUT ">, " FIELDS "status=deferred (1)",
      SMTP(OLD) "to=<" ABOUT ">, " FIELDS "status=deferred (2)",
      SMTP(OLD) "to=<b@x.nl>, " FIELDS "status=sent (3)",
      ISO "postfix/qmgr[7]: " OLD ": from=<a@b.nl>, status=expired, returned to sender",
      GONE(OLD),
      /* a short queue id comes again */
      SMTP(OLD) "to=<" ABOUT ">, " FIELDS "status=sent (4)", NULL};
  g_autoptr(MailTrace) trace = trace_of(lines, 0);
  const MailDelivery *delivery = one(trace, ABOUT);
  g_assert_cmpstr(delivery->status, ==, "expired");
  g_assert_cmpstr(delivery->reply, ==, "2");
  g_assert_cmpuint(delivery->attempts, ==, 2);
  g_assert_cmpstr(one(trace, "b@x.nl")->status, ==, "sent");
}

/* The same queue id before the message came in is another's. */
static void
test_not_before(void)
{
  static const char *const lines[] = {
      SMTP(OLD) "to=<" ABOUT ">, " FIELDS "status=bounced (1)", GONE(OLD),
      "2026-11-22T05:00:00+01:00 mx postfix/smtp[7]: " OLD ": to=<" ABOUT ">, " FIELDS
      "status=sent (2)",
      NULL};
  g_autoptr(MailTrace) trace = trace_of(lines, ISO_S + 60);
  g_assert_cmpstr(one(trace, ABOUT)->reply, ==, "2");
}

/* A queue id that is its own pass, or two in a circle, end. */
static void
test_circle(void)
{
  static const char *const lines[] = {CLIENT(PASS1) "orig_queue_id=" OLD ", x",
                                      AGAIN(OLD) "to=<" ABOUT ">, " SENT PASS1 ")",
                                      AGAIN(PASS1) "to=<" ABOUT ">, " SENT PASS1 ")", NULL};
  g_autoptr(MailTrace) trace = trace_of(lines, 0);
  g_assert_cmpstr(one(trace, ABOUT)->queue_id, ==, PASS1);
}

/* ---- Files ---- */

static int
remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
  (void) status;
  (void) type;
  (void) where;
  return remove(path);
}

/* LINES as DIRECTORY/NAME, packed when its name says so, last written at WHEN_S. */
static void
write_log(const char *directory, const char *name, const char *text, gint64 when_s)
{
  g_autofree char *path = g_build_filename(directory, name, NULL);
  g_autoptr(GFile) file = g_file_new_for_path(path);
  g_autoptr(GError) error = NULL;
  g_autoptr(GOutputStream) out =
      G_OUTPUT_STREAM(g_file_replace(file, NULL, FALSE, G_FILE_CREATE_NONE, NULL, &error));
  g_assert_no_error(error);
  if (g_str_has_suffix(name, ".gz")) {
    g_autoptr(GZlibCompressor) packer =
        g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1);
    GOutputStream *packed = g_converter_output_stream_new(out, G_CONVERTER(packer));
    g_object_unref(out);
    out = packed;
  }
  g_assert_true(g_output_stream_write_all(out, text, strlen(text), NULL, NULL, &error));
  g_assert_true(g_output_stream_close(out, NULL, &error));
  struct utimbuf times = {when_s, when_s};
  g_assert_cmpint(utime(path, &times), ==, 0);
}

/* A thousand lines of others, before NEXT. */
static char *
padded(const char *date, const char *next)
{
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < 2000; i++)
    g_string_append_printf(
        text,
        "%s mx postfix/smtp[7]: 4jXother%05u: to=<x@y.nl>, " FIELDS
        "status=sent (250 2.0.0 Ok, and this is a line as long as most)\n",
        date, i);
  g_string_append(text, next);
  return g_string_free(text, FALSE);
}

/* One delivery in each of four files; what counts is the newest since SINCE_S. */
static void
check_files(const char *directory, gint64 since_s, const char *reply, guint attempts)
{
  g_autoptr(GError) error = NULL;
  g_autofree char *path = g_build_filename(directory, "mail.log", NULL);
  g_autoptr(MailLog) log = mail_log_open(path, since_s, &error);
  g_assert_no_error(error);
  for (guint round = 0; round < 2; round++) {
    g_autoptr(MailTrace) trace = mail_trace_new();
    mail_trace_want(trace, OLD, since_s);
    g_assert_true(mail_log_read(log, since_s, trace, &error));
    g_assert_cmpstr(one(trace, ABOUT)->reply, ==, reply);
    g_assert_cmpuint(one(trace, ABOUT)->attempts, ==, attempts);
  }
}

#define DELIVERED(date, reply)                                                             \
  date " mx postfix/smtp[7]: " OLD ": to=<" ABOUT ">, " FIELDS "status=deferred (" reply ")"

static void
test_files(void)
{
  g_autofree char *directory = g_dir_make_tmp("zegel-log-XXXXXX", NULL);
  g_autofree char *current =
      padded("2026-11-22T04:00:00+01:00", DELIVERED("2026-11-22T04:18:37+01:00", "now"));
  g_autofree char *first =
      padded("2026-11-20T04:00:00+01:00", DELIVERED("2026-11-20T04:18:37+01:00", "two\n"));
  write_log(directory, "mail.log", current, ISO_S);
  write_log(directory, "mail.log.1", first, ISO_S - 2 * 86400);
  write_log(directory, "mail.log.2.gz", DELIVERED("2026-11-18T04:18:37+01:00", "four") "\n",
            ISO_S - 4 * 86400);
  write_log(directory, "mail.log-20261116.gz",
            DELIVERED("2026-11-16T04:18:37+01:00", "six") "\n", ISO_S - 6 * 86400);
  write_log(directory, "mail.log.old", DELIVERED("2026-11-22T05:00:00+01:00", "x") "\n",
            ISO_S);
  write_log(directory, "mail.err", DELIVERED("2026-11-22T05:00:00+01:00", "x") "\n", ISO_S);
  check_files(directory, ISO_S - 7 * 86400, "now", 4);
  check_files(directory, ISO_S - 5 * 86400, "now", 3);
  check_files(directory, ISO_S - 60, "now", 1);
  nftw(directory, remove_one, 4, FTW_DEPTH | FTW_PHYS);
  g_autofree char *path = g_build_filename(directory, "mail.log", NULL);
  g_autoptr(GError) error = NULL;
  g_assert_null(mail_log_open(path, 0, &error));
  g_assert_nonnull(error);
}

/* What is damaged is said, and nothing is made of it. */
static void
test_damaged(void)
{
  g_autofree char *directory = g_dir_make_tmp("zegel-log-XXXXXX", NULL);
  g_autofree char *plain = g_build_filename(directory, "mail.log.1", NULL);
  g_autofree char *packed = g_build_filename(directory, "mail.log.1.gz", NULL);
  g_autofree char *path = g_build_filename(directory, "mail.log", NULL);
  g_autoptr(GError) error = NULL;
  write_log(directory, "mail.log.1", "this is not packed\n", ISO_S);
  g_assert_cmpint(g_rename(plain, packed), ==, 0);
  g_autoptr(MailLog) log = mail_log_open(path, 0, &error);
  g_assert_no_error(error);
  g_autoptr(MailTrace) trace = mail_trace_new();
  mail_trace_want(trace, OLD, 0);
  g_assert_false(mail_log_read(log, 0, trace, &error));
  g_assert_nonnull(strstr(error->message, "mail.log.1.gz"));
  nftw(directory, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

int
main(int argc, char **argv)
{
  g_setenv("TZ", "Europe/Amsterdam", TRUE);
  tap_init(argc, argv);
  g_test_add_func("/mail_log/lines", test_lines);
  g_test_add_func("/mail_log/dates", test_dates);
  g_test_add_func("/mail_log/the last hop counts", test_last_hop);
  g_test_add_func("/mail_log/only our own passes", test_only_our_passes);
  g_test_add_func("/mail_log/a list expands", test_list_expands);
  g_test_add_func("/mail_log/deferred, then expired", test_deferred_then);
  g_test_add_func("/mail_log/not before it came in", test_not_before);
  g_test_add_func("/mail_log/a circle", test_circle);
  g_test_add_func("/mail_log/files, rotated and packed", test_files);
  g_test_add_func("/mail_log/a damaged file", test_damaged);
  return g_test_run();
}
