/* Zones root, "nl", "x.nl" and "y.nl", signed here, and what must not be believed of them.
 */
#include "policyd/chain.h"

#include <string.h>

#include <glib/gstdio.h>
#include <ldns/ldns.h>

#include "common/base/error.h"
#include "policyd/dns.h"
#include "tests/unit/policyd/dns_fake.h"
#include "tests/unit/tap.h"

#define TYPE_RRSIG 46
#define DAY_S      86400

typedef struct {
  const char *name;
  const char *dotted;
  ldns_key *key;
  ldns_key_list *keys; /* owns it */
  ldns_rr *dnskey;
} Zone;

/* Records as an answer, and the rdata of their signatures. */
typedef struct {
  DnsAnswer *answer;
  GPtrArray *signatures;
} Signed;

static Zone zones[] = {{.name = "", .dotted = "."},
                       {.name = "nl", .dotted = "nl."},
                       {.name = "x.nl", .dotted = "x.nl."},
                       {.name = "y.nl", .dotted = "y.nl."}};
enum {
  ROOT,
  NL,
  X,
  Y
};

static time_t now;

static void
make_zone(Zone *zone, guint16 flags)
{
  zone->key = ldns_key_new_frm_algorithm(LDNS_SIGN_ECDSAP256SHA256, 256);
  g_assert_nonnull(zone->key);
  ldns_key_set_pubkey_owner(zone->key, ldns_dname_new_frm_str(zone->dotted));
  ldns_key_set_flags(zone->key, flags);
  zone->dnskey = ldns_key2rr(zone->key);
  ldns_key_set_keytag(zone->key, ldns_calc_keytag(zone->dnskey));
  ldns_key_set_flags(zone->key, 257); /* else ldns would not sign */
  zone->keys = ldns_key_list_new();
  ldns_key_list_push_key(zone->keys, zone->key);
}

static void
free_zone(Zone *zone)
{
  ldns_rr_free(zone->dnskey);
  ldns_key_list_free(zone->keys);
}

static GBytes *
rdata_of(const ldns_rr *record)
{
  ldns_buffer *buffer = ldns_buffer_new(512);
  g_assert_cmpint(ldns_rr_rdata2buffer_wire(buffer, record), ==, LDNS_STATUS_OK);
  GBytes *rdata = g_bytes_new(ldns_buffer_begin(buffer), ldns_buffer_position(buffer));
  ldns_buffer_free(buffer);
  return rdata;
}

static void
signed_free(Signed *signed_one)
{
  dns_answer_unref(signed_one->answer);
  g_ptr_array_unref(signed_one->signatures);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Signed, signed_free)

/* RECORDS (taken) of NAME, signed by ZONE from BEGIN_S to END_S from now. */
static Signed
sign(ldns_rr_list *records, const char *name, const Zone *zone, int begin_s, int end_s)
{
  Signed made = {.signatures =
                     g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref)};
  ldns_key_set_inception(zone->key, (uint32_t) (now + begin_s));
  ldns_key_set_expiration(zone->key, (uint32_t) (now + end_s));
  ldns_rr_list *made_by_ldns = ldns_sign_public(records, zone->keys);
  g_assert_nonnull(made_by_ldns);
  made.answer = dns_answer_new(name, (guint16) ldns_rr_list_type(records));
  for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
    g_autoptr(GBytes) rdata = rdata_of(ldns_rr_list_rr(records, i));
    dns_answer_add(made.answer, g_bytes_get_data(rdata, NULL), g_bytes_get_size(rdata));
  }
  for (size_t i = 0; i < ldns_rr_list_rr_count(made_by_ldns); i++)
    g_ptr_array_add(made.signatures, rdata_of(ldns_rr_list_rr(made_by_ldns, i)));
  made.answer->secure = TRUE;
  made.answer->expires_us = G_MAXINT64;
  ldns_rr_list_deep_free(made_by_ldns);
  ldns_rr_list_deep_free(records);
  return made;
}

/* The records in TEXT, '|' between them. */
static ldns_rr_list *
parse(const char *text)
{
  ldns_rr_list *records = ldns_rr_list_new();
  g_auto(GStrv) lines = g_strsplit(text, "|", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    ldns_rr *record = NULL;
    g_assert_cmpint(ldns_rr_new_frm_str(&record, lines[i], 60, NULL, NULL), ==,
                    LDNS_STATUS_OK);
    ldns_rr_list_push_rr(records, record);
  }
  return records;
}

