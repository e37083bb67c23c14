#include "policyd/verify.h"

#include <string.h>

#include "tests/unit/policyd/zone.h"
#include "tests/unit/tap.h"

#define R      "v=DMARC1; p=reject"
#define IP     "192.0.2.1"
#define ROUNDS 6

static void
came(gpointer data)
{
  (*(guint *) data)++;
}

/* Reads QUESTION by ZONE until nothing is missing; *ROUNDS_TAKEN counts. */
static VerifyAnswer *
read_all(Dns *dns, const VerifyQuestion *question, guint *rounds)
{
  guint answers = 0;
  Spf spf = {.dns = dns};
  g_autoptr(Lookup) lookup = lookup_new(dns, &spf, FALSE, came, &answers);
  VerifyAnswer *answer = verify_read(lookup, question);
  for (*rounds = 0; lookup_missing(lookup) > 0; ++*rounds) {
    g_assert_cmpuint(*rounds, <, ROUNDS);
    zone_deliver(dns);
    verify_answer_free(answer);
    answer = verify_read(lookup, question);
  }
  return answer;
}

/* ---- Alignment ---- */

static const struct {
  const char *name, *from, *domain, *zone;
  const char *expected; /* DMARC, then the key's alignment, then SPF's */
} rows[] = {
    {"the same domain", "a.nl", "a.nl", "_dmarc.a.nl TXT s " R, "reject yes yes"},
    {"the same domain, strict", "a.nl", "a.nl", "_dmarc.a.nl TXT s " R ";adkim=s;aspf=s",
     "reject yes yes"},
    {"another spelling", "A.nl", "a.NL.", "_dmarc.a.nl TXT s " R, "reject yes yes"},
    {"in Unicode", "m\xc3\xbcller.nl", "xn--mller-kva.nl",
     "_dmarc.xn--mller-kva.nl TXT s " R, "reject yes yes"},
    {"no policy, the same", "a.nl", "a.nl", "", "absent yes yes"},
    {"no policy, below", "a.nl", "m.a.nl", "", "absent no no"},
    {"below", "a.nl", "m.a.nl", "_dmarc.a.nl TXT s " R, "reject yes yes"},
    {"above", "m.a.nl", "a.nl", "_dmarc.a.nl TXT s " R, "reject yes yes"},
    {"beside", "m.a.nl", "n.a.nl", "_dmarc.a.nl TXT s " R, "reject yes yes"},
    {"below, strict DKIM", "a.nl", "m.a.nl", "_dmarc.a.nl TXT s " R "; adkim=s",
     "reject no yes"},
    {"below, strict SPF", "a.nl", "m.a.nl", "_dmarc.a.nl TXT s " R "; aspf=s",
     "reject yes no"},
    {"strict by the record that holds", "x.m.a.nl", "m.a.nl",
     "_dmarc.x.m.a.nl TXT s " R "; adkim=s\n_dmarc.a.nl TXT s v=DMARC1; p=none",
     "reject no yes"},
    {"strict above, not of its own", "m.a.nl", "a.nl",
     "_dmarc.m.a.nl TXT s " R "\n_dmarc.a.nl TXT s v=DMARC1; p=none; adkim=s; aspf=s",
     "reject yes yes"},
    {"another organisation", "a.nl", "b.nl",
     "_dmarc.a.nl TXT s " R "\n_dmarc.b.nl TXT s " R, "reject no no"},
    {"its end only", "a.nl", "xa.nl", "_dmarc.a.nl TXT s " R, "reject no no"},
    {"the registry is no organisation", "a.nl", "nl",
     "_dmarc.a.nl TXT s " R "\n_dmarc.nl TXT s " R "; psd=y", "reject no no"},
    {"below psd=y", "m.a.nl", "n.a.nl", "_dmarc.nl TXT s " R "; psd=y", "reject yes yes"},
    {"two below psd=y", "a.nl", "b.nl", "_dmarc.nl TXT s " R "; psd=y", "reject no no"},
    {"psd=y in the middle", "x.a.nl", "y.a.nl",
     "_dmarc.a.nl TXT s " R "; psd=y\n_dmarc.nl TXT s v=DMARC1; p=none", "reject no no"},
    {"psd=n cuts the author off", "x.m.a.nl", "a.nl",
     "_dmarc.m.a.nl TXT s " R "; psd=n\n_dmarc.a.nl TXT s v=DMARC1; p=none",
     "reject no no"},
    {"psd=n, and below it", "m.a.nl", "x.m.a.nl",
     "_dmarc.m.a.nl TXT s " R "; psd=n\n_dmarc.a.nl TXT s v=DMARC1; p=none",
     "reject yes yes"},
    {"psd=n cuts the signer off", "a.nl", "x.m.a.nl",
     "_dmarc.a.nl TXT s " R "\n_dmarc.m.a.nl TXT s v=DMARC1; p=none; psd=n",
     "reject no no"},
    {"sp holds", "m.a.nl", "a.nl", "_dmarc.a.nl TXT s " R "; sp=none\nm.a.nl TXT n",
     "none yes yes"},
    {"np holds", "m.a.nl", "a.nl", "_dmarc.a.nl TXT s " R "; sp=none; np=quarantine",
     "quarantine yes yes"},
    {"the author's DNS fails", "a.nl", "m.a.nl", "_dmarc.a.nl TXT f", "unknown no no"},
    {"it fails, the same domain", "a.nl", "a.nl", "_dmarc.a.nl TXT f", "unknown yes yes"},
    {"the signer's fails, below the author's", "a.nl", "m.a.nl",
     "_dmarc.a.nl TXT s " R "\n_dmarc.m.a.nl TXT f", "unknown no no"},
    {"a stranger's DNS fails: no way out", "a.nl", "evil.nl",
     "_dmarc.a.nl TXT s " R "\n_dmarc.evil.nl TXT f", "reject no no"},
    {"no name of the DNS", "a b.nl", "a.nl", "", "absent no no"},
    {"the signer is no name", "a.nl", "a b.nl", "_dmarc.a.nl TXT s " R, "reject no no"},
};

