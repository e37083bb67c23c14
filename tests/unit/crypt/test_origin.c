#include <string.h>

#include "common/base/error.h"
#include "common/crypt/box_text.h"
#include "common/crypt/origin.h"
#include "tests/unit/crypt/ring.h"
#include "tests/unit/tap.h"

#define ORG      "ziekenhuis"
#define JAN      "jan@example.com"
#define DOMAIN   "veilig.example.nl"
#define LOCAL    64 /* RFC 5321 4.5.3.1.1 */
#define REF      "0123456789abcdez"
#define ID_CHARS 34
#define FOLDED   76
#define HASH     "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"

static Origin *
sample(OriginKind kind, guint recipients)
{
  Origin *origin = g_new0(Origin, 1);
  origin->kind = kind;
  origin->organisation = g_strdup(ORG);
  origin->author = g_strdup(JAN);
  origin->recipients = g_new0(char *, recipients + 1);
  for (guint i = 0; i < recipients; i++)
    origin->recipients[i] = g_strdup_printf("dokter%u@example.nl", i);
  memset(origin->body_sha256, 0x5a, sizeof origin->body_sha256);
  return origin;
}

static void
test_round_trip(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, FALSE);
  static const OriginKind kinds[] = {ORIGIN_ANSWER, ORIGIN_FORWARD, ORIGIN_FORM};
  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    guint recipients = i == 2 ? ORIGIN_MAX_RECIPIENTS : i + 1;
    g_autoptr(Origin) origin = sample(kinds[i], recipients);
    g_autofree char *value = origin_seal(ring, origin, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Origin) back = origin_open(ring, value, &error);
    g_assert_no_error(error);
    g_assert_cmpint(back->kind, ==, kinds[i]);
    g_assert_cmpstr(back->organisation, ==, ORG);
    g_assert_cmpstr(back->author, ==, JAN);
    g_assert_cmpuint(g_strv_length(back->recipients), ==, recipients);
    for (guint j = 0; j < recipients; j++)
      g_assert_cmpstr(back->recipients[j], ==, origin->recipients[j]);
    g_assert_cmpmem(back->body_sha256, 32, origin->body_sha256, 32);
  }
}

static void
test_recipients_limit(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, FALSE);
  static const guint counts[] = {0, ORIGIN_MAX_RECIPIENTS + 1};
  for (guint i = 0; i < G_N_ELEMENTS(counts); i++) {
    g_autoptr(Origin) origin = sample(ORIGIN_ANSWER, counts[i]);
    g_autoptr(GError) error = NULL;
    g_autofree char *value = origin_seal(ring, origin, &error);
    g_assert_null(value);
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT);
  }
}

static void
test_folding(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, FALSE);
  g_autoptr(Origin) origin = sample(ORIGIN_FORM, 10);
  g_autofree char *value = origin_seal(ring, origin, NULL);
  g_autofree char *field = g_strconcat(ORIGIN_HEADER, ": ", value, NULL);
  g_auto(GStrv) lines = g_strsplit(field, "\r\n", -1);
  g_assert_cmpuint(g_strv_length(lines), >, 1);
  g_assert_cmpuint(strlen(lines[0]), ==, FOLDED);
  for (char **line = lines; *line != NULL; line++)
    g_assert_cmpuint(strlen(*line), <=, FOLDED);
  g_autofree char *tabs = g_strjoinv("\n\t", lines);
  g_autoptr(Origin) back = origin_open(ring, tabs + strlen(ORIGIN_HEADER ": "), NULL);
  g_assert_nonnull(back);
}

static void
assert_refused(const KeyRing *ring, const char *value, ZegelError code)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Origin) origin = origin_open(ring, value, &error);
  g_assert_null(origin);
  g_assert_error(error, ZEGEL_ERROR, (int) code);
}

static void
test_forged(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, FALSE);
  g_autoptr(KeyRing) rotated = ring_new(KEY_ORIGIN, TRUE);
  g_autoptr(Origin) origin = sample(ORIGIN_ANSWER, 1);
  g_autofree char *old = origin_seal(ring, origin, NULL);
  g_autoptr(Origin) later = origin_open(rotated, old, NULL);
  g_assert_nonnull(later);
  g_autofree char *newer = origin_seal(rotated, origin, NULL);
  assert_refused(ring, newer, ZEGEL_ERROR_KEY_UNKNOWN);
  assert_refused(ring, "", ZEGEL_ERROR_INVALID);
  assert_refused(ring, "not base64", ZEGEL_ERROR_INVALID);
  g_autofree char *bent = g_strdup(old);
  bent[40] = bent[40] == 'A' ? 'E' : 'A';
  assert_refused(ring, bent, ZEGEL_ERROR_FORGED);
  static const char plain[] = "kind=answer\norg=o\nauthor=a@b\nrcpt=c@d\nbody=" HASH "\n\n";
  g_autofree char *other =
      box_text_seal(ring, "ticket", ORIGIN_HEADER, plain, strlen(plain), NULL);
  assert_refused(ring, other, ZEGEL_ERROR_FORGED);
}

