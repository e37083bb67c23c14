/*
 * setup.c - zegelctl setup: adds zegel to a running Postfix, and takes it out again.
 *
 * README.postfix says the same steps for people. Whatever is done twice, or was cut off,
 * comes to the same: what there is without us is found first, and all is made anew from
 * that.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/conf/conf.h"
#include "zegelctl/command.h"
#include "zegelctl/file.h"
#include "zegelctl/program.h"
#include "zegelctl/setup_ask.h"
#include "zegelctl/setup_make.h"
#include "zegelctl/setup_postfix.h"
#include "zegelctl/setup_record.h"
#include "zegelctl/setup_show.h"
#include "zegelctl/setup_stage.h"
#include "zegelctl/setup_undo.h"

#define LOCK_WAIT_S 0
#define PORT_STEP   100 /* from a port that is taken to the next that is tried */
#define PORT_TRIES  50
#define PIECES      ZEGEL_DATADIR "/postfix"
#define BOOK_MODE   0644

static gboolean option_undo, option_dry_run;
static char *option_instance;
static SetupAnswers answers;

/* What one run works on. */
typedef struct {
  SetupRecord *record; /* as it will be */
  Site *site;          /* the instance without us, in a stage */
  GPtrArray *services;
  char *conf_text; /* of a new zegel.conf; NULL: there is one */
  Config *config;
  SetupPlan *plan;
  char *queue;      /* its queue_directory */
  char *current[2]; /* the files as they are, by CfKind */
  char *first[2];   /* before the switch */
} Setup;

static void
setup_free(Setup *setup)
{
  setup_record_free(setup->record);
  site_free(setup->site);
  g_clear_pointer(&setup->services, g_ptr_array_unref);
  g_free(setup->conf_text);
  conf_free(setup->config);
  setup_plan_free(setup->plan);
  g_free(setup->queue);
  for (guint i = 0; i < 2; i++) {
    g_free(setup->current[i]);
    g_free(setup->first[i]);
  }
  setup_stage_remove();
  g_free(setup);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Setup, setup_free)

/* ---- Which Postfix ---- */

static gboolean
is_meant(const Site *site)
{
  return option_instance == NULL || g_strcmp0(site_name(site), option_instance) == 0 ||
         g_str_equal(site_directory(site), option_instance);
}

/* The directory of the instance that is meant, a new string. */
static char *
choose_directory(GError **error)
{
  g_autoptr(GPtrArray) sites = site_find_all(error);
  g_autoptr(GString) list = g_string_new(NULL);
  char *directory = NULL;
  guint count = 0;
  for (guint i = 0; sites != NULL && i < sites->len; i++) {
    const Site *site = sites->pdata[i];
    g_string_append_printf(list, "%s %s", i > 0 ? "," : "", site_directory(site));
    if (!is_meant(site))
      continue;
    count++;
    g_free(directory);
    directory = g_strdup(site_directory(site));
  }
  if (sites == NULL || count == 1)
    return directory;
  g_free(directory);
  command_error(
      error, ZEGEL_ERROR_CONFIG,
      "say with --instance which Postfix takes mail from outside and from people: "
      "there are%s",
      list->str);
  return NULL;
}

/* The record of before, or a new one; NULL with an error. */
static SetupRecord *
find_record(gboolean *is_new, GError **error)
{
  GError *reason = NULL;
  g_autoptr(SetupRecord) record = setup_record_load(&reason);
  *is_new = record == NULL;
  if (reason != NULL) {
    g_propagate_error(error, reason);
    return NULL;
  }
  if (record != NULL && option_instance == NULL)
    return g_steal_pointer(&record);
  g_autofree char *directory = choose_directory(error);
  if (directory == NULL)
    return NULL;
  if (record == NULL)
    return setup_record_new(directory);
  if (g_str_equal(record->directory, directory))
    return g_steal_pointer(&record);
  command_error(
      error, ZEGEL_ERROR_CONFIG,
      "zegel is set up in %s, and serves one Postfix: zegelctl setup --undo first",
      record->directory);
  return NULL;
}

