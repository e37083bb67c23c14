#include "common/crypt/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/crypt/crypt.h"
#include "common/crypt/key_file.h"

#define KEY_WORDS          5
#define KEY_ID_DIGITS      8
#define KEY_BASE64_CHARS   44
#define KEY_LINE_MAX_BYTES 128
#define KEY_MAX_COUNT      256 /* keys in a file: decades of yearly rotation */

G_STATIC_ASSERT(KEY_LINE_MAX_BYTES *KEY_MAX_COUNT <= KEY_FILE_MAX_BYTES);

typedef struct {
  guint32 id;
  Secret *secret;
} Key;

struct KeyRing {
  GArray *keys; /* of Key, the current one first */
};

static const char *const purpose_names[] = {
    [KEY_LINK] = "link",   [KEY_STORE] = "store",   [KEY_TICKET] = "ticket",
    [KEY_PHONE] = "phone", [KEY_ORIGIN] = "origin", [KEY_AUDIT] = "audit",
};

const char *
key_purpose_name(KeyPurpose purpose)
{
  return purpose_names[purpose];
}

gboolean
key_purpose_parse(const char *name, KeyPurpose *purpose)
{
  for (guint i = 0; i < G_N_ELEMENTS(purpose_names); i++)
    if (strcmp(purpose_names[i], name) == 0) {
      *purpose = (KeyPurpose) i;
      return TRUE;
    }
  return FALSE;
}

static void
key_clear(gpointer p)
{
  secret_free(((Key *) p)->secret);
}

void
keyring_free(KeyRing *ring)
{
  if (ring == NULL)
    return;
  g_array_unref(ring->keys);
  g_free(ring);
}

static const Key *
find_key(const KeyRing *ring, guint32 id)
{
  for (guint i = 0; i < ring->keys->len; i++)
    if (g_array_index(ring->keys, Key, i).id == id)
      return &g_array_index(ring->keys, Key, i);
  return NULL;
}

/* Frees a string that held a key, without its traces. */
static void
wipe_free(char *text)
{
  if (text != NULL)
    secret_wipe(text, strlen(text));
  g_free(text);
}

/* The key of TEXT in base64, or NULL. */
static Secret *
parse_secret(const char *text)
{
  if (strlen(text) != KEY_BASE64_CHARS || text[KEY_BASE64_CHARS - 1] != '=')
    return NULL;
  char *url = g_strndup(text, KEY_BASE64_CHARS - 1);
  gboolean standard = strpbrk(url, "-_") == NULL;
  g_strdelimit(url, "+", '-');
  g_strdelimit(url, "/", '_');
  Secret *secret = standard ? crypt_base64url_decode(url, CRYPT_KEY_BYTES) : NULL;
  wipe_free(url);
  return secret;
}

/* Whether WORDS (NULL-terminated, KEY_WORDS) are a key for PURPOSE; into *KEY. */
static gboolean
parse_words(char *const *words, KeyPurpose purpose, Key *key)
{
  guint8 id[KEY_ID_DIGITS / 2];
  if (strcmp(words[0], "zegel-key") != 0 || strcmp(words[1], "1") != 0 ||
      strcmp(words[2], key_purpose_name(purpose)) != 0 ||
      !crypt_unhex(words[3], id, sizeof id))
    return FALSE;
  key->id = (guint32) id[0] << 24 | (guint32) id[1] << 16 | (guint32) id[2] << 8 | id[3];
  key->secret = parse_secret(words[4]);
  return key->secret != NULL;
}

static gboolean
parse_line(const char *line, KeyPurpose purpose, Key *key)
{
  char **words = g_strsplit(line, " ", KEY_WORDS);
  gboolean good = g_strv_length(words) == KEY_WORDS && parse_words(words, purpose, key);
  for (char **word = words; *word != NULL; word++)
    secret_wipe(*word, strlen(*word));
  g_strfreev(words);
  return good;
}

static gboolean
add_line(KeyRing *ring, const char *bytes, gsize len, KeyPurpose purpose, const char *what,
         GError **error)
{
  Key key = {0, NULL};
  char *line = g_strndup(bytes, len);
  gboolean good = strlen(line) == len && len < KEY_LINE_MAX_BYTES &&
                  ring->keys->len < KEY_MAX_COUNT && parse_line(line, purpose, &key);
  secret_wipe(line, len);
  g_free(line);
  if (!good) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                "%s:%u: not \"zegel-key 1 %s ID BASE64\" (8 hexadecimal digits, 32 bytes): "
                "restore the file, or make it with zegelctl",
                what, ring->keys->len + 1, key_purpose_name(purpose));
    return FALSE;
  }
  if (find_key(ring, key.id) != NULL) {
    secret_free(key.secret);
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s:%u: key id %08x stands twice",
                what, ring->keys->len + 1, key.id);
    return FALSE;
  }
  g_array_append_val(ring->keys, key);
  return TRUE;
}

KeyRing *
keyring_parse(const char *bytes, gsize len, KeyPurpose purpose, const char *what,
              GError **error)
{
  g_autoptr(KeyRing) ring = g_new0(KeyRing, 1);
  ring->keys = g_array_new(FALSE, TRUE, sizeof(Key));
  g_array_set_clear_func(ring->keys, key_clear);
  for (gsize at = 0; at < len;) {
    const char *line = bytes + at;
    const char *newline = memchr(line, '\n', len - at);
    gsize line_len = newline != NULL ? (gsize) (newline - line) : len - at;
    if (!add_line(ring, line, line_len, purpose, what, error))
      return NULL;
    at += line_len + 1;
  }
  if (ring->keys->len == 0) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s: the file holds no key", what);
    return NULL;
  }
  return g_steal_pointer(&ring);
}

