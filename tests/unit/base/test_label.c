/* Labels on recipients: what they protect is lost when one is set wrong (R4). */
#include "common/base/label.h"

#include <string.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"

static const struct {
  const char *address;
  Label label;
  const char *labelled; /* NULL: invalid */
} rows[] = {
    {"jan@example.com", LABEL_VIEWER, "jan@example.com.viewer.zegel.internal"},
    {"jan@example.com", LABEL_DIRECT, "jan@example.com.direct.zegel.internal"},
    {"Jan+x@Example.COM", LABEL_VIEWER, "Jan+x@Example.COM.viewer.zegel.internal"},
    {"\"a@b\"@example.com", LABEL_VIEWER, "\"a@b\"@example.com.viewer.zegel.internal"},
    {"\"a@[\"@example.com", LABEL_VIEWER, "\"a@[\"@example.com.viewer.zegel.internal"},
    {"j\xc3\xa4n@ex\xc3\xa4mple.nl", LABEL_DIRECT,
     "j\xc3\xa4n@ex\xc3\xa4mple.nl.direct.zegel.internal"},
    {"jan@localhost", LABEL_VIEWER, "jan@localhost.viewer.zegel.internal"},
    {"jan@[192.0.2.1]", LABEL_VIEWER, NULL},
    {"jan@[IPv6:2001:db8::1]", LABEL_DIRECT, NULL},
    {"jan", LABEL_VIEWER, NULL},
    {"jan@", LABEL_VIEWER, NULL},
    {"", LABEL_VIEWER, NULL},
    {"jan@example.com.viewer.zegel.internal", LABEL_VIEWER, NULL},
    {"jan@example.com.direct.zegel.internal", LABEL_VIEWER, NULL},
    {"jan@example.com.VIEWER.ZEGEL.internal", LABEL_DIRECT, NULL},
    {"jan@example.com.other.zegel.internal", LABEL_VIEWER, NULL},
    {"jan@x.zegel.internal", LABEL_VIEWER, NULL},
};

static void
test_add(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    g_autofree char *labelled = label_add(rows[i].address, rows[i].label, &error);
    g_test_message("row %u: %s", i, rows[i].address);
    g_assert_cmpstr(labelled, ==, rows[i].labelled);
    if (rows[i].labelled == NULL) {
      g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
      continue;
    }
    g_autofree char *stripped = label_strip(labelled);
    g_assert_cmpstr(stripped, ==, rows[i].address);
    g_assert_cmpint(label_of(labelled), ==, rows[i].label);
  }
}

static void
test_too_long(void)
{
  gsize room = LABEL_DOMAIN_MAX_BYTES - strlen(".viewer.zegel.internal");
  g_autofree char *domain = g_strnfill(room, 'a');
  g_autofree char *fits = g_strdup_printf("jan@%s", domain);
  g_autofree char *over = g_strdup_printf("jan@%sa", domain);
  g_autoptr(GError) error = NULL;
  g_autofree char *good = label_add(fits, LABEL_VIEWER, &error);
  g_assert_no_error(error);
  g_assert_nonnull(good);
  g_autofree char *bad = label_add(over, LABEL_VIEWER, &error);
  g_assert_null(bad);
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT);
}

static void
test_of(void)
{
  static const struct {
    const char *text;
    Label label;
    const char *stripped;
  } cases[] = {
      {"example.com.viewer.zegel.internal", LABEL_VIEWER, "example.com"},
      {"a@example.com.DIRECT.Zegel.Internal", LABEL_DIRECT, "a@example.com"},
      {"example.com", LABEL_NONE, "example.com"},
      {"example.com.zegel.internal", LABEL_NONE, "example.com.zegel.internal"},
      {"example.comviewer.zegel.internal", LABEL_NONE, "example.comviewer.zegel.internal"},
      {".viewer.zegel.internal", LABEL_NONE, ".viewer.zegel.internal"},
      {"a@b.viewer.zegel.internal.nl", LABEL_NONE, "a@b.viewer.zegel.internal.nl"},
      {"", LABEL_NONE, ""},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *stripped = label_strip(cases[i].text);
    g_test_message("case %u: %s", i, cases[i].text);
    g_assert_cmpint(label_of(cases[i].text), ==, cases[i].label);
    g_assert_cmpstr(stripped, ==, cases[i].stripped);
  }
  g_assert_cmpstr(label_suffix(LABEL_NONE), ==, "");
  g_assert_cmpstr(label_suffix(LABEL_DIRECT), ==, ".direct.zegel.internal");
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_set_nonfatal_assertions();
  g_test_add_func("/label/R4-add", test_add);
  g_test_add_func("/label/R4-too-long", test_too_long);
  g_test_add_func("/label/of", test_of);
  return g_test_run();
}
