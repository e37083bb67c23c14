/*
 * zegel-reader - parses one message, confined, and shows one view of it; or says, of one
 * message after the other, what is attached to it (serve.h); or takes a form apart that was
 * sent to the viewer (form.h).
 *
 * Whoever holds keys gives the message on standard input and takes the view from standard
 * output. Before the first byte is read, everything that needs a file is loaded and the
 * process is confined to reading, writing, memory and exit: it holds no key, and what takes
 * it over gets nothing but the messages it is given.
 *
 * What needs large libraries is done by zegel-reader-export, which this program becomes:
 * the others, that are asked for with every page, start faster without them.
 */
#include <libxml/parser.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/sandbox/sandbox.h"
#include "config.h"
#include "reader/bounce.h"
#include "reader/charset.h"
#include "reader/form.h"
#include "reader/message.h"
#include "reader/process.h"
#include "reader/serve.h"
#include "reader/view.h"

#define SERVE_CPU_S   (SERVE_MAX_CPU_S + PROCESS_CPU_S) /* the last may take as much */
#define PART_MAX      9999
#define EXPORT_SUFFIX "-export"
#define PATH_BYTES    4096

typedef enum {
  VIEW_SUMMARY,
  VIEW_TEXT,
  VIEW_HTML,
  VIEW_PART,
  VIEW_BOUNCE,
  VIEW_FACTS, /* of one message after the other */
  VIEW_FORM,  /* no message */
  VIEW_ZIP,   /* these two are not made here */
  VIEW_PDF,
  VIEW_REPORT /* nor is this; no message either */
} View;

/* The words of the command line; the last of them is still to be read when it has one. */
static const struct {
  const char *name;
  gboolean has_argument;
} views[] = {
    [VIEW_SUMMARY] = {"summary", FALSE}, [VIEW_TEXT] = {"text", FALSE},
    [VIEW_HTML] = {"html", FALSE},       [VIEW_PART] = {"part", TRUE},
    [VIEW_BOUNCE] = {"bounce", FALSE},   [VIEW_FACTS] = {"facts", FALSE},
    [VIEW_FORM] = {"form", FALSE},       [VIEW_ZIP] = {"zip", FALSE},
    [VIEW_PDF] = {"pdf", TRUE},          [VIEW_REPORT] = {"report", TRUE},
};

typedef struct {
  View view;
  guint part; /* from 1, for VIEW_PART */
} Request;

static gboolean
parse_request(int argc, char **argv, Request *request)
{
  guint64 part = 0;
  gsize i = 0;
  while (argc >= 2 && i < G_N_ELEMENTS(views) && strcmp(argv[1], views[i].name) != 0)
    i++;
  if (argc < 2 || i == G_N_ELEMENTS(views) || argc != (views[i].has_argument ? 3 : 2))
    return FALSE;
  request->view = (View) i;
  if (request->view == VIEW_PART) {
    if (!g_ascii_string_to_unsigned(argv[2], 10, 1, PART_MAX, &part, NULL))
      return FALSE;
    request->part = (guint) part;
  }
  return TRUE;
}

/* Becomes the program beside this one that makes the view of ARGV; it reads all of it. */
static int
become_export(char **argv)
{
  char path[PATH_BYTES];
  gssize len = readlink("/proc/self/exe", path, sizeof path - sizeof EXPORT_SUFFIX);
  if (len > 0 && (gsize) len < sizeof path - sizeof EXPORT_SUFFIX) {
    memcpy(path + len, EXPORT_SUFFIX, sizeof EXPORT_SUFFIX);
    execv(path, argv);
  }
  process_say("zegel-reader: cannot start zegel-reader-export\n");
  return EX_CONFIG;
}

static int
show_form(GByteArray *request)
{
  gboolean failed = FALSE;
  switch (form_write((const char *) request->data, request->len, process_write, &failed)) {
  case FORM_WRITTEN:
    return EX_OK;
  case FORM_MALFORMED:
    process_say("the form is not in order\n");
    return EX_DATAERR;
  case FORM_TOO_MUCH:
    process_say("the form has too much\n");
    return EX_TEMPFAIL;
  case FORM_STOPPED:
    break;
  }
  return EX_TEMPFAIL;
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
  case VIEW_BOUNCE:
    view = bounce_view(message);
    break;
  case VIEW_PART:
    if (!view_part(message, request->part, process_write, &failed) && !failed) {
      process_say("the message has no such part\n");
      return EX_DATAERR;
    }
    break;
  case VIEW_FACTS: /* these show no single message */
  case VIEW_FORM:
  case VIEW_ZIP:
  case VIEW_PDF:
  case VIEW_REPORT:
    return EX_USAGE;
  }
  if (view != NULL)
    process_write(view, strlen(view), &failed);
  return failed ? EX_TEMPFAIL : EX_OK;
}

static gboolean
confine(View view)
{
  g_autoptr(GError) error = NULL;
  guint cpu_s = view == VIEW_FACTS ? SERVE_CPU_S : PROCESS_CPU_S;
  charset_open();
  message_init();
  xmlInitParser();
  if (sandbox_confine_reader(cpu_s, PROCESS_MEMORY_BYTES, &error))
    return TRUE;
  fprintf(stderr, "zegel-reader: %s\n", error->message);
  return FALSE;
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
    process_say(
        "usage: zegel-reader summary | text | html | part NUMBER | zip | pdf nl|en |"
        " bounce < MESSAGE\n"
        "       zegel-reader facts < FRAMES\n"
        "       zegel-reader form < REQUEST\n"
        "       zegel-reader report nl|en < REPORT\n");
    return EX_USAGE;
  }
  if (process_output_is_file()) {
    process_say("zegel-reader: standard output must be a pipe, not a file\n");
    return EX_USAGE;
  }
  if (request.view == VIEW_ZIP || request.view == VIEW_PDF || request.view == VIEW_REPORT)
    return become_export(argv);
  process_init();
  if (!confine(request.view))
    return EX_CONFIG;
  if (request.view == VIEW_FACTS)
    return serve_facts(STDIN_FILENO, STDOUT_FILENO);
  GByteArray *bytes =
      process_read_all(request.view == VIEW_FORM ? FORM_MAX_BYTES : MESSAGE_MAX_BYTES);
  if (bytes == NULL)
    return EX_TEMPFAIL;
  if (request.view == VIEW_FORM)
    return show_form(bytes);
  /* Not freed: the process ends here, and a deep tree would only cost time. */
  return show(message_parse(bytes), &request);
}
