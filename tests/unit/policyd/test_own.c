#include "policyd/ready.h"

#include <glib/gstdio.h>
#include <string.h>

#include "policyd/dkim.h"
#include "tests/unit/policyd/readiness.h"
#include "tests/unit/tap.h"

/* Public keys that openssl genpkey made: RSA of 1024 and 2048 bits, Ed25519, and P-256. */
#define RSA                                                                                \
  "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCwH5UpRk6G49DfL9Ta+Bfb/HDK"                       \
  "QK/PjC5z3gOlfbjDz3ZHkk6gJSFVKw8/oD48egANjcp5YjozM2+wh7ify74u/pZw"                       \
  "+nxM8aCIytNv/RpeHNH6horKQgOwyPj5Ts1juc/S9o9f+i51tKwBeoI+pQK6RdWc"                       \
  "+l4q2MpkcCmOfjkqOQIDAQAB"

#define RSA2                                                                               \
  "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1XldYx0U4SSmFZQ/fDlQ"                       \
  "1HIzjmddrd6WR1fvVHEr2LRJAXW2OVA4VINDpCl/jFuhlCijLUFnzmt7JjOqJ2O6"                       \
  "X5aQhJx+nSgZomijAlOE6NZDTWVHjHICxcpxEoHmSWU0R+6nGhlNOyhma6dmRDAe"                       \
  "8UiDv8id2HjS8txfKiF2Y15qjaxsX39H0lErqxuTt2bR/Zjhu6s91OoTYCWV8vNo"                       \
  "EqMRMToJQEYRYZgTxrA/GFtRY8KVUB2rB7UMuE+x2Ika/+Krml+RlxWO6Bd//izb"                       \
  "8yRVbjzQSMOYLtFRWLmuKKzAl5WO7yqYkHIvFL9GSUF65zOruQhOWCwNhSJ17nuO"                       \
  "SQIDAQAB"

#define ED     "MCowBQYDK2VwAyEA2R/lir1W5aXzVp3/+K6btzXW8/w+cqm27iKUI0f5TJ4="
#define ED_RAW "2R/lir1W5aXzVp3/+K6btzXW8/w+cqm27iKUI0f5TJ4="

#define EC                                                                                 \
  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEtgNZmobAJVc4JIWneUZpYq7TsL36"                       \
  "9UgpPNLnQfjsmgNGUuU99YROZ8PgeKvrqYCmIgRN+/CBi/26Ohi1eHFcIA=="

#define PEM(body) "-----BEGIN PUBLIC KEY-----\n" body "\n-----END PUBLIC KEY-----\n"

static const struct {
  const char *name, *pem;
} keys[] = {
    {"rsa", PEM(RSA)}, {"rsa2", PEM(RSA2)}, {"ed", PEM(ED)},
    {"ec", PEM(EC)},   {"junk", "junk"},    {"empty", ""},
};

#define S1 "s1._domainkey.a.nl TXT "
#define S2 "s2._domainkey.a.nl TXT "

#define OWN                                                                                \
  GOOD "192.0.2.9 SPF pass\n2001:db8::9 SPF pass\n" S1 "s v=DKIM1; k=rsa; p=" RSA "\n"
#define YES "yes Z-N2-READY"

/*
 * The rules column holds what is not as usual: "keys=SELECTOR:KEY,...",
 * "relay=ADDRESS,...", "helo=NAME", "declared=DAY".
 */
