/*
 * zegel-reader-export - the views of a message to take along, and reports (report.h),
 * confined.
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
#include "reader/paper.h"
#include "reader/pdf.h"
#include "reader/process.h"
#include "reader/report.h"

#define PDF_CPU_S 20

static gboolean
confine(gboolean with_fonts, GError **error)
{
  if (!with_fonts)
    return sandbox_confine_reader(PROCESS_CPU_S, PROCESS_MEMORY_BYTES, error);
  g_auto(GStrv) directories = paper_init();
  return sandbox_confine_font_reader(PDF_CPU_S, PROCESS_MEMORY_BYTES,
                                     (const char *const *) directories, error);
}

static gboolean
export_report(const GByteArray *block, PdfLanguage language, gboolean *failed)
{
  g_autoptr(GByteArray) bytes =
      report_pdf_new((const char *) block->data, block->len, language);
  return bytes != NULL && process_write((const char *) bytes->data, bytes->len, failed);
}

static gboolean
export_pdf(const Message *message, PdfLanguage language, gboolean *failed)
{
  g_autoptr(GByteArray) bytes = pdf_new(message, language);
  return bytes != NULL && process_write((const char *) bytes->data, bytes->len, failed);
}

/* Loads all that is read from files when it is first needed, if not now. */
static gboolean
load_all(void)
{
  g_setenv("TZ", "UTC0", TRUE);
  tzset();
  if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) {
    process_say("zegel-reader-export: there is no locale C.UTF-8\n");
    return FALSE;
  }
  charset_open();
  message_init();
  xmlInitParser();
  return TRUE;
}

int
main(int argc, char **argv)
{
  gboolean is_zip = argc == 2 && strcmp(argv[1], "zip") == 0;
  gboolean is_pdf = argc == 3 && strcmp(argv[1], "pdf") == 0;
  gboolean is_report = argc == 3 && strcmp(argv[1], "report") == 0;
  gboolean is_english = (is_pdf || is_report) && strcmp(argv[2], "en") == 0;
  if (!is_zip && !((is_pdf || is_report) && (is_english || strcmp(argv[2], "nl") == 0))) {
    process_say("usage: zegel-reader-export zip | pdf nl|en < MESSAGE\n"
                "       zegel-reader-export report nl|en < REPORT\n");
    return EX_USAGE;
  }
  process_init();
  g_autoptr(GError) error = NULL;
  if (!load_all())
    return EX_CONFIG;
  if (!confine(!is_zip, &error)) {
    fprintf(stderr, "zegel-reader-export: %s\n", error->message);
    return EX_CONFIG;
  }
  GByteArray *bytes = process_read_all(MESSAGE_MAX_BYTES);
  if (bytes == NULL)
    return EX_TEMPFAIL;
  gboolean failed = FALSE;
  if (is_report)
    return export_report(bytes, is_english ? PDF_EN : PDF_NL, &failed) ? EX_OK : EX_DATAERR;
  const Message *message = message_parse(bytes); /* not freed, as in main.c */
  gboolean done = is_zip ? pack_zip(message, process_write, &failed)
                         : export_pdf(message, is_english ? PDF_EN : PDF_NL, &failed);
  return done ? EX_OK : EX_TEMPFAIL;
}
