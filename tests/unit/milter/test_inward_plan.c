/* What changes in the header of a message that comes in: marks, results, subject (N5, T27).
 */
#include "milter/inward_plan.h"

#include <string.h>

#include "common/mail/header.h"
#include "tests/unit/tap.h"

#define ID "mail.own.nl"

static Organisation veilig = {.name = (char *) "a", .secure_subject = (char *) "[veilig]"};
static Organisation also = {.name = (char *) "b", .secure_subject = (char *) "[veilig]"};
static Organisation secure = {.name = (char *) "c", .secure_subject = (char *) "[sécure]"};
static Organisation plain = {.name = (char *) "d", .secure_subject = (char *) ""};

/* A message from TEXT, "Name:value" lines, and what leaves of it as such lines. */
typedef struct {
  Fields *fields;
  GPtrArray *signatures, *organisations;
  VerifyAnswer answer;
  InwardFacts facts;
  InwardDecision decision;
  InwardMessage message;
} Fixture;

static void
fixture_init(Fixture *f, const char *text)
{
  *f = (Fixture){.fields = fields_new(),
                 .signatures = g_ptr_array_new(),
                 .organisations = g_ptr_array_new()};
  g_auto(GStrv) lines = g_strsplit(text, "|", -1);
  for (char **line = lines; *line != NULL; line++) {
    g_auto(GStrv) parts = g_strsplit(*line, ":", 2);
    fields_add(f->fields, parts[0], parts[1]);
  }
  f->answer = (VerifyAnswer){.spf = (char *) "pass",
                             .spf_domain = (char *) "ready.nl",
                             .spf_aligned = TRUE,
                             .dmarc = VERIFY_FOUND,
                             .dmarc_policy = (char *) "reject"};
  f->facts = (InwardFacts){.answer = &f->answer, .signatures = f->signatures};
  f->decision = (InwardDecision){.dmarc = DMARC_PASS, .code = "Z-N5-DKIM"};
  f->message = (InwardMessage){.fields = f->fields,
                               .authserv_id = ID,
                               .author = "ready.nl",
                               .tls_version = "TLSv1.3",
                               .organisations = f->organisations};
}

static void
fixture_clear(Fixture *f)
{
  fields_free(f->fields);
  g_ptr_array_unref(f->signatures);
  g_ptr_array_unref(f->organisations);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

/* The header as it leaves, "Name:value" lines parted by '|'. */
static char *
leaving(const Fixture *f)
{
  g_autoptr(Plan) plan = inward_plan(&f->facts, &f->decision, &f->message);
  g_assert_cmpint(plan->verdict, ==, PLAN_KEEP);
  g_autoptr(Fields) fields = plan_leaving_fields(plan, f->fields);
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < fields->list->len; i++) {
    const Field *field = fields->list->pdata[i];
    g_string_append_printf(text, "%s%s:%s", i > 0 ? "|" : "", field->name, field->value);
  }
  return g_string_free(text, FALSE);
}

/* The value of the one field called NAME that leaves; NULL: there is none. */
static char *
leaving_value(const Fixture *f, const char *name)
{
  g_autoptr(Plan) plan = inward_plan(&f->facts, &f->decision, &f->message);
  g_autoptr(Fields) fields = plan_leaving_fields(plan, f->fields);
  g_assert_cmpuint(fields_count(fields, name), <=, 1);
  const Field *field = fields_find(fields, name, 1);
  return field != NULL ? g_strdup(field->value) : NULL;
}

static void
test_marks(void)
{
  g_auto(Fixture) f;
  fixture_init(&f, "X-Zegel-Secure: nta; x|Subject: a|X-ZEGEL-ticket : b|"
                   "X-Zegel-Secure: c|X-NTA7516: 1|x-nta7516 : 2|X-Zegelaar: 3");
  g_autofree char *value = leaving(&f);
  g_assert_cmpstr(value, ==,
                  "Authentication-Results: mail.own.nl;\n"
                  "\tdkim=none;\n"
                  "\tspf=pass\n"
                  "\t  smtp.mailfrom=ready.nl;\n"
                  "\tdmarc=pass\n"
                  "\t  policy.dmarc=reject\n"
                  "\t  header.from=ready.nl|Subject: a|X-Zegelaar: 3");
}