/* ---- What there is ---- */

static gboolean
refuse_conflicts(const SetupRecord *record, const GPtrArray *conflicts, GError **error)
{
  g_autoptr(GString) list = g_string_new(NULL);
  for (guint i = 0; i < conflicts->len; i++)
    g_string_append_printf(list, "%s%s", i > 0 ? ", " : "",
                           (const char *) conflicts->pdata[i]);
  return conflicts->len == 0 ||
         command_error(
             error, ZEGEL_ERROR_CONFIG,
             "what setup wrote into %s was changed since, where it is not clear what "
             "was meant: %s. Take these changes out, and run setup again",
             record->directory, list->str);
}

/* What was put in by hand stays in hand. */
static gboolean
refuse_by_hand(const Setup *setup, GError **error)
{
  g_autoptr(Cf) main_cf = cf_parse(CF_MAIN, setup->current[CF_MAIN]);
  g_autofree char *ours = cf_entry(main_cf, "zegel_milter");
  return ours == NULL ||
         command_error(
             error, ZEGEL_ERROR_CONFIG,
             "zegel is in %s/main.cf already, and setup did not write it there: go on "
             "as README.postfix says, or take it out as it says, and run setup then",
             setup->record->directory);
}

/*
 * Makes the record say what the files are without us. When somebody else changed them
 * meanwhile, what there is now is known as that, with us.
 */
static gboolean
find_base(Setup *setup, gboolean is_new, GError **error)
{
  SetupRecord *record = setup->record;
  g_autoptr(GPtrArray) conflicts = g_ptr_array_new_with_free_func(g_free);
  for (guint kind = CF_MAIN; kind <= CF_MASTER; kind++) {
    setup->current[kind] = setup_read(record->directory, (CfKind) kind, error);
    if (setup->current[kind] == NULL)
      return FALSE;
  }
  if (is_new && !refuse_by_hand(setup, error))
    return FALSE;
  gboolean same = !is_new;
  char *bases[2];
  for (guint kind = CF_MAIN; kind <= CF_MASTER; kind++) {
    const char *current = setup->current[kind];
    bases[kind] = is_new ? g_strdup(current)
                         : setup_record_base(record, (CfKind) kind, current, conflicts);
    same = same && g_str_equal(bases[kind], record->before[kind]);
  }
  for (guint kind = CF_MAIN; kind <= CF_MASTER; kind++) {
    g_free(record->before[kind]);
    record->before[kind] = bases[kind];
  }
  if (!same)
    g_ptr_array_set_size(record->made, 0);
  for (guint kind = CF_MAIN; kind <= CF_MASTER && !same && !is_new; kind++)
    g_ptr_array_add(record->made, g_compute_checksum_for_string(G_CHECKSUM_SHA256,
                                                                setup->current[kind], -1));
  return refuse_conflicts(record, conflicts, error);
}

/* The ports that our services get: those of before, or the next that are free. */
static gboolean
choose_ports(Setup *setup, gboolean is_new, GError **error)
{
  guint *ports = setup->record->ports;
  for (guint i = 0; is_new && i < SETUP_PORTS; i++) {
    guint tries = 0;
    while (!setup_port_is_free(ports[i]) && tries++ < PORT_TRIES)
      ports[i] += PORT_STEP;
    if (tries > PORT_TRIES)
      return command_error(error, ZEGEL_ERROR_CONFIG, "no port from %u on is free",
                           setup_default_ports[i]);
  }
  return TRUE;
}

/* The port at the end of URL, "smtp://host:port". */
static guint
port_of(const char *url)
{
  guint64 port = 0;
  const char *colon = strrchr(url, ':');
  if (colon != NULL)
    g_ascii_string_to_unsigned(colon + 1, 10, 1, G_MAXUINT16, &port, NULL);
  return (guint) port;
}

