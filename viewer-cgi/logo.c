#include "viewer-cgi/logo.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"

struct Logos {
  GHashTable *table; /* Organisation to Logo */
};

static const guint8 png_magic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

static void
logo_free(gpointer p)
{
  Logo *logo = p;
  g_bytes_unref(logo->bytes);
  g_free(logo);
}

static gboolean
fail(const Organisation *organisation, const char *why, GError **error)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "[organisation %s] logo = %s: %s",
              organisation->name, organisation->logo, why);
  return FALSE;
}

/* The type of the picture in BYTES by its content; NULL: neither of the two. */
static const char *
type_of(const guint8 *bytes, gsize len)
{
  if (len >= sizeof png_magic && memcmp(bytes, png_magic, sizeof png_magic) == 0)
    return "image/png";
  gboolean is_xml = len > 0 && (bytes[0] == '<' || bytes[0] == 0xef);
  gboolean is_text = g_utf8_validate((const char *) bytes, (gssize) len, NULL);
  if (is_xml && is_text && g_strstr_len((const char *) bytes, (gssize) len, "<svg") != NULL)
    return "image/svg+xml";
  return NULL;
}

/* Reads from FD at most one byte more than is allowed. */
static GBytes *
read_file(int fd)
{
  g_autofree guint8 *buffer = g_malloc(LOGO_MAX_BYTES + 1);
  gsize len = 0;
  for (gssize n = 1; n > 0 && len <= LOGO_MAX_BYTES; len += (gsize) MAX(n, 0)) {
    n = read(fd, buffer + len, LOGO_MAX_BYTES + 1 - len);
    if (n < 0)
      return NULL;
  }
  return g_bytes_new(buffer, len);
}

static gboolean
load_one(Logos *logos, const Organisation *organisation, GError **error)
{
  struct stat info;
  int fd = open(organisation->logo, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return fail(organisation, g_strerror(errno), error);
  gboolean is_file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  g_autoptr(GBytes) bytes = is_file ? read_file(fd) : NULL;
  close(fd);
  if (bytes == NULL)
    return fail(organisation, "it is no file that can be read", error);
  gsize len = 0;
  const guint8 *start = g_bytes_get_data(bytes, &len);
  if (len > LOGO_MAX_BYTES)
    return fail(organisation, "it is larger than 256 KiB", error);
  const char *type = type_of(start, len);
  if (type == NULL)
    return fail(organisation, "it is neither PNG nor SVG", error);
  Logo *logo = g_new0(Logo, 1);
  logo->bytes = g_steal_pointer(&bytes);
  logo->type = type;
  g_hash_table_insert(logos->table, (gpointer) organisation, logo);
  return TRUE;
}

Logos *
logos_load(const Config *config, GError **error)
{
  g_autoptr(Logos) logos = g_new0(Logos, 1);
  logos->table = g_hash_table_new_full(NULL, NULL, NULL, logo_free);
  for (guint i = 0; i < config->organisations->len; i++) {
    const Organisation *organisation = config->organisations->pdata[i];
    if (*organisation->logo != '\0' && !load_one(logos, organisation, error))
      return NULL;
  }
  return g_steal_pointer(&logos);
}

const Logo *
logos_find(const Logos *logos, const Organisation *organisation)
{
  return logos != NULL ? g_hash_table_lookup(logos->table, organisation) : NULL;
}

void
logos_free(Logos *logos)
{
  if (logos == NULL)
    return;
  g_hash_table_unref(logos->table);
  g_free(logos);
}
