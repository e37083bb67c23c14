#include "zegelctl/archive.h"

#include <string.h>

#include "common/base/error.h"

#define HEAD         "zegel-backup"
#define HEAD_KEYS    "zegel-backup-keys"
#define VERSION      "1"
#define CHECK_LABEL  "zegel backup check"
#define MAC_LABEL    "zegel backup manifest"
#define MAC_WORD     "mac "
#define MODE_MAX     07777
#define HEX_ID_CHARS 8

static void
item_free(gpointer p)
{
  ArchiveItem *item = p;
  g_free(item->owner);
  g_free(item->group);
  g_free(item->path);
  secret_free(item->content);
  g_free(item);
}

static Archive *
archive_alloc(void)
{
  Archive *archive = g_new0(Archive, 1);
  archive->items = g_ptr_array_new_with_free_func(item_free);
  archive->keys = g_array_new(FALSE, TRUE, sizeof(ArchiveKey));
  return archive;
}

Archive *
archive_new(gint64 at_s, const char *version, const char *config, GError **error)
{
  guint8 id[ARCHIVE_ID_BYTES];
  if (!crypt_random(id, sizeof id, error))
    return NULL;
  Archive *archive = archive_alloc();
  archive->id = crypt_hex(id, sizeof id);
  archive->at_s = at_s;
  archive->version = g_strdup(version);
  archive->config = g_strdup(config);
  return archive;
}

void
archive_free(Archive *archive)
{
  if (archive == NULL)
    return;
  g_ptr_array_unref(archive->items);
  g_array_unref(archive->keys);
  g_free(archive->id);
  g_free(archive->version);
  g_free(archive->config);
  g_free(archive);
}

ArchiveItem *
archive_add(Archive *archive, const char *path)
{
  ArchiveItem *item = g_new0(ArchiveItem, 1);
  item->path = g_strdup(path);
  g_ptr_array_add(archive->items, item);
  return item;
}

/* What only the holder of key ID of RING can know of it. */
static gboolean
make_check(const KeyRing *ring, guint32 id, guint8 check[ARCHIVE_CHECK_BYTES],
           GError **error)
{
  return keyring_derive(ring, id, CHECK_LABEL, NULL, 0, check, ARCHIVE_CHECK_BYTES, error);
}

gboolean
archive_add_keys(Archive *archive, const KeyRing *ring, KeyPurpose purpose, GError **error)
{
  for (guint i = 0; i < keyring_count(ring); i++) {
    ArchiveKey key = {.purpose = purpose, .id = keyring_nth(ring, i)};
    if (!make_check(ring, key.id, key.check, error))
      return FALSE;
    g_array_append_val(archive->keys, key);
  }
  return TRUE;
}

const ArchiveKey *
archive_missing_key(const Archive *archive, const KeyRing *ring, KeyPurpose purpose)
{
  for (guint i = 0; i < archive->keys->len; i++) {
    const ArchiveKey *key = &g_array_index(archive->keys, ArchiveKey, i);
    guint8 check[ARCHIVE_CHECK_BYTES];
    if (key->purpose == purpose && (!make_check(ring, key->id, check, NULL) ||
                                    !crypt_equal(check, key->check, sizeof check)))
      return key;
  }
  return NULL;
}

/* Absolute, without "." and "..", of whole characters that begin no other line. */
gboolean
archive_path_is_good(const char *path)
{
  g_auto(GStrv) names = g_strsplit(path, "/", -1);
  if (*path != '/' || !g_utf8_validate(path, -1, NULL))
    return FALSE;
  for (const char *p = path; *p != '\0'; p++)
    if (g_ascii_iscntrl(*p))
      return FALSE;
  for (char **name = names + 1; *name != NULL; name++)
    if (**name == '\0' || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0)
      return FALSE;
  return TRUE;
}

/* ---- Writing ---- */

static void
append_item(GString *out, const ArchiveItem *item)
{
  if (!item->is_file) {
    g_string_append_printf(out, "dir %04o %s %s %s\n", item->mode, item->owner, item->group,
                           item->path);
    return;
  }
  g_autofree char *hash = crypt_hex(item->sha256, sizeof item->sha256);
  g_string_append_printf(out, "file %04o %s %s %" G_GUINT64_FORMAT " %s %s\n", item->mode,
                         item->owner, item->group, item->size, hash, item->path);
  if (item->content == NULL)
    return;
  char *data = g_base64_encode(secret_peek(item->content), secret_size(item->content));
  g_string_append_printf(out, "data %s\n", data);
  secret_wipe(data, strlen(data));
  g_free(data);
}