static Signed
sign_text(const char *text, const char *name, const Zone *zone)
{
  return sign(parse(text), name, zone, -DAY_S, DAY_S);
}

static Signed
sign_dnskey(const Zone *zone)
{
  ldns_rr_list *records = ldns_rr_list_new();
  ldns_rr_list_push_rr(records, ldns_rr_clone(zone->dnskey));
  return sign(records, zone->name, zone, -DAY_S, DAY_S);
}

static Signed
sign_ds(const Zone *zone, const Zone *parent, ldns_hash hash)
{
  ldns_rr_list *records = ldns_rr_list_new();
  ldns_rr_list_push_rr(records, ldns_key_rr2ds(zone->dnskey, hash));
  return sign(records, zone->name, parent, -DAY_S, DAY_S);
}

/* A file with TEXT, and the chain from it. */
static Chain *
chain_from(const char *text, GError **error)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp("zegel-anchor-XXXXXX", &path, NULL);
  g_assert_cmpint(fd, >=, 0);
  g_close(fd, NULL);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
  Chain *chain = chain_new(path, error);
  g_unlink(path);
  return chain;
}

static char *
root_ds_text(void)
{
  ldns_rr *ds = ldns_key_rr2ds(zones[ROOT].dnskey, LDNS_SHA256);
  char *made_by_ldns = ldns_rr2str(ds);
  char *text = g_strdup(made_by_ldns);
  free(made_by_ldns);
  ldns_rr_free(ds);
  return text;
}

static Chain *
root_chain(void)
{
  g_autofree char *text = root_ds_text();
  return chain_from(text, NULL);
}

static gboolean
verify(const Signed *claim, const Signed *needed)
{
  g_autoptr(Chain) chain = root_chain();
  guint32 holds_s = 12345;
  return chain_verify(chain, claim->answer, claim->signatures,
                      needed != NULL ? needed->answer : NULL, now, &holds_s);
}

static void
assert_next(const Signed *claim, const char *name, guint16 type)
{
  g_autofree char *next = NULL;
  guint16 next_type = 0;
  g_assert_true(chain_next(claim->answer, claim->signatures, &next, &next_type));
  g_assert_cmpstr(next, ==, name);
  g_assert_cmpuint(next_type, ==, type);
}

static void
assert_no_next(const Signed *claim)
{
  g_autofree char *next = NULL;
  guint16 type;
  g_assert_false(chain_next(claim->answer, claim->signatures, &next, &type));
}

/* What stands in the answer to a question, each signed by the zone that may. */
static void
test_right(void)
{
  static const struct {
    const char *text;
    const char *name;
    guint zone;
  } rows[] = {
      {"x.nl. 60 IN TXT \"a\" \"b\"|x.nl. 60 IN TXT \"c\"", "x.nl", X},
      {"X.nl. 60 IN MX 10 Mail.X.nl.|x.nl. 60 IN MX 20 b.nl.", "x.nl", X},
      {"_25._tcp.mail.x.nl. 60 IN TLSA 3 1 1 aabb", "_25._tcp.mail.x.nl", X},
      {"mail.x.nl. 60 IN A 192.0.2.1|mail.x.nl. 60 IN A 192.0.2.2", "mail.x.nl", X},
      {"mail.x.nl. 60 IN AAAA 2001:db8::1", "mail.x.nl", X},
      {"1.x.nl. 60 IN PTR Host.X.nl.", "1.x.nl", X},
      {"a.nl. 60 IN TXT \"in the zone above\"", "a.nl", NL},
      {"x. 60 IN TXT \"in the root\"", "x", ROOT},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const Zone *zone = &zones[rows[i].zone];
    g_auto(Signed) claim = sign_text(rows[i].text, rows[i].name, zone);
    g_auto(Signed) keys = sign_dnskey(zone);
    g_test_message("%s", rows[i].text);
    assert_next(&claim, zone->name, RR_DNSKEY);
    g_assert_true(verify(&claim, &keys));
  }
}

