#include "policyd/chain.h"

#include <string.h>

#include <ldns/ldns.h>

#include "common/base/error.h"

#define TYPE_RRSIG      46
#define CLASS_IN        1
#define MAX_SIGNATURES  8  /* that are tried: each costs a public key operation */
#define MAX_KEYS        32 /* of one zone */
#define RRSIG_FIELDS    9
#define DNSKEY_FIELDS   4
#define DS_FIELDS       4
#define FLAG_ZONE       0x0100 /* RFC 4034 2.1.1 */
#define FLAG_REVOKE     0x0080 /* RFC 5011 7 */
#define PROTOCOL_DNSSEC 3
#define STATE_VALID     2 /* of a key in Unbound's file, RFC 5011 4 */
#define STATE_MISSING   3

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ldns_rdf, ldns_rdf_deep_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ldns_rr, ldns_rr_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ldns_rr_list, ldns_rr_list_deep_free)

struct Chain {
  ldns_rr_list *anchors; /* DS records of the root */
};

static void
put16(GByteArray *wire, guint value)
{
  const guint8 bytes[2] = {(guint8) (value >> 8), (guint8) value};
  g_byte_array_append(wire, bytes, sizeof(bytes));
}

/* The record of OWNER with RDATA, its fields apart; NULL when it is damaged. */
static ldns_rr *
parse_record(const ldns_rdf *owner, guint16 type, GBytes *rdata)
{
  gsize len, at = 0;
  const guint8 *data = g_bytes_get_data(rdata, &len);
  g_autoptr(GByteArray) wire = g_byte_array_new();
  g_byte_array_append(wire, ldns_rdf_data(owner), (guint) ldns_rdf_size(owner));
  put16(wire, type);
  put16(wire, CLASS_IN);
  put16(wire, 0);
  put16(wire, 0); /* the TTL: verifying takes the signature's */
  put16(wire, (guint) len);
  g_byte_array_append(wire, data, (guint) len);
  ldns_rr *record = NULL;
  if (ldns_wire2rr(&record, wire->data, wire->len, &at, LDNS_SECTION_ANSWER) !=
      LDNS_STATUS_OK)
    return NULL;
  if (at == wire->len)
    return record;
  ldns_rr_free(record);
  return NULL;
}

/* As parse_record, in one field: ldns cannot take a TXT of more than 255 strings apart. */
static ldns_rr *
opaque_record(const ldns_rdf *owner, guint16 type, GBytes *rdata)
{
  gsize len;
  const guint8 *data = g_bytes_get_data(rdata, &len);
  ldns_rdf *field = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_UNKNOWN, len, data);
  if (field == NULL)
    return NULL;
  ldns_rr *record = ldns_rr_new();
  ldns_rr_set_owner(record, ldns_rdf_clone(owner));
  ldns_rr_set_type(record, (ldns_rr_type) type);
  ldns_rr_set_class(record, LDNS_RR_CLASS_IN);
  ldns_rr_push_rdf(record, field);
  return record;
}

/* Names in these are compared without case: ldns must know where they are. */
static gboolean
has_names(guint16 type)
{
  return type == RR_MX || type == RR_CNAME || type == RR_PTR || type == RR_SOA;
}

/* The records of ANSWER, new; NULL when one is damaged. */
static ldns_rr_list *
records_of(const DnsAnswer *answer, const ldns_rdf *owner)
{
  g_autoptr(ldns_rr_list) list = ldns_rr_list_new();
  for (guint i = 0; i < answer->records->len; i++) {
    GBytes *rdata = answer->records->pdata[i];
    ldns_rr *record =
        has_names(answer->type) || answer->type == RR_DNSKEY || answer->type == RR_DS
            ? parse_record(owner, answer->type, rdata)
            : opaque_record(owner, answer->type, rdata);
    if (record == NULL)
      return NULL;
    ldns_rr_list_push_rr(list, record);
  }
  return g_steal_pointer(&list);
}

static ldns_rdf *
owner_of(const DnsAnswer *answer)
{
  ldns_rdf *owner = ldns_dname_new_frm_str(*answer->name != '\0' ? answer->name : ".");
  if (owner != NULL)
    ldns_dname2canonical(owner);
  return owner;
}

static gboolean
is_below(const ldns_rdf *name, const ldns_rdf *parent)
{
  return ldns_dname_compare(name, parent) != 0 && ldns_dname_is_subdomain(name, parent);
}

/*
 * Whether the zone SIGNER may sign TYPE of OWNER: a DNSKEY is signed by itself, a DS by a
 * zone above, all else by a zone above or at the name. ldns does not look at it.
 */
static gboolean
may_sign(const ldns_rdf *signer, const ldns_rdf *owner, guint16 type)
{
  gboolean same = ldns_dname_compare(signer, owner) == 0;
  if (type == RR_DNSKEY)
    return same;
  return is_below(owner, signer) || (same && type != RR_DS);
}

