/*
 * doctor_log.c - links in the logs of web servers: who reads a log would read messages.
 *
 * What is found is counted, never shown.
 */
#include <fcntl.h>
#include <gio/gio.h>
#include <gio/gunixinputstream.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zegelctl/doctor_parts.h"

#define READ_BYTES 65536
#define FILE_MAX_BYTES                                                                     \
  (256 * 1024 * 1024) /* of one log, its newest part, as it is read                        \
                       */
#define TOTAL_S   60
#define TOKEN_MIN 22 /* base64url of a link's secret, which is the shortest */
#define PACKED    ".gz"

static const char *const folders[] = {"/var/log/nginx", "/var/log/apache2",
                                      "/var/log/httpd", "/var/log/lighttpd",
                                      "/var/log/zegel-web"};
/* Behind them is a secret (viewer-cgi/route.c). */
static const char *const prefixes[] = {"/l/", "/s/", "/form/"};

/* What goes on while logs are read. */
typedef struct {
  DoctorReport *report;
  gint64 end_us;
  gboolean cut; /* time was over before the end */
} Search;

/* ---- One line of text ---- */

static gboolean
is_token(const char *text, const char *end)
{
  gsize len = 0;
  while (text + len < end &&
         (g_ascii_isalnum(text[len]) || text[len] == '-' || text[len] == '_'))
    len++;
  return len >= TOKEN_MIN;
}

/* Whether a link begins at TEXT, before END. */
static gboolean
is_link(const char *text, const char *end)
{
  for (guint i = 0; i < G_N_ELEMENTS(prefixes); i++) {
    gsize len = strlen(prefixes[i]);
    if ((gsize) (end - text) > len && memcmp(text, prefixes[i], len) == 0 &&
        is_token(text + len, end))
      return TRUE;
  }
  return FALSE;
}

static guint
count_links(const char *text, gsize len)
{
  guint count = 0;
  const char *end = text + len;
  for (const char *at = text; (at = memchr(at, '/', (gsize) (end - at))) != NULL; at++)
    count += is_link(at, end);
  return count;
}

/* ---- One file ---- */

/* Counts in STREAM; lines that end in what is read next are kept together. */
static guint
count_in_stream(Search *search, GInputStream *stream)
{
  guint count = 0;
  gsize kept = 0, done = 0;
  g_autofree char *buffer = g_malloc(2 * READ_BYTES);
  while (done < FILE_MAX_BYTES) {
    gssize got = g_input_stream_read(stream, buffer + kept, READ_BYTES, NULL, NULL);
    if (got <= 0)
      break;
    gsize len = kept + (gsize) got;
    const char *last = memrchr(buffer, '\n', len);
    gsize whole = last != NULL ? (gsize) (last - buffer) + 1 : len;
    count += count_links(buffer, whole);
    kept = MIN(len - whole, READ_BYTES);
    memmove(buffer, buffer + len - kept, kept);
    done += (gsize) got;
    search->cut = search->cut || g_get_monotonic_time() > search->end_us;
    if (search->cut)
      break;
  }
  return count + count_links(buffer, kept);
}

static guint
count_in_file(Search *search, const char *path)
{
  struct stat status;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
  if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
    if (fd >= 0)
      close(fd);
    return 0;
  }
  g_autoptr(GInputStream) file = g_unix_input_stream_new(fd, TRUE);
  if (!g_str_has_suffix(path, PACKED)) {
    if (status.st_size > FILE_MAX_BYTES)
      lseek(fd, status.st_size - FILE_MAX_BYTES, SEEK_SET);
    return count_in_stream(search, file);
  }
  g_autoptr(GZlibDecompressor) unpack =
      g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP);
  g_autoptr(GInputStream) text = g_converter_input_stream_new(file, G_CONVERTER(unpack));
  return count_in_stream(search, text);
}

/* ---- All of them ---- */

static void
search_file(Search *search, const char *path)
{
  guint count = count_in_file(search, path);
  if (count > 0)
    doctor_say(search->report, DOCTOR_WRONG,
               "give the web server the log format of contrib/ for the viewer's host "
               "(zegel-viewer(8)), then destroy the file with its copies and backups: "
               "\"shred -u\"",
               "%s has %u requests with a link: who reads it can ask for codes, and read "
               "with a code what was sent",
               path, count);
}

static void
search_folder(Search *search, const char *folder)
{
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  const char *name = NULL;
  while (dir != NULL && !search->cut && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    search_file(search, path);
  }
}

void
doctor_check_link_log(const DoctorSubject *subject, DoctorReport *report)
{
  (void) subject;
  Search search = {.report = report,
                   .end_us = g_get_monotonic_time() + TOTAL_S * G_TIME_SPAN_SECOND};
  for (guint i = 0; i < G_N_ELEMENTS(folders); i++)
    search_folder(&search, folders[i]);
  if (search.cut)
    doctor_say(report, DOCTOR_UNKNOWN, NULL,
               "the logs of the web server are long: not all of them were read within %d s",
               TOTAL_S);
}