static void
append_key(GString *out, const ArchiveKey *key)
{
  g_autofree char *check = crypt_hex(key->check, sizeof key->check);
  g_string_append_printf(out, "key %s %08x %s\n", key_purpose_name(key->purpose), key->id,
                         check);
}

static gboolean
make_mac(const KeyRing *keys, guint32 id, const char *text, gsize len,
         guint8 mac[CRYPT_SHA256_BYTES], GError **error)
{
  g_autoptr(Secret) key = keyring_derive_key(keys, id, MAC_LABEL, error);
  return key != NULL && crypt_hmac(key, text, len, mac, error);
}

static gboolean
append_mac(GString *out, const KeyRing *keys, GError **error)
{
  guint8 mac[CRYPT_SHA256_BYTES];
  guint32 id = keyring_current(keys);
  if (!make_mac(keys, id, out->str, out->len, mac, error))
    return FALSE;
  g_autofree char *hex = crypt_hex(mac, sizeof mac);
  g_string_append_printf(out, MAC_WORD "%08x %s\n", id, hex);
  return TRUE;
}

Secret *
archive_format(const Archive *archive, const KeyRing *keys, GError **error)
{
  g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(archive->at_s);
  g_autofree char *time = g_date_time_format(at, "%Y-%m-%dT%H:%M:%SZ");
  g_autoptr(GString) out = g_string_sized_new(4096 + 200 * (gsize) archive->items->len);
  g_string_append_printf(out, "%s " VERSION " %s %s %s\nconfig %s\n",
                         archive->of_keys ? HEAD_KEYS : HEAD, archive->id, time,
                         archive->version, archive->config);
  for (guint i = 0; i < archive->keys->len; i++)
    append_key(out, &g_array_index(archive->keys, ArchiveKey, i));
  for (guint i = 0; i < archive->items->len; i++)
    append_item(out, archive->items->pdata[i]);
  gboolean done = keys == NULL || append_mac(out, keys, error);
  Secret *text = done ? secret_new_from(out->str, out->len) : NULL;
  secret_wipe(out->str, out->len);
  return text;
}

/* ---- Reading ---- */

static gboolean
parse_octal(const char *text, guint *mode)
{
  guint64 number;
  if (!g_ascii_string_to_unsigned(text, 8, 0, MODE_MAX, &number, NULL))
    return FALSE;
  *mode = (guint) number;
  return TRUE;
}

static gboolean
parse_id(const char *text, guint32 *id)
{
  guint64 number;
  if (strlen(text) != HEX_ID_CHARS ||
      !g_ascii_string_to_unsigned(text, 16, 0, G_MAXUINT32, &number, NULL))
    return FALSE;
  *id = (guint32) number;
  return TRUE;
}

/* "HEAD 1 ID AT VERSION" */
static gboolean
parse_head(Archive *archive, GStrv words)
{
  guint8 id[ARCHIVE_ID_BYTES];
  if (g_strv_length(words) != 5 || strcmp(words[1], VERSION) != 0)
    return FALSE;
  archive->of_keys = strcmp(words[0], HEAD_KEYS) == 0;
  g_autoptr(GDateTime) at = g_date_time_new_from_iso8601(words[3], NULL);
  if ((!archive->of_keys && strcmp(words[0], HEAD) != 0) ||
      !crypt_unhex(words[2], id, sizeof id) || at == NULL)
    return FALSE;
  archive->id = g_strdup(words[2]);
  archive->at_s = g_date_time_to_unix(at);
  archive->version = g_strdup(words[4]);
  return TRUE;
}

/* "key PURPOSE ID CHECK" */
static gboolean
parse_key(Archive *archive, GStrv words)
{
  ArchiveKey key;
  if (g_strv_length(words) != 4 || !key_purpose_parse(words[1], &key.purpose) ||
      !parse_id(words[2], &key.id) || !crypt_unhex(words[3], key.check, sizeof key.check))
    return FALSE;
  g_array_append_val(archive->keys, key);
  return TRUE;
}

/* "dir MODE OWNER GROUP PATH", "file MODE OWNER GROUP SIZE SHA256 PATH": LINE, whose path
 * may have spaces in it. */
