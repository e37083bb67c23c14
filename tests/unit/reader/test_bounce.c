/*
 * test_bounce.c - what mail servers report, in the ways that they write it.
 *
 * The messages stand in tests/data/bounces.
 */
#include "reader/bounce.h"

#include <string.h>

#include "common/base/attr.h"
#include "reader/charset.h"
#include "tests/unit/tap.h"

typedef struct {
  const char *file;
  const char *action;
  const char *status;
  const char *diagnostic; /* NULL is not looked at */
} Row;

static const Row rows[] = {
    {"postfix-failed", "failed", "5.1.1",
     "550 5.1.1 <piet@example.org>: Recipient address rejected: User unknown"},
    {"postfix-delayed", "delayed", "4.4.1",
     "connect to mx.example.org[192.0.2.5]:25: Connection timed out"},
    {"postfix-success", "delivered", "2.0.0", "250 2.0.0 Ok: queued as 12345"},
    {"postfix-smtputf8", "failed", "5.2.2", "552 5.2.2 Postvak van zoë is vol"},
    {"exchange-online", "failed", "5.1.10",
     "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient piet@ziekenhuis.example not "
     "found by SMTP address lookup"},
    {"exchange-2010", "failed", "5.2.2", NULL},
    {"gmail-failed", "failed", "5.1.1", NULL},
    {"gmail-delayed", "delayed", "4.4.1", NULL},
    {"sendmail", "failed", "5.7.1", "550 5.7.1 <piet@oud.example>... Relaying denied"},
    {"exim-dsn", "failed", "5.0.0", "550 No such person at this address"},
    {"exim-old", "failed", "5.1.1",
     "host mx.exim.example [192.0.2.7] SMTP error from remote mail server after RCPT "
     "TO:<piet@exim.example>: 550 5.1.1 No such user here"},
    {"exim-warning", "other", "", ""},
    {"qmail", "failed", "5.1.1", "Sorry, no mailbox here by that name. (#5.1.1)"},
    {"qmail-remote", "failed", "5.7.1",
     "192.0.2.5 does not like recipient. Remote host said: 550 5.7.1 Service unavailable; "
     "client [192.0.2.9] blocked Giving up on 192.0.2.5."},
    {"qmail-quoted", "other", "", ""},
    {"vacation", "other", "", ""},
    {"challenge", "other", "", ""},
    {"read-receipt", "other", "", ""},
    {"forwarded-bounce", "other", "", ""},
    {"several-recipients", "failed", "5.4.4", "Host or domain name not found"},
    {"base64-status", "failed", "5.1.2", "550 5.1.2 Bad destination"},
    {"no-action", "failed", "5.1.1", ""},
    {"no-status", "failed", "5.7.26",
     "550 [192.2.0.5] 10.5.1.1 said 5.1.1.1 no, 5.7.26 DMARC"},
    {"empty-status", "other", "", ""},
    {"hostile", "failed", "5.1.1", NULL},
};

static void
test_row(gconstpointer data)
{
  const Row *row = data;
  g_autofree char *name = g_strconcat(row->file, ".eml", NULL);
  g_autofree char *path =
      g_test_build_filename(G_TEST_DIST, "tests", "data", "bounces", name, NULL);
  char *bytes = NULL;
  gsize len = 0;
  g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
  g_autoptr(Message) message = message_parse(g_byte_array_new_take((guint8 *) bytes, len));
  g_autofree char *block = bounce_view(message);
  g_autoptr(Attrs) attrs = attrs_parse(block, strlen(block), ATTR_ESCAPED, NULL);
  g_assert_nonnull(attrs);
  g_assert_cmpuint(attrs_count(attrs), ==, 3);
  g_assert_cmpstr(attrs_get(attrs, "action"), ==, row->action);
  g_assert_cmpstr(attrs_get(attrs, "status"), ==, row->status);
  if (row->diagnostic != NULL)
    g_assert_cmpstr(attrs_get(attrs, "diagnostic"), ==, row->diagnostic);
}

/* What comes from outside is one short line (T30). */
static void
test_hostile(void)
{
  g_autofree char *path =
      g_test_build_filename(G_TEST_DIST, "tests", "data", "bounces", "hostile.eml", NULL);
  char *bytes = NULL;
  gsize len = 0;
  g_assert_true(g_file_get_contents(path, &bytes, &len, NULL));
  g_autoptr(Message) message = message_parse(g_byte_array_new_take((guint8 *) bytes, len));
  g_autofree char *block = bounce_view(message);
  g_autoptr(Attrs) attrs = attrs_parse(block, strlen(block), ATTR_ESCAPED, NULL);
  const char *diagnostic = attrs_get(attrs, "diagnostic");
  g_assert_true(g_str_has_prefix(diagnostic, "eentwee%0alang lang"));
  g_assert_cmpuint(strlen(diagnostic), <=, BOUNCE_DIAGNOSTIC_MAX_BYTES);
  g_assert_cmpuint(strlen(diagnostic), >, BOUNCE_DIAGNOSTIC_MAX_BYTES - 10);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  charset_open();
  message_init();
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *path = g_strdup_printf("/bounce/V1/%s", rows[i].file);
    g_test_add_data_func(path, &rows[i], test_row);
  }
  g_test_add_func("/bounce/T30/one short line", test_hostile);
  return g_test_run();
}