static void
test_links(void)
{
  g_auto(Signed) root = sign_dnskey(&zones[ROOT]);
  g_auto(Signed) nl = sign_dnskey(&zones[NL]);
  g_auto(Signed) nl_ds = sign_ds(&zones[NL], &zones[ROOT], LDNS_SHA256);
  g_auto(Signed) x_ds = sign_ds(&zones[X], &zones[NL], LDNS_SHA384);
  g_auto(Signed) x = sign_dnskey(&zones[X]);
  assert_next(&root, NULL, RR_DS);
  g_assert_true(verify(&root, NULL));
  assert_next(&nl_ds, "", RR_DNSKEY);
  g_assert_true(verify(&nl_ds, &root));
  assert_next(&nl, "nl", RR_DS);
  g_assert_true(verify(&nl, &nl_ds));
  assert_next(&x_ds, "nl", RR_DNSKEY);
  g_assert_true(verify(&x_ds, &nl));
  g_assert_true(verify(&x, &x_ds));

  /* The anchor is for the root's keys alone, and each link is of its own kind. */
  g_assert_false(verify(&nl, NULL));
  g_assert_false(verify(&x_ds, NULL));
  g_assert_false(verify(&nl, &x_ds));
  g_assert_false(verify(&nl, &root));
  g_assert_false(verify(&x_ds, &nl_ds));
}

/* TXT of more than 255 strings, which ldns_wire2rr does not take whole. */
static void
test_long_txt(void)
{
  guint8 strings[600];
  for (guint i = 0; i < G_N_ELEMENTS(strings); i += 2) {
    strings[i] = 1;
    strings[i + 1] = 'a';
  }
  ldns_rr *record = ldns_rr_new();
  ldns_rr_set_owner(record, ldns_dname_new_frm_str("x.nl."));
  ldns_rr_set_type(record, LDNS_RR_TYPE_TXT);
  ldns_rr_push_rdf(record,
                   ldns_rdf_new_frm_data(LDNS_RDF_TYPE_UNKNOWN, sizeof(strings), strings));
  ldns_rr_list *records = ldns_rr_list_new();
  ldns_rr_list_push_rr(records, record);
  g_auto(Signed) claim = sign(records, "x.nl", &zones[X], -DAY_S, DAY_S);
  g_auto(Signed) keys = sign_dnskey(&zones[X]);
  g_assert_true(verify(&claim, &keys));
}

static void
test_wrong(void)
{
  g_auto(Signed) keys = sign_dnskey(&zones[X]);
  g_auto(Signed) claim = sign_text("x.nl. 60 IN TXT \"a\"", "x.nl", &zones[X]);
  g_assert_true(verify(&claim, &keys));

  g_auto(Signed) more = sign_text("x.nl. 60 IN TXT \"a\"", "x.nl", &zones[X]);
  dns_answer_add(more.answer, "\1b", 2);
  g_assert_false(verify(&more, &keys));

  g_auto(Signed) moved = sign_text("a.x.nl. 60 IN TXT \"a\"", "b.x.nl", &zones[X]);
  g_assert_false(verify(&moved, &keys));

  g_auto(Signed) typed = sign_text("x.nl. 60 IN TXT \"a\"", "x.nl", &zones[X]);
  typed.answer->type = RR_A;
  assert_no_next(&typed);
  g_assert_false(verify(&typed, &keys));

  g_auto(Signed) bare = sign_text("x.nl. 60 IN TXT \"a\"", "x.nl", &zones[X]);
  g_ptr_array_set_size(bare.signatures, 0);
  assert_no_next(&bare);
  g_assert_false(verify(&bare, &keys));

  g_auto(Signed) old = sign(parse("x.nl. 60 IN TXT \"a\""), "x.nl", &zones[X], -DAY_S, -1);
  g_assert_false(verify(&old, &keys));
  g_auto(Signed) early = sign(parse("x.nl. 60 IN TXT \"a\""), "x.nl", &zones[X], 1, DAY_S);
  g_assert_false(verify(&early, &keys));

  keys.answer->secure = FALSE;
  g_assert_false(verify(&claim, &keys));
  keys.answer->secure = TRUE;
  keys.answer->alias = TRUE;
  g_assert_false(verify(&claim, &keys));
  keys.answer->alias = FALSE;
  keys.answer->outcome = DNS_NODATA;
  g_assert_false(verify(&claim, &keys));
}

