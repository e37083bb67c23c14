#include "zegelctl/mail_log.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <gio/gunixinputstream.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "zegelctl/log_date.h"

#define FILES_MAX     1000
#define BUFFER_BYTES  (256 * 1024) /* a longer line is cut */
#define LINE_BYTES    4096         /* two lines, most often */
#define LOOK_BYTES    (64 * 1024)  /* what a search may leave in front */
#define SLACK_S       120          /* lines of one time are not in its order */
#define PACKED_SUFFIX ".gz"

/* One file, open. */
typedef struct {
  char *name;
  gint64 written_s; /* its last line is of then */
  gboolean packed;
  int fd;
} File;

struct MailLog {
  GPtrArray *files; /* of File, the oldest first */
};

static void
file_free(gpointer p)
{
  File *file = p;
  close(file->fd);
  g_free(file->name);
  g_free(file);
}

void
mail_log_close(MailLog *log)
{
  if (log == NULL)
    return;
  g_ptr_array_unref(log->files);
  g_free(log);
}

/* ---- Which files ---- */

/* Whether REST can stand behind the log's name: "", ".3", "-20261122", and ".gz" on it. */
static gboolean
is_rotated(const char *rest)
{
  if (*rest == '\0')
    return TRUE;
  if (*rest != '.' && *rest != '-')
    return FALSE;
  gsize digits = strspn(rest + 1, "0123456789-");
  const char *end = rest + 1 + digits;
  return digits > 0 && (*end == '\0' || strcmp(end, PACKED_SUFFIX) == 0);
}

/* Opens PATH when it has lines since SINCE_S; one that just went is left out. */
static gboolean
add_file(MailLog *log, const char *path, gint64 since_s, GError **error)
{
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT)
    return TRUE;
  if (fd < 0 || fstat(fd, &status) != 0) {
    zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, path);
    if (fd >= 0)
      close(fd);
    return FALSE;
  }
  if (!S_ISREG(status.st_mode) || status.st_mtime < since_s - SLACK_S) {
    close(fd);
    return TRUE;
  }
  File *file = g_new0(File, 1);
  file->name = g_strdup(path);
  file->written_s = status.st_mtime;
  file->packed = g_str_has_suffix(path, PACKED_SUFFIX);
  file->fd = fd;
  g_ptr_array_add(log->files, file);
  return TRUE;
}

static gint
compare_files(gconstpointer a, gconstpointer b)
{
  const File *one = *(const File *const *) a, *other = *(const File *const *) b;
  if (one->written_s != other->written_s)
    return one->written_s < other->written_s ? -1 : 1;
  return -strcmp(one->name, other->name); /* NAME.1 before NAME */
}

static gboolean
add_files(MailLog *log, const char *path, gint64 since_s, GError **error)
{
  g_autofree char *directory = g_path_get_dirname(path);
  g_autofree char *base = g_path_get_basename(path);
  g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
  const char *name;
  while (dir != NULL && log->files->len < FILES_MAX &&
         (name = g_dir_read_name(dir)) != NULL) {
    if (!g_str_has_prefix(name, base) || !is_rotated(name + strlen(base)))
      continue;
    g_autofree char *one = g_build_filename(directory, name, NULL);
    if (!add_file(log, one, since_s, error))
      return FALSE;
  }
  g_ptr_array_sort(log->files, compare_files);
  return TRUE;
}

MailLog *
mail_log_open(const char *path, gint64 since_s, GError **error)
{
  g_autoptr(MailLog) log = g_new0(MailLog, 1);
  log->files = g_ptr_array_new_with_free_func(file_free);
  if (!add_files(log, path, since_s, error))
    return NULL;
  if (log->files->len == 0 && !g_file_test(path, G_FILE_TEST_EXISTS)) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                "%s is not there ([log] mail_log in zegel.conf)", path);
    return NULL;
  }
  return g_steal_pointer(&log);
}

/* ---- Lines ---- */