/* zegel.conf, or one that is made of answers; it says at which ports mail is handed in. */
static gboolean
find_config(Setup *setup, GError **error)
{
  guint *ports = setup->record->ports;
  if (g_file_test(COMMAND_CONFIG, G_FILE_TEST_EXISTS)) {
    setup->config = conf_load(COMMAND_CONFIG, error);
  } else if (setup_ask(&answers, setup->site, error)) {
    setup->conf_text = setup_conf_text(&answers, setup->site, ports, error);
    if (setup->conf_text != NULL)
      setup->config =
          conf_parse(COMMAND_CONFIG, setup->conf_text, strlen(setup->conf_text), error);
  }
  if (setup->config == NULL)
    return FALSE;
  ports[SETUP_PORT_SUBMIT] = port_of(setup->config->submit_url);
  ports[SETUP_PORT_VISITOR] = port_of(setup->config->viewer_submit_url);
  return TRUE;
}

static gboolean
make_plan(Setup *setup, GError **error)
{
  SetupView view = {.site = setup->site,
                    .services = setup->services,
                    .directory = setup->record->directory,
                    .pieces = PIECES,
                    .config = setup->config};
  memcpy(view.ports, setup->record->ports, sizeof view.ports);
  setup->plan = setup_plan_new(&view, error);
  if (setup->plan == NULL)
    return FALSE;
  SetupRecord *record = setup->record;
  setup->first[CF_MAIN] = setup_plan_main(setup->plan, record->before[CF_MAIN], FALSE);
  setup->first[CF_MASTER] =
      setup_plan_master(setup->plan, record->before[CF_MASTER], FALSE);
  g_free(record->after[CF_MAIN]);
  g_free(record->after[CF_MASTER]);
  record->after[CF_MAIN] = setup_plan_main(setup->plan, record->before[CF_MAIN], TRUE);
  record->after[CF_MASTER] =
      setup_plan_master(setup->plan, record->before[CF_MASTER], TRUE);
  return TRUE;
}

/* Looks at everything and decides; NULL with an error. */
static Setup *
look(GError **error)
{
  gboolean is_new = TRUE;
  g_autoptr(Setup) setup = g_new0(Setup, 1);
  setup->record = find_record(&is_new, error);
  if (setup->record == NULL || !find_base(setup, is_new, error))
    return NULL;
  SetupRecord *record = setup->record;
  setup->site = setup_stage_open(record->directory, record->before[CF_MAIN],
                                 record->before[CF_MASTER], error);
  if (setup->site == NULL)
    return NULL;
  setup->services = site_services(setup->site, error);
  if (setup->services == NULL)
    return NULL;
  setup->queue = site_expanded(setup->site, "queue_directory", error);
  if (setup->queue == NULL || !choose_ports(setup, is_new, error) ||
      !find_config(setup, error) || !make_plan(setup, error))
    return NULL;
  return setup_stage_check(record, error) ? g_steal_pointer(&setup) : NULL;
}

/* ---- What is done ---- */

static gboolean
write_new(const char *path, const char *text, GError **error)
{
  const FileRights rights = {.mode = BOOK_MODE, .owner = (uid_t) -1, .group = (gid_t) -1};
  g_autofree char *directory = g_path_get_dirname(path);
  if (g_file_test(path, G_FILE_TEST_EXISTS))
    return TRUE;
  if (g_mkdir_with_parents(directory, 0755) == 0)
    return file_replace(path, text, strlen(text), &rights, error);
  zegel_error_errno(error, ZEGEL_ERROR_CONFIG, errno, directory);
  return FALSE;
}

