/* What zegelctl report observe counts of a mail log (S5). */
#include "zegelctl/observed.h"

#include <string.h>

#include "tests/unit/tap.h"

#define NOW_S 1795342717 /* 2026-11-22 18:18:37 UTC */
#define HEAD                                                                               \
  "Nov 22 04:18:37 mx zegel-milter[713]: 4XbK2m3vZ1z9: event=observed, org=linden, "
#define ID "message-id=<1@x>, "

static const struct {
  const char *line;
  gboolean counted;
  gsize offset; /* of the number in ObservedCount that becomes 1 */
  guint by_default;
} rows[] = {
    {HEAD ID "code=Z-S5-DEFAULT, from=a@x.nl, would=pass", TRUE,
     G_STRUCT_OFFSET(ObservedCount, pass), 0},
    {HEAD ID "code=Z-S5-DEFAULT, from=a@x.nl, would=seal, direct=1, viewer=2, own=0", TRUE,
     G_STRUCT_OFFSET(ObservedCount, viewer), 1},
    {HEAD ID "code=Z-S2-TRIGGER, from=a@x.nl, would=seal, direct=1, viewer=0, own=1", TRUE,
     G_STRUCT_OFFSET(ObservedCount, direct), 0},
    {HEAD "code=Z-S2-TRIGGER, from=a@x.nl, would=seal, direct=0, viewer=0, own=1", TRUE,
     G_STRUCT_OFFSET(ObservedCount, own), 0},
    {HEAD ID
     "code=Z-S7-NUMBER, from=a@x.nl, would=refuse, reason=Z-S5-DEFAULT, about=b@y.nl",
     TRUE, G_STRUCT_OFFSET(ObservedCount, refused), 1},
    {HEAD ID "code=Z-S7-NUMBER, from=a@x.nl, would=refuse, reason=Z-S2-TRIGGER", TRUE,
     G_STRUCT_OFFSET(ObservedCount, refused), 0},
    {HEAD ID "code=Z-S5-DEFAULT, from=a@x.nl, would=unknown", TRUE,
     G_STRUCT_OFFSET(ObservedCount, unknown), 1},
    {HEAD "code=Z-S5-DEFAULT, from=<>, would=pass, later=1", TRUE,
     G_STRUCT_OFFSET(ObservedCount, pass), 0},
    {"2026-11-22T04:18:37.123456+01:00 mx zegel-milter[7]: NOQUEUE: event=observed, "
     "org=x, code=Z, from=a@x.nl, would=pass",
     TRUE, G_STRUCT_OFFSET(ObservedCount, pass), 0},
    /* what a stranger had another program write, and what is not whole */
    {"Nov 22 04:18:37 mx postfix/smtpd[1]: x zegel-milter[713]: X: event=observed, org=x, "
     "code=Z, from=a@x.nl, would=pass",
     FALSE, 0, 0},
    {"Nov 22 04:18:37 mx zegel-milter[713]: no route: x: event=observed, org=x, code=Z, "
     "from=a@x.nl, would=pass",
     FALSE, 0, 0},
    {"Nov 22 04:18:37 mx zegel-milter[7x3]: X: event=observed, org=x, code=Z, from=a@x.nl, "
     "would=pass",
     FALSE, 0, 0},
    {"Nov 22 04:18:37 mx zegel-milter[713]: X: event=refused, org=x, code=Z, from=a@x.nl, "
     "would=pass",
     FALSE, 0, 0},
    {HEAD ID "code=Z-S5-DEFAULT, from=a@x.nl, would=dance", FALSE, 0, 0},
    {HEAD ID "code=Z-S5-DEFAULT, from=a@x.nl", FALSE, 0, 0},
    {HEAD ID "code=Z-S5-DEFAULT, would=pass", FALSE, 0, 0},
    {HEAD ID "from=a@x.nl, would=refuse", FALSE, 0, 0},
    {"Foo 22 04:18:37 mx zegel-milter[713]: X: event=observed, org=x, code=Z, from=a, "
     "would=pass",
     FALSE, 0, 0},
    {"Feb 30 04:18:37 mx zegel-milter[713]: X: event=observed, org=x, code=Z, from=a, "
     "would=pass",
     FALSE, 0, 0},
    {"2026-13-22T04:18:37Z mx zegel-milter[713]: X: event=observed, org=x, code=Z, from=a, "
     "would=pass",
     FALSE, 0, 0},
    {"Nov 22 04:18:37", FALSE, 0, 0},
    {"Nov 22 04:18:37 ", FALSE, 0, 0},
    {"Nov", FALSE, 0, 0},
    {"", FALSE, 0, 0},
};