static const Row own_rows[] = {
    {"ready", "", "", YES, ""},
    {"N1 counts", "a.nl TXT i " NTA ";ntamx=10 mx1.a.nl", "", "no Z-N1-DNSSEC",
     "Z-N1-DNSSEC"},
    {"hosts count", "_25._tcp.mx1.a.nl TLSA n", "", "no Z-N1-TLSA", "Z-N1-TLSA"},
    {"N1 unknown", "a.nl TXT f", "", "unknown Z-N1-DNSSEC", "?Z-N1-DNSSEC ?Z-N1-RECORD"},
    {"N1 unknown, N2 fails", "a.nl TXT f\n192.0.2.9 SPF fail", "", "no Z-N2-SPF",
     "?Z-N1-DNSSEC ?Z-N1-RECORD Z-N2-SPF"},

    {"SPF none", "192.0.2.9 SPF none", "", "no Z-N2-SPF", "Z-N2-SPF"},
    {"SPF softfail", "192.0.2.9 SPF softfail", "", "no Z-N2-SPF", "Z-N2-SPF"},
    {"SPF neutral", "192.0.2.9 SPF neutral", "", "no Z-N2-SPF", "Z-N2-SPF"},
    {"SPF permerror", "192.0.2.9 SPF permerror", "", "no Z-N2-SPF", "Z-N2-SPF"},
    {"SPF temperror", "192.0.2.9 SPF temperror", "", "unknown Z-N2-SPF", "?Z-N2-SPF"},
    {"SPF of the second address", "2001:db8::9 SPF fail", "relay=192.0.2.9,2001:db8::9",
     "no Z-N2-SPF", "Z-N2-SPF"},
    {"SPF of both", "", "relay=192.0.2.9,2001:db8::9", YES, ""},
    {"SPF fails and is unknown", "192.0.2.9 SPF temperror\n2001:db8::9 SPF fail",
     "relay=192.0.2.9,2001:db8::9", "no Z-N2-SPF", "Z-N2-SPF"},
    {"no relay", "", "relay=", "no Z-N2-SPF", "Z-N2-SPF"},
    {"no hostname", "", "helo=", YES, ""},
    {"~all is advice", "a.nl TXT s v=spf1 mx ~all\na.nl TXT s " NTA ";ntamx=1 mx1.a.nl", "",
     YES, ""},

    {"no key", "", "keys=", "no Z-N2-DKIM", "Z-N2-DKIM"},
    {"key not published", S1 "x", "", "no Z-N2-DKIM", "Z-N2-DKIM"},
    {"key unknown", S1 "f", "", "unknown Z-N2-DKIM", "?Z-N2-DKIM"},
    {"key insecure", S1 "i v=DKIM1; p=" RSA, "", "no Z-N2-DKIM", "Z-N2-DKIM"},
    {"key by a secure alias", S1 "a v=DKIM1; p=" RSA, "", YES, ""},
    {"another key", S1 "s v=DKIM1; p=" RSA2, "", "no Z-N2-DKIM", "Z-N2-DKIM"},
    {"revoked", S1 "s v=DKIM1; p=", "", "no Z-N2-DKIM", "Z-N2-DKIM"},
    {"only p", S1 "s p=" RSA, "", YES, ""},
    {"2048 bits in several strings", S1 "s v=DKIM1; k=rsa; p=|" RSA2, "keys=s1:rsa2", YES,
     ""},
    {"space in p", S1 "s v=DKIM1; p= MIGfMA0GCSqGSIb3 ", "", "no Z-N2-DKIM", "Z-N2-DKIM"},
    {"p twice", S1 "s v=DKIM1; p=" RSA "; p=" RSA, "", "no Z-N2-DKIM", "Z-N2-DKIM"},
    {"DKIM2", S1 "s v=DKIM2; p=" RSA, "", "no Z-N2-DKIM", "Z-N2-DKIM"},
    {"no p", S1 "s v=DKIM1; k=rsa", "", "no Z-N2-DKIM", "Z-N2-DKIM"},
    {"two records", S1 "s p=" RSA "\n" S1 "s p=" RSA2, "", "no Z-N2-DKIM", "Z-N2-DKIM"},
    {"damaged", S1 "d", "", "no Z-N2-DKIM", "Z-N2-DKIM"},
    {"of another type", S1 "s k=ed25519; p=" RSA, "", "no Z-N2-DKIM", "Z-N2-DKIM"},
    {"Ed25519", S1 "s v=DKIM1; k=ed25519; p=" ED_RAW, "keys=s1:ed", YES, ""},
    {"Ed25519 as a whole", S1 "s v=DKIM1; k=ed25519; p=" ED, "keys=s1:ed", "no Z-N2-DKIM",
     "Z-N2-DKIM"},
    {"P-256", S1 "s p=" EC, "keys=s1:ec", "no Z-N2-DKIM", "Z-N2-DKIM"},
    {"no PEM", "", "keys=s1:junk", "no Z-N2-DKIM", "Z-N2-DKIM"},
    {"an empty file", "", "keys=s1:empty", "no Z-N2-DKIM", "Z-N2-DKIM"},
    {"a second key is not out yet", S2 "x", "keys=s1:rsa,s2:rsa2", YES, ""},
    {"a second key is revoked", S2 "s p=", "keys=s1:rsa,s2:rsa2", YES, ""},
    {"a second key is unknown", S2 "f", "keys=s1:rsa,s2:rsa2", YES, ""},
    {"a second key is another", S2 "s p=" RSA, "keys=s1:rsa,s2:rsa2", "no Z-N2-DKIM",
     "Z-N2-DKIM"},
    {"a selector of two labels", "s1.x._domainkey.a.nl TXT s p=" RSA, "keys=s1.x:rsa", YES,
     ""},
    {"a file that is no selector", "", "keys=s 1:rsa", "no Z-N2-DKIM", "Z-N2-DKIM"},

    {"no DMARC", "_dmarc.a.nl TXT x", "", "no Z-N2-DMARC", "Z-N2-DMARC"},
    {"DMARC none", "_dmarc.a.nl TXT s v=DMARC1; p=none", "", "no Z-N2-DMARC", "Z-N2-DMARC"},
    {"DMARC quarantine", "_dmarc.a.nl TXT s v=DMARC1; p=quarantine", "", YES, ""},
    {"DMARC quarantine as a test", "_dmarc.a.nl TXT s v=DMARC1; p=quarantine; t=y", "",
     "no Z-N2-DMARC", "Z-N2-DMARC"},
    {"DMARC reject as a test", "_dmarc.a.nl TXT s v=DMARC1; p=reject; t=y", "", YES, ""},
    {"DMARC from above", "_dmarc.a.nl TXT x\n_dmarc.nl TXT s v=DMARC1; p=none; sp=reject",
     "", YES, ""},
    {"DMARC unknown", "_dmarc.a.nl TXT f", "", "unknown Z-N2-DMARC", "?Z-N2-DMARC"},

    {"not declared", "", "declared=", "no Z-N2-DECLARATION", "Z-N2-DECLARATION"},
    {"to be declared", "", "declared=2999-01-01", "no Z-N2-DECLARATION",
     "Z-N2-DECLARATION"},
    {"half a day", "", "declared=2020-01", "no Z-N2-DECLARATION", "Z-N2-DECLARATION"},
    {"all is wrong", "a.nl TXT X\n_dmarc.a.nl TXT x\n192.0.2.9 SPF fail",
     "keys= declared=", "no Z-N1-DNSSEC",
     "Z-N1-DNSSEC Z-N1-RECORD Z-N2-SPF Z-N2-DKIM Z-N2-DMARC Z-N2-DECLARATION"},
};