static VerifyQuestion *
question_of(const char *from, const char *domain)
{
  VerifyQuestion *question = verify_question_new();
  question->client_address = g_strdup(IP);
  question->helo = g_strdup("mx.example.com");
  question->sender = g_strconcat("jan@", domain, NULL);
  question->from_domain = g_strdup(from);
  verify_question_add_key(question, domain, "s");
  return question;
}

static void
test_alignment(void)
{
  static const char *const states[] = {
      [VERIFY_ABSENT] = "absent", [VERIFY_UNKNOWN] = "unknown"};
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    guint rounds;
    Dns *dns = zone_new(rows[i].zone);
    g_test_message("%s", rows[i].name);
    g_autoptr(VerifyQuestion) question = question_of(rows[i].from, rows[i].domain);
    g_autoptr(VerifyAnswer) answer = read_all(dns, question, &rounds);
    const VerifyKeyAnswer *key = answer->keys->pdata[0];
    g_autofree char *text = g_strdup_printf(
        "%s %s %s",
        answer->dmarc == VERIFY_FOUND ? answer->dmarc_policy : states[answer->dmarc],
        key->aligned ? "yes" : "no", answer->spf_aligned ? "yes" : "no");
    g_assert_cmpstr(text, ==, rows[i].expected);
    g_assert_cmpint(answer->dmarc == VERIFY_FOUND, ==, answer->dmarc_domain != NULL);
    /* one more for np, or for the walk of another domain */
    g_assert_cmpuint(rounds, <=, strstr(rows[i].zone, "sp=") != NULL ? 2 : 1);
    zone_free(dns);
  }
}

