/*
 * One record: its text, which the chain covers, and what is sealed beside it.
 */
#include <string.h>

#include "common/audit/internal.h"
#include "common/base/error.h"
#include "common/crypt/gcm.h"

#define COMMITMENT       "sha256:"
#define SEALED_VERSION   1
#define SEALED_HEAD      (1 + GCM_NONCE_BYTES)
#define VALUE_HEAD_BYTES (2 + TRAIL_SALT_BYTES + 4) /* position, salt, length */
#define BINDING_BYTES    12                         /* id of the key, number */

/* An event is never near these; one that is larger is cut, and says so. */
#define RECORD_MAX_PAIRS 500
#define RECORD_MAX_BYTES (64 * 1024)

/* ---- Rows ---- */

void
row_clear(Row *row)
{
  g_clear_pointer(&row->block, g_free);
}

void
row_read(Query *query, Row *row)
{
  row->number = query_int(query, 0);
  row->key = query_int(query, 1);
  row->at_us = query_int(query, 2);
  row->nta = query_int(query, 3);
  gconstpointer bytes[FIELD_COUNT];
  gsize total = 0;
  for (guint i = 0; i < FIELD_COUNT; i++) {
    bytes[i] = query_blob(query, 4 + (int) i, &row->fields[i].len);
    total += row->fields[i].len + 1;
  }
  char *p = row->block = g_malloc(total);
  for (guint i = 0; i < FIELD_COUNT; i++) {
    Field *field = &row->fields[i];
    field->bytes = query_is_null(query, 4 + (int) i) ? NULL : p;
    if (field->len > 0)
      memcpy(p, bytes[i], field->len);
    p[field->len] = '\0';
    p += field->len + 1;
  }
}

gboolean
columns_parse(const Attrs *attrs, Columns *columns)
{
  const char *id = attrs_get(attrs, "id");
  const char *at = attrs_get(attrs, "at");
  guint64 nta = 0;
  if (attrs_get(attrs, "nta") != NULL &&
      !attrs_get_uint(attrs, "nta", 1, G_MAXINT32, &nta, NULL))
    return FALSE;
  columns->nta = (gint64) nta;
  columns->at_us =
      0; /* of a year that nobody can read: such an event must not stop others */
  if (at != NULL)
    parse_time(at, &columns->at_us);
  columns->event = attrs_get(attrs, "event");
  columns->organisation = attrs_get(attrs, "org");
  columns->queue_id = attrs_get(attrs, "queue-id");
  columns->reference = attrs_get(attrs, "ref");
  return columns->event != NULL && id != NULL &&
         crypt_unhex(id, columns->id, sizeof columns->id) && at != NULL;
}

/* ---- Values that say something of a person ---- */

static void
value_clear(gpointer p)
{
  g_free(((SealedValue *) p)->value);
}

GArray *
values_new(void)
{
  GArray *values = g_array_new(FALSE, TRUE, sizeof(SealedValue));
  g_array_set_clear_func(values, value_clear);
  return values;
}

gboolean
commitment_is(const char *value)
{
  return g_str_has_prefix(value, COMMITMENT);
}

char *
commitment_format(const guint8 salt[TRAIL_SALT_BYTES], const char *key, const char *value)
{
  guint8 digest[CRYPT_SHA256_BYTES];
  g_autoptr(CryptHash) hash = crypt_hash_new();
  crypt_hash_update(hash, salt, TRAIL_SALT_BYTES);
  crypt_hash_update(hash, key, strlen(key));
  crypt_hash_update(hash, "=", 1);
  crypt_hash_update(hash, value, strlen(value));
  crypt_hash_finish(hash, digest);
  g_autofree char *hex = crypt_hex(digest, sizeof digest);
  return g_strconcat(COMMITMENT, hex, NULL);
}

/* Adds KEY=VALUE to ATTRS, or what stands for it, and then VALUE to VALUES. A value that
 * looks like a commitment is none, so it becomes one. */
static gboolean
add_pair(Attrs *attrs, const char *key, const char *value, GArray *values, GError **error)
{
  if (event_key_is_open(key) && !commitment_is(value)) {
    attrs_add(attrs, key, value);
    return TRUE;
  }
  SealedValue sealed = {.position = attrs_count(attrs)};
  if (!crypt_random(sealed.salt, sizeof sealed.salt, error))
    return FALSE;
  g_autofree char *text = commitment_format(sealed.salt, key, value);
  attrs_add(attrs, key, text);
  sealed.value = g_strdup(value);
  g_array_append_val(values, sealed);
  return TRUE;
}

/* Whether KEY is one that the trail alone says, or that its views add to a record. */
static gboolean
is_ours(const char *key)
{
  static const char *const ours[] = {"record", "source", "places", "cut", "erased"};
  for (guint i = 0; i < G_N_ELEMENTS(ours); i++)
    if (strcmp(ours[i], key) == 0)
      return TRUE;
  return FALSE;
}

/* The pairs of EVENT into ATTRS, as many as a record takes. */
static gboolean
add_event(Attrs *attrs, const Event *event, GArray *values, GError **error)
{
  g_autoptr(Attrs) pairs = event_format(event);
  gsize bytes = 0;
  for (guint i = 0; i < attrs_count(pairs); i++) {
    const char *key = NULL, *value = NULL;
    attrs_nth(pairs, i, &key, &value);
    bytes += strlen(key) + 3 * strlen(value) + CRYPT_SHA256_BYTES; /* with all escapes */
    if (i == RECORD_MAX_PAIRS || bytes > RECORD_MAX_BYTES) {
      attrs_add(attrs, "cut", "yes");
      return TRUE;
    }
    g_autofree char *said = is_ours(key) ? g_strconcat("said-", key, NULL) : NULL;
    if (!add_pair(attrs, said != NULL ? said : key, value, values, error))
      return FALSE;
  }
  return TRUE;
}