/* Only the zone itself, or one above it, may sign. */
static void
test_signers(void)
{
  g_auto(Signed) y = sign_dnskey(&zones[Y]);
  g_auto(Signed) other = sign_text("x.nl. 60 IN TXT \"a\"", "x.nl", &zones[Y]);
  assert_no_next(&other);
  g_assert_false(verify(&other, &y));

  g_auto(Signed) x = sign_dnskey(&zones[X]);
  g_auto(Signed) above = sign_text("nl. 60 IN TXT \"a\"", "nl", &zones[X]);
  assert_no_next(&above);
  g_assert_false(verify(&above, &x));

  g_auto(Signed) own_ds = sign_ds(&zones[X], &zones[X], LDNS_SHA256);
  assert_no_next(&own_ds);
  g_assert_false(verify(&own_ds, &x));

  g_auto(Signed) nl = sign_dnskey(&zones[NL]);
  ldns_rr_list *records = ldns_rr_list_new();
  ldns_rr_list_push_rr(records, ldns_rr_clone(zones[X].dnskey));
  g_auto(Signed) by_parent = sign(records, "x.nl", &zones[NL], -DAY_S, DAY_S);
  assert_no_next(&by_parent);
  g_assert_false(verify(&by_parent, &nl));

  /* Keys of another zone under the right name. */
  g_auto(Signed) claim = sign_text("x.nl. 60 IN TXT \"a\"", "x.nl", &zones[X]);
  g_free(y.answer->name);
  y.answer->name = g_strdup("x.nl");
  g_assert_false(verify(&claim, &y));
}

/* The trap: records of a signed zone behind an alias of an unsigned one. */
static void
test_alias(void)
{
  g_auto(Signed) keys = sign_dnskey(&zones[X]);
  g_auto(Signed) claim = sign_text("x.nl. 60 IN TXT \"a\"", "x.nl", &zones[X]);
  claim.answer->alias = TRUE;
  g_assert_false(verify(&claim, &keys));
  claim.answer->alias = FALSE;
  g_free(claim.answer->name);
  claim.answer->name = g_strdup("unsigned.nl");
  assert_no_next(&claim);
  g_assert_false(verify(&claim, &keys));
}

static void
test_keys(void)
{
  static const struct {
    guint16 flags;
    gboolean good;
  } rows[] = {{256, TRUE}, {257, TRUE}, {0, FALSE}, {257 | 128, FALSE}};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    Zone zone = {.name = "z.nl", .dotted = "z.nl."};
    make_zone(&zone, rows[i].flags);
    g_auto(Signed) ds = sign_ds(&zone, &zones[NL], LDNS_SHA256);
    g_auto(Signed) keys = sign_dnskey(&zone);
    g_auto(Signed) claim = sign_text("z.nl. 60 IN TXT \"a\"", "z.nl", &zone);
    g_test_message("flags %u", rows[i].flags);
    g_assert_cmpint(verify(&keys, &ds), ==, rows[i].good);
    g_assert_cmpint(verify(&claim, &keys), ==, rows[i].good);
    free_zone(&zone);
  }
}

static void
test_digests(void)
{
  g_auto(Signed) keys = sign_dnskey(&zones[X]);
  g_auto(Signed) sha1 = sign_ds(&zones[X], &zones[NL], LDNS_SHA1);
  g_assert_false(verify(&keys, &sha1));
  g_auto(Signed) other = sign_ds(&zones[Y], &zones[NL], LDNS_SHA256);
  g_free(other.answer->name);
  other.answer->name = g_strdup("x.nl");
  g_assert_false(verify(&keys, &other));

  /* ldns_key_rr2ds makes a DS without a digest of a type it does not know. */
  g_auto(Signed) empty = sign_ds(&zones[X], &zones[NL], LDNS_SHA256);
  g_autofree guint8 *rdata =
      g_memdup2(g_bytes_get_data(empty.answer->records->pdata[0], NULL), 4);
  rdata[3] = 99;
  g_ptr_array_set_size(empty.answer->records, 0);
  dns_answer_add(empty.answer, rdata, 4);
  g_assert_false(verify(&keys, &empty));
}

