/* Which attachments do not go: names as senders and archives have them, and tricks (S10).
 */
#include "milter/attachment.h"

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
  gboolean listed, refused;
} rows[] = {
    {"uitslag.pdf", FALSE, FALSE},
    {"uitslag", FALSE, FALSE},
    {"", FALSE, FALSE},
    {".", FALSE, FALSE},
    {"exe", FALSE, FALSE},
    {"uitslag.exe.pdf", FALSE, FALSE},
    {"exe.txt", FALSE, FALSE},
    {"foto.jpeg", FALSE, FALSE},
    {"versie 1.2", FALSE, FALSE},
    {"setup.exe", FALSE, TRUE},
    {"SETUP.EXE", FALSE, TRUE},
    {".exe", FALSE, TRUE},
    {"uitslag.pdf.js", FALSE, TRUE},
    {"install.ex_", FALSE, TRUE},
    /* paths: only the file counts */
    {"a.zip/setup.exe", TRUE, TRUE},
    {"a.zip/b.zip/dir/x.vbs", TRUE, TRUE},
    {"a.zip/dir\\x.vbs", TRUE, TRUE},
    {"forwarded.eml/x.js", FALSE, TRUE},
    {"a.zip/www.example.com/index.html", TRUE, FALSE},
    {"a.zip/www.example.com/", TRUE, FALSE},
    {"www.example.com/", FALSE, TRUE},
    {"a.zip/setup.exe\xef\xbc\x8f", TRUE, TRUE}, /* full width slash: no directory */
    {"C:\\tmp\\setup.exe", FALSE, TRUE},
    {"C:setup.exe", FALSE, TRUE},
    /* what Windows takes from the end */
    {"setup.exe.", FALSE, TRUE},
    {"setup.exe . .", FALSE, TRUE},
    {"setup.exe\xc2\xa0", FALSE, TRUE},
    {"setup. exe", FALSE, TRUE},
    {"\"setup.exe\"", FALSE, TRUE},
    /* streams of NTFS */
    {"setup.exe:stream", FALSE, TRUE},
    {"setup.exe::$DATA", FALSE, TRUE},
    {"uitslag.txt:setup.exe", FALSE, TRUE},
    {"Re: uitslag.eml", FALSE, FALSE},
    /* hidden and turned text */
    {"uitslag\xe2\x80\xae"
     "fdp.exe",
     FALSE, TRUE},
    {"setup.e\xe2\x80\x8bxe", FALSE, TRUE},
    {"setup.ex\xc2\xad"
     "e",
     FALSE, TRUE},
    {"setup.exe\xe2\x80\x8f", FALSE, TRUE},
    {"setup.exe\xef\xb8\x8f", FALSE, TRUE},
    {"setup.\x01"
     "exe",
     FALSE, TRUE},
    /* other dots and letters */
    {"setup\xef\xbc\x8e"
     "exe",
     FALSE, TRUE},
    {"setup\xe3\x80\x82"
     "exe",
     FALSE, TRUE},
    {"setup\xef\xbd\xa1"
     "exe",
     FALSE, TRUE},
    {"setup\xe2\x80\xa4"
     "exe",
     FALSE, TRUE},
    {"setup\xdb\x94"
     "exe",
     FALSE, TRUE},
    {"setup.\xef\xbd\x85\xef\xbd\x98\xef\xbd\x85", FALSE, TRUE},
    {"setup.l\xe1\xb5\xa2"
     "b",
     FALSE, TRUE},
    {"setup\xff.exe", FALSE, TRUE},
    /* what packs one file */
    {"setup.exe.gz", FALSE, TRUE},
    {"setup.exe.gz.xz", FALSE, TRUE},
    {"uitslag.pdf.gz", FALSE, FALSE},
    {"exe.gz", FALSE, FALSE},
    {"gz", FALSE, FALSE},
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
    g_assert_cmpint(attachment_is_refused(rows[i].name, rows[i].listed, extensions), ==,
                    rows[i].refused);
  }
}

/* An empty list refuses nothing; a list of one's own counts. */
static void
test_lists(void)
{
  static const char *const none[] = {NULL};
  static const char *const own[] = {"docm", NULL};
  g_assert_false(attachment_is_refused("setup.exe", FALSE, none));
  g_assert_false(attachment_is_refused("setup.exe", FALSE, own));
  g_assert_true(attachment_is_refused("brief.DOCM", FALSE, own));
}

int
main(int argc, char **argv)
{
  tap_init(argc, argv);
  g_test_add_func("/attachment/S10-names", test_names);
  g_test_add_func("/attachment/S10-lists", test_lists);
  return g_test_run();
}