Attrs *
record_attrs(guint64 number, const Event *event, const char *list, const char *source,
             GArray *values, GError **error)
{
  g_autoptr(Attrs) attrs = attrs_new();
  attrs_add_uint(attrs, "record", number);
  if (!add_event(attrs, event, values, error))
    return NULL;
  if (list != NULL)
    attrs_add(attrs, "places", list);
  attrs_add(attrs, "source", source);
  return g_steal_pointer(&attrs);
}

static void
put_number(GByteArray *bytes, guint64 number, guint octets)
{
  while (octets-- > 0) {
    guint8 octet = (guint8) (number >> (8 * octets));
    g_byte_array_append(bytes, &octet, 1);
  }
}

static guint64
get_number(const guint8 *bytes, guint octets)
{
  guint64 number = 0;
  for (guint i = 0; i < octets; i++)
    number = number << 8 | bytes[i];
  return number;
}

/* What sealed values are bound to. */
static GByteArray *
binding(const TrailKey *key, guint64 number)
{
  GByteArray *bytes = g_byte_array_sized_new(BINDING_BYTES);
  put_number(bytes, key->id, 4);
  put_number(bytes, number, 8);
  return bytes;
}

GBytes *
values_seal(const TrailKey *key, guint64 number, const GArray *values, GError **error)
{
  g_autoptr(GByteArray) plain = g_byte_array_new();
  for (guint i = 0; i < values->len; i++) {
    const SealedValue *value = &g_array_index(values, SealedValue, i);
    gsize len = strlen(value->value);
    put_number(plain, value->position, 2);
    g_byte_array_append(plain, value->salt, TRAIL_SALT_BYTES);
    put_number(plain, len, 4);
    g_byte_array_append(plain, (const guint8 *) value->value, (guint) len);
  }
  gsize size = SEALED_HEAD + plain->len + GCM_TAG_BYTES;
  g_autofree guint8 *out = g_malloc(size);
  out[0] = SEALED_VERSION;
  g_autoptr(GByteArray) bound = binding(key, number);
  g_autoptr(Gcm) gcm = gcm_new(secret_peek(key->data), error);
  if (gcm == NULL || !crypt_random(out + 1, GCM_NONCE_BYTES, error) ||
      !gcm_seal(gcm, out + 1, bound->data, bound->len, plain->data, plain->len,
                out + SEALED_HEAD, error))
    return NULL;
  return g_bytes_new_take(g_steal_pointer(&out), size);
}

static GArray *
values_parse(const guint8 *bytes, gsize len, GError **error)
{
  g_autoptr(GArray) values = values_new();
  while (len >= VALUE_HEAD_BYTES) {
    SealedValue value = {.position = (guint) get_number(bytes, 2)};
    memcpy(value.salt, bytes + 2, TRAIL_SALT_BYTES);
    gsize size = (gsize) get_number(bytes + 2 + TRAIL_SALT_BYTES, 4);
    bytes += VALUE_HEAD_BYTES;
    len -= VALUE_HEAD_BYTES;
    if (size > len)
      break;
    value.value = g_strndup((const char *) bytes, size);
    g_array_append_val(values, value);
    bytes += size;
    len -= size;
    if (len == 0)
      return g_steal_pointer(&values);
  }
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED, "sealed values are damaged");
  return NULL;
}

GArray *
values_open(const TrailKey *key, guint64 number, const Field *sealed, GError **error)
{
  const guint8 *bytes = (const guint8 *) sealed->bytes;
  if (sealed->len < SEALED_HEAD + VALUE_HEAD_BYTES + GCM_TAG_BYTES ||
      bytes[0] != SEALED_VERSION) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED,
                        "these are no sealed values");
    return NULL;
  }
  gsize len = sealed->len - SEALED_HEAD;
  g_autofree guint8 *plain = g_malloc(len);
  g_autoptr(GByteArray) bound = binding(key, number);
  g_autoptr(Gcm) gcm = gcm_new(secret_peek(key->data), error);
  if (gcm == NULL || !gcm_open(gcm, bytes + 1, bound->data, bound->len, bytes + SEALED_HEAD,
                               len, plain, error))
    return NULL;
  return values_parse(plain, len - GCM_TAG_BYTES, error);
}

gboolean
values_match(const GArray *values, const Attrs *text)
{
  for (guint i = 0; i < values->len; i++) {
    const SealedValue *value = &g_array_index(values, SealedValue, i);
    const char *key = NULL, *stands = NULL;
    if (value->position >= attrs_count(text) ||
        (i > 0 && value->position <= g_array_index(values, SealedValue, i - 1).position))
      return FALSE;
    attrs_nth(text, value->position, &key, &stands);
    g_autofree char *is = commitment_format(value->salt, key, value->value);
    if (strcmp(is, stands) != 0)
      return FALSE;
  }
  return TRUE;
}

void
chain_next(const guint8 previous[CRYPT_SHA256_BYTES], gconstpointer text, gsize len,
           guint8 out[CRYPT_SHA256_BYTES])
{
  g_autoptr(CryptHash) hash = crypt_hash_new();
  crypt_hash_update(hash, previous, CRYPT_SHA256_BYTES);
  crypt_hash_update(hash, text, len);
  crypt_hash_finish(hash, out);
}

gboolean
chain_mac(const TrailKey *key, const guint8 hash[CRYPT_SHA256_BYTES],
          guint8 mac[CRYPT_SHA256_BYTES], GError **error)
{
  return crypt_hmac(key->mac, hash, CRYPT_SHA256_BYTES, mac, error);
}
