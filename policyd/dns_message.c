#include "policyd/dns_message.h"

#include <string.h>

#include <ldns/ldns.h>

#include "policyd/dns.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ldns_rdf, ldns_rdf_deep_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ldns_pkt, ldns_pkt_free)

/* Bits of the header, RFC 1035 4.1.1 and RFC 4035 3.1.6 */
#define FLAGS_AT      2
#define QDCOUNT_AT    4
#define ANCOUNT_AT    6
#define NSCOUNT_AT    8
#define ARCOUNT_AT    10
#define FLAG_QR       0x8000
#define FLAGS_OPCODE  0x7800
#define FLAG_TC       0x0200
#define FLAG_AD       0x0020
#define FLAGS_RCODE   0x000f
#define CLASS_IN      1
#define TYPE_OPT      41
#define TYPE_RRSIG    46
#define QUESTION_TAIL 4  /* type and class behind the name */
#define RECORD_HEAD   10 /* type, class, TTL and length behind the owner */

/* A record of a message; its rdata stays where it is. */
typedef struct {
  ldns_rdf *owner;
  guint16 type;
  guint16 class;
  guint32 ttl;
  gsize at; /* of its rdata in the message */
  gsize len;
} Record;

typedef struct {
  const guint8 *message;
  gsize len;
  gsize at;            /* what was read */
  GArray *records;     /* of Record: the answer section */
  guint32 negative_s;  /* how long "not there" holds: from the SOA */
  guint extended_code; /* upper bits of the RCODE, RFC 6891 6.1.3 */
} Reader;

static guint16
read16(const guint8 *p)
{
  return (guint16) (p[0] << 8 | p[1]);
}

static guint32
read32(const guint8 *p)
{
  return (guint32) p[0] << 24 | (guint32) p[1] << 16 | (guint32) p[2] << 8 | p[3];
}

static ldns_rdf *
name_from_text(const char *name)
{
  return ldns_dname_new_frm_str(*name != '\0' ? name : ".");
}

GBytes *
dns_message_question(const char *name, guint16 type, guint16 id, gboolean dnssec)
{
  ldns_rdf *owner = name_from_text(name);
  if (owner == NULL)
    return NULL;
  g_autoptr(ldns_pkt) packet =
      ldns_pkt_query_new(owner, (ldns_rr_type) type, LDNS_RR_CLASS_IN, LDNS_RD | LDNS_AD);
  if (packet == NULL) {
    ldns_rdf_deep_free(owner);
    return NULL;
  }
  ldns_pkt_set_id(packet, id);
  ldns_pkt_set_edns_udp_size(packet, DNS_UDP_BYTES);
  ldns_pkt_set_edns_do(packet, dnssec);
  uint8_t *wire = NULL;
  size_t len = 0;
  GBytes *question = NULL;
  if (ldns_pkt2wire(&wire, packet, &len) == LDNS_STATUS_OK)
    question = g_bytes_new(wire, len);
  LDNS_FREE(wire);
  return question;
}

gboolean
dns_message_id(const guint8 *message, gsize len, guint16 *id)
{
  if (len < DNS_HEADER_BYTES || (read16(message + FLAGS_AT) & FLAG_QR) == 0)
    return FALSE;
  *id = read16(message);
  return TRUE;
}

/* How many octets the name at the start of our own question has. */
static gsize
question_name_len(const guint8 *question)
{
  gsize len = 0;
  while (question[DNS_HEADER_BYTES + len] != 0)
    len += 1 + (gsize) question[DNS_HEADER_BYTES + len];
  return len + 1;
}

/* Lengths of labels are below 64 and letters above: both can be compared as letters. */
static gboolean
same_question(const guint8 *question, const guint8 *message, gsize name_len)
{
  const guint8 *asked = question + DNS_HEADER_BYTES;
  const guint8 *got = message + DNS_HEADER_BYTES;
  return g_ascii_strncasecmp((const char *) asked, (const char *) got, name_len) == 0 &&
         memcmp(asked + name_len, got + name_len, QUESTION_TAIL) == 0;
}

DnsResponse
dns_message_check(GBytes *question, const guint8 *message, gsize len)
{
  const guint8 *asked = g_bytes_get_data(question, NULL);
  gsize name_len = question_name_len(asked);
  if (len < DNS_HEADER_BYTES + name_len + QUESTION_TAIL)
    return DNS_RESPONSE_ALIEN;
  guint16 flags = read16(message + FLAGS_AT);
  if (read16(message) != read16(asked) || (flags & FLAG_QR) == 0 ||
      (flags & FLAGS_OPCODE) != 0 || read16(message + QDCOUNT_AT) != 1 ||
      !same_question(asked, message, name_len))
    return DNS_RESPONSE_ALIEN;
  return flags & FLAG_TC ? DNS_RESPONSE_TRUNCATED : DNS_RESPONSE_WHOLE;
}

