#include "common/ask/ask.h"

#include <string.h>

#include "common/base/error.h"
#include "tests/unit/tap.h"

static void
test_route_names(void)
{
  const Route all[] = {ROUTE_ORDINARY, ROUTE_PREFER, ROUTE_OWN, ROUTE_DIRECT, ROUTE_VIEWER};
  for (guint i = 0; i < G_N_ELEMENTS(all); i++) {
    Route route = (Route) 99;
    g_assert_true(route_parse(route_name(all[i]), &route));
    g_assert_cmpint(route, ==, all[i]);
  }
  Route route = (Route) 99;
  g_assert_false(route_parse("Viewer", &route));
  g_assert_false(route_parse("", &route));
  g_assert_cmpint(route, ==, 99);
}

static void
test_question_round_trip(void)
{
  g_autoptr(RouteQuestion) question = route_question_new();
  question->organisation = g_strdup("zorg");
  question->sender = g_strdup("arts@zorg.nl");
  question->queue_id = g_strdup("4XYZ");
  question->sensitive = TRUE;
  question->dry_run = TRUE;
  g_ptr_array_add(question->recipients, g_strdup("a%41b\nrecipient=x@y@example.com"));
  g_ptr_array_add(question->recipients, g_strdup("j\xc3\xb6rg@m\xc3\xbcller.example"));

  g_autoptr(Attrs) attrs = route_question_format(question);
  g_autofree char *text = attrs_format(attrs, ATTR_ESCAPED);
  g_autoptr(Attrs) read = attrs_parse(text, strlen(text), ATTR_ESCAPED, NULL);
  g_autoptr(RouteQuestion) copy = route_question_parse(read, NULL);
  g_assert_nonnull(copy);
  g_assert_cmpstr(copy->organisation, ==, "zorg");
  g_assert_cmpstr(copy->sender, ==, "arts@zorg.nl");
  g_assert_cmpstr(copy->queue_id, ==, "4XYZ");
  g_assert_true(copy->sensitive);
  g_assert_false(copy->inward);
  g_assert_true(copy->dry_run);
  g_assert_cmpuint(copy->recipients->len, ==, 2);
  for (guint i = 0; i < 2; i++)
    g_assert_cmpstr(copy->recipients->pdata[i], ==, question->recipients->pdata[i]);
}

#define NAMES "organisation=o\nsender=\nqueue_id=\n"
#define FLAGS "sensitive=no\ninward=no\ndry_run=no\nnumbers=no\n"
#define HEAD  "request=route\nversion=3\n" NAMES
#define ONE   "recipient=a@b\n\n"

static const struct {
  const char *block;
  gboolean good;
} questions[] = {
    {HEAD FLAGS ONE, TRUE},
    {HEAD "sensitive=yes\ninward=yes\ndry_run=yes\nnumbers=no\n" ONE, TRUE},
    {HEAD FLAGS "recipient=a@b\nlater=ignored\nrecipient=c@d\n\n", TRUE},
    {HEAD FLAGS "\n", FALSE},
    {HEAD FLAGS "recipient=\n\n", FALSE},
    {HEAD "sensitive=1\ninward=no\ndry_run=no\nnumbers=no\n" ONE, FALSE},
    {HEAD "sensitive=no\ninward=\ndry_run=no\nnumbers=no\n" ONE, FALSE},
    {HEAD "sensitive=no\ninward=no\ndry_run=maybe\nnumbers=no\n" ONE, FALSE},
    {HEAD "inward=no\ndry_run=no\nnumbers=no\n" ONE, FALSE},
    {HEAD "sensitive=no\ndry_run=no\nnumbers=no\n" ONE, FALSE},
    {HEAD "sensitive=no\ninward=no\n" ONE, FALSE},
    {HEAD "sensitive=no\ninward=no\ndry_run=no\n" ONE, FALSE},
    {HEAD "sensitive=no\ninward=no\ndry_run=no\nnumbers=1\n" ONE, FALSE},
    {HEAD FLAGS "client_address=192.0.2.1\nclient_port=25\nclient_login=a\n" ONE, TRUE},
    {HEAD FLAGS "client_address=192.0.2.1\n" ONE, FALSE},
    {HEAD FLAGS "client_address=192.0.2.1\nclient_port=65536\n" ONE, FALSE},
    {HEAD FLAGS "client_address=\nclient_port=1\n" ONE, FALSE},
    {HEAD FLAGS "client_login=\n" ONE, FALSE},
    {HEAD ONE, FALSE},
    {"request=route\nversion=1\n" NAMES FLAGS ONE, FALSE},
    {"request=route\nversion=2\n" NAMES FLAGS ONE, FALSE},
    {"request=route\n" NAMES FLAGS ONE, FALSE},
    {"request=other\nversion=3\n" NAMES FLAGS ONE, FALSE},
    {"request=domain\nversion=3\n" NAMES FLAGS ONE, FALSE},
    {"version=3\n" NAMES FLAGS ONE, FALSE},
    {"request=route\nversion=3\norganisation=\nsender=\nqueue_id=\n" FLAGS ONE, FALSE},
    {"request=route\nversion=3\norganisation=o\nqueue_id=\n" FLAGS ONE, FALSE},
    {"request=route\nversion=3\norganisation=o\nsender=\n" FLAGS ONE, FALSE},
    {"\n", FALSE},
};