/* What PROGRAM says of zegel.conf. */
static gboolean
is_taken(const char *program, GError **error)
{
  const char *const argv[] = {program, "-n", NULL};
  int status = -1;
  g_autofree char *said = NULL;
  return program_run(argv, &status, &said, error) &&
         (status == 0 ||
          command_error(error, ZEGEL_ERROR_CONFIG, "%s -n: %s", program, said));
}

/* zegel.conf and an empty domain book, when they are not there. */
static gboolean
write_config(const Setup *setup, GError **error)
{
  return (setup->conf_text == NULL || write_new(COMMAND_CONFIG, setup->conf_text, error)) &&
         write_new(setup->config->domain_book, "", error) &&
         is_taken("zegel-policyd", error) && is_taken("zegel-milter", error) &&
         is_taken("zegel-deliver", error) && is_taken("zegel-auditd", error);
}

/* Writes FILES; CHANGED becomes TRUE when one is new or another. */
static gboolean
write_files(Setup *setup, const GPtrArray *files, gboolean *changed, GError **error)
{
  for (guint i = 0; i < files->len; i++) {
    const SetupFile *file = files->pdata[i];
    SetupWritten written = SETUP_WRITTEN_SAME;
    if (!setup_record_file(setup->record, file, &written, error))
      return FALSE;
    if (written == SETUP_WRITTEN_KEPT)
      printf("%s was changed by somebody else and stays as it is.\n", file->path);
    *changed = *changed || written == SETUP_WRITTEN_NEW;
    if (file->index && !setup_postfix_index(setup->record->directory, file->path, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
write_units(Setup *setup, GError **error)
{
  gboolean changed = FALSE;
  return write_files(setup, setup->plan->units, &changed, error) &&
         (!changed || setup_make_units(error));
}

static gboolean
write_tables(Setup *setup, GError **error)
{
  gboolean changed = FALSE;
  return write_files(setup, setup->plan->files, &changed, error);
}

/* master.cf comes second: what it names is in main.cf. */
static gboolean
put_both(Setup *setup, char *const *texts, GError **error)
{
  return setup_record_put(setup->record, CF_MAIN, texts[CF_MAIN], TRUE, error) &&
         setup_record_put(setup->record, CF_MASTER, texts[CF_MASTER], TRUE, error) &&
         setup_postfix_reload(setup->record->directory, error);
}

/* Whether Postfix delivers by our routes already, at least in part: then nothing is taken
 * away from it, for mail in its queue may need it. */
static gboolean
is_at_work(const Setup *setup)
{
  g_autoptr(Cf) main_cf = cf_parse(CF_MAIN, setup->current[CF_MAIN]);
  g_autofree char *transport = cf_entry(main_cf, "transport_maps");
  return transport != NULL && strstr(transport, "zegel-routes.cf") != NULL;
}

/* The switch; what fails, or Postfix itself then finds wrong, brings back what was there.
 */
static gboolean
switch_over(Setup *setup, GError **error)
{
  SetupRecord *record = setup->record;
  char *const *back = is_at_work(setup) ? setup->current : setup->first;
  g_autoptr(GError) ignored = NULL;
  if (put_both(setup, record->after, error) &&
      setup_postfix_check(record->directory, error))
    return TRUE;
  if (!put_both(setup, back, &ignored))
    fprintf(stderr, "zegelctl: %s\n", ignored->message);
  return FALSE;
}

static gboolean
do_it(Setup *setup, GError **error)
{
  return setup_record_save(setup->record, error) &&
         setup_make_places(setup->config, setup->queue, error) &&
         write_config(setup, error) && setup_make_keys(setup->config, error) &&
         write_units(setup, error) && setup_start_programs(setup->config, error) &&
         write_tables(setup, error) &&
         (is_at_work(setup) || put_both(setup, setup->first, error)) &&
         setup_postfix_reads(setup->record->directory, setup->config->socket_user,
                             setup->config->socket_group, error) &&
         switch_over(setup, error);
}

static int
set_up(void)
{
  GError *error = NULL;
  g_autoptr(Setup) setup = look(&error);
  if (setup == NULL)
    return command_fail(error);
  setup_show(setup->record, setup->plan, setup->config, setup->conf_text, setup->queue);
  if (setup->plan->obstacles->len > 0)
    return EX_CONFIG;
  if (option_dry_run)
    return command_done(EX_OK);
  if (!answers.yes && !setup_confirm("Go on?"))
    return EX_NOPERM;
  if (!do_it(setup, &error))
    return command_fail(error);
  log_line(LOG_LEVEL_INFO, "setup done, directory=%s", setup->record->directory);
  setup_show_end(setup->record, setup->plan, setup->config);
  return command_done(EX_OK);
}

static int
undo(void)
{
  GError *error = NULL;
  g_autoptr(SetupRecord) record = setup_record_load(&error);
  if (error != NULL)
    return command_fail(error);
  if (record != NULL)
    return setup_undo(record, answers.yes, option_dry_run);
  fprintf(stderr,
          "zegelctl: setup did nothing here. What was put in by hand is taken out as "
          "README.postfix says.\n");
  return EX_CONFIG;
}

static int
run_setup(int argc, char **argv)
{
  GError *error = NULL;
  (void) argc;
  (void) argv;
  if (geteuid() != 0) {
    fprintf(stderr, "zegelctl: only root can do this\n");
    return EX_NOPERM;
  }
  if (g_mkdir_with_parents(ZEGEL_STATEDIR, 0755) != 0 ||
      g_mkdir_with_parents(SETUP_DIRECTORY, 0700) != 0)
    zegel_error_errno(&error, ZEGEL_ERROR_CONFIG, errno, SETUP_DIRECTORY);
  int lock = error == NULL
                 ? file_lock_directory(SETUP_DIRECTORY "/record", LOCK_WAIT_S, &error)
                 : -1;
  if (lock < 0)
    return command_fail(error);
  int status = option_undo ? undo() : set_up();
  close(lock);
  setup_answers_clear(&answers);
  g_clear_pointer(&option_instance, g_free);
  return status;
}

static const GOptionEntry options[] = {
    {"undo", 0, 0, G_OPTION_ARG_NONE, &option_undo, "Take zegel out of Postfix again",
     NULL},
    {"dry-run", 'n', 0, G_OPTION_ARG_NONE, &option_dry_run, "Show, and change nothing",
     NULL},
    {"yes", 'y', 0, G_OPTION_ARG_NONE, &answers.yes, "Ask nothing", NULL},
    {"instance", 0, 0, G_OPTION_ARG_STRING, &option_instance,
     "Which Postfix, by its name or directory", "NAME"},
    {"domains", 0, 0, G_OPTION_ARG_STRING, &answers.domains, "The mail domains", "DOMAINS"},
    {"default", 0, 0, G_OPTION_ARG_STRING, &answers.sensitive,
     "Which mail is sensitive: observe, on-request, secure", "WORD"},
    {"service-domain", 0, 0, G_OPTION_ARG_STRING, &answers.service_domain,
     "The domain of notifications", "DOMAIN"},
    {"viewer-url", 0, 0, G_OPTION_ARG_STRING, &answers.viewer_url,
     "Where recipients read their messages", "URL"},
    {"name", 0, 0, G_OPTION_ARG_STRING, &answers.name, "The organisation, for recipients",
     "TEXT"},
    {"sms", 0, 0, G_OPTION_ARG_STRING, &answers.sms,
     "How text messages are sent: gammu, http, mail, later", "WORD"},
    G_OPTION_ENTRY_NULL,
};

const Command setup_commands[] = {
    {{"setup", NULL},
     0,
     0,
     "[--undo] [--dry-run] [--yes] ...",
     "Add zegel to the Postfix that runs here, after showing what changes; with --undo\n"
     "      take it out again. See zegel-setup(8)",
     options,
     run_setup},
    {.words = {NULL}},
};