/* The signature RDATA of OWNER, if it can be one of TYPE; else NULL. */
static ldns_rr *
parse_signature(const ldns_rdf *owner, guint16 type, GBytes *rdata)
{
  g_autoptr(ldns_rr) signature = parse_record(owner, TYPE_RRSIG, rdata);
  if (signature == NULL || ldns_rr_rd_count(signature) != RRSIG_FIELDS ||
      ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(signature)) != (ldns_rr_type) type)
    return NULL;
  ldns_rdf *signer = ldns_rr_rrsig_signame(signature);
  ldns_dname2canonical(signer);
  if (!may_sign(signer, owner, type) ||
      ldns_rdf2native_int8(ldns_rr_rrsig_labels(signature)) > ldns_dname_label_count(owner))
    return NULL;
  return g_steal_pointer(&signature);
}

/* SIGNER as questions have it; new. */
static char *
name_text(const ldns_rdf *signer)
{
  char *dotted = ldns_rdf2str(signer);
  char *name = g_ascii_strdown(dotted, -1);
  gsize len = strlen(name);
  if (len > 0 && name[len - 1] == '.')
    name[len - 1] = '\0';
  LDNS_FREE(dotted);
  return name;
}

gboolean
chain_next(const DnsAnswer *answer, GPtrArray *signatures, char **name, guint16 *type)
{
  g_autoptr(ldns_rdf) owner = owner_of(answer);
  *name = NULL;
  for (guint i = 0; owner != NULL && i < signatures->len && i < MAX_SIGNATURES; i++) {
    g_autoptr(ldns_rr) signature =
        parse_signature(owner, answer->type, signatures->pdata[i]);
    if (signature == NULL)
      continue;
    *type = answer->type == RR_DNSKEY ? RR_DS : RR_DNSKEY;
    if (*answer->name != '\0' || answer->type != RR_DNSKEY)
      *name = name_text(ldns_rr_rrsig_signame(signature));
    return TRUE;
  }
  return FALSE;
}

/* Whether KEY may sign records of a zone. */
static gboolean
is_zone_key(const ldns_rr *key)
{
  if (ldns_rr_get_type(key) != LDNS_RR_TYPE_DNSKEY ||
      ldns_rr_rd_count(key) != DNSKEY_FIELDS)
    return FALSE;
  guint flags = ldns_rdf2native_int16(ldns_rr_dnskey_flags(key));
  return (flags & FLAG_ZONE) != 0 && (flags & FLAG_REVOKE) == 0 &&
         ldns_rdf2native_int8(ldns_rr_dnskey_protocol(key)) == PROTOCOL_DNSSEC;
}

/* Whether DS names KEY by a digest that is good today: ldns takes any for SHA-1. */
static gboolean
names_key(const ldns_rr *ds, const ldns_rr *key)
{
  if (ldns_rr_rd_count(ds) != DS_FIELDS)
    return FALSE;
  guint digest = ldns_rdf2native_int8(ldns_rr_rdf(ds, 2));
  return (digest == LDNS_SHA256 || digest == LDNS_SHA384) && ldns_rr_compare_ds(ds, key);
}

static gboolean
is_named(const ldns_rr_list *delegations, const ldns_rr *key)
{
  for (size_t i = 0; i < ldns_rr_list_rr_count(delegations); i++)
    if (names_key(ldns_rr_list_rr(delegations, i), key))
      return TRUE;
  return FALSE;
}

/* Those of KEYS that may sign, and that DELEGATIONS name (NULL: all). The list is new, what
 * is in it is not. */
static ldns_rr_list *
good_keys(const ldns_rr_list *keys, const ldns_rr_list *delegations)
{
  ldns_rr_list *good = ldns_rr_list_new();
  for (size_t i = 0; i < ldns_rr_list_rr_count(keys) && i < MAX_KEYS; i++) {
    ldns_rr *key = ldns_rr_list_rr(keys, i);
    if (is_zone_key(key) && (delegations == NULL || is_named(delegations, key)))
      ldns_rr_list_push_rr(good, key);
  }
  return good;
}

/* Whether one of KEYS made SIGNATURE on RECORDS, which holds at NOW. */
static gboolean
verify_one(const ldns_rr_list *records, const ldns_rr *signature, const ldns_rr_list *keys,
           time_t now, guint32 *holds_s)
{
  ldns_rr_list *used = ldns_rr_list_new();
  ldns_status status = ldns_verify_rrsig_keylist_time(records, signature, keys, now, used);
  gboolean right = status == LDNS_STATUS_OK && ldns_rr_list_rr_count(used) > 0;
  ldns_rr_list_free(used);
  if (right) {
    /* RFC 4035 5.3.3; times are circular, RFC 4034 3.1.5 */
    guint32 until = ldns_rdf2native_int32(ldns_rr_rrsig_expiration(signature));
    guint32 ttl_s = ldns_rdf2native_int32(ldns_rr_rrsig_origttl(signature));
    *holds_s = MIN(until - (guint32) now, ttl_s);
  }
  return right;
}

