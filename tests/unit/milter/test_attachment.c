/* Which attachments do not go: names as senders and archives have them, and tricks (S10).
 */
#include "common/base/attachment.h"

#include <string.h>

#include "common/conf/conf.h"
#include "tests/unit/tap.h"

static const char conf_text[] = "[organisation care]\n"
                                "domains = own.nl\n"
                                "service_domain = s.own.nl\n"
                                "viewer_url = https://v.own.nl/\n"
                                "display_name = Zorg\n";

/* Of the list that is shipped. */
static const struct {
  const char *name;
  gboolean refused;
} rows[] = {
    {"uitslag.pdf", FALSE},
    {"uitslag", FALSE},
    {"", FALSE},
    {".", FALSE},
    {"exe", FALSE},
    {"uitslag.exe.pdf", FALSE},
    {"exe.txt", FALSE},
    {"foto.jpeg", FALSE},
    {"versie 1.2", FALSE},
    {"setup.exe", TRUE},
    {"SETUP.EXE", TRUE},
    {".exe", TRUE},
    {"uitslag.pdf.js", TRUE},
    {"install.ex_", TRUE},
    /* paths: only the file counts */
    {"a.zip/setup.exe", TRUE},
    {"a.zip/b.zip/dir/x.vbs", TRUE},
    {"a.zip/dir\\x.vbs", TRUE},
    {"forwarded.eml/x.js", TRUE},
    {"a.zip/www.example.com/index.html", FALSE},
    {"www.example.com/", TRUE},
    {"a.zip/setup.exe\xef\xbc\x8f", TRUE}, /* full width slash: no directory */
    {"C:\\tmp\\setup.exe", TRUE},
    {"C:setup.exe", TRUE},
    /* what Windows takes from the end */
    {"setup.exe.", TRUE},
    {"setup.exe . .", TRUE},
    {"setup.exe\xc2\xa0", TRUE},
    {"setup. exe", TRUE},
    {"\"setup.exe\"", TRUE},
    /* streams of NTFS */
    {"setup.exe:stream", TRUE},
    {"setup.exe::$DATA", TRUE},
    {"uitslag.txt:setup.exe", TRUE},
    {"Re: uitslag.eml", FALSE},
    /* hidden and turned text */
    {"uitslag\xe2\x80\xae"
     "fdp.exe",
     TRUE},
    {"setup.e\xe2\x80\x8bxe", TRUE},
    {"setup.ex\xc2\xad"
     "e",
     TRUE},
    {"setup.exe\xe2\x80\x8f", TRUE},
    {"setup.exe\xef\xb8\x8f", TRUE},
    {"setup.\x01"
     "exe",
     TRUE},
    /* other dots and letters */
    {"setup\xef\xbc\x8e"
     "exe",
     TRUE},
    {"setup\xe3\x80\x82"
     "exe",
     TRUE},
    {"setup\xef\xbd\xa1"
     "exe",
     TRUE},
    {"setup\xe2\x80\xa4"
     "exe",
     TRUE},
    {"setup\xdb\x94"
     "exe",
     TRUE},
    {"setup.\xef\xbd\x85\xef\xbd\x98\xef\xbd\x85", TRUE},
    {"setup.l\xe1\xb5\xa2"
     "b",
     TRUE},
    {"setup\xff.exe", TRUE},
    /* what packs one file */
    {"setup.exe.gz", TRUE},
    {"setup.exe.gz.xz", TRUE},
    {"uitslag.pdf.gz", FALSE},
    {"exe.gz", FALSE},
    {"gz", FALSE},
};

static void
test_names(void)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Config) config = conf_parse("test", conf_text, strlen(conf_text), &error);
  g_assert_no_error(error);
  const Organisation *organisation = config->organisations->pdata[0];
  const char *const *extensions = (const char *const *) organisation->refused_extensions;
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_test_message("row %u: %s", i, rows[i].name);
    g_assert_cmpint(attachment_is_refused(rows[i].name, extensions), ==, rows[i].refused);
  }
}

/* An empty list refuses nothing; a list of one's own counts. */
static void
test_lists(void)
{
  static const char *const none[] = {NULL};
  static const char *const own[] = {"docm", NULL};
  g_assert_false(attachment_is_refused("setup.exe", none));
  g_assert_false(attachment_is_refused("setup.exe", own));
  g_assert_true(attachment_is_refused("brief.DOCM", own));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/attachment/S10-names", test_names);
  g_test_add_func("/attachment/S10-lists", test_lists);
  return g_test_run();
}