static void
test_question_table(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(questions); i++) {
    const char *block = questions[i].block;
    g_autoptr(GError) error = NULL;
    g_autoptr(Attrs) attrs = attrs_parse(block, strlen(block), ATTR_ESCAPED, NULL);
    g_autoptr(RouteQuestion) question = route_question_parse(attrs, &error);
    g_test_message("row %u", i);
    g_assert_true((question != NULL) == questions[i].good);
    if (!questions[i].good)
      g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID);
  }
}

/* A question with COUNT recipients of LEN octets each. */
static RouteQuestion *
big_question(guint count, gsize len)
{
  RouteQuestion *question = route_question_new();
  question->organisation = g_strdup("o");
  for (guint i = 0; i < count; i++)
    g_ptr_array_add(question->recipients, g_strnfill(len, 'a'));
  return question;
}

static void
test_question_limits(void)
{
  static const struct {
    guint count;
    gsize len;
    gboolean good;
  } rows[] = {
      {ASK_MAX_RECIPIENTS, 320, TRUE},
      {ASK_MAX_RECIPIENTS + 1, 3, FALSE},
      {1, ASK_ADDRESS_MAX_BYTES, TRUE},
      {1, ASK_ADDRESS_MAX_BYTES + 1, FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(RouteQuestion) question = big_question(rows[i].count, rows[i].len);
    g_autoptr(Attrs) attrs = route_question_format(question);
    g_autoptr(RouteQuestion) copy = route_question_parse(attrs, NULL);
    g_test_message("row %u", i);
    g_assert_true((copy != NULL) == rows[i].good);
  }
}

static void
test_answers_round_trip(void)
{
  g_autoptr(GPtrArray) answers =
      g_ptr_array_new_with_free_func((GDestroyNotify) route_answer_free);
  g_ptr_array_add(answers, route_answer_new(ROUTE_DIRECT, "Z-R1-COMMUNITY", "-"));
  g_ptr_array_add(answers, route_answer_new(ROUTE_VIEWER, "Z-R1-VIEWER", "Z-N1-DATES"));
  g_autoptr(Attrs) attrs = route_answers_format(answers);
  g_autoptr(GPtrArray) copy = route_answers_parse(attrs, 2, NULL);
  g_assert_nonnull(copy);
  g_assert_cmpuint(copy->len, ==, 2);
  const RouteAnswer *first = copy->pdata[0];
  const RouteAnswer *second = copy->pdata[1];
  g_assert_cmpint(first->route, ==, ROUTE_DIRECT);
  g_assert_cmpstr(first->code, ==, "Z-R1-COMMUNITY");
  g_assert_cmpint(second->route, ==, ROUTE_VIEWER);
  g_assert_cmpstr(second->code, ==, "Z-R1-VIEWER");
  g_assert_cmpstr(first->reason, ==, "-");
  g_assert_cmpstr(second->reason, ==, "Z-N1-DATES");
}

static const struct {
  const char *block;
  guint count;
  int code; /* of the error; -1: none */
} replies[] = {
    {"version=3\nroute=own\ncode=Z\nreason=-\nnumber=\n\n", 1, -1},
    {"version=3\nroute=prefer\ncode=Z\nreason=Z-N1-READY\nnumber=\n\n", 1, -1},
    {"version=3\nroute=own\ncode=Z\nreason=-\nnumber=\n\n", 2, ZEGEL_ERROR_INVALID},
    {"version=3\nroute=own\ncode=Z\nreason=-\nnumber=\n\n", 0, ZEGEL_ERROR_INVALID},
    {"version=3\nroute=own\ncode=Z\nreason=-\nnumber=\n\n", G_MAXUINT, ZEGEL_ERROR_INVALID},
    {"version=3\nroute=own\ncode=Z\nreason=-\nnumber=\n\n", 0x55555556,
     ZEGEL_ERROR_INVALID},
    {"version=3\nroute=own\ncode=Z\n\n", 1, ZEGEL_ERROR_INVALID},
    {"version=3\nroute=own\ncode=Z\nreason=\nnumber=\n\n", 1, ZEGEL_ERROR_INVALID},
    {"version=3\nroute=own\ncode=Z\nreason=a b\nnumber=\n\n", 1, ZEGEL_ERROR_INVALID},
    {"version=3\nroute=own\nreason=-\nnumber=\ncode=Z\n\n", 1, ZEGEL_ERROR_INVALID},
    {"version=3\ncode=Z\nroute=own\nreason=-\nnumber=\n\n", 1, ZEGEL_ERROR_INVALID},
    {"version=3\nroute=plain\ncode=Z\nreason=-\nnumber=\n\n", 1, ZEGEL_ERROR_INVALID},
    {"version=3\nroute=own\ncode=\nreason=-\nnumber=\n\n", 1, ZEGEL_ERROR_INVALID},
    {"version=3\nroute=own\ncode=A B\nreason=-\nnumber=\n\n", 1, ZEGEL_ERROR_INVALID},
    {"version=1\nroute=own\ncode=Z\n\n", 1, ZEGEL_ERROR_INVALID},
    {"route=own\ncode=Z\nreason=-\nnumber=\n\n", 1, ZEGEL_ERROR_INVALID},
    {"version=3\nerror=later\n\n", 1, ZEGEL_ERROR_TEMPORARY},
    {"version=3\nroute=own\ncode=Z\nreason=-\nnumber=\nerror=later\n\n", 1,
     ZEGEL_ERROR_TEMPORARY},
    {"\n", 1, ZEGEL_ERROR_INVALID},
};

static void
test_answers_table(void)
{
  for (guint i = 0; i < G_N_ELEMENTS(replies); i++) {
    const char *block = replies[i].block;
    g_autoptr(GError) error = NULL;
    g_autoptr(Attrs) attrs = attrs_parse(block, strlen(block), ATTR_ESCAPED, NULL);
    g_autoptr(GPtrArray) answers = route_answers_parse(attrs, replies[i].count, &error);
    g_test_message("row %u", i);
    g_assert_true((answers != NULL) == (replies[i].code < 0));
    if (replies[i].code >= 0)
      g_assert_error(error, ZEGEL_ERROR, replies[i].code);
  }
}

static void
test_failure_format(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Attrs) attrs = route_failure_format("the resolver is silent");
  g_assert_null(route_answers_parse(attrs, 1, &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY);
  g_assert_nonnull(strstr(error->message, "the resolver is silent"));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/ask/route-names", test_route_names);
  g_test_add_func("/ask/question/round-trip", test_question_round_trip);
  g_test_add_func("/ask/question/table", test_question_table);
  g_test_add_func("/ask/question/limits", test_question_limits);
  g_test_add_func("/ask/answers/round-trip", test_answers_round_trip);
  g_test_add_func("/ask/answers/table", test_answers_table);
  g_test_add_func("/ask/answers/failure", test_failure_format);
  return g_test_run();
}
