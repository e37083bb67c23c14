/* Plans: what is taken out, put in and set, and how the header leaves. */
#include "milter/plan.h"

#include "milter/content.h"
#include "tests/unit/tap.h"

/* FIELDS as "Name:value|Name:value". */
static char *
text_of(const Fields *fields)
{
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < fields->list->len; i++) {
    const Field *field = fields->list->pdata[i];
    g_string_append_printf(text, "%s%s:%s", i > 0 ? "|" : "", field->name, field->value);
  }
  return g_string_free(text, FALSE);
}

static Fields *
some_fields(void)
{
  static const char *const names[] = {"Received", "X-Zegel-A", "Subject",   "x-zegel-B",
                                      "subject",  "X-ZEGEL-A", "X-Zegelaar"};
  Fields *fields = fields_new();
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *value = g_strdup_printf(" %u", i);
    fields_add(fields, names[i], value);
  }
  return fields;
}

/* T27: last to first, so that no number is wrong when its turn comes. */
static void
test_remove(void)
{
  g_autoptr(Fields) fields = some_fields();
  g_autoptr(Plan) plan = plan_new();
  plan_remove_fields(plan, fields, "X-Zegel-*");
  static const struct {
    const char *name;
    guint index;
  } expected[] = {{"X-ZEGEL-A", 2}, {"x-zegel-B", 1}, {"X-Zegel-A", 1}};
  g_assert_cmpuint(plan->changes->len, ==, G_N_ELEMENTS(expected));
  for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
    const Change *change = plan->changes->pdata[i];
    g_assert_cmpint(change->kind, ==, CHANGE_HEADER_REMOVE);
    g_assert_cmpstr(change->name, ==, expected[i].name);
    g_assert_cmpuint(change->index, ==, expected[i].index);
  }
  g_autoptr(Fields) leaving = plan_leaving_fields(plan, fields);
  g_autofree char *text = text_of(leaving);
  g_assert_cmpstr(text, ==, "Received: 0|Subject: 2|subject: 4|X-Zegelaar: 6");
}

static void
test_leaving(void)
{
  g_autoptr(Fields) fields = some_fields();
  g_autoptr(Plan) plan = plan_new();
  plan_add(plan, CHANGE_HEADER_SET, "Subject", 2, "new");
  plan_add(plan, CHANGE_HEADER_REMOVE, "subject", 1, NULL);
  plan_remove_fields(plan, fields, "x-zegel*");
  plan_add(plan, CHANGE_HEADER_INSERT, "X-Late", 1, "a");
  plan_add(plan, CHANGE_HEADER_INSERT, "X-Later", 99, "b");
  plan_add(plan, CHANGE_RECIPIENT_ADD, "<a@b.nl>", 0, NULL);
  g_autoptr(Fields) leaving = plan_leaving_fields(plan, fields);
  g_autofree char *text = text_of(leaving);
  g_assert_cmpstr(text, ==, "Received: 0|X-Late: a|Subject: new|X-Later: b");
  g_assert_true(plan_inserts(plan, "x-late"));
  g_assert_false(plan_inserts(plan, "Subject"));
}

static void
test_refuse(void)
{
  g_autoptr(Plan) plan = plan_new();
  g_assert_cmpint(plan->verdict, ==, PLAN_KEEP);
  plan_add(plan, CHANGE_HEADER_SET, "Subject", 1, "x");
  plan_refuse(plan, REFUSAL_TROUBLE, NULL);
  plan_refuse(plan, REFUSAL_LATER, NULL);
  g_assert_cmpint(plan->verdict, ==, PLAN_REFUSE);
  g_assert_cmpuint(plan->changes->len, ==, 0);
  g_assert_cmpstr(plan->reply->enhanced_code, ==, "4.7.1");
}

/* What is more than the limits is left out, and said. */
static void
test_limits(void)
{
  g_autoptr(Fields) many = fields_new();
  for (guint i = 0; i < FIELDS_MAX; i++)
    fields_add(many, "A", "b");
  g_assert_false(many->cut);
  fields_add(many, "A", "b");
  g_assert_true(many->cut);
  g_assert_cmpuint(many->list->len, ==, FIELDS_MAX);

  g_autoptr(Fields) large = fields_new();
  g_autofree char *value = g_strnfill(FIELDS_MAX_BYTES - 1, 'x');
  fields_add(large, "A", value);
  g_assert_false(large->cut);
  fields_add(large, "B", "");
  g_assert_true(large->cut);
  g_autoptr(Plan) plan = plan_new();
  g_autoptr(Fields) leaving = plan_leaving_fields(plan, large);
  g_assert_true(leaving->cut);
  g_assert_cmpuint(leaving->list->len, ==, 1);
}

/* Whether there can be attachments at all: only one text without a name has none. */
static void
test_content_is_possible(void)
{
  static const struct {
    const char *names[2], *values[2];
    gboolean possible;
  } cases[] = {
      {{NULL}, {NULL}, FALSE},
      {{"Content-Type"}, {" text/plain"}, FALSE},
      {{"content-type"}, {"\n TEXT/HTML; charset=utf-8"}, FALSE},
      {{"Content-Type"}, {" text/plain;charset=\"x\""}, FALSE},
      {{"Content-Type"}, {" text/plain; NAME=a.exe"}, TRUE},
      {{"Content-Type"}, {" text/plain; name*0=a.exe"}, TRUE},
      {{"Content-Type"}, {" text/plainer"}, TRUE},
      {{"Content-Type"}, {" text/csv"}, TRUE},
      {{"Content-Type"}, {" multipart/mixed; boundary=x"}, TRUE},
      {{"Content-Type"}, {" message/rfc822"}, TRUE},
      {{"Content-Type"}, {" (x) text/plain"}, TRUE},
      {{"Content-Type"}, {""}, TRUE},
      {{"Content-Type", "Content-Type"}, {" text/plain", " text/plain"}, TRUE},
      {{"Content-Disposition"}, {" inline"}, TRUE},
      {{"Content-Type", "Content-Disposition"}, {" text/plain", " attachment"}, TRUE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_test_message("case %u", i);
    g_autoptr(Fields) fields = fields_new();
    for (guint n = 0; n < 2 && cases[i].names[n] != NULL; n++)
      fields_add(fields, cases[i].names[n], cases[i].values[n]);
    g_assert_cmpint(content_is_possible(fields), ==, cases[i].possible);
  }
}

static void
test_content_header(void)
{
  g_autoptr(Fields) fields = fields_new();
  fields_add(fields, "Subject", " a\n b");
  fields_add(fields, "X", "\r\n c");
  g_autoptr(GString) text = content_header(fields);
  g_assert_cmpstr(text->str, ==, "Subject: a\r\n b\r\nX:\r\n c\r\n\r\n");
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/plan/T27-remove", test_remove);
  g_test_add_func("/plan/leaving", test_leaving);
  g_test_add_func("/plan/refuse", test_refuse);
  g_test_add_func("/plan/limits", test_limits);
  g_test_add_func("/content/S10-possible", test_content_is_possible);
  g_test_add_func("/content/header", test_content_header);
  return g_test_run();
}