/* The value of WORD in TEXT ("WORD=VALUE;..."), a new string, else USUAL. */
static char *
word_of(const char *text, const char *word, const char *usual)
{
  g_autofree char *start = g_strconcat(word, "=", NULL);
  const char *found = strstr(text, start);
  if (found == NULL)
    return g_strdup(usual);
  found += strlen(start);
  const char *next = strstr(found, " declared=");
  return g_strndup(found, next != NULL ? (gsize) (next - found) : strlen(found));
}

static void
write_key(const char *directory, const char *spec)
{
  g_auto(GStrv) words = g_strsplit(spec, ":", 2);
  g_autofree char *name = g_strconcat(words[0], ".pub", NULL);
  g_autofree char *path = g_build_filename(directory, name, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
    if (strcmp(keys[i].name, words[1]) == 0)
      g_assert_true(g_file_set_contents(path, keys[i].pem, -1, NULL));
  g_assert_true(g_file_test(path, G_FILE_TEST_IS_REGULAR));
}

static void
remove_keys(const char *directory)
{
  g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
  for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_assert_cmpint(g_unlink(path), ==, 0);
  }
  g_assert_cmpint(g_rmdir(directory), ==, 0);
}

static void
check_own_row(const Row *row, const char *root)
{
  g_autofree char *directory = g_build_filename(root, "a.nl", NULL);
  g_autofree char *specs = word_of(row->rules, "keys", "s1:rsa");
  g_autofree char *relay = word_of(row->rules, "relay", "192.0.2.9");
  g_autofree char *helo = word_of(row->rules, "helo", "relay.a.nl");
  g_autofree char *declared = word_of(row->rules, "declared", "2020-02-29");
  g_auto(GStrv) files = g_strsplit(specs, ",", -1);
  g_auto(GStrv) addresses = g_strsplit(relay, ",", -1);
  const OwnFacts own = {.relay_addresses = (const char *const *) addresses,
                        .hostname = helo,
                        .dkim_directory = root,
                        .declaration = declared};
  const Question question = {.rules = rules_of(""), .own = &own};
  g_assert_cmpint(g_mkdir(directory, 0700), ==, 0);
  for (char **file = files; *file != NULL; file++)
    write_key(directory, *file);
  check_row(row, OWN, &question, 2);
  remove_keys(directory);
}