static void
record_clear(gpointer p)
{
  ldns_rdf_deep_free(((Record *) p)->owner);
}

/* The name at *AT, which is moved behind it; NULL when it is damaged. */
static ldns_rdf *
read_name(const Reader *reader, gsize *at)
{
  ldns_rdf *name = NULL;
  if (*at >= reader->len ||
      ldns_wire2dname(&name, reader->message, reader->len, at) != LDNS_STATUS_OK)
    return NULL;
  return name;
}

/* The next record into *RECORD, whose owner is new. FALSE when it is damaged. */
static gboolean
read_record(Reader *reader, Record *record)
{
  g_autoptr(ldns_rdf) owner = read_name(reader, &reader->at);
  if (owner == NULL || reader->len - reader->at < RECORD_HEAD)
    return FALSE;
  const guint8 *head = reader->message + reader->at;
  record->type = read16(head);
  record->class = read16(head + 2);
  record->ttl = read32(head + 4);
  if (record->ttl > G_MAXINT32) /* RFC 2181 8 */
    record->ttl = 0;
  record->len = read16(head + 8);
  record->at = reader->at + RECORD_HEAD;
  if (reader->len - record->at < record->len)
    return FALSE;
  reader->at = record->at + record->len;
  record->owner = g_steal_pointer(&owner);
  return TRUE;
}

static gboolean
read_answer_section(Reader *reader, guint count)
{
  for (; count > 0; count--) {
    Record record;
    if (!read_record(reader, &record))
      return FALSE;
    g_array_append_val(reader->records, record);
  }
  return TRUE;
}

/* Authority and additional records: of these only the SOA and the OPT count. */
static gboolean
read_other_sections(Reader *reader, guint count)
{
  for (; count > 0; count--) {
    Record record;
    if (!read_record(reader, &record))
      return FALSE;
    if (record.type == RR_SOA && record.len >= 4) {
      /* RFC 2308 5: the lesser of the TTL and the last field */
      guint32 minimum = read32(reader->message + record.at + record.len - 4);
      reader->negative_s = MIN(record.ttl, minimum);
    }
    if (record.type == TYPE_OPT)
      reader->extended_code = record.ttl >> 24;
    record_clear(&record);
  }
  return TRUE;
}

static gboolean
read_sections(Reader *reader)
{
  g_autoptr(ldns_rdf) asked = read_name(reader, &reader->at);
  if (asked == NULL)
    return FALSE;
  reader->at += QUESTION_TAIL;
  const guint8 *head = reader->message;
  return read_answer_section(reader, read16(head + ANCOUNT_AT)) &&
         read_other_sections(reader,
                             (guint) read16(head + NSCOUNT_AT) + read16(head + ARCOUNT_AT));
}

/* The name that RECORD holds behind HEAD octets, to the end; NULL when it is damaged. */
static ldns_rdf *
name_in_record(const Reader *reader, const Record *record, gsize head)
{
  gsize at = record->at + head;
  gsize end = record->at + record->len;
  if (at >= end)
    return NULL;
  g_autoptr(ldns_rdf) name = read_name(reader, &at);
  return name != NULL && at == end ? g_steal_pointer(&name) : NULL;
}

/* Adds RECORD to ANSWER, a name in it not compressed. FALSE when it is damaged. */
static gboolean
add_record(const Reader *reader, const Record *record, DnsAnswer *answer)
{
  const guint8 *data = reader->message + record->at;
  gboolean is_name = record->type == RR_CNAME || record->type == RR_PTR;
  if (!is_name && record->type != RR_MX) {
    dns_answer_add(answer, data, record->len);
    return TRUE;
  }
  gsize head = is_name ? 0 : 2;
  g_autoptr(ldns_rdf) name = name_in_record(reader, record, head);
  if (name == NULL)
    return FALSE;
  g_autoptr(GByteArray) plain = g_byte_array_new();
  g_byte_array_append(plain, data, (guint) head);
  g_byte_array_append(plain, ldns_rdf_data(name), (guint) ldns_rdf_size(name));
  dns_answer_add(answer, plain->data, plain->len);
  return TRUE;
}

static gboolean
is_of(const Record *record, const ldns_rdf *owner, guint16 type)
{
  return record->type == type && record->class == CLASS_IN &&
         ldns_dname_compare(record->owner, owner) == 0;
}

/* Adds what OWNER has of the type asked; *TTL_S becomes the least TTL. */
static gboolean
add_records(const Reader *reader, const ldns_rdf *owner, DnsAnswer *answer, guint32 *ttl_s)
{
  for (guint i = 0; i < reader->records->len; i++) {
    const Record *record = &g_array_index(reader->records, Record, i);
    if (!is_of(record, owner, answer->type))
      continue;
    if (!add_record(reader, record, answer))
      return FALSE;
    *ttl_s = MIN(*ttl_s, record->ttl);
  }
  return TRUE;
}