/* Issue: eight Authentication-Results of which three are ours. */
static void
test_eight(void)
{
  g_auto(Fixture) f;
  fixture_init(
      &f, "Authentication-Results: one; none|Authentication-Results: mail.own.nl; none|"
          "Authentication-Results: two; none|authentication-results : \"MAIL.own.nl\" 1; "
          "dkim=pass|Authentication-Results: three; none|"
          "AUTHENTICATION-RESULTS: (mail.own.nl) four; none|"
          "Authentication-Results: (c) mail.own.nl; dmarc=pass|"
          "Authentication-Results: five; none");
  f.facts.watch = TRUE;
  g_autofree char *value = leaving(&f);
  g_assert_cmpstr(value, ==,
                  "Authentication-Results: one; none|Authentication-Results: two; none|"
                  "Authentication-Results: three; none|"
                  "AUTHENTICATION-RESULTS: (mail.own.nl) four; none|"
                  "Authentication-Results: five; none");
  f.facts.watch = FALSE;
  g_autofree char *marked = leaving(&f);
  g_assert_true(
      g_str_has_prefix(marked, "Authentication-Results: mail.own.nl;\n\tdkim=none"));
  g_assert_true(g_str_has_suffix(marked, value));
}

/* Who only watches gets his mail as it is, but for our marks. */
static void
test_watch(void)
{
  g_auto(Fixture) f;
  fixture_init(&f, "Subject: [veilig] a|X-NTA7516: 1|X-Zegel-Secure: nta");
  g_ptr_array_add(f.organisations, &veilig);
  f.facts.watch = TRUE;
  f.decision.secure = SECURE_NTA;
  g_autofree char *value = leaving(&f);
  g_assert_cmpstr(value, ==, "Subject: [veilig] a|X-NTA7516: 1");
  f.decision = (InwardDecision){.action = INWARD_REFUSE, .refusal = REFUSAL_DMARC};
  g_autofree char *kept = leaving(&f);
  g_assert_cmpstr(kept, ==, value);
  f.decision.action = INWARD_QUARANTINE;
  g_autofree char *not_held = leaving(&f);
  g_assert_cmpstr(not_held, ==, value);
}

static void
test_secure(void)
{
  g_auto(Fixture) f;
  fixture_init(&f, "Subject: a|X-NTA7516: 1|X-Zegel-Secure: community");
  f.decision.secure = SECURE_NTA;
  g_autofree char *nta = leaving_value(&f, SECURE_HEADER);
  g_assert_cmpstr(nta, ==, " nta; domain=ready.nl, tls=TLSv1.3, dkim=pass, spf=pass");
  g_autofree char *norm = leaving_value(&f, NTA_HEADER);
  g_assert_cmpstr(norm, ==, " 1");
  f.decision.secure = SECURE_COMMUNITY;
  f.facts.relay = TRUE;
  g_autofree char *community = leaving_value(&f, SECURE_HEADER);
  g_assert_cmpstr(community, ==,
                  " community; domain=ready.nl, tls=TLSv1.3, dkim=pass, spf=relay");
  g_assert_null(leaving_value(&f, NTA_HEADER));
  f.decision.secure = SECURE_NO;
  g_assert_null(leaving_value(&f, SECURE_HEADER));
}