static void
test_ours(void)
{
  g_autofree char *root = g_dir_make_tmp("zegel-ready-XXXXXX", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS(own_rows); i++)
    check_own_row(&own_rows[i], root);
  g_assert_cmpint(g_rmdir(root), ==, 0);
}

/* SPF is asked for what our relay says of itself. */
static void
test_spf_question(void)
{
  static const char *const addresses[] = {"192.0.2.9", NULL};
  static const char *const rows[][2] = {
      {"relay.a.nl", "relay.a.nl postmaster@a.nl"},
      {"", "a.nl postmaster@a.nl"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
    const OwnFacts own = {addresses, rows[i][0], "/nonexistent", ""};
    const Question question = {.rules = rules_of(""), .own = &own};
    g_auto(Verdict) verdict = {.readiness = READINESS_UNKNOWN};
    Dns *dns = zone_new(OWN);
    decide(dns, &question, 2, NULL, &verdict);
    g_assert_cmpstr(dns->spf_question, ==, rows[i][1]);
    g_assert_cmpstr(verdict.code, ==, "Z-N2-DKIM");
    zone_free(dns);
  }
}

/* The record that we say to publish is one that we then take. */
static void
test_dkim_cure(void)
{
  for (gsize i = 0; i < 3; i++) {
    g_autofree char *record = dkim_record(keys[i].pem);
    g_assert_nonnull(record);
    g_assert_cmpint(dkim_compare(record, strlen(record), record), ==, DKIM_SAME);
    for (gsize at = strlen("v=DKIM1; k=ed25519; p="); at < strlen(record); at++) {
      g_autofree char *other = g_strdup(record);
      other[at] = other[at] == 'A' ? 'B' : 'A';
      if (record[at + 1] != '=' && record[at] != '=') /* bits that count */
        g_assert_cmpint(dkim_compare(other, strlen(other), record), ==, DKIM_OTHER);
    }
  }
  for (gsize i = 3; i < G_N_ELEMENTS(keys); i++)
    g_assert_null(dkim_record(keys[i].pem));
  g_assert_cmpint(dkim_compare(NULL, 0, "v=DKIM1; k=rsa; p=AA=="), ==, DKIM_OTHER);
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/own/rows", test_ours);
  g_test_add_func("/own/spf-question", test_spf_question);
  g_test_add_func("/own/dkim-cure", test_dkim_cure);
  return g_test_run();
}