/* What is not below the author's organisation is not asked. */
static void
test_questions(void)
{
  guint rounds;
  Dns *dns = zone_new("_dmarc.a.nl TXT s " R);
  g_autoptr(VerifyQuestion) question = question_of("a.nl", "sub.host.mailer.example.com");
  g_autoptr(VerifyAnswer) answer = read_all(dns, question, &rounds);
  g_assert_cmpuint(rounds, ==, 1);
  g_assert_cmpuint(dns->asked, ==, 3); /* _dmarc of a.nl and nl; the key */
  g_assert_cmpstr(answer->dmarc_policy, ==, "reject");
  g_assert_cmpstr(answer->dmarc_domain, ==, "a.nl");
  zone_free(dns);
}

/* A name of one label has the same last two labels as nobody: asked for when needed. */
static void
test_single_label(void)
{
  guint rounds;
  Dns *dns = zone_new("_dmarc.nl TXT s " R "; psd=n");
  g_autoptr(VerifyQuestion) question = question_of("nl", "a.nl");
  g_autoptr(VerifyAnswer) answer = read_all(dns, question, &rounds);
  g_assert_true(((VerifyKeyAnswer *) answer->keys->pdata[0])->aligned);
  g_assert_cmpuint(rounds, ==, 2);
  zone_free(dns);
}

/* ---- SPF ---- */