/* What stands inside a good box is checked all the same. */
static void
test_inside(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, FALSE);
  static const struct {
    const char *plain;
    gboolean good;
  } rows[] = {
      {"kind=answer\norg=o\nauthor=a@b\nrcpt=c@d\nbody=" HASH "\n", TRUE},
      {"kind=form\norg=o\nauthor=a@b\nrcpt=c@d\nlater=1\nbody=" HASH "\n", TRUE},
      {"kind=other\norg=o\nauthor=a@b\nrcpt=c@d\nbody=" HASH "\n", FALSE},
      {"org=o\nauthor=a@b\nrcpt=c@d\nbody=" HASH "\n", FALSE},
      {"kind=answer\nauthor=a@b\nrcpt=c@d\nbody=" HASH "\n", FALSE},
      {"kind=answer\norg=\nauthor=a@b\nrcpt=c@d\nbody=" HASH "\n", FALSE},
      {"kind=answer\norg=o\nrcpt=c@d\nbody=" HASH "\n", FALSE},
      {"kind=answer\norg=o\nauthor=\nrcpt=c@d\nbody=" HASH "\n", FALSE},
      {"kind=answer\norg=o\nauthor=a%0Ab@c\nrcpt=c@d\nbody=" HASH "\n", FALSE},
      {"kind=answer\norg=o\nauthor=a@b\nbody=" HASH "\n", FALSE},
      {"kind=answer\norg=o\nauthor=a@b\nrcpt=\nbody=" HASH "\n", FALSE},
      {"kind=answer\norg=o\nauthor=a@b\nrcpt=c@d\nbody=5a\n", FALSE},
      {"kind=answer\norg=o\nauthor=a@b\nrcpt=c@d\n", FALSE},
      {"kind=answer\norg=o\nauthor=a@b\nrcpt=1\nrcpt=2\nrcpt=3\nrcpt=4\nrcpt=5\nrcpt=6\n"
       "rcpt=7\nrcpt=8\nrcpt=9\nrcpt=10\nrcpt=11\nbody=" HASH "\n",
       FALSE},
      {"nothing", FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("row %u", i);
    g_autofree char *value = box_text_seal(ring, "origin", ORIGIN_HEADER, rows[i].plain,
                                           strlen(rows[i].plain), NULL);
    g_autoptr(Origin) origin = origin_open(ring, value, NULL);
    g_assert_true((origin != NULL) == rows[i].good);
    if (!rows[i].good)
      assert_refused(ring, value, ZEGEL_ERROR_INVALID);
  }
}

static gboolean
is_dot_atom(const char *text)
{
  return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text);
}

static void
test_conversation(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, FALSE);
  g_autoptr(KeyRing) rotated = ring_new(KEY_ORIGIN, TRUE);
  g_autofree char *id = conversation_id(ring, ORG, JAN, NULL);
  g_autofree char *another = conversation_id(ring, ORG, JAN, NULL);
  g_autofree char *upper = g_ascii_strup(id, -1);
  g_autofree char *newer = conversation_id(rotated, ORG, JAN, NULL);
  g_assert_cmpuint(strlen(id), ==, ID_CHARS);
  g_assert_true(is_dot_atom(id));
  g_assert_cmpstr(id, !=, another);
  g_assert_true(conversation_check(ring, id, ORG, JAN));
  g_assert_true(conversation_check(ring, upper, ORG, "Jan@Example.COM"));
  g_assert_true(conversation_check(rotated, id, ORG, JAN));
  g_assert_true(conversation_check(rotated, newer, ORG, JAN));
  g_assert_false(conversation_check(ring, newer, ORG, JAN));
  g_assert_false(conversation_check(ring, id, "kliniek", JAN));
  g_assert_false(conversation_check(ring, id, ORG, "piet@example.com"));
  g_assert_false(conversation_check(ring, id + 1, ORG, JAN));
  g_assert_false(conversation_check(ring, "", ORG, JAN));
  for (gsize i = 0; i < strlen(id); i++) {
    g_autofree char *bent = g_strdup(id);
    bent[i] = bent[i] == 'a' ? 'b' : 'a';
    g_assert_false(conversation_check(ring, bent, ORG, JAN));
  }
}

/* What another implementation makes of the format: HMAC of organisation, address and
 * nonce under HKDF of key 0000000a. */
static void
test_known_answers(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, FALSE);
  g_assert_true(conversation_check(ring, "aaaqeaye-0000000a-kglwh53lvrmbu6sb", ORG, JAN));
  ControlKind kind = CONTROL_NUMBER;
  g_autofree char *reference = NULL;
  g_autofree char *address = control_address(ring, CONTROL_BOUNCE, ORG, REF, DOMAIN, NULL);
  g_assert_cmpstr(address, ==, "bounce-0123456789abcdez-0000000a-7ran56xzd6yaw6zd@" DOMAIN);
  g_assert_true(control_parse(ring, ORG, DOMAIN, address, &kind, &reference));
}

