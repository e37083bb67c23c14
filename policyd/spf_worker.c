/*
 * zegel-spf - checks SPF for zegel-policyd, confined.
 *
 * libspf2 reads what strangers publish and ends its process on surprises. So it works here:
 * before the first check the process is confined to reading, writing, memory and exit. It
 * has one socket, to zegel-policyd, which also answers its questions to the DNS
 * (spf_wire.h). It lives for many checks, and ends when that socket does.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <spf2/spf.h>

#include "common/sandbox/sandbox.h"
#include "config.h"
#include "policyd/spf_host.h"

#define CPU_S        60 /* for all checks of its life */
#define MEMORY_BYTES (G_GUINT64_CONSTANT(256) * 1024 * 1024)

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
 * Takes the place of the C library's abort, which would need signals. libspf2 and GLib call
 * it. stdlib.h declares it.
 */
void
abort(void)
{
  _exit(EX_SOFTWARE);
}

G_NORETURN static void
on_spf_error(const char *file, int line, const char *text)
{
  (void) file;
  (void) line;
  (void) text;
  _exit(EX_SOFTWARE);
}

/* GLib's messages; a fatal one is memory that ran out. */
static void
on_log(const char *domain, GLogLevelFlags level, const char *text, gpointer data)
{
  (void) domain;
  (void) text;
  (void) data;
  if ((level & (G_LOG_FLAG_FATAL | G_LOG_LEVEL_ERROR)) != 0)
    _exit(EX_SOFTWARE);
}

/* Reads one message into BYTES: its length, or 0 when there are no more. */
static gsize
receive(guint8 *bytes)
{
  for (;;) {
    gssize n = read(STDIN_FILENO, bytes, SPF_WIRE_MAX_BYTES);
    if (n >= 0)
      return (gsize) n;
    if (errno != EINTR)
      _exit(EX_IOERR);
  }
}

static void
send_message(GByteArray *message)
{
  while (write(STDOUT_FILENO, message->data, message->len) < 0)
    if (errno != EINTR)
      _exit(EX_IOERR);
  g_byte_array_unref(message);
}

/* A SpfAsk: asks zegel-policyd. DATA is room for a message. */
static DnsAnswer *
ask(gpointer data, const char *name, guint16 type)
{
  send_message(spf_wire_question(name, type));
  gsize len = receive(data);
  if (len == 0)
    _exit(EX_OK); /* nobody waits any more */
  DnsAnswer *answer = spf_wire_read_answer(data, len, name, type);
  if (answer == NULL)
    _exit(EX_PROTOCOL);
  return answer;
}

static void
serve(SpfHost *host, guint8 *bytes)
{
  gsize len;
  while ((len = receive(bytes)) > 0) {
    g_auto(SpfCheck) check = {NULL, NULL, NULL};
    if (!spf_wire_read_check(bytes, len, &check))
      _exit(EX_PROTOCOL);
    send_message(spf_wire_verdict(spf_host_check(host, &check)));
  }
}

int
main(int argc, char **argv)
{
  if (argc == 2 && strcmp(argv[1], "-V") == 0) {
    printf("zegel-spf %s\n", PACKAGE_VERSION);
    return EX_OK;
  }
  if (argc != 1) {
    say("usage: zegel-spf, by zegel-policyd\n");
    return EX_USAGE;
  }
  g_log_set_default_handler(on_log, NULL);
  SPF_error_handler = on_spf_error;
  SPF_warning_handler = NULL;
  SPF_info_handler = NULL;
  SPF_debug_handler = NULL;
  guint8 *bytes = g_malloc(SPF_WIRE_MAX_BYTES);
  SpfHost *host = spf_host_new(ask, bytes);

  g_autoptr(GError) error = NULL;
  if (!sandbox_confine_reader(CPU_S, MEMORY_BYTES, &error)) {
    fprintf(stderr, "zegel-spf: %s\n", error->message);
    return EX_CONFIG;
  }
  serve(host, bytes);
  return EX_OK;
}