/* The mark is above all, and what was found out above that. */
static void
test_order(void)
{
  g_auto(Fixture) f;
  fixture_init(&f, "Received: x|Subject: a");
  f.decision.secure = SECURE_NTA;
  g_autofree char *value = leaving(&f);
  g_auto(GStrv) fields = g_strsplit(value, "|", -1);
  g_assert_true(g_str_has_prefix(fields[0], "Authentication-Results:"));
  g_assert_true(g_str_has_prefix(fields[1], "X-Zegel-Secure:"));
  g_assert_cmpstr(fields[2], ==, "Received: x");
}

static void
test_subject(void)
{
  static const struct {
    const char *given;
    Organisation *first, *second;
    Secure secure;
    const char *expected; /* NULL: no Subject */
  } cases[] = {
      {"Subject: a", &veilig, NULL, SECURE_NTA, " [veilig] a"},
      {"Subject: a", &veilig, &also, SECURE_COMMUNITY, " [veilig] a"},
      {"Subject: a", &veilig, &secure, SECURE_NTA, " a"},
      {"Subject: a", &veilig, &plain, SECURE_NTA, " a"},
      {"Subject: a", &plain, NULL, SECURE_NTA, " a"},
      {"Subject: =?utf-8?q?caf=C3=A9?=", &veilig, NULL, SECURE_NTA,
       " =?UTF-8?B?W3ZlaWxpZ10gY2Fmw6k=?="},
      {"Subject: a", &secure, NULL, SECURE_NTA, " =?UTF-8?B?W3PDqWN1cmVdIGE=?="},
      {"Subject: [VEILIG]  a", &veilig, NULL, SECURE_NTA, " [veilig] a"},
      {"Subject: Re: [veilig] a", &veilig, NULL, SECURE_NTA, " [veilig] Re: [veilig] a"},
      {"X: y", &veilig, NULL, SECURE_NTA, " [veilig]"},
      {"Subject:", &veilig, NULL, SECURE_NTA, " [veilig]"},
      /* nobody else writes it */
      {"Subject: [veilig] a", &veilig, NULL, SECURE_NO, " a"},
      {"Subject: [VeiliG][veilig] [veilig]a", &veilig, NULL, SECURE_NO, " a"},
      {"Subject: =?utf-8?q?=5Bveilig=5D_a?=", &veilig, NULL, SECURE_NO, " a"},
      {"Subject: [S\xc3\x89"
       "CURE] [veilig] a",
       &veilig, &secure, SECURE_NO, " a"},
      {"Subject: [veilig]", &veilig, NULL, SECURE_NO, NULL},
      /* nor what reads the same */
      {"Subject: =?utf-8?q?=E2=80=8B[vei=C2=ADlig=E2=81=A0]?= a", &veilig, NULL, SECURE_NO,
       " a"},
      {"Subject: =?utf-8?q?=C2=A0=E2=80=AE[v_e_i_l_i_g]=E3=85=A4?= a", &veilig, NULL,
       SECURE_NO, " a"},
      {"Subject: \xef\xbc\xbb\xef\xbc\xb6"
       "eilig\xef\xbc\xbd a",
       &veilig, NULL, SECURE_NO, " a"},
      {"Subject: [secure] [v\xc3\xa9ilig] [se\xcc\x81"
       "cure] a",
       &veilig, &secure, SECURE_NO, " a"},
      {"Subject: [veili", &veilig, NULL, SECURE_NO, " [veili"},
      {"Subject: Re: [veilig] a", &veilig, NULL, SECURE_NO, " Re: [veilig] a"},
      {"Subject: [veilig] a", &plain, NULL, SECURE_NO, " [veilig] a"},
      {"Subject:  a\n b ", &veilig, NULL, SECURE_NO, "  a\n b "},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_auto(Fixture) f;
    fixture_init(&f, cases[i].given);
    g_ptr_array_add(f.organisations, cases[i].first);
    if (cases[i].second != NULL)
      g_ptr_array_add(f.organisations, cases[i].second);
    f.decision.secure = cases[i].secure;
    g_test_message("%s", cases[i].given);
    g_autofree char *value = leaving_value(&f, "Subject");
    g_assert_cmpstr(value, ==, cases[i].expected);
  }
}