static void
test_holds(void)
{
  g_autoptr(Chain) chain = root_chain();
  g_auto(Signed) keys = sign_dnskey(&zones[X]);
  g_auto(Signed) soon = sign(parse("x.nl. 600 IN TXT \"a\""), "x.nl", &zones[X], -9, 300);
  g_auto(Signed) ttl = sign_text("x.nl. 60 IN TXT \"a\"", "x.nl", &zones[X]);
  guint32 holds_s = 0;
  g_assert_true(
      chain_verify(chain, soon.answer, soon.signatures, keys.answer, now, &holds_s));
  g_assert_cmpuint(holds_s, ==, 300);
  g_assert_true(
      chain_verify(chain, ttl.answer, ttl.signatures, keys.answer, now, &holds_s));
  g_assert_cmpuint(holds_s, ==, 60);
}

/* Damaged records and signatures: nothing but FALSE. */
static void
test_damage(void)
{
  g_auto(Signed) claim = sign_text("x.nl. 60 IN MX 10 mail.x.nl.", "x.nl", &zones[X]);
  g_auto(Signed) keys = sign_dnskey(&zones[X]);
  GBytes *whole = g_bytes_ref(claim.signatures->pdata[0]);
  gsize len = g_bytes_get_size(whole);
  for (gsize i = 0; i < len; i++) {
    g_autofree guint8 *cut = g_memdup2(g_bytes_get_data(whole, NULL), len);
    g_ptr_array_set_size(claim.signatures, 0);
    g_ptr_array_add(claim.signatures, g_bytes_new(cut, i));
    g_assert_false(verify(&claim, &keys));
    cut[i] ^= 0x55;
    g_ptr_array_set_size(claim.signatures, 0);
    g_ptr_array_add(claim.signatures, g_bytes_new(cut, len));
    g_assert_false(verify(&claim, &keys));
  }
  g_ptr_array_set_size(claim.signatures, 0);
  g_ptr_array_add(claim.signatures, whole);
  g_assert_true(verify(&claim, &keys));
  dns_answer_add(keys.answer, "\1\1", 2); /* a key that is none changes nothing */
  g_assert_true(verify(&claim, &keys));
}

static void
test_anchors(void)
{
  g_autofree char *ds = root_ds_text();
  char *made_by_ldns = ldns_rr2str(zones[ROOT].dnskey);
  g_autofree char *dnskey = g_strdup(made_by_ldns);
  dnskey[strcspn(dnskey, ";\n")] = '\0';
  free(made_by_ldns);
  const struct {
    const char *format;
    const char *record;
    gboolean good;
  } rows[] = {{"%s", ds, TRUE},
              {"; autotrust trust anchor file\n\n%s ;;state=2 [  VALID  ] ;;count=0\n",
               dnskey, TRUE},
              {"%s ;;state=3 [ MISSING ]\n", dnskey, TRUE},
              {"%s ;;state=1 [ ADDPEND ]\n", dnskey, FALSE},
              {"%s ;;state=4 [ REVOKED ]\n", dnskey, FALSE},
              {"%s\ngarbage\n", ds, FALSE},
              {"%.0s. 60 IN TXT \"x\"\n", ds, FALSE},
              {"nl%s\n", ds, FALSE},
              {"%.0s", ds, FALSE},
              {"; nothing%.0s\n", ds, FALSE}};
  g_auto(Signed) root = sign_dnskey(&zones[ROOT]);
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) parts = g_strsplit(rows[i].format, "%s", 2);
    g_autofree char *text = parts[1] != NULL
                                ? g_strconcat(parts[0], rows[i].record, parts[1], NULL)
                                : g_strdup(rows[i].format);
    guint32 holds_s;
    g_test_message("row %u", i);
    g_autoptr(Chain) chain = chain_from(text, &error);
    g_assert_cmpint(chain != NULL, ==, rows[i].good);
    if (chain == NULL)
      g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
    else
      g_assert_true(chain_verify(chain, root.answer, root.signatures, NULL, now, &holds_s));
  }
  g_autoptr(GError) error = NULL;
  g_assert_null(chain_new("/nonexistent/root.key", &error));
  g_assert_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG);
}