static void
test_lines(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(Observed) observed = observed_new();
    g_test_message("row %u: %s", i, rows[i].line);
    g_assert_cmpint(observed_add_line(observed, rows[i].line, NOW_S, 0), ==,
                    rows[i].counted);
    g_assert_cmpuint(observed->total.messages, ==, rows[i].counted ? 1 : 0);
    g_assert_cmpuint(g_hash_table_size(observed->senders), ==, rows[i].counted ? 1 : 0);
    if (!rows[i].counted)
      continue;
    g_assert_cmpuint(G_STRUCT_MEMBER(guint, &observed->total, rows[i].offset), ==, 1);
    g_assert_cmpuint(observed->total.by_default, ==, rows[i].by_default);
    g_assert_cmpuint(g_hash_table_size(observed->codes), ==, observed->total.refused);
  }
}

/* A date without a year is of the last year in which it was. */
static void
test_dates(void)
{
  static const struct {
    const char *date;
    gint64 since_s;
    gboolean counted;
  } cases[] = {
      {"Nov 22 04:18:37", NOW_S - 86400, TRUE},
      {"Nov  2 04:18:37", NOW_S - 86400, FALSE},
      {"Nov  2 04:18:37", NOW_S - 21 * 86400, TRUE},
      {"Dec 31 04:18:37", NOW_S - 300 * 86400, FALSE},
      {"Dec 31 04:18:37", NOW_S - 330 * 86400, TRUE},
      {"Feb 29 04:18:37", NOW_S - 366 * 86400, FALSE}, /* of 2024 */
      {"Feb 29 04:18:37", 0, TRUE},
      {"2026-11-22T04:18:37Z", NOW_S - 86400, TRUE},
      {"2026-11-22T04:18:37+0100", NOW_S - 86400, TRUE},
      {"2025-11-22T04:18:37Z", NOW_S - 86400, FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Observed) observed = observed_new();
    g_autofree char *line =
        g_strdup_printf("%s mx zegel-milter[1]: X: event=observed, org=x, code=Z, from=a, "
                        "would=pass",
                        cases[i].date);
    g_test_message("case %u: %s", i, cases[i].date);
    g_assert_cmpint(observed_add_line(observed, line, NOW_S, cases[i].since_s), ==,
                    cases[i].counted);
  }
}

static void
test_order(void)
{
  static const char *const lines[] = {
      HEAD "code=Z-B, from=b@x.nl, would=refuse",
      HEAD "code=Z-A, from=b@x.nl, would=refuse",
      HEAD "code=Z-A, from=B@x.nl, would=refuse",
      HEAD "code=Z-A, from=a@x.nl, would=pass",
      ("Nov 22 04:18:37 mx zegel-milter[1]: X: event=observed, org=a, code=Z, from=c@x.nl, "
       "would=pass"),
  };
  g_autoptr(Observed) observed = observed_new();
  for (guint i = 0; i < G_N_ELEMENTS(lines); i++)
    g_assert_true(observed_add_line(observed, lines[i], NOW_S, 0));
  g_autoptr(GPtrArray) senders = observed_sorted(observed);
  g_assert_cmpuint(senders->len, ==, 3);
  static const char *const expected[] = {"c@x.nl", "b@x.nl", "a@x.nl"};
  for (guint i = 0; i < 3; i++)
    g_assert_cmpstr(((ObservedSender *) senders->pdata[i])->sender, ==, expected[i]);
  g_assert_cmpuint(((ObservedSender *) senders->pdata[1])->count.refused, ==, 3);
  g_autoptr(GPtrArray) codes = observed_sorted_codes(observed->codes);
  g_assert_cmpuint(codes->len, ==, 2);
  g_assert_cmpstr(codes->pdata[0], ==, "Z-A");
  g_assert_cmpuint(observed->total.messages, ==, 5);
}

int
main(int argc, char **argv)
{
  g_setenv("TZ", "UTC", TRUE);
  tap_init(argc, argv);
  g_test_add_func("/observed/lines", test_lines);
  g_test_add_func("/observed/dates", test_dates);
  g_test_add_func("/observed/order", test_order);
  return g_test_run();
}