/* The alias that OWNER is, or NULL. */
static const Record *
find_alias(const Reader *reader, const ldns_rdf *owner)
{
  for (guint i = 0; i < reader->records->len; i++) {
    const Record *record = &g_array_index(reader->records, Record, i);
    if (is_of(record, owner, RR_CNAME))
      return record;
  }
  return NULL;
}

static void
keep_signatures(const Reader *reader, const ldns_rdf *owner, guint16 type,
                GPtrArray *signatures)
{
  for (guint i = 0; i < reader->records->len; i++) {
    const Record *record = &g_array_index(reader->records, Record, i);
    const guint8 *data = reader->message + record->at;
    if (is_of(record, owner, TYPE_RRSIG) && record->len > 2 && read16(data) == type)
      g_ptr_array_add(signatures, g_bytes_new(data, record->len));
  }
}

/* From the name asked along the aliases to its records. NULL, or why it failed. */
static const char *
follow(const Reader *reader, DnsAnswer *answer, guint32 *ttl_s, GPtrArray *signatures)
{
  g_autoptr(ldns_rdf) owner = name_from_text(answer->name);
  for (guint aliases = 0; owner != NULL; aliases++) {
    if (!add_records(reader, owner, answer, ttl_s))
      return "damaged record";
    if (aliases == 0 && signatures != NULL)
      keep_signatures(reader, owner, answer->type, signatures);
    const Record *alias = answer->records->len > 0 ? NULL : find_alias(reader, owner);
    if (alias == NULL)
      return NULL;
    if (aliases == DNS_ALIASES_MAX)
      return "too many aliases";
    answer->alias = TRUE;
    *ttl_s = MIN(*ttl_s, alias->ttl);
    ldns_rdf *target = name_in_record(reader, alias, 0);
    ldns_rdf_deep_free(owner);
    owner = target;
  }
  return "damaged record";
}

/* "SERVFAIL" and the like, static. */
static const char *
rcode_name(guint rcode)
{
  static const char *const names[] = {
      [1] = "FORMERR", [2] = "SERVFAIL", [4] = "NOTIMP", [5] = "REFUSED"};
  return rcode < G_N_ELEMENTS(names) && names[rcode] != NULL ? names[rcode] : "bad RCODE";
}

/* What READER says, into ANSWER. NULL, or why it failed. */
static const char *
interpret(Reader *reader, DnsAnswer *answer, gint64 now_us, GPtrArray *signatures)
{
  guint16 flags = read16(reader->message + FLAGS_AT);
  guint rcode = flags & FLAGS_RCODE;
  guint32 ttl_s = DNS_KEEP_MAX_S;
  if (!read_sections(reader))
    return "damaged response";
  if (reader->extended_code != 0 ||
      (rcode != LDNS_RCODE_NOERROR && rcode != LDNS_RCODE_NXDOMAIN))
    return rcode_name(rcode);
  const char *failure = follow(reader, answer, &ttl_s, signatures);
  if (failure != NULL)
    return failure;
  if (answer->records->len > 0 && rcode == LDNS_RCODE_NXDOMAIN)
    return "NXDOMAIN with records";
  if (answer->records->len == 0) {
    answer->outcome = rcode == LDNS_RCODE_NXDOMAIN ? DNS_NXDOMAIN : DNS_NODATA;
    ttl_s = MIN(ttl_s, reader->negative_s);
  }
  answer->secure = (flags & FLAG_AD) != 0;
  answer->expires_us =
      now_us + MAX(ttl_s * G_TIME_SPAN_SECOND, DNS_KEEP_MIN_MS * G_TIME_SPAN_MILLISECOND);
  return NULL;
}

DnsAnswer *
dns_message_read(const guint8 *message, gsize len, const char *name, guint16 type,
                 gint64 now_us, GPtrArray *signatures)
{
  Reader reader = {.message = message, .len = len, .at = DNS_HEADER_BYTES};
  reader.records = g_array_new(FALSE, FALSE, sizeof(Record));
  g_array_set_clear_func(reader.records, record_clear);
  DnsAnswer *answer = dns_answer_new(name, type);
  const char *failure = interpret(&reader, answer, now_us, signatures);
  g_array_unref(reader.records);
  if (failure == NULL)
    return answer;
  dns_answer_unref(answer);
  answer = dns_answer_new(name, type);
  answer->failure = g_strdup(failure);
  answer->expires_us = now_us + DNS_KEEP_FAILURE_S * G_TIME_SPAN_SECOND;
  return answer;
}