KeyRing *
keyring_load(const char *path, KeyPurpose purpose, GError **error)
{
  g_autoptr(Secret) bytes = key_file_read(path, error);
  if (bytes == NULL)
    return NULL;
  return keyring_parse((const char *) secret_peek(bytes), secret_size(bytes), purpose, path,
                       error);
}

guint32
keyring_current(const KeyRing *ring)
{
  return g_array_index(ring->keys, Key, 0).id;
}

guint
keyring_count(const KeyRing *ring)
{
  return ring->keys->len;
}

guint32
keyring_nth(const KeyRing *ring, guint i)
{
  return g_array_index(ring->keys, Key, i).id;
}

gboolean
keyring_derive(const KeyRing *ring, guint32 id, const char *label, gconstpointer salt,
               gsize salt_len, guint8 *out, gsize out_len, GError **error)
{
  const Key *key = find_key(ring, id);
  if (key == NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_KEY_UNKNOWN,
                "key id %08x is not in the key file", id);
    return FALSE;
  }
  return crypt_hkdf(key->secret, salt, salt_len, label, out, out_len, error);
}

Secret *
keyring_derive_key(const KeyRing *ring, guint32 id, const char *label, GError **error)
{
  g_autoptr(Secret) key = secret_new(CRYPT_KEY_BYTES);
  if (!keyring_derive(ring, id, label, NULL, 0, secret_bytes(key), CRYPT_KEY_BYTES, error))
    return NULL;
  return g_steal_pointer(&key);
}

/* A line with a random key and an id that RING (may be NULL) does not have. */
static Secret *
new_line(KeyPurpose purpose, const KeyRing *ring, GError **error)
{
  guint32 id = 0;
  guint8 key[CRYPT_KEY_BYTES];
  do {
    if (!crypt_random(&id, sizeof id, error))
      return NULL;
  } while (ring != NULL && find_key(ring, id) != NULL);
  if (!crypt_random(key, sizeof key, error))
    return NULL;
  char *base64 = g_base64_encode(key, sizeof key);
  char *line =
      g_strdup_printf("zegel-key 1 %s %08x %s\n", key_purpose_name(purpose), id, base64);
  Secret *secret = secret_new_from(line, strlen(line));
  secret_wipe(key, sizeof key);
  wipe_free(base64);
  wipe_free(line);
  return secret;
}

static gboolean
write_all(int fd, const Secret *bytes)
{
  const guint8 *from = secret_peek(bytes);
  gsize left = secret_size(bytes);
  while (left > 0) {
    ssize_t n = write(fd, from, left);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FALSE;
    from += n;
    left -= (gsize) n;
  }
  return TRUE;
}

/* A file made by root for another user stays that user's. */
static gboolean
keep_owner(int fd, const struct stat *old)
{
  return old->st_nlink == 0 || geteuid() != 0 || fchown(fd, old->st_uid, old->st_gid) == 0;
}

/* Writes FIRST and REST (may be NULL) beside PATH, syncs, and puts it in PATH's place. */
static gboolean
replace_file(const char *path, int dir_fd, const struct stat *old, const Secret *first,
             const Secret *rest, GError **error)
{
  g_autofree char *temporary = g_strconcat(path, ".new", NULL);
  unlink(temporary); /* of a run that was cut off: we hold the lock */
  int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);
  gboolean written = fd >= 0 && keep_owner(fd, old) && write_all(fd, first) &&
                     (rest == NULL || write_all(fd, rest)) && fsync(fd) == 0;
  int errnum = errno;
  if (fd >= 0 && close(fd) < 0 && written) {
    errnum = errno;
    written = FALSE;
  }
  if (written && rename(temporary, path) == 0 && fsync(dir_fd) == 0)
    return TRUE;
  if (written)
    errnum = errno;
  if (fd >= 0)
    unlink(temporary);
  zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errnum, path);
  return FALSE;
}

/* The lines that are there, checked, into *REST; NULL when there is no file yet. */
static gboolean
read_old(const char *path, KeyPurpose purpose, struct stat *old, KeyRing **ring,
         Secret **rest, GError **error)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT)
    return TRUE;
  if (fd < 0 || fstat(fd, old) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    if (fd >= 0)
      close(fd);
    return FALSE;
  }
  if (key_file_check(path, old, error))
    *rest = key_file_read_fd(fd, path, error);
  close(fd);
  if (*rest != NULL)
    *ring = keyring_parse((const char *) secret_peek(*rest), secret_size(*rest), purpose,
                          path, error);
  return *ring != NULL;
}

static gboolean
generate_locked(const char *path, int dir_fd, KeyPurpose purpose, GError **error)
{
  struct stat old = {.st_nlink = 0};
  g_autoptr(KeyRing) ring = NULL;
  g_autoptr(Secret) rest = NULL;
  if (!read_old(path, purpose, &old, &ring, &rest, error))
    return FALSE;
  if (ring != NULL && ring->keys->len == KEY_MAX_COUNT) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                "%s: %d keys are the most a file can hold: remove old ones", path,
                KEY_MAX_COUNT);
    return FALSE;
  }
  g_autoptr(Secret) line = new_line(purpose, ring, error);
  return line != NULL && replace_file(path, dir_fd, &old, line, rest, error);
}

gboolean
key_file_generate(const char *path, KeyPurpose purpose, GError **error)
{
  g_autofree char *directory = g_path_get_dirname(path);
  int dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir_fd < 0 || flock(dir_fd, LOCK_EX) < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, directory);
    if (dir_fd >= 0)
      close(dir_fd);
    return FALSE;
  }
  gboolean done = generate_locked(path, dir_fd, purpose, error);
  close(dir_fd);
  return done;
}
