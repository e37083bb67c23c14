#include "milter/dkim_public.h"

#include <string.h>

#include "milter/dkim_tags.h"

#define ED25519_BYTES      32
#define ED25519_BITS       256
#define EXPONENT_MAX_BYTES 4 /* 65537 is usual; a long one only costs time */

#define DER_INTEGER    0x02
#define DER_BIT_STRING 0x03
#define DER_SEQUENCE   0x30

/* Octets that are still to be read. */
typedef struct {
  const guint8 *at;
  gsize left;
} Der;

void
dkim_public_clear(DkimPublic *key)
{
  g_free(key->record);
  key->record = NULL;
}

static void
judge(DkimPublic *key, DkimStatus status, const char *reason)
{
  key->status = status;
  key->reason = reason;
}

/* Takes the next element of FROM, which has TAG, into *VALUE. */
static gboolean
der_take(Der *from, guint8 tag, Der *value)
{
  if (from->left < 2 || from->at[0] != tag)
    return FALSE;
  gsize head = 2, len = from->at[1];
  if (len >= 0x80) {
    gsize octets = len - 0x80;
    if (octets < 1 || octets > 2 || from->left < 2 + octets)
      return FALSE;
    len = 0;
    for (gsize i = 0; i < octets; i++)
      len = len << 8 | from->at[2 + i];
    head += octets;
  }
  if (from->left - head < len)
    return FALSE;
  *value = (Der){from->at + head, len};
  from->at += head + len;
  from->left -= head + len;
  return TRUE;
}

/* Takes a positive INTEGER, without the zero octet at its front. */
static gboolean
der_number(Der *from, Der *number)
{
  if (!der_take(from, DER_INTEGER, number) || number->left == 0 ||
      (number->at[0] & 0x80) != 0)
    return FALSE;
  if (number->at[0] == 0 && number->left > 1) {
    number->at++;
    number->left--;
  }
  return number->at[0] != 0;
}

/* Bits of the RSA key in LEN octets of SubjectPublicKeyInfo, 0 when it is no sound one. */
static guint
rsa_bits(const guint8 *bytes, gsize len)
{
  /* rsaEncryption, NULL: RFC 3279 2.3.1 */
  static const guint8 algorithm[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                     0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
  Der all = {bytes, len}, info, bits, key, modulus, exponent;
  if (!der_take(&all, DER_SEQUENCE, &info) || all.left != 0 ||
      info.left < sizeof algorithm || memcmp(info.at, algorithm, sizeof algorithm) != 0)
    return 0;
  info.at += sizeof algorithm;
  info.left -= sizeof algorithm;
  if (!der_take(&info, DER_BIT_STRING, &bits) || info.left != 0 || bits.left < 1 ||
      bits.at[0] != 0)
    return 0;
  bits.at++;
  bits.left--;
  if (!der_take(&bits, DER_SEQUENCE, &key) || bits.left != 0 ||
      !der_number(&key, &modulus) || !der_number(&key, &exponent) || key.left != 0 ||
      exponent.left > EXPONENT_MAX_BYTES)
    return 0;
  return (guint) (modulus.left - 1) * 8 + g_bit_storage(modulus.at[0]);
}

/* The key itself: P in packed base64. */
static void
read_key(DkimPublic *key, const char *p, gboolean is_ed25519)
{
  gsize len = 0;
  if (*p == '\0') {
    judge(key, DKIM_PERMERROR, "key revoked");
    return;
  }
  g_autofree guint8 *bytes = dkim_unbase64(p, &len);
  if (bytes == NULL)
    judge(key, DKIM_PERMERROR, "key is no base64");
  else if (is_ed25519) {
    key->bits = len == ED25519_BYTES ? ED25519_BITS : 0;
    if (key->bits == 0)
      judge(key, DKIM_PERMERROR, "key is not as long as it must be");
  } else {
    key->bits = rsa_bits(bytes, len);
    if (key->bits == 0)
      judge(key, DKIM_PERMERROR, "not an RSA key");
    else if (key->bits < DKIM_MIN_RSA_BITS)
      judge(key, DKIM_POLICY, "key too short");
    else if (key->bits > DKIM_MAX_RSA_BITS)
      judge(key, DKIM_POLICY, "key too long");
  }
}

/* Whether TAGS allow the key for mail that SIGNATURE signs. */
static gboolean
check_use(DkimPublic *key, const DkimTags *tags, const DkimSignature *signature)
{
  const char *v = dkim_tags_get(tags, "v");
  const char *h = dkim_tags_get(tags, "h");
  const char *k = dkim_tags_get(tags, "k");
  const char *s = dkim_tags_get(tags, "s");
  const char *t = dkim_tags_get(tags, "t");
  if (v != NULL && strcmp(v, "DKIM1") != 0)
    judge(key, DKIM_PERMERROR, "key record of unknown version");
  else if (strcmp(k != NULL ? k : "rsa", signature->is_ed25519 ? "ed25519" : "rsa") != 0)
    judge(key, DKIM_PERMERROR, "key of another algorithm");
  else if (h != NULL && !dkim_list_has(h, "sha256"))
    judge(key, DKIM_PERMERROR, "key for another hash");
  else if (s != NULL && !dkim_list_has(s, "email") && !dkim_list_has(s, "*"))
    judge(key, DKIM_PERMERROR, "key not for e-mail");
  else if (t != NULL && dkim_list_has(t, "s") &&
           g_ascii_strcasecmp(signature->identity, signature->given) != 0)
    judge(key, DKIM_PERMERROR, "key not for sub-domains");
  return key->status == DKIM_NONE;
}

void
dkim_public_read(const char *text, const DkimSignature *signature, DkimPublic *key)
{
  g_autoptr(DkimTags) tags = dkim_tags_parse(text);
  g_autofree char *p = tags != NULL ? dkim_tags_packed(tags, "p") : NULL;
  *key = (DkimPublic){DKIM_NONE, "", 0, NULL};
  if (p == NULL) {
    judge(key, DKIM_PERMERROR, "not a key record");
    return;
  }
  if (check_use(key, tags, signature))
    read_key(key, p, signature->is_ed25519);
  if (key->status != DKIM_NONE)
    return;
  key->record =
      g_strdup_printf("v=DKIM1; k=%s; p=%s", signature->is_ed25519 ? "ed25519" : "rsa", p);
  if (strlen(key->record) > DKIM_RECORD_MAX_BYTES)
    judge(key, DKIM_POLICY, "key too long");
}
