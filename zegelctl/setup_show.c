#include "zegelctl/setup_show.h"

#include <stdio.h>
#include <string.h>

#include "zegelctl/setup_make.h"

#define USUAL_DIRECTORY "/etc/postfix"

typedef enum {
  LINES_ALL,
  LINES_PLAIN, /* without comments and empty ones */
  LINES_FIRST  /* of each entry */
} Lines;

/* TEXT, each of its LINES behind a margin. */
static void
print_lines(const char *text, Lines which)
{
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    gboolean plain = **line != '#' && **line != '\0';
    if ((which == LINES_ALL && line[1] != NULL) || (which == LINES_PLAIN && plain) ||
        (which == LINES_FIRST && plain && !g_ascii_isspace(**line)))
      printf("    | %s\n", *line);
  }
}

static void
print_list(const char *title, const GPtrArray *texts)
{
  if (texts->len == 0)
    return;
  printf("\n%s\n", title);
  for (guint i = 0; i < texts->len; i++)
    printf("  * %s\n", (const char *) texts->pdata[i]);
}

/* postconf, for the instance of RECORD. */
static void
print_postconf(const SetupRecord *record, const char *options, const char *text)
{
  g_autofree char *quoted = g_shell_quote(text);
  if (g_str_equal(record->directory, USUAL_DIRECTORY))
    printf("  postconf %s %s\n", options, quoted);
  else
    printf("  postconf -c %s %s %s\n", record->directory, options, quoted);
}

static void
show_switch(const SetupRecord *record, const SetupPlan *plan)
{
  for (guint i = 0; i < plan->values->len; i++) {
    const SetupValue *value = plan->values->pdata[i];
    g_autofree char *text = g_strdup_printf("%s=%s", value->name, value->value);
    print_postconf(record, "-e", text);
  }
  for (guint i = 0; i < plan->options->len; i++) {
    const SetupOption *option = plan->options->pdata[i];
    g_autofree char *text =
        g_strdup_printf("%s/%s=%s", option->service, option->name, option->value);
    if (strpbrk(option->value, " \t") == NULL)
      print_postconf(record, "-P", text);
    else /* postconf -P takes no white space */
      printf("  in master.cf, %s: -o { %s = %s }\n", option->service, option->name,
             option->value);
  }
}

static void
show_units(const SetupPlan *plan)
{
  for (guint i = 0; i < plan->units->len; i++) {
    const SetupFile *file = plan->units->pdata[i];
    printf("\n%s is written, before the programs start:\n", file->path);
    print_lines(file->text, LINES_PLAIN);
  }
}

void
setup_show(const SetupRecord *record, const SetupPlan *plan, const Config *config,
           const char *conf_text, const char *queue)
{
  printf("zegel is added to the Postfix in %s. Mail flows meanwhile. This is done:\n\n",
         record->directory);
  setup_make_show(config, queue);
  if (conf_text != NULL) {
    printf("\n%s/zegel.conf is written:\n", ZEGEL_SYSCONFDIR);
    print_lines(conf_text, LINES_ALL);
  }
  show_units(plan);
  printf("\nThese files are written:\n");
  for (guint i = 0; i < plan->files->len; i++) {
    const SetupFile *file = plan->files->pdata[i];
    printf("  %s%s\n", file->path, file->index ? " (and postmap)" : "");
  }
  printf("\nmain.cf gets names of our own:\n");
  print_lines(plan->names, LINES_PLAIN);
  printf("  and \"postconf -h proxy_read_maps\" with what zegel reads:\n    | %s\n",
         strstr(plan->proxy, "proxy:sqlite:$config_directory/zegel-routes.cf"));
  printf("\nmaster.cf gets services of our own, with their options of "
         "%s/postfix/master.cf.zegel:\n",
         ZEGEL_DATADIR);
  print_lines(plan->lines, LINES_FIRST);
  printf("\npostfix reload; then the switch, and postfix reload:\n");
  show_switch(record, plan);
  print_list("What you should know:", plan->notes);
  print_list("What stands in the way, and must be solved first:", plan->obstacles);
  printf("\n");
}

static void
show_domains(const Config *config)
{
  for (guint i = 0; i < config->organisations->len; i++) {
    const Organisation *organisation = config->organisations->pdata[i];
    printf(
        "  * In the DNS, %s needs an MX record that leads to this server, and SPF. For its "
        "signatures,\n    and those of your mail domains (zegelctl(8), \"Signatures\"): "
        "zegelctl dkim generate %s\n",
        organisation->service_domain, organisation->service_domain);
    printf("  * What your domains need is said by: zegelctl domain check %s\n",
           organisation->domains[0]);
  }
}

void
setup_show_end(const SetupRecord *record, const SetupPlan *plan, const Config *config)
{
  printf("Done. zegelctl setup --undo takes it out again.\n\nWhat setup cannot do:\n");
  show_domains(config);
  printf("  * The viewer needs a web server with a certificate: zegel-viewer(8).\n"
         "  * Text messages need a gateway: zegel-sms(7).\n"
         "  * /etc/resolv.conf, and its copy in Postfix's chroot, must name a validating "
         "resolver "
         "on\n    this machine and nothing else.\n"
         "  * From now on change zegel_site_alias_maps in %s/main.cf, not "
         "virtual_alias_maps.\n"
         "  * zegelctl doctor looks whether all is well.\n",
         record->directory);
  for (guint i = 0; i < plan->notes->len; i++)
    printf("  * %s\n", (const char *) plan->notes->pdata[i]);
}
