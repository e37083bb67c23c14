#include "sms/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/secret.h"

#define SECRET_MAX_BYTES 1024

gboolean
settings_refuse(GError **error, const char *key, const char *why)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s: %s", key, why);
  return FALSE;
}

static gboolean
check_keys(GKeyFile *file, const char *section, const char *const *known, GError **error)
{
  g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);
  g_auto(GStrv) keys = g_key_file_get_keys(file, section, NULL, NULL);
  if (keys == NULL || g_strv_length(groups) != 1)
    return settings_refuse(error, section, "this section, and no other, must be there");
  for (char **key = keys; *key != NULL; key++)
    if (!g_strv_contains(known, *key))
      return settings_refuse(error, *key, "no such key");
  return TRUE;
}

GKeyFile *
settings_load(const char *path, const char *section, const char *const *keys,
              GError **error)
{
  g_autoptr(GKeyFile) file = g_key_file_new();
  g_autoptr(GError) reason = NULL;
  if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &reason)) {
    settings_refuse(error, path, reason->message);
    return NULL;
  }
  g_autoptr(GError) wrong = NULL;
  if (!check_keys(file, section, keys, &wrong)) {
    settings_refuse(error, path, wrong->message);
    return NULL;
  }
  return g_steal_pointer(&file);
}

char *
settings_text(GKeyFile *file, const char *section, const char *key, const char *fallback)
{
  char *value = g_key_file_get_value(file, section, key, NULL);
  return value != NULL ? value : g_strdup(fallback);
}

gboolean
settings_uint(GKeyFile *file, const char *section, const char *key, guint min, guint max,
              guint *value, GError **error)
{
  g_autofree char *text = settings_text(file, section, key, NULL);
  guint64 number = 0;
  if (text == NULL)
    return TRUE;
  if (!g_ascii_string_to_unsigned(text, 10, min, max, &number, NULL)) {
    g_autofree char *why = g_strdup_printf("not a number from %u to %u", min, max);
    return settings_refuse(error, key, why);
  }
  *value = (guint) number;
  return TRUE;
}

/* Whether nobody else can read or change what FD is. */
static gboolean
is_private(int fd)
{
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
         (status.st_mode & 077) == 0 && (status.st_uid == geteuid() || status.st_uid == 0);
}

char *
settings_secret(const char *path, GError **error)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    return NULL;
  }
  g_autoptr(Secret) bytes = secret_new(SECRET_MAX_BYTES + 1);
  gssize n = is_private(fd) ? read(fd, secret_bytes(bytes), SECRET_MAX_BYTES) : -1;
  close(fd);
  const char *text = (const char *) secret_peek(bytes);
  gsize len = strcspn(text, "\r\n");
  if (n <= 0 || len == 0 || n == SECRET_MAX_BYTES || !g_utf8_validate(text, -1, NULL)) {
    settings_refuse(error, path, "needs mode 0400 and one line");
    return NULL;
  }
  return g_strndup(text, len);
}