/* Every Subject loses a forged mark; one gets ours. */
static void
test_two_subjects(void)
{
  g_auto(Fixture) f;
  fixture_init(&f, "Subject: [veilig] a|Subject : [veilig] b");
  g_ptr_array_add(f.organisations, &veilig);
  g_autofree char *value = leaving(&f);
  g_assert_true(g_str_has_suffix(value, "|Subject: a|Subject: b"));
  f.decision.secure = SECURE_NTA;
  g_autofree char *marked = leaving(&f);
  g_assert_true(g_str_has_suffix(marked, "|Subject: [veilig] a|Subject: b"));
}

/* A subject that is nothing but prefixes costs no time and no stack. */
static void
test_many_prefixes(void)
{
  g_autoptr(GString) text = g_string_new("Subject: ");
  for (guint i = 0; i < 100000; i++)
    g_string_append(text, i % 2 == 0 ? "[veilig]"
                                     : "[s\xc3\xa9"
                                       "cure] ");
  g_string_append(text, "a");
  g_auto(Fixture) f;
  fixture_init(&f, text->str);
  g_ptr_array_add(f.organisations, &veilig);
  g_ptr_array_add(f.organisations, &secure);
  g_test_timer_start();
  g_autofree char *value = leaving_value(&f, "Subject");
  g_assert_cmpstr(value, ==, " a");
  g_assert_cmpfloat(g_test_timer_elapsed(), <, 10);
}

static void
test_results(void)
{
  g_auto(Fixture) f;
  fixture_init(&f, "Subject: a");
  DkimResult good = {.status = DKIM_PASS,
                     .domain = (char *) "ready.nl",
                     .selector = (char *) "a\"b",
                     .algorithm = (char *) "rsa-sha256",
                     .begin = (char *) "AbC/eFg=",
                     .reason = ""};
  DkimResult bad = {.status = DKIM_PERMERROR,
                    .domain = (char *) "",
                    .selector = (char *) "",
                    .algorithm = (char *) "",
                    .begin = (char *) "",
                    .reason = "no key"};
  g_ptr_array_add(f.signatures, &good);
  g_ptr_array_add(f.signatures, &bad);
  f.message.null_sender = TRUE;
  f.decision.dmarc = DMARC_FAIL;
  f.facts.relay = FALSE;
  f.answer.spf = (char *) "softfail";
  g_autofree char *value = leaving_value(&f, "Authentication-Results");
  g_assert_cmpstr(value, ==,
                  " mail.own.nl;\n"
                  "\tdkim=pass\n"
                  "\t  header.d=ready.nl\n"
                  "\t  header.s=\"a\\\"b\"\n"
                  "\t  header.a=rsa-sha256\n"
                  "\t  header.b=\"AbC/eFg=\";\n"
                  "\tdkim=permerror reason=\"no key\";\n"
                  "\tspf=softfail\n"
                  "\t  smtp.helo=ready.nl;\n"
                  "\tdmarc=fail\n"
                  "\t  policy.dmarc=reject\n"
                  "\t  header.from=ready.nl");
}