static void
test_spf(void)
{
  static const struct {
    const char *client, *helo, *sender, *zone;
    const char *expected; /* verdict, domain, and what was asked */
  } all[] = {
      {IP, "mx.b.nl", "jan@a.nl", IP " SPF pass", "pass a.nl mx.b.nl jan@a.nl"},
      {IP, "mx.b.nl", "jan@a.nl", IP " SPF fail", "fail a.nl mx.b.nl jan@a.nl"},
      {IP, "mx.b.nl", "jan@a.nl", IP " SPF softfail", "softfail a.nl mx.b.nl jan@a.nl"},
      {IP, "mx.b.nl", "jan@a.nl", IP " SPF neutral", "neutral a.nl mx.b.nl jan@a.nl"},
      {IP, "mx.b.nl", "jan@a.nl", IP " SPF temperror", "temperror a.nl mx.b.nl jan@a.nl"},
      {IP, "mx.b.nl", "jan@a.nl", IP " SPF permerror", "permerror a.nl mx.b.nl jan@a.nl"},
      {IP, "mx.b.nl", "jan@a.nl", "", "none a.nl mx.b.nl jan@a.nl"},
      {IP, "mx.b.nl", "", IP " SPF pass", "pass mx.b.nl mx.b.nl postmaster@mx.b.nl"},
      {IP, "MX.b.nl", "", IP " SPF pass", "pass mx.b.nl MX.b.nl postmaster@mx.b.nl"},
      {IP, "mx.b.nl", "@a.nl", IP " SPF pass", "pass a.nl mx.b.nl postmaster@a.nl"},
      {IP, "mx.b.nl", "x@y@A.nl", IP " SPF pass", "pass a.nl mx.b.nl x@y@a.nl"},
      {IP, "[192.0.2.1]", "", IP " SPF pass", "none - -"},
      {IP, "", "", IP " SPF pass", "none - -"},
      {IP, "mx.b.nl", "root", IP " SPF pass", "none - -"},
      {IP, "mx.b.nl", "a@[192.0.2.1]", IP " SPF pass", "none - -"},
      {"unknown", "mx.b.nl", "jan@a.nl", IP " SPF pass", "none a.nl -"},
      {NULL, NULL, NULL, "", "- - -"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
    guint rounds;
    Dns *dns = zone_new(all[i].zone);
    g_autoptr(VerifyQuestion) question = verify_question_new();
    question->client_address = g_strdup(all[i].client);
    question->helo = g_strdup(all[i].helo);
    question->sender = g_strdup(all[i].sender);
    g_test_message("row %" G_GSIZE_FORMAT, i);
    g_autoptr(VerifyAnswer) answer = read_all(dns, question, &rounds);
    g_autofree char *text =
        g_strdup_printf("%s %s %s", answer->spf != NULL ? answer->spf : "-",
                        answer->spf_domain != NULL ? answer->spf_domain : "-",
                        dns->spf_question != NULL ? dns->spf_question : "-");
    g_assert_cmpstr(text, ==, all[i].expected);
    g_assert_false(answer->spf_aligned); /* no author was given */
    g_assert_cmpint(answer->dmarc, ==, VERIFY_ABSENT);
    zone_free(dns);
  }
}

static void
test_long_sender(void)
{
  guint rounds;
  Dns *dns = zone_new(IP " SPF pass");
  g_autofree char *local = g_strnfill(600, 'x');
  g_autoptr(VerifyQuestion) question = question_of("a.nl", "a.nl");
  g_free(question->sender);
  question->sender = g_strconcat(local, "@a.nl", NULL);
  g_autoptr(VerifyAnswer) answer = read_all(dns, question, &rounds);
  g_assert_cmpstr(answer->spf, ==, "permerror");
  g_assert_null(dns->spf_question);
  zone_free(dns);
}

/* ---- Keys ---- */

static void
test_keys(void)
{
  static const struct {
    const char *name, *selector, *domain, *zone;
    const char *expected; /* state, text, secure */
  } all[] = {
      {"secure", "s", "a.nl", "s._domainkey.a.nl TXT s v=DKIM1; p=ab",
       "found v=DKIM1; p=ab secure"},
      {"not secure", "s", "a.nl", "s._domainkey.a.nl TXT i p=ab", "found p=ab -"},
      {"several strings", "s", "a.nl", "s._domainkey.a.nl TXT s v=DKIM1; |p=a|b",
       "found v=DKIM1; p=ab secure"},
      {"an alias", "s", "a.nl", "s._domainkey.a.nl TXT b p=ab", "found p=ab -"},
      {"a secure alias", "s", "a.nl", "s._domainkey.a.nl TXT a p=ab", "found p=ab secure"},
      {"empty", "s", "a.nl", "s._domainkey.a.nl TXT s ", "found  secure"},
      {"dots in it", "one.two", "a.nl", "one.two._domainkey.a.nl TXT s p=ab",
       "found p=ab secure"},
      {"capitals", "One", "A.nl", "one._domainkey.a.nl TXT s p=ab", "found p=ab secure"},
      {"underscores", "_s_1", "a.nl", "_s_1._domainkey.a.nl TXT s p=ab",
       "found p=ab secure"},
      {"two records", "s", "a.nl",
       "s._domainkey.a.nl TXT s p=ab\ns._domainkey.a.nl TXT s p=cd", "absent - secure"},
      {"damaged", "s", "a.nl", "s._domainkey.a.nl TXT d", "absent - secure"},
      {"no such name", "s", "a.nl", "s._domainkey.a.nl TXT x", "absent - secure"},
      {"no such name, not secure", "s", "a.nl", "s._domainkey.a.nl TXT X", "absent - -"},
      {"no such type", "s", "a.nl", "s._domainkey.a.nl TXT N", "absent - -"},
      {"a failure", "s", "a.nl", "s._domainkey.a.nl TXT f", "unknown - -"},
      {"no selector", "a b", "a.nl", "", "absent - -"},
      {"no domain", "s", "a b.nl", "", "absent - -"},
  };
  static const char *const states[] = {
      [VERIFY_FOUND] = "found", [VERIFY_ABSENT] = "absent", [VERIFY_UNKNOWN] = "unknown"};
  for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
    guint rounds;
    Dns *dns = zone_new(all[i].zone);
    g_autoptr(VerifyQuestion) question = verify_question_new();
    verify_question_add_key(question, all[i].domain, all[i].selector);
    g_test_message("%s", all[i].name);
    g_autoptr(VerifyAnswer) answer = read_all(dns, question, &rounds);
    const VerifyKeyAnswer *key = answer->keys->pdata[0];
    g_autofree char *text =
        g_strdup_printf("%s %s %s", states[key->state], key->text != NULL ? key->text : "-",
                        key->secure ? "secure" : "-");
    g_assert_cmpstr(text, ==, all[i].expected);
    g_assert_null(answer->spf);
    zone_free(dns);
  }
}