static gboolean
parse_item(Archive *archive, const char *line, gboolean is_file)
{
  guint fields = is_file ? 7 : 5;
  ArchiveItem read = {.is_file = is_file};
  g_auto(GStrv) words = g_strsplit(line, " ", (gint) fields);
  if (g_strv_length(words) != fields || !parse_octal(words[1], &read.mode) ||
      *words[2] == '\0' || *words[3] == '\0' || !archive_path_is_good(words[fields - 1]))
    return FALSE;
  if (is_file &&
      (!g_ascii_string_to_unsigned(words[4], 10, 0, G_MAXINT64, &read.size, NULL) ||
       !crypt_unhex(words[5], read.sha256, sizeof read.sha256)))
    return FALSE;
  read.owner = g_strdup(words[2]);
  read.group = g_strdup(words[3]);
  ArchiveItem *item = archive_add(archive, words[fields - 1]);
  read.path = item->path;
  *item = read;
  return TRUE;
}

/* "data BASE64", of the file before it; it must be that. */
static gboolean
parse_data(Archive *archive, const char *base64)
{
  gsize len = 0;
  guint8 hash[CRYPT_SHA256_BYTES];
  ArchiveItem *item =
      archive->items->len > 0 ? archive->items->pdata[archive->items->len - 1] : NULL;
  if (!archive->of_keys || item == NULL || !item->is_file || item->content != NULL)
    return FALSE;
  guchar *bytes = g_base64_decode(base64, &len);
  item->content = secret_new_from(bytes, len);
  secret_wipe(bytes, len);
  g_free(bytes);
  g_autoptr(CryptHash) sum = crypt_hash_new();
  crypt_hash_update(sum, secret_peek(item->content), len);
  crypt_hash_finish(sum, hash);
  return len == item->size && crypt_equal(hash, item->sha256, sizeof hash);
}

static gboolean
parse_line(Archive *archive, const char *line)
{
  if (archive->id == NULL || g_str_has_prefix(line, "key ")) {
    g_auto(GStrv) words = g_strsplit(line, " ", 6);
    return archive->id == NULL ? parse_head(archive, words) : parse_key(archive, words);
  }
  if (g_str_has_prefix(line, "config ") && archive->config == NULL &&
      archive_path_is_good(line + strlen("config "))) {
    archive->config = g_strdup(line + strlen("config "));
    return TRUE;
  }
  if (g_str_has_prefix(line, "data "))
    return parse_data(archive, line + strlen("data "));
  if (g_str_has_prefix(line, "file "))
    return parse_item(archive, line, TRUE);
  return g_str_has_prefix(line, "dir ") ? parse_item(archive, line, FALSE)
                                        : g_str_has_prefix(line, MAC_WORD);
}

Archive *
archive_parse(const char *name, const char *text, gsize len, GError **error)
{
  g_autoptr(Archive) archive = archive_alloc();
  const char *at = text, *end = text + len, *line_end;
  guint number = 1;
  for (; at < end && (line_end = memchr(at, '\n', (gsize) (end - at))) != NULL; number++) {
    g_autoptr(Secret) line = secret_new((gsize) (line_end - at) + 1);
    memcpy(secret_bytes(line), at, (gsize) (line_end - at));
    if (memchr(at, '\0', (gsize) (line_end - at)) != NULL ||
        !parse_line(archive, (const char *) secret_peek(line)))
      break;
    at = line_end + 1;
  }
  if (at == end && archive->id != NULL && archive->config != NULL)
    return g_steal_pointer(&archive);
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
              "%s:%u: this is no backup of zegel, or one of another version", name, number);
  return NULL;
}

/* The place of the last line of TEXT when it is a MAC. */
static const char *
find_mac(const char *text, gsize len)
{
  gsize at = len > 0 ? len - 1 : 0;
  while (at > 0 && text[at - 1] != '\n')
    at--;
  return len - at > strlen(MAC_WORD) && memcmp(text + at, MAC_WORD, strlen(MAC_WORD)) == 0
             ? text + at
             : NULL;
}

gboolean
archive_check(const char *text, gsize len, const KeyRing *keys, GError **error)
{
  const char *line = find_mac(text, len);
  gsize line_len = line != NULL ? len - (gsize) (line - text) : 0;
  g_autofree char *copy = g_strndup(line != NULL ? line : "", line_len);
  g_auto(GStrv) words = g_strsplit(g_strchomp(copy), " ", 3);
  guint8 mac[CRYPT_SHA256_BYTES], there[CRYPT_SHA256_BYTES];
  guint32 id = 0;
  if (g_strv_length(words) != 3 || !parse_id(words[1], &id) ||
      !crypt_unhex(words[2], there, sizeof there)) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED,
                        "the manifest of the backup has no seal at its end");
    return FALSE;
  }
  if (!make_mac(keys, id, text, (gsize) (line - text), mac, error))
    return FALSE;
  if (crypt_equal(mac, there, sizeof mac))
    return TRUE;
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED,
                      "the manifest is not the one that was written with these keys: the "
                      "backup was changed");
  return FALSE;
}
