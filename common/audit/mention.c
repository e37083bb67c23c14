/*
 * Persons and messages are found by an HMAC of their value: who has the file alone cannot
 * even try names.
 */
#include <string.h>

#include "common/audit/internal.h"

/* The keys whose values are looked for. */
static const struct {
  const char *key;
  MentionKind kind;
} keys[] = {
    {"from", MENTION_PERSON}, {"to", MENTION_PERSON},    {"by", MENTION_PERSON},
    {"for", MENTION_PERSON},  {"about", MENTION_PERSON}, {"message-id", MENTION_MESSAGE},
};

MentionKind
mention_kind(const char *key)
{
  for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
    if (strcmp(keys[i].key, key) == 0)
      return keys[i].kind;
  return MENTION_NONE;
}

/* VALUE as it is looked for: a person in lower case, a Message-ID without brackets. */
static char *
plain(MentionKind kind, const char *value)
{
  if (kind == MENTION_PERSON)
    return g_ascii_strdown(value, -1);
  gsize len = strlen(value);
  gboolean bracketed = len >= 2 && value[0] == '<' && value[len - 1] == '>';
  return bracketed ? g_strndup(value + 1, len - 2) : g_strdup(value);
}

gboolean
mention_equal(MentionKind kind, const char *a, const char *b)
{
  g_autofree char *plain_a = plain(kind, a);
  g_autofree char *plain_b = plain(kind, b);
  return strcmp(plain_a, plain_b) == 0;
}

gboolean
mention_format(const TrailKey *key, MentionKind kind, const char *value,
               guint8 out[TRAIL_MENTION_BYTES], GError **error)
{
  guint8 mac[CRYPT_SHA256_BYTES];
  g_autofree char *text = plain(kind, value);
  g_autofree char *bytes =
      g_strconcat(kind == MENTION_PERSON ? "person " : "message ", text, NULL);
  if (!crypt_hmac(key->mention, bytes, strlen(bytes), mac, error))
    return FALSE;
  memcpy(out, mac, TRAIL_MENTION_BYTES);
  return TRUE;
}