/* A key that is too large for the protocol, and one that just fits; a name too long. */
static void
test_limits(void)
{
  guint rounds;
  g_autofree char *fits = g_strnfill(VERIFY_TEXT_MAX_BYTES, 'p');
  g_autofree char *label = g_strnfill(63, 'l');
  g_autofree char *selector = g_strdup_printf("%s.%s.%s.%s", label, label, label,
                                              "0123456789abcdef0123456789abcdef0123456789");
  g_autofree char *zone = g_strdup_printf("a._domainkey.a.nl TXT s %s\n"
                                          "b._domainkey.a.nl TXT s %sp",
                                          fits, fits);
  Dns *dns = zone_new(zone);
  g_autoptr(VerifyQuestion) question = verify_question_new();
  verify_question_add_key(question, "a.nl", "a");
  verify_question_add_key(question, "a.nl", "b");
  verify_question_add_key(question, "a.example.nl", selector);
  g_autoptr(VerifyAnswer) answer = read_all(dns, question, &rounds);
  g_assert_cmpint(((VerifyKeyAnswer *) answer->keys->pdata[0])->state, ==, VERIFY_FOUND);
  g_assert_cmpint(((VerifyKeyAnswer *) answer->keys->pdata[1])->state, ==, VERIFY_ABSENT);
  g_assert_cmpint(((VerifyKeyAnswer *) answer->keys->pdata[2])->state, ==, VERIFY_ABSENT);
  g_assert_cmpuint(dns->asked, ==, 2);
  g_autoptr(Attrs) attrs = verify_answer_format(answer);
  g_autoptr(VerifyAnswer) copy = verify_answer_parse(attrs, 3, NULL);
  g_assert_nonnull(copy);
  zone_free(dns);
}

/* Time is up: nothing is known, and everybody hears that. */
static void
test_give_up(void)
{
  guint answers = 0;
  Dns *dns = zone_new("");
  Spf spf = {.dns = dns};
  Lookup *lookup = lookup_new(dns, &spf, FALSE, came, &answers);
  g_autoptr(VerifyQuestion) question = question_of("a.nl", "m.a.nl");
  verify_answer_free(verify_read(lookup, question));
  g_assert_cmpuint(lookup_missing(lookup), >, 0);
  lookup_give_up(lookup);
  g_autoptr(VerifyAnswer) answer = verify_read(lookup, question);
  g_assert_cmpuint(lookup_missing(lookup), ==, 0);
  g_assert_cmpstr(answer->spf, ==, "temperror");
  g_assert_cmpint(answer->dmarc, ==, VERIFY_UNKNOWN);
  g_assert_null(answer->dmarc_policy);
  g_assert_cmpint(((VerifyKeyAnswer *) answer->keys->pdata[0])->state, ==, VERIFY_UNKNOWN);
  lookup_free(lookup);
  zone_free(dns);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/verify/alignment", test_alignment);
  g_test_add_func("/verify/questions", test_questions);
  g_test_add_func("/verify/single-label", test_single_label);
  g_test_add_func("/verify/spf", test_spf);
  g_test_add_func("/verify/long-sender", test_long_sender);
  g_test_add_func("/verify/keys", test_keys);
  g_test_add_func("/verify/limits", test_limits);
  g_test_add_func("/verify/give-up", test_give_up);
  return g_test_run();
}