static void
assert_control(const KeyRing *ring, const char *address, ControlKind kind)
{
  ControlKind found = kind == CONTROL_BOUNCE ? CONTROL_NUMBER : CONTROL_BOUNCE;
  g_autofree char *reference = NULL;
  g_assert_true(control_parse(ring, ORG, DOMAIN, address, &found, &reference));
  g_assert_cmpint(found, ==, kind);
  g_assert_cmpstr(reference, ==, REF);
  g_assert_true(control_is_shaped(address));
}

static void
assert_no_control(const KeyRing *ring, const char *organisation, const char *domain,
                  const char *address)
{
  ControlKind kind = CONTROL_BOUNCE;
  g_autofree char *reference = NULL;
  g_assert_false(control_parse(ring, organisation, domain, address, &kind, &reference));
  g_assert_null(reference);
}

static void
test_control(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, FALSE);
  g_autoptr(KeyRing) rotated = ring_new(KEY_ORIGIN, TRUE);
  static const ControlKind kinds[] = {CONTROL_BOUNCE, CONTROL_NUMBER, CONTROL_VISITOR};
  static const char *const heads[] = {"bounce-" REF "-", "nummer-" REF "-",
                                      "answer-" REF "-"};
  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    g_autofree char *address = control_address(ring, kinds[i], ORG, REF, DOMAIN, NULL);
    g_autofree char *upper = g_ascii_strup(address, -1);
    gsize local = (gsize) (strchr(address, '@') - address);
    g_assert_cmpuint(local, <=, LOCAL);
    g_assert_true(g_str_has_prefix(address, heads[i]));
    assert_control(ring, address, kinds[i]);
    assert_control(ring, upper, kinds[i]);
    assert_control(rotated, address, kinds[i]);
    assert_no_control(ring, "kliniek", DOMAIN, address);
    assert_no_control(ring, ORG, "example.nl", address);
    for (gsize j = 0; j < local; j++) {
      g_autofree char *bent = g_strdup(address);
      bent[j] = bent[j] == 'a' ? 'b' : 'a';
      assert_no_control(ring, ORG, DOMAIN, bent);
    }
    /* A bounce must not pass for the other kind. */
    g_autofree char *swapped = g_strdup(address);
    memcpy(swapped, heads[(i + 1) % G_N_ELEMENTS(heads)], 7);
    assert_no_control(ring, ORG, DOMAIN, swapped);
    g_assert_true(control_is_shaped(swapped));
  }
}

static void
test_bad_references(void)
{
  g_autoptr(KeyRing) ring = ring_new(KEY_ORIGIN, FALSE);
  static const char *const bad[] = {"", "Abc", "a-b", "a@b", "0123456789abcdefg"};
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_autofree char *address =
        control_address(ring, CONTROL_BOUNCE, ORG, bad[i], DOMAIN, &error);
    g_assert_null(address);
    g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT);
  }
}

static void
test_shapes(void)
{
  static const char mac[] = "abcdefghijklm237";
  static const struct {
    const char *before, *after;
    gboolean shaped;
  } rows[] = {
      {"bounce-0123456789abcdez-0000000a-", "@b", TRUE},
      {"Nummer-1-0000000A-", "@b", TRUE},
      {"bounce--0000000a-", "@b", FALSE},
      {"bounce-0000000a-", "@b", FALSE},
      {"bounce-0123456789abcdezz-0000000a-", "@b", FALSE},
      {"bounce-a.b-0000000a-", "@b", FALSE},
      {"other-0123456789abcdez-0000000a-", "@b", FALSE},
      {"bounce-0123456789abcdez-0000000g-", "@b", FALSE},
      {"bounce-0123456789abcdez-0000000a", "@b", FALSE},
      {"bounce-0123456789abcdez-0000000a-", "a@b", FALSE},
      {"bounce-0123456789abcdez-0000000a-", "", FALSE},
      {"", "@b", FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("row %u", i);
    g_autofree char *address = g_strconcat(rows[i].before, mac, rows[i].after, NULL);
    g_assert_true(control_is_shaped(address) == rows[i].shaped);
  }
  g_assert_false(control_is_shaped("postmaster@example.nl"));
  g_assert_false(control_is_shaped(""));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/origin/round trip", test_round_trip);
  g_test_add_func("/origin/recipients", test_recipients_limit);
  g_test_add_func("/origin/folding", test_folding);
  g_test_add_func("/origin/forged", test_forged);
  g_test_add_func("/origin/inside", test_inside);
  g_test_add_func("/origin/conversation", test_conversation);
  g_test_add_func("/origin/known answers", test_known_answers);
  g_test_add_func("/origin/control", test_control);
  g_test_add_func("/origin/bad references", test_bad_references);
  g_test_add_func("/origin/shapes", test_shapes);
  return g_test_run();
}
