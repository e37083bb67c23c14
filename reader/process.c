#include "reader/process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "config.h"

#define CHUNK_BYTES (64 * 1024)

#ifdef ZEGEL_SANITIZERS
/* Looking for leaks needs threads and files, which the sandbox forbids. */
int
__lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
  return 1;
}
#endif

void
process_say(const char *text)
{
  if (write(STDERR_FILENO, text, strlen(text)) < 0)
    return; /* there is nobody to tell */
}

/*
 * Takes the place of the C library's abort, which would need signals: GLib calls it when
 * memory ran out. stdlib.h declares it.
 */
void
abort(void)
{
  _exit(EX_TEMPFAIL);
}

/* The kernel's last warning before it kills for the CPU limit. */
static void
on_cpu_limit(int signal_number)
{
  (void) signal_number;
  _exit(EX_TEMPFAIL);
}

/* GLib's messages; a fatal one is memory that ran out: a limit, no fault of the message. */
static void
on_log(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
  (void) domain;
  (void) data;
  if ((level & (G_LOG_FLAG_FATAL | G_LOG_LEVEL_ERROR)) == 0)
    return;
  process_say(text);
  process_say("\n");
  _exit(EX_TEMPFAIL);
}

/* Those that come with fields, as Pango's. GLib's own writer would ask what standard error
 * is, which the sandbox forbids. */
static GLogWriterOutput
on_structured_log(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
  for (gsize i = 0; i < count; i++)
    if (strcmp(fields[i].key, "MESSAGE") == 0 && fields[i].length < 0)
      on_log(NULL, level, fields[i].value, data);
  return G_LOG_WRITER_HANDLED;
}

void
process_init(void)
{
  g_log_set_default_handler(on_log, NULL);
  g_log_set_writer_func(on_structured_log, NULL, NULL);
  signal(SIGXCPU, on_cpu_limit);
  signal(SIGXFSZ, SIG_IGN); /* our words to a log file are lost, not fatal */
}

gboolean
process_output_is_file(void)
{
  struct stat status;
  return fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode);
}

GByteArray *
process_read_all(gsize max)
{
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  for (;;) {
    guint len = bytes->len;
    g_byte_array_set_size(bytes, len + CHUNK_BYTES);
    gssize n = read(STDIN_FILENO, bytes->data + len, CHUNK_BYTES);
    g_byte_array_set_size(bytes, len + (guint) MAX(n, 0));
    if (n == 0)
      return g_steal_pointer(&bytes);
    if ((n < 0 && errno != EINTR) || bytes->len > max) {
      process_say(n < 0 ? "cannot read the input\n" : "the input is too large\n");
      return NULL;
    }
  }
}

gboolean
process_write(const char *bytes, gsize len, gpointer data)
{
  gboolean *failed = data;
  while (len > 0) {
    gssize n = write(STDOUT_FILENO, bytes, len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      *failed = TRUE;
      return FALSE;
    }
    bytes += n;
    len -= (gsize) n;
  }
  return TRUE;
}
