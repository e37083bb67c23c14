/*
 * zegel-reader - parses one message, confined, and shows one view of it; or says, of one
 * message after the other, what is attached to it (serve.h).
 *
 * Whoever holds keys gives the message on standard input and takes the view from standard
 * output. Before the first byte is read, everything that needs a file is loaded and the
 * process is confined to reading, writing, memory and exit: it holds no key, and what takes
 * it over gets nothing but the messages it is given.
 */
#include <errno.h>
#include <libxml/parser.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/sandbox/sandbox.h"
#include "config.h"
#include "reader/charset.h"
#include "reader/message.h"
#include "reader/serve.h"
#include "reader/view.h"

#define CPU_S        10
#define SERVE_CPU_S  (SERVE_MAX_CPU_S + CPU_S) /* the last message may take as much */
#define MEMORY_BYTES (G_GUINT64_CONSTANT(384) * 1024 * 1024)
#define CHUNK_BYTES  (64 * 1024)
#define PART_MAX     9999

typedef enum {
  VIEW_SUMMARY,
  VIEW_TEXT,
  VIEW_HTML,
  VIEW_PART,
  VIEW_FACTS
} View;

static const char *const view_names[] = {
    [VIEW_SUMMARY] = "summary", [VIEW_TEXT] = "text",   [VIEW_HTML] = "html",
    [VIEW_PART] = "part",       [VIEW_FACTS] = "facts",
};

typedef struct {
  View view;
  guint part; /* from 1, for VIEW_PART */
} Request;

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

static void
say(const char *text)
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
  say(text);
  say("\n");
  _exit(EX_TEMPFAIL);
}

static gboolean
parse_request(int argc, char **argv, Request *request)
{
  guint64 part = 0;
  for (gsize i = 0; argc >= 2 && i < G_N_ELEMENTS(view_names); i++) {
    if (strcmp(argv[1], view_names[i]) != 0)
      continue;
    request->view = (View) i;
    if (request->view != VIEW_PART)
      return argc == 2;
    if (argc != 3 || !g_ascii_string_to_unsigned(argv[2], 10, 1, PART_MAX, &part, NULL))
      return FALSE;
    request->part = (guint) part;
    return TRUE;
  }
  return FALSE;
}

/* Everything on standard input, or NULL when it is too much or cannot be read. */
static GByteArray *
read_message(void)
{
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  for (;;) {
    guint len = bytes->len;
    g_byte_array_set_size(bytes, len + CHUNK_BYTES);
    gssize n = read(STDIN_FILENO, bytes->data + len, CHUNK_BYTES);
    g_byte_array_set_size(bytes, len + (guint) MAX(n, 0));
    if (n == 0)
      return g_steal_pointer(&bytes);
    if ((n < 0 && errno != EINTR) || bytes->len > MESSAGE_MAX_BYTES) {
      say(n < 0 ? "cannot read the message\n" : "the message is too large to show\n");
      return NULL;
    }
  }
}

/* A MessageSink: writes to standard output. */
static gboolean
write_out(const char *bytes, gsize len, gpointer data)
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

static int
show(const Message *message, const Request *request)
{
  gboolean failed = FALSE;
  g_autofree char *view = NULL;
  switch (request->view) {
  case VIEW_SUMMARY:
    view = view_summary(message);
    break;
  case VIEW_TEXT:
    view = view_text(message);
    break;
  case VIEW_HTML:
    view = view_html(message);
    break;
  case VIEW_PART:
    if (!view_part(message, request->part, write_out, &failed) && !failed) {
      say("the message has no such part\n");
      return EX_DATAERR;
    }
    break;
  case VIEW_FACTS: /* shows no single message */
    return EX_USAGE;
  }
  if (view != NULL)
    write_out(view, strlen(view), &failed);
  return failed ? EX_TEMPFAIL : EX_OK;
}

/* Standard output may not be a file: the sandbox lets nothing grow. */
static gboolean
output_is_file(void)
{
  struct stat status;
  return fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode);
}

int
main(int argc, char **argv)
{
  Request request = {VIEW_SUMMARY, 0};
  if (argc == 2 && strcmp(argv[1], "-V") == 0) {
    printf("zegel-reader %s\n", PACKAGE_VERSION);
    return EX_OK;
  }
  if (!parse_request(argc, argv, &request)) {
    say("usage: zegel-reader summary | text | html | part NUMBER < MESSAGE\n"
        "       zegel-reader facts < FRAMES\n");
    return EX_USAGE;
  }
  if (output_is_file()) {
    say("zegel-reader: standard output must be a pipe, not a file\n");
    return EX_USAGE;
  }
  g_log_set_default_handler(on_log, NULL);
  signal(SIGXCPU, on_cpu_limit);
  signal(SIGXFSZ, SIG_IGN); /* our words to a log file are lost, not fatal */
  charset_open();
  message_init();
  xmlInitParser();

  g_autoptr(GError) error = NULL;
  guint cpu_s = request.view == VIEW_FACTS ? SERVE_CPU_S : CPU_S;
  if (!sandbox_confine_reader(cpu_s, MEMORY_BYTES, &error)) {
    fprintf(stderr, "zegel-reader: %s\n", error->message);
    return EX_CONFIG;
  }
  if (request.view == VIEW_FACTS)
    return serve_facts(STDIN_FILENO, STDOUT_FILENO);
  GByteArray *bytes = read_message();
  if (bytes == NULL)
    return EX_TEMPFAIL;
  /* Not freed: the process ends here, and a deep tree would only cost time. */
  return show(message_parse(bytes), &request);
}