typedef struct {
  Loop *loop;
  DnsFake *fake;
  Dns *dns;
  DnsAnswer *answer;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
  g_autoptr(GError) error = NULL;
  f->loop = loop_new(NULL);
  f->fake = dns_fake_new(f->loop);
  g_autofree char *address = dns_fake_address(f->fake);
  g_autofree char *path = NULL;
  g_autofree char *text = root_ds_text();
  g_close(g_file_open_tmp("zegel-anchor-XXXXXX", &path, NULL), NULL);
  g_assert_true(g_file_set_contents(path, text, -1, NULL));
  const DnsOptions options = {.address = address,
                              .chain = TRUE,
                              .trust_anchor = path,
                              .timeout_ms = GPOINTER_TO_UINT(data)};
  f->dns = dns_new(f->loop, &options, &error);
  g_assert_no_error(error);
  g_unlink(path);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
  (void) data;
  dns_answer_unref(f->answer);
  dns_free(f->dns);
  dns_fake_free(f->fake);
  loop_free(f->loop);
}

static void
on_done(gpointer data, DnsAnswer *answer)
{
  Fixture *f = data;
  dns_answer_unref(f->answer);
  f->answer = dns_answer_ref(answer);
  loop_stop(f->loop);
}

static const DnsAnswer *
ask(Fixture *f, const char *name, guint16 type)
{
  dns_ask(f->dns, name, type, FALSE, on_done, f);
  g_assert_true(loop_run(f->loop, NULL));
  return f->answer;
}

/* From now on the resolver gives MADE (which is ended) to its question. */
static void
publish(Fixture *f, Signed made)
{
  const DnsAnswer *answer = made.answer;
  for (guint i = 0; i < answer->records->len; i++)
    dns_fake_add(f->fake, answer->name, answer->type, answer->type,
                 answer->records->pdata[i]);
  for (guint i = 0; i < made.signatures->len; i++)
    dns_fake_add(f->fake, answer->name, answer->type, TYPE_RRSIG,
                 made.signatures->pdata[i]);
  signed_free(&made);
}

static void
publish_keys(Fixture *f)
{
  publish(f, sign_dnskey(&zones[ROOT]));
  publish(f, sign_ds(&zones[NL], &zones[ROOT], LDNS_SHA256));
  publish(f, sign_dnskey(&zones[NL]));
  publish(f, sign_ds(&zones[X], &zones[NL], LDNS_SHA256));
  publish(f, sign_dnskey(&zones[X]));
}

static void
test_ask(Fixture *f, gconstpointer data)
{
  (void) data;
  publish_keys(f);
  publish(f, sign_text("x.nl. 60 IN TXT \"a\"", "x.nl", &zones[X]));
  publish(f, sign_text("x.nl. 60 IN MX 10 mail.x.nl.", "x.nl", &zones[X]));
  const DnsAnswer *answer = ask(f, "x.nl", RR_TXT);
  g_assert_cmpstr(answer->failure, ==, NULL);
  g_assert_true(dns_answer_is_proved(answer));
  g_assert_cmpuint(dns_fake_asked(f->fake, "x.nl"), ==, 3); /* TXT, DNSKEY, DS */
  g_assert_cmpuint(dns_fake_asked(f->fake, ""), ==, 1);
  answer = ask(f, "x.nl", RR_MX);
  g_assert_true(dns_answer_is_proved(answer));
  g_assert_cmpuint(dns_fake_asked(f->fake, "x.nl"), ==, 4); /* the keys are known */
}

/* The resolver says "secure" and what it gives is not, or cannot be found out. */
static void
test_ask_bogus(Fixture *f, gconstpointer data)
{
  (void) data;
  publish_keys(f);
  const DnsAnswer *answer = ask(f, "ok.test", RR_TXT); /* AD, not signed */
  g_assert_cmpint(answer->outcome, ==, DNS_FAILURE);
  g_assert_cmpstr(answer->failure, ==, "bogus: chain of trust");
  g_assert_false(answer->secure);
  g_assert_cmpuint(answer->records->len, ==, 0);

  publish(f, sign_text("y.nl. 60 IN TXT \"a\"", "y.nl", &zones[Y]));
  answer = ask(f, "y.nl", RR_TXT); /* y.nl has no keys */
  g_assert_cmpint(answer->outcome, ==, DNS_FAILURE);
  g_assert_cmpstr(answer->failure, ==, "bogus: chain of trust");

  Zone zone = {.name = "servfail.nl", .dotted = "servfail.nl."};
  make_zone(&zone, 257);
  publish(f, sign_text("servfail.nl. 60 IN TXT \"a\"", "servfail.nl", &zone));
  answer = ask(f, "servfail.nl", RR_TXT);
  g_assert_cmpstr(answer->failure, ==, "DNSKEY of \"servfail.nl\": SERVFAIL");
  publish(f, sign_dnskey(&zone)); /* its keys, without a DS */
  dns_ask(f->dns, "servfail.nl", RR_DNSKEY, TRUE, on_done, f);
  g_assert_true(loop_run(f->loop, NULL));
  g_assert_cmpstr(f->answer->failure, ==, "DS of \"servfail.nl\": SERVFAIL");
  free_zone(&zone);

  Signed changed = sign_text("x.nl. 60 IN TXT \"a\"", "x.nl", &zones[X]);
  dns_answer_add(changed.answer, "\1b", 2);
  publish(f, changed);
  answer = ask(f, "x.nl", RR_TXT);
  g_assert_cmpstr(answer->failure, ==, "bogus: chain of trust");
}