static gboolean
verify_any(const DnsAnswer *answer, const ldns_rdf *owner, const ldns_rr_list *records,
           GPtrArray *signatures, const ldns_rdf *signer, const ldns_rr_list *keys,
           time_t now, guint32 *holds_s)
{
  for (guint i = 0; i < signatures->len && i < MAX_SIGNATURES; i++) {
    g_autoptr(ldns_rr) signature =
        parse_signature(owner, answer->type, signatures->pdata[i]);
    if (signature != NULL &&
        ldns_dname_compare(ldns_rr_rrsig_signame(signature), signer) == 0 &&
        verify_one(records, signature, keys, now, holds_s))
      return TRUE;
  }
  return FALSE;
}

/* Whether NEEDED is what chain_next asked for to verify ANSWER, and verified. */
static gboolean
is_enough(const DnsAnswer *answer, const DnsAnswer *needed)
{
  if (answer->outcome != DNS_DATA || answer->alias)
    return FALSE;
  if (needed == NULL)
    return answer->type == RR_DNSKEY && *answer->name == '\0';
  return needed->outcome == DNS_DATA && dns_answer_is_proved(needed) &&
         needed->type == (answer->type == RR_DNSKEY ? RR_DS : RR_DNSKEY);
}

gboolean
chain_verify(const Chain *chain, const DnsAnswer *answer, GPtrArray *signatures,
             const DnsAnswer *needed, time_t now, guint32 *holds_s)
{
  g_autoptr(ldns_rdf) owner = owner_of(answer);
  g_autoptr(ldns_rdf) signer = owner_of(needed != NULL ? needed : answer);
  if (owner == NULL || signer == NULL || !is_enough(answer, needed))
    return FALSE;
  g_autoptr(ldns_rr_list) records = records_of(answer, owner);
  g_autoptr(ldns_rr_list) known =
      needed != NULL ? records_of(needed, signer) : ldns_rr_list_clone(chain->anchors);
  if (records == NULL || known == NULL)
    return FALSE;
  ldns_rr_list *keys =
      answer->type == RR_DNSKEY ? good_keys(records, known) : good_keys(known, NULL);
  gboolean right =
      verify_any(answer, owner, records, signatures, signer, keys, now, holds_s);
  ldns_rr_list_free(keys);
  return right;
}

void
chain_free(Chain *chain)
{
  if (chain == NULL)
    return;
  ldns_rr_list_deep_free(chain->anchors);
  g_free(chain);
}

/* Whether Unbound's own notes on LINE let its key be used; without notes it may. */
static gboolean
state_allows(const char *line)
{
  const char *state = strstr(line, ";;state=");
  if (state == NULL)
    return TRUE;
  gint64 number = g_ascii_strtoll(state + strlen(";;state="), NULL, 10);
  return number == STATE_VALID || number == STATE_MISSING;
}

/* Adds the record on LINE to the anchors of CHAIN. FALSE when it is none. */
static gboolean
add_anchor(Chain *chain, char *line)
{
  if (!state_allows(line))
    return TRUE;
  line[strcspn(line, ";")] = '\0';
  if (*g_strstrip(line) == '\0')
    return TRUE;
  ldns_rr *parsed = NULL;
  if (ldns_rr_new_frm_str(&parsed, line, 0, NULL, NULL) != LDNS_STATUS_OK)
    return FALSE;
  g_autoptr(ldns_rr) record = parsed;
  if (ldns_dname_label_count(ldns_rr_owner(record)) != 0)
    return FALSE;
  if (ldns_rr_get_type(record) == LDNS_RR_TYPE_DNSKEY && is_zone_key(record))
    ldns_rr_list_push_rr(chain->anchors, ldns_key_rr2ds(record, LDNS_SHA256));
  else if (ldns_rr_get_type(record) == LDNS_RR_TYPE_DS)
    ldns_rr_list_push_rr(chain->anchors, g_steal_pointer(&record));
  else
    return FALSE;
  return TRUE;
}

Chain *
chain_new(const char *path, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr(GError) cause = NULL;
  if (path == NULL || !g_file_get_contents(path, &text, NULL, &cause)) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "trust anchor: %s",
                cause != NULL ? cause->message : "no file is named");
    return NULL;
  }
  g_autoptr(Chain) chain = g_new0(Chain, 1);
  chain->anchors = ldns_rr_list_new();
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    if (add_anchor(chain, lines[i]))
      continue;
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                "%s:%u: a DS or DNSKEY record of the root is expected", path, i + 1);
    return NULL;
  }
  if (ldns_rr_list_rr_count(chain->anchors) == 0) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                "%s: no DS or DNSKEY record of the root is in it", path);
    return NULL;
  }
  return g_steal_pointer(&chain);
}
