#include <string.h>

#include "common/base/error.h"
#include "deliver/claim.h"
#include "deliver/reply.h"
#include "tests/unit/tap.h"

/* "250 2.0.0 text": one line, ASCII, short enough for an SMTP reply. */
static void
check_line(const char *line)
{
  g_assert_nonnull(line);
  g_assert_true(g_regex_match_simple("^[2345][0-9]{2} ([245]\\.[0-9]\\.[0-9] |End data)",
                                     line, 0, 0));
  g_assert_cmpuint(strlen(line), <, 510); /* RFC 5321 4.5.3.1.5 */
  g_assert_true(g_str_is_ascii(line));
  g_assert_null(strpbrk(line, "\r\n%"));
  if (line[3] == ' ' && line[0] != '3')
    g_assert_cmpint(line[0], ==, line[4]); /* both classes agree */
}

static void
test_lines(void)
{
  for (guint i = 0; i < REPLY_COUNT; i++)
    check_line(reply_text((Reply) i));
  for (guint i = LMTP_FAULT_NONE; i <= LMTP_FAULT_PARAMETER_VALUE; i++)
    check_line(reply_fault((LmtpFault) i));
  for (guint i = 0; i < OUTCOME_COUNT; i++) {
    g_autofree char *line = reply_outcome((Outcome) i, "REF");
    check_line(line);
    g_assert_cmpint(strstr(line, "REF stored") != NULL, ==, i == OUTCOME_STORED);
    g_assert_true(g_str_has_prefix(outcome_code((Outcome) i), "Z-"));
    if (*line == '2')
      g_assert_true(g_str_has_prefix(line, "250 2.0.0 REF "));
    else
      g_assert_nonnull(strstr(line, outcome_code((Outcome) i)));
  }
}

/* Which replies send the message back, and which make Postfix keep it. */
static void
test_classes(void)
{
  static const struct {
    Outcome outcome;
    const char *code;
  } rows[] = {
      {OUTCOME_STORED, "250 2.0.0 "},
      {OUTCOME_LATER, "451 4.3.0 "},
      {OUTCOME_FULL, "452 4.3.1 "},
      {OUTCOME_ORGANISATION, "451 4.3.5 "},
      {OUTCOME_KEY, "451 4.7.0 "},
      {OUTCOME_TICKET_MISSING, "554 5.7.1 "},
      {OUTCOME_TICKET_DOUBLE, "554 5.7.1 "},
      {OUTCOME_TICKET_FORGED, "554 5.7.1 "},
      {OUTCOME_HASH, "554 5.7.7 "},
      {OUTCOME_RECIPIENT, "550 5.7.1 "},
      {OUTCOME_NUMBER, "550 5.7.1 "},
      {OUTCOME_CONFLICT, "554 5.7.7 "},
      {OUTCOME_NOTIFY_LATER, "451 4.3.0 "},
      {OUTCOME_NOTIFY_NEVER, "550 5.1.1 "},
      {OUTCOME_HEADER_TOO_LARGE, "552 5.3.4 "},
      {OUTCOME_TOO_LARGE, "552 5.3.4 "},
      {OUTCOME_NOTED, "250 2.0.0 "},
      {OUTCOME_BOUNCE_LATER, "451 4.3.0 "},
      {OUTCOME_CHANGED, "250 2.0.0 "},
      {OUTCOME_CHANGE_SENDER, "550 5.7.1 "},
      {OUTCOME_CHANGE_NUMBER, "550 5.7.1 "},
      {OUTCOME_CHANGE_OVER, "550 5.7.1 "},
      {OUTCOME_CHANGE_LATER, "451 4.3.0 "},
  };
  g_assert_cmpuint(G_N_ELEMENTS(rows), ==, OUTCOME_COUNT);
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *line = reply_outcome(rows[i].outcome, NULL);
    g_assert_true(g_str_has_prefix(line, rows[i].code));
  }
}

static void
test_errors(void)
{
  static const struct {
    ZegelError code;
    Outcome any, ticket, submit;
  } rows[] = {
      {ZEGEL_ERROR_TEMPORARY, OUTCOME_LATER, OUTCOME_LATER, OUTCOME_NOTIFY_LATER},
      {ZEGEL_ERROR_CONFIG, OUTCOME_LATER, OUTCOME_LATER, OUTCOME_NOTIFY_LATER},
      {ZEGEL_ERROR_INVALID, OUTCOME_LATER, OUTCOME_TICKET_FORGED, OUTCOME_NOTIFY_NEVER},
      {ZEGEL_ERROR_FORGED, OUTCOME_LATER, OUTCOME_TICKET_FORGED, OUTCOME_NOTIFY_LATER},
      {ZEGEL_ERROR_KEY_UNKNOWN, OUTCOME_KEY, OUTCOME_KEY, OUTCOME_NOTIFY_LATER},
      {ZEGEL_ERROR_FULL, OUTCOME_FULL, OUTCOME_FULL, OUTCOME_NOTIFY_LATER},
      {ZEGEL_ERROR_LIMIT, OUTCOME_LATER, OUTCOME_TICKET_FORGED, OUTCOME_NOTIFY_LATER},
      {ZEGEL_ERROR_CONFLICT, OUTCOME_LATER, OUTCOME_LATER, OUTCOME_NOTIFY_LATER},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = g_error_new_literal(ZEGEL_ERROR, (int) rows[i].code, "x");
    g_assert_cmpint(outcome_of_error(error), ==, rows[i].any);
    g_assert_cmpint(outcome_of_ticket_error(error), ==, rows[i].ticket);
    g_assert_cmpint(outcome_of_submit_error(error), ==, rows[i].submit);
  }
  g_autoptr(GError) foreign = g_error_new_literal(G_FILE_ERROR, G_FILE_ERROR_IO, "x");
  g_assert_cmpint(outcome_of_error(foreign), ==, OUTCOME_LATER);
}

static void
test_claims(void)
{
  Claims *claims = claims_new();
  g_assert_true(claims_take(claims, "a"));
  g_assert_false(claims_take(claims, "a"));
  g_assert_true(claims_take(claims, "b"));
  claims_release(claims, "a");
  g_assert_true(claims_take(claims, "a"));
  g_assert_false(claims_take(claims, "b"));
  claims_free(claims);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/deliver/reply/lines", test_lines);
  g_test_add_func("/deliver/reply/classes", test_classes);
  g_test_add_func("/deliver/reply/errors", test_errors);
  g_test_add_func("/deliver/claim/once", test_claims);
  return g_test_run();
}