static void
test_ask_other(Fixture *f, gconstpointer data)
{
  (void) data;
  const DnsAnswer *answer = ask(f, "plain.test", RR_TXT); /* no AD: data, not secure */
  g_assert_cmpint(answer->outcome, ==, DNS_DATA);
  g_assert_false(answer->secure);
  answer = ask(f, "nxdomain-9.test", RR_TXT); /* the word of the resolver */
  g_assert_cmpint(answer->outcome, ==, DNS_NXDOMAIN);
  g_assert_true(answer->secure);
  answer = ask(f, "chain-2.test", RR_TXT); /* an alias */
  g_assert_cmpint(answer->outcome, ==, DNS_DATA);
  g_assert_true(answer->alias);
  g_assert_false(answer->secure);
}

/* Keys that do not come: the question has one deadline, and frees what waits for it. */
static void
test_ask_silent(Fixture *f, gconstpointer data)
{
  (void) data;
  Zone zone = {.name = "silent.nl", .dotted = "silent.nl."};
  make_zone(&zone, 257);
  publish(f, sign_text("silent.nl. 60 IN TXT \"a\"", "silent.nl", &zone));
  gint64 start_us = g_get_monotonic_time();
  const DnsAnswer *answer = ask(f, "silent.nl", RR_TXT);
  g_assert_cmpstr(answer->failure, ==, "timeout");
  g_assert_cmpint(g_get_monotonic_time() - start_us, <, 10 * G_TIME_SPAN_SECOND);
  Zone other = {.name = "quiet.nl", .dotted = "quiet.nl."}; /* the failure above is kept */
  make_zone(&other, 257);
  publish(f, sign_text("quiet.nl. 60 IN TXT \"a\"", "quiet.nl", &other));
  DnsWaiter *waiter = dns_ask(f->dns, "quiet.nl", RR_TXT, FALSE, on_done, f);
  ask(f, "plain.test", RR_TXT);
  dns_cancel(waiter); /* the rest ends with dns_free */
  free_zone(&other);
  free_zone(&zone);
}

#define ADD(name, timeout_ms, function)                                                    \
  g_test_add(name, Fixture, GUINT_TO_POINTER(timeout_ms), set_up, function, tear_down)
int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  now = time(NULL);
  for (guint i = 0; i < G_N_ELEMENTS(zones); i++)
    make_zone(&zones[i], 257);
  g_test_add_func("/chain/right", test_right);
  g_test_add_func("/chain/links", test_links);
  g_test_add_func("/chain/long-txt", test_long_txt);
  g_test_add_func("/chain/wrong", test_wrong);
  g_test_add_func("/chain/signers", test_signers);
  g_test_add_func("/chain/alias", test_alias);
  g_test_add_func("/chain/keys", test_keys);
  g_test_add_func("/chain/digests", test_digests);
  g_test_add_func("/chain/holds", test_holds);
  g_test_add_func("/chain/damage", test_damage);
  g_test_add_func("/chain/anchors", test_anchors);
  ADD("/chain/ask", DNS_TIMEOUT_MS, test_ask);
  ADD("/chain/ask-bogus", DNS_TIMEOUT_MS, test_ask_bogus);
  ADD("/chain/ask-other", DNS_TIMEOUT_MS, test_ask_other);
  ADD("/chain/ask-silent", 500, test_ask_silent);
  int status = g_test_run();
  for (guint i = 0; i < G_N_ELEMENTS(zones); i++)
    free_zone(&zones[i]);
  return status;
}
