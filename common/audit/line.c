/*
 * Signed lines: words with one space between, the signature last. A line has one spelling,
 * so that no octet of a stored one can change without being seen.
 */
#include <string.h>
#include <time.h>

#include "common/audit/internal.h"
#include "common/base/error.h"

#define CHECKPOINT_NAME "zegel-checkpoint 1"
#define END_NAME        "zegel-end 1"
#define MAX_WORDS       8
#define LINE_MAX_BYTES  400

static gboolean
invalid(GError **error)
{
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "this is no signed line");
  return FALSE;
}

/* Reads the number of COUNT digits at TEXT. */
static gboolean
parse_digits(const char *text, guint count, int *out)
{
  *out = 0;
  for (guint i = 0; i < count; i++) {
    if (!g_ascii_isdigit(text[i]))
      return FALSE;
    *out = *out * 10 + g_ascii_digit_value(text[i]);
  }
  return TRUE;
}

/* GLib reads more forms than ours, and takes longer for it than all else of a record. */
gboolean
parse_time(const char *text, gint64 *at_us)
{
  static const char form[] = "0000-00-00T00:00:00";
  const gsize len = sizeof form - 1;
  struct tm tm = {.tm_isdst = 0};
  int us = 0;
  gsize all = strlen(text);
  if (all != len + strlen("Z") && all != len + strlen(".000000Z"))
    return FALSE;
  for (gsize i = 0; i < len; i++)
    if (form[i] != '0' && text[i] != form[i])
      return FALSE;
  if (!parse_digits(text, 4, &tm.tm_year) || !parse_digits(text + 5, 2, &tm.tm_mon) ||
      !parse_digits(text + 8, 2, &tm.tm_mday) || !parse_digits(text + 11, 2, &tm.tm_hour) ||
      !parse_digits(text + 14, 2, &tm.tm_min) || !parse_digits(text + 17, 2, &tm.tm_sec) ||
      (all > len + 1 && (text[len] != '.' || !parse_digits(text + len + 1, 6, &us))) ||
      text[all - 1] != 'Z')
    return FALSE;
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  *at_us = (gint64) timegm(&tm) * G_USEC_PER_SEC + us;
  return TRUE;
}

/* What is signed: up to the signature, without the space before it. MIDDLE may be NULL. */
static char *
unsigned_line(const char *name, const Checkpoint *point, const char *middle)
{
  g_autofree char *hash = crypt_hex(point->hash, sizeof point->hash);
  g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(point->at_s);
  g_autofree char *at =
      time != NULL ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("-");
  return g_strdup_printf("%s %08x %" G_GUINT64_FORMAT " %s %s%s%s", name, point->key_id,
                         point->count, hash, middle != NULL ? middle : "",
                         middle != NULL ? " " : "", at);
}

static char *
sign_line(const char *line, const Ed25519 *key, GError **error)
{
  guint8 signature[ED25519_SIGNATURE_BYTES];
  if (!ed25519_sign(key, line, strlen(line), signature, error))
    return NULL;
  g_autofree char *text = g_base64_encode(signature, sizeof signature);
  return g_strconcat(line, " ", text, NULL);
}

char *
checkpoint_format(const Checkpoint *checkpoint, const Ed25519 *key, GError **error)
{
  g_autofree char *line = unsigned_line(CHECKPOINT_NAME, checkpoint, NULL);
  return sign_line(line, key, error);
}

char *
end_format(const TrailEnd *end, const Ed25519 *key, GError **error)
{
  g_autofree char *hash = crypt_hex(end->checkpoints, sizeof end->checkpoints);
  g_autofree char *line = unsigned_line(END_NAME, &end->point, hash);
  return sign_line(line, key, error);
}

/* The signature of TEXT, whose signed part is *LEN octets long. FALSE: there is none. */
static gboolean
find_signature(const char *text, gsize *len, guint8 signature[ED25519_SIGNATURE_BYTES])
{
  const char *space = strrchr(text, ' ');
  if (space == NULL)
    return FALSE;
  gsize size = 0;
  g_autofree guchar *bytes = g_base64_decode(space + 1, &size);
  g_autofree char *again = g_base64_encode(bytes, size);
  if (size != ED25519_SIGNATURE_BYTES || strcmp(again, space + 1) != 0)
    return FALSE;
  memcpy(signature, bytes, ED25519_SIGNATURE_BYTES);
  *len = (gsize) (space - text);
  return TRUE;
}

gboolean
line_check(const char *text, const guint8 public_key[ED25519_PUBLIC_BYTES], GError **error)
{
  guint8 signature[ED25519_SIGNATURE_BYTES];
  gsize len = 0;
  if (!find_signature(text, &len, signature))
    return invalid(error);
  return ed25519_check(public_key, text, len, signature, error);
}

/* The words KEYID, COUNT and HASH, and TIME. */
static gboolean
parse_point(char *const *words, const char *time, Checkpoint *point)
{
  guint64 id = 0;
  gint64 at_us = 0;
  if (!g_ascii_string_to_unsigned(words[0], 16, 0, G_MAXUINT32, &id, NULL) ||
      !g_ascii_string_to_unsigned(words[1], 10, 0, G_MAXINT64, &point->count, NULL) ||
      !crypt_unhex(words[2], point->hash, sizeof point->hash) || !parse_time(time, &at_us))
    return FALSE;
  point->key_id = (guint32) id;
  point->at_s = at_us / G_USEC_PER_SEC;
  return TRUE;
}

/* Reads the line called NAME, with or without a hash before its time, which gets into
 * MIDDLE. */
static gboolean
parse_line(const char *text, const char *name, Checkpoint *point, guint8 *middle,
           GError **error)
{
  guint8 signature[ED25519_SIGNATURE_BYTES];
  gsize len = 0;
  guint count = middle != NULL ? MAX_WORDS : MAX_WORDS - 1;
  if (strlen(text) > LINE_MAX_BYTES || !find_signature(text, &len, signature))
    return invalid(error);
  g_auto(GStrv) words = g_strsplit(text, " ", MAX_WORDS + 1);
  if (g_strv_length(words) != count || !parse_point(words + 2, words[count - 2], point) ||
      (middle != NULL && !crypt_unhex(words[5], middle, CRYPT_SHA256_BYTES)))
    return invalid(error);
  g_autofree char *again = unsigned_line(name, point, middle != NULL ? words[5] : NULL);
  return (strlen(again) == len && memcmp(again, text, len) == 0) || invalid(error);
}

gboolean
checkpoint_parse(const char *text, Checkpoint *checkpoint, GError **error)
{
  return parse_line(text, CHECKPOINT_NAME, checkpoint, NULL, error);
}

gboolean
end_parse(const char *text, TrailEnd *end, GError **error)
{
  return parse_line(text, END_NAME, &end->point, end->checkpoints, error);
}
