#include "milter/dkim_signature.h"

#include <string.h>

#include "common/book/domain.h"
#include "milter/dkim_tags.h"

#define BEGIN_CHARS   8            /* RFC 6008 */
#define HASH_BYTES    32           /* SHA-256 */
#define TIME_MAX      999999999999 /* 12 digits, RFC 6376 3.5 */
#define ALGORITHM_MAX 63
#define B_MAX_BYTES   1024 /* of a signature: RSA with 8192 bits */

void
dkim_signature_free(DkimSignature *signature)
{
  if (signature == NULL)
    return;
  g_free(signature->domain);
  g_free(signature->selector);
  g_free(signature->algorithm);
  g_free(signature->begin);
  g_free(signature->identity);
  g_free(signature->given);
  g_strfreev(signature->names);
  g_free(signature);
}

/* The first reason counts. Returns FALSE. */
static gboolean
judge(DkimSignature *signature, DkimStatus status, const char *reason)
{
  if (signature->status == DKIM_NONE) {
    signature->status = status;
    signature->reason = reason;
  }
  return FALSE;
}

static gboolean
unreadable(DkimSignature *signature, const char *reason)
{
  return judge(signature, DKIM_NEUTRAL, reason);
}

/* What is printed of it, as far as it can be read. */
static gboolean
read_names(DkimSignature *signature, const DkimTags *tags)
{
  const char *d = dkim_tags_get(tags, "d");
  const char *s = dkim_tags_get(tags, "s");
  g_autofree char *b = dkim_tags_packed(tags, "b");
  if (b != NULL && strspn(b, "+/=0123456789abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(b)) {
    g_free(signature->begin);
    signature->begin = g_strndup(b, BEGIN_CHARS);
  }
  if (s != NULL && dkim_is_selector(s)) {
    g_free(signature->selector);
    signature->selector = g_ascii_strdown(s, -1);
  }
  char *domain = d != NULL ? domain_canonical(d) : NULL;
  if (domain == NULL || *signature->selector == '\0') {
    g_free(domain);
    return unreadable(signature, "no domain or selector");
  }
  g_free(signature->domain);
  signature->domain = domain;
  signature->given = g_strdup(d);
  return TRUE;
}

static gboolean
read_algorithm(DkimSignature *signature, const DkimTags *tags)
{
  const char *v = dkim_tags_get(tags, "v");
  const char *a = dkim_tags_get(tags, "a");
  if (v == NULL || strcmp(v, "1") != 0)
    return unreadable(signature, "unknown version");
  if (a == NULL || strspn(a, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "0123456789-") != strlen(a))
    return unreadable(signature, "no algorithm");
  g_free(signature->algorithm);
  signature->algorithm = g_ascii_strdown(a, ALGORITHM_MAX);
  signature->is_ed25519 = strcmp(a, "ed25519-sha256") == 0;
  if (g_ascii_strcasecmp(a, "rsa-sha1") == 0)
    return judge(signature, DKIM_PERMERROR, "rsa-sha1 (RFC 8301)");
  if (!signature->is_ed25519 && strcmp(a, "rsa-sha256") != 0)
    return judge(signature, DKIM_PERMERROR, "unknown algorithm");
  return TRUE;
}

static gboolean
read_canonicalization(DkimSignature *signature, const DkimTags *tags)
{
  static const char *const known[] = {"simple",         "relaxed",
                                      "simple/simple",  "simple/relaxed",
                                      "relaxed/simple", "relaxed/relaxed"};
  const char *c = dkim_tags_get(tags, "c");
  const char *q = dkim_tags_get(tags, "q");
  gboolean good = c == NULL;
  for (guint i = 0; i < G_N_ELEMENTS(known) && !good; i++)
    good = strcmp(c, known[i]) == 0;
  if (!good)
    return unreadable(signature, "unknown canonicalization");
  if (q != NULL && !dkim_list_has(q, "dns/txt"))
    return judge(signature, DKIM_PERMERROR, "no key in the DNS");
  return TRUE;
}

/* Field names as RFC 5322 has them, in lower case. */
static gboolean
read_signed(DkimSignature *signature, const DkimTags *tags)
{
  const char *h = dkim_tags_get(tags, "h");
  if (h == NULL || *h == '\0' || strlen(h) > DKIM_H_MAX_BYTES)
    return unreadable(signature, "no list of fields, or too long");
  g_autofree char *lower = g_ascii_strdown(h, -1);
  signature->names = g_strsplit(lower, ":", -1);
  for (char **name = signature->names; *name != NULL; name++) {
    g_strstrip(*name);
    for (const char *p = *name; *p != '\0'; p++)
      if (!g_ascii_isgraph(*p))
        return unreadable(signature, "odd list of fields");
    if (**name == '\0' || name - signature->names >= DKIM_SIGNED_MAX)
      return unreadable(signature, "odd list of fields");
    if (strcmp(*name, "from") == 0)
      signature->froms++;
  }
  if (signature->froms == 0)
    return judge(signature, DKIM_POLICY, "From is not signed");
  return TRUE;
}

static gboolean
read_hashes(DkimSignature *signature, const DkimTags *tags)
{
  g_autofree char *b = dkim_tags_packed(tags, "b");
  g_autofree char *bh = dkim_tags_packed(tags, "bh");
  gsize b_len = 0, bh_len = 0;
  g_autofree guint8 *sign = b != NULL ? dkim_unbase64(b, &b_len) : NULL;
  g_autofree guint8 *hash = bh != NULL ? dkim_unbase64(bh, &bh_len) : NULL;
  if (sign == NULL || hash == NULL || bh_len != HASH_BYTES || b_len > B_MAX_BYTES)
    return unreadable(signature, "signature or hash is no base64");
  return TRUE;
}

/* The time in tag NAME into *TIME, -1 when there is none. FALSE: it is no time. */
static gboolean
read_time(const DkimTags *tags, const char *name, gint64 *time)
{
  const char *value = dkim_tags_get(tags, name);
  guint64 number = 0;
  *time = -1;
  if (value == NULL)
    return TRUE;
  if (!g_ascii_string_to_unsigned(value, 10, 0, TIME_MAX, &number, NULL))
    return FALSE;
  *time = (gint64) number;
  return TRUE;
}

static gboolean
read_times(DkimSignature *signature, const DkimTags *tags, gint64 now)
{
  gint64 since, until;
  if (!read_time(tags, "t", &since) || !read_time(tags, "x", &until))
    return unreadable(signature, "odd time");
  if (until >= 0 && until <= since)
    return judge(signature, DKIM_PERMERROR, "expires before it was made");
  if (until >= 0 && until + DKIM_DRIFT_S <= now)
    return judge(signature, DKIM_PERMERROR, "expired");
  if (since > now + DKIM_DRIFT_S)
    return judge(signature, DKIM_PERMERROR, "made in the future");
  return TRUE;
}

/* i= (dkim-quoted-printable): every '=' begins two hexadecimal digits in upper case. */
static gboolean
is_quoted(const char *text)
{
  for (const char *p = strchr(text, '='); p != NULL; p = strchr(p + 1, '='))
    if (!g_ascii_isxdigit(p[1]) || !g_ascii_isxdigit(p[2]) || g_ascii_islower(p[1]) ||
        g_ascii_islower(p[2]))
      return FALSE;
  return TRUE;
}

static gboolean
read_identity(DkimSignature *signature, const DkimTags *tags)
{
  g_autofree char *i = dkim_tags_packed(tags, "i");
  const char *at = i != NULL ? strrchr(i, '@') : NULL;
  g_autofree char *d = g_ascii_strdown(signature->given, -1);
  signature->identity = g_ascii_strdown(at != NULL ? at + 1 : d, -1);
  if (i != NULL && (at == NULL || strlen(i) > DKIM_IDENTITY_BYTES || !is_quoted(i) ||
                    strchr(at, '=') != NULL || strchr(i, '@') != at))
    return unreadable(signature, "odd identity");
  gsize rest = strlen(signature->identity) - MIN(strlen(signature->identity), strlen(d));
  if (!g_str_has_suffix(signature->identity, d) ||
      (rest > 0 && signature->identity[rest - 1] != '.'))
    return judge(signature, DKIM_PERMERROR, "identity of another domain");
  return TRUE;
}

DkimSignature *
dkim_signature_parse(const char *value, gint64 now)
{
  DkimSignature *signature = g_new0(DkimSignature, 1);
  signature->reason = "";
  signature->domain = g_strdup("");
  signature->selector = g_strdup("");
  signature->algorithm = g_strdup("");
  signature->begin = g_strdup("");
  g_autoptr(DkimTags) tags = dkim_tags_parse(value);
  if (tags == NULL) {
    unreadable(signature, "no list of tags");
    return signature;
  }
  if (read_names(signature, tags) && read_algorithm(signature, tags) &&
      read_canonicalization(signature, tags) && read_signed(signature, tags) &&
      read_hashes(signature, tags) && read_identity(signature, tags) &&
      read_times(signature, tags, now) && dkim_tags_get(tags, "l") != NULL)
    judge(signature, DKIM_POLICY, "part of the body is not signed");
  return signature;
}
