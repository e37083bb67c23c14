/*
 * zegel-reader-export - the views of a message to take along, confined.
 *
 * zegel-reader becomes this program for them, with its own command line: they need
 * libraries that would make its other views start slower.
 */
#include <libxml/parser.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "common/sandbox/sandbox.h"
#include "config.h"
#include "reader/charset.h"
#include "reader/pack.h"
#include "reader/process.h"

static int
export_zip(void)
{
  g_autoptr(GError) error = NULL;
  if (!sandbox_confine_reader(PROCESS_CPU_S, PROCESS_MEMORY_BYTES, &error)) {
    fprintf(stderr, "zegel-reader-export: %s\n", error->message);
    return EX_CONFIG;
  }
  GByteArray *bytes = process_read_all(MESSAGE_MAX_BYTES);
  gboolean failed = FALSE;
  if (bytes == NULL || !pack_zip(message_parse(bytes), process_write, &failed))
    return EX_TEMPFAIL;
  return EX_OK;
}

int
main(int argc, char **argv)
{
  if (argc != 2 || strcmp(argv[1], "zip") != 0) {
    process_say("usage: zegel-reader-export zip < MESSAGE\n");
    return EX_USAGE;
  }
  process_init();
  /* Both are read from files when they are first needed, if not now. */
  g_setenv("TZ", "UTC0", TRUE);
  tzset();
  if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) {
    process_say("zegel-reader-export: there is no locale C.UTF-8\n");
    return EX_CONFIG;
  }
  charset_open();
  message_init();
  xmlInitParser();
  return export_zip();
}