/* Gives TRACE the whole lines of the LEN bytes at BUFFER (one more is there); returns how
 * many bytes those were. At the END what is left is a line too. */
static gsize
take_lines(MailTrace *trace, char *buffer, gsize len, gboolean end, gint64 now_s)
{
  gsize at = 0;
  for (;;) {
    char *stop = memchr(buffer + at, '\n', len - at);
    if (stop == NULL && !(end && at < len))
      return at;
    gsize next = stop != NULL ? (gsize) (stop - buffer) + 1 : len;
    buffer[stop != NULL ? next - 1 : len] = '\0';
    mail_trace_line(trace, buffer + at, now_s);
    at = next;
  }
}

static gboolean
read_stream(GInputStream *stream, gint64 now_s, MailTrace *trace, GError **error)
{
  g_autofree char *buffer = g_malloc(BUFFER_BYTES + 1);
  gsize len = 0;
  gssize got;
  while (!mail_trace_is_done(trace) &&
         (got = g_input_stream_read(stream, buffer + len, BUFFER_BYTES - len, NULL,
                                    error)) != 0) {
    if (got < 0)
      return FALSE;
    len += (gsize) got;
    gsize used = take_lines(trace, buffer, len, FALSE, now_s);
    if (used == 0 && len == BUFFER_BYTES)
      used = len; /* no line is so long: nothing of it is ours */
    memmove(buffer, buffer + used, len - used);
    len -= used;
  }
  if (!mail_trace_is_done(trace))
    take_lines(trace, buffer, len, TRUE, now_s);
  return TRUE;
}

/* When the first whole line behind AT was written; 0: it does not say. */
static gint64
date_behind(const File *file, off_t at, gint64 now_s)
{
  char look[LINE_BYTES];
  const char *rest = NULL;
  ssize_t got = pread(file->fd, look, sizeof look - 1, at);
  if (got <= 0)
    return 0;
  look[got] = '\0';
  char *line = memchr(look, '\n', (gsize) got);
  if (line == NULL)
    return 0;
  line++;
  line[strcspn(line, "\n")] = '\0';
  return log_date_parse(line, now_s, &rest);
}

/* Goes to where lines since SINCE_S begin, or a little before. */
static gboolean
seek_since(const File *file, gint64 since_s, gint64 now_s, GError **error)
{
  off_t low = 0, high = file->packed ? 0 : lseek(file->fd, 0, SEEK_END);
  while (high - low > LOOK_BYTES) {
    off_t middle = low + (high - low) / 2;
    gint64 date_s = date_behind(file, middle, now_s);
    if (date_s != 0 && date_s < since_s - SLACK_S)
      low = middle;
    else
      high = middle;
  }
  if (lseek(file->fd, low, SEEK_SET) == low)
    return TRUE;
  zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, "lseek");
  return FALSE;
}

static gboolean
read_file(const File *file, gint64 since_s, gint64 now_s, MailTrace *trace, GError **error)
{
  if (!seek_since(file, since_s, now_s, error))
    return FALSE;
  g_autoptr(GInputStream) plain = g_unix_input_stream_new(file->fd, FALSE);
  if (!file->packed)
    return read_stream(plain, now_s, trace, error);
  g_autoptr(GZlibDecompressor) unpacker =
      g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
  g_autoptr(GInputStream) unpacked =
      g_converter_input_stream_new(plain, G_CONVERTER(unpacker));
  return read_stream(unpacked, now_s, trace, error);
}

gboolean
mail_log_read(MailLog *log, gint64 since_s, MailTrace *trace, GError **error)
{
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
  for (guint i = 0; i < log->files->len && !mail_trace_is_done(trace); i++) {
    const File *file = log->files->pdata[i];
    g_autoptr(GError) reason = NULL;
    if (file->written_s < since_s - SLACK_S)
      continue;
    if (!read_file(file, since_s, now_s, trace, &reason)) {
      g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "%s: %s", file->name,
                  reason->message);
      return FALSE;
    }
  }
  return TRUE;
}
