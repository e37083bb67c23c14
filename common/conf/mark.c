/*
 * What a process shows of its zegel.conf.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/conf/conf.h"

static int
compare(gconstpointer a, gconstpointer b)
{
  return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The settings in TEXT, each with its section, in an order that does not hang on theirs. */
static GPtrArray *
settings_of(const char *text)
{
  GPtrArray *settings = g_ptr_array_new_with_free_func(g_free);
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  const char *section = "";
  for (char **line = lines; *line != NULL; line++) {
    const char *setting = g_strstrip(*line);
    if (*setting == '[') {
      section = setting;
    } else if (*setting != '\0' && *setting != '#' && *setting != ';') {
      g_auto(GStrv) pair = g_strsplit(setting, "=", 2);
      g_ptr_array_add(settings,
                      g_strdup_printf("%s\n%s\n%s", section, g_strstrip(pair[0]),
                                      pair[1] != NULL ? g_strstrip(pair[1]) : ""));
    }
  }
  g_ptr_array_sort(settings, compare);
  return settings;
}

guint64
conf_mark(const char *text, gsize len)
{
  guint64 mark = 0;
  guint8 digest[32]; /* of SHA-256 */
  gsize size = sizeof digest;
  g_autofree char *copy = g_strndup(text, len);
  g_autoptr(GPtrArray) settings = settings_of(copy);
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  for (guint i = 0; i < settings->len; i++) {
    const char *setting = settings->pdata[i];
    g_checksum_update(sum, (const guchar *) setting, (gssize) strlen(setting) + 1);
  }
  g_checksum_get_digest(sum, digest, &size);
  memcpy(&mark, digest, sizeof mark);
  return CONF_MARK_SIGN | (mark & ~CONF_MARK_MASK);
}

void
conf_show(const Config *config)
{
  static int shown = -1;
  guint64 before = 0;
  if (shown < 0)
    shown = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (shown < 0)
    return;
  /* Reading sets it to 0, writing adds to it. */
  if (read(shown, &before, sizeof before) < 0)
    before = 0;
  if (write(shown, &config->mark, sizeof config->mark) < 0) {
    close(shown);
    shown = -1;
  }
}
