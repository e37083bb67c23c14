#include "common/crypt/dkim_record.h"

#include <string.h>

#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----"
#define PEM_END   "-----END PUBLIC KEY-----"

/* SubjectPublicKeyInfo up to the key itself: of Ed25519 (RFC 8410), 32 octets follow. */
static const guint8 ed25519_head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                      0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
#define ED25519_BYTES 32

/* The identifier rsaEncryption with its NULL, as SubjectPublicKeyInfo has it (RFC 8017). */
static const guint8 rsa_id[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
#define RSA_ID_AT 4 /* behind a SEQUENCE of 256 octets or more; 3 when it is shorter */

/* The octets of base64 TEXT, in which white space is allowed and nothing else; or NULL. */
static GBytes *
decode(const char *text)
{
  g_autoptr(GString) plain = g_string_new(NULL);
  for (; *text != '\0'; text++) {
    if (g_ascii_isspace(*text))
      continue;
    if (!g_ascii_isalnum(*text) && strchr("+/=", *text) == NULL)
      return NULL;
    g_string_append_c(plain, *text);
  }
  gsize len = 0;
  guchar *bytes = g_base64_decode(plain->str, &len);
  if (len > 0)
    return g_bytes_new_take(bytes, len);
  g_free(bytes);
  return NULL;
}

static gboolean
is_rsa(const guint8 *der, gsize len)
{
  for (gsize at = RSA_ID_AT - 1; at <= RSA_ID_AT; at++)
    if (len > at + sizeof rsa_id && memcmp(der + at, rsa_id, sizeof rsa_id) == 0)
      return *der == 0x30;
  return FALSE;
}

char *
dkim_record(const char *pem)
{
  const char *begin = strstr(pem, PEM_BEGIN);
  if (begin == NULL)
    return NULL;
  begin += strlen(PEM_BEGIN);
  const char *end = strstr(begin, PEM_END);
  if (end == NULL)
    return NULL;
  g_autofree char *body = g_strndup(begin, (gsize) (end - begin));
  g_autoptr(GBytes) key = decode(body);
  gsize len = 0;
  const guint8 *der = key != NULL ? g_bytes_get_data(key, &len) : NULL;
  const char *type = "rsa";
  if (len == sizeof ed25519_head + ED25519_BYTES &&
      memcmp(der, ed25519_head, sizeof ed25519_head) == 0) {
    type = "ed25519";
    der += sizeof ed25519_head;
    len = ED25519_BYTES;
  } else if (!is_rsa(der, len)) {
    return NULL;
  }
  g_autofree char *text = g_base64_encode(der, len);
  return g_strdup_printf("v=DKIM1; k=%s; p=%s", type, text);
}

/* The tags of a key record; those that are not there are NULL. */
typedef struct {
  char *version, *type, *key;
} KeyTags;

static void
key_tags_clear(KeyTags *tags)
{
  g_free(tags->version);
  g_free(tags->type);
  g_free(tags->key);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(KeyTags, key_tags_clear)

/* Keeps VALUE as the tag at PLACE. FALSE: it stands there twice, which makes the record
 * void (RFC 6376 3.2). */
static gboolean
keep(char **place, const char *value)
{
  if (*place != NULL)
    return FALSE;
  *place = g_strdup(value);
  return TRUE;
}

static gboolean
read_tags(const char *text, KeyTags *tags)
{
  g_auto(GStrv) fields = g_strsplit(text, ";", -1);
  for (char **field = fields; *field != NULL; field++) {
    char *value = strchr(*field, '=');
    if (value == NULL)
      continue;
    *value++ = '\0';
    g_strstrip(value);
    const char *name = g_strstrip(*field);
    char **place = strcmp(name, "v") == 0   ? &tags->version
                   : strcmp(name, "k") == 0 ? &tags->type
                   : strcmp(name, "p") == 0 ? &tags->key
                                            : NULL;
    if (place != NULL && !keep(place, value))
      return FALSE;
  }
  return (tags->version == NULL || strcmp(tags->version, "DKIM1") == 0) &&
         tags->key != NULL;
}

DkimMatch
dkim_compare(const char *text, gsize len, const char *record)
{
  g_auto(KeyTags) theirs = {NULL, NULL, NULL};
  g_auto(KeyTags) ours = {NULL, NULL, NULL};
  g_autofree char *copy = g_strndup(len > 0 ? text : "", len);
  if (strlen(copy) != len || !read_tags(copy, &theirs) || !read_tags(record, &ours))
    return DKIM_OTHER;
  if (*theirs.key == '\0')
    return DKIM_REVOKED;
  if (strcmp(theirs.type != NULL ? theirs.type : "rsa", ours.type) != 0)
    return DKIM_OTHER;
  g_autoptr(GBytes) a = decode(theirs.key);
  g_autoptr(GBytes) b = decode(ours.key);
  return a != NULL && b != NULL && g_bytes_equal(a, b) ? DKIM_SAME : DKIM_OTHER;
}