static void
test_results_of_less(void)
{
  g_auto(Fixture) f;
  fixture_init(&f, "Subject: a");
  f.facts.relay = TRUE;
  f.decision.dmarc = DMARC_FAIL;
  g_autofree char *relay = leaving_value(&f, "Authentication-Results");
  g_assert_cmpstr(relay, ==,
                  " mail.own.nl;\n\tdkim=none;\n\tdmarc=fail reason=\"SPF is not known "
                  "behind a trusted relay\"\n\t  policy.dmarc=reject\n"
                  "\t  header.from=ready.nl");
  f.facts.relay = FALSE;
  f.facts.answer = NULL;
  f.decision.dmarc = DMARC_TEMPERROR;
  g_autofree char *dead = leaving_value(&f, "Authentication-Results");
  g_assert_cmpstr(dead, ==,
                  " mail.own.nl;\n\tdkim=none;\n\tspf=temperror;\n\tdmarc=temperror\n"
                  "\t  header.from=ready.nl");
  f.message.author = NULL;
  f.decision.dmarc = DMARC_PERMERROR;
  g_autofree char *nobody = leaving_value(&f, "Authentication-Results");
  g_assert_cmpstr(nobody, ==,
                  " mail.own.nl;\n\tdkim=none;\n\tspf=temperror;\n\tdmarc=permerror "
                  "reason=\"no author domain in From\"");
}

static void
test_verdicts(void)
{
  g_auto(Fixture) f;
  fixture_init(&f, "Subject: a");
  f.decision = (InwardDecision){.action = INWARD_QUARANTINE, .dmarc = DMARC_FAIL};
  g_autoptr(Plan) held = inward_plan(&f.facts, &f.decision, &f.message);
  g_assert_cmpint(held->verdict, ==, PLAN_QUARANTINE);
  g_assert_cmpstr(held->reason, ==, "DMARC of ready.nl fails (Z-N5-DMARC)");
  g_assert_cmpuint(held->changes->len, ==, 1);
  f.decision = (InwardDecision){.action = INWARD_REFUSE, .refusal = REFUSAL_DMARC};
  g_autoptr(Plan) refused = inward_plan(&f.facts, &f.decision, &f.message);
  g_assert_cmpint(refused->verdict, ==, PLAN_REFUSE);
  g_assert_nonnull(strstr(refused->reply->lines[0], "ready.nl"));
  g_assert_cmpuint(refused->changes->len, ==, 0);
  /* a header that is not whole can hide marks from us */
  f.facts.watch = f.facts.cut = TRUE;
  f.decision.refusal = REFUSAL_HEADERS;
  g_autoptr(Plan) cut = inward_plan(&f.facts, &f.decision, &f.message);
  g_assert_cmpint(cut->verdict, ==, PLAN_REFUSE);
}

/* Also an organisation that only watches cannot take what nobody reads. */
static void
test_unread(void)
{
  g_auto(Fixture) f;
  fixture_init(&f, "From: a@ready.nl");
  g_autoptr(GPtrArray) unread = g_ptr_array_new();
  g_ptr_array_add(unread, (gpointer) "noreply@s.own.nl");
  f.facts.unread = unread;
  f.facts.watch = TRUE;
  f.decision.action = INWARD_REFUSE;
  f.decision.refusal = REFUSAL_SERVICE;
  g_autoptr(Plan) plan = inward_plan(&f.facts, &f.decision, &f.message);
  g_assert_cmpint(plan->verdict, ==, PLAN_REFUSE);
  g_assert_nonnull(strstr(plan->reply->lines[1], "noreply@s.own.nl"));
}

int
main(int argc, char **argv)
{
  g_test_init(&argc, &argv, NULL);
  mail_init();
  g_test_add_func("/inward_plan/T27-marks", test_marks);
  g_test_add_func("/inward_plan/T27-eight", test_eight);
  g_test_add_func("/inward_plan/watch", test_watch);
  g_test_add_func("/inward_plan/N5-secure", test_secure);
  g_test_add_func("/inward_plan/order", test_order);
  g_test_add_func("/inward_plan/subject", test_subject);
  g_test_add_func("/inward_plan/two-subjects", test_two_subjects);
  g_test_add_func("/inward_plan/many-prefixes", test_many_prefixes);
  g_test_add_func("/inward_plan/results", test_results);
  g_test_add_func("/inward_plan/results-of-less", test_results_of_less);
  g_test_add_func("/inward_plan/verdicts", test_verdicts);
  g_test_add_func("/inward_plan/service", test_unread);
  return g_test_run();
}
