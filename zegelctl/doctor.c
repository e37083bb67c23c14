/*
 * doctor.c - zegelctl doctor: runs the checks of doctor.h one after the other, and tells
 * what they found.
 *
 * Knows nothing of what is checked. It changes nothing and writes nothing but its report.
 */
#include "zegelctl/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/error.h"
#include "zegelctl/command.h"
#include "zegelctl/text.h"

#define EXIT_FINDINGS 1
#define MAX_IDS       200
#define STATE_WIDTH   7 /* "warning" */
#define TEXT_COLUMN   (2 + STATE_WIDTH + 2)
#define CURE          "cure: "
#define SOON_S        (14 * 24 * 3600)
#define SOON_PART     4 /* some certificates have few days */

/* One thing that a check said, or that it found everything good. Texts are owned. */
typedef struct {
  const DoctorCheck *check;
  DoctorState state;
  char *what;
  char *cure;
} Remark;

struct DoctorReport {
  GPtrArray *remarks; /* of Remark */
  const DoctorCheck *check;
};

static const DoctorCheck *const tables[] = {
    doctor_postfix_checks, doctor_tls_checks, doctor_milter_checks, doctor_table_checks,
    doctor_world_checks,   doctor_own_checks, doctor_viewer_checks,
};

static gboolean option_json, option_all;
static char *option_instance;

gboolean
doctor_ends_soon(gint64 from_s, gint64 until_s, gint64 now_s)
{
  return until_s - now_s < MIN(SOON_S, (until_s - from_s) / SOON_PART);
}

static void
remark_free(gpointer data)
{
  Remark *remark = data;
  g_free(remark->what);
  g_free(remark->cure);
  g_free(remark);
}

/* Takes WHAT. */
static void
add_remark(DoctorReport *report, DoctorState state, char *what, const char *cure)
{
  Remark *remark = g_new0(Remark, 1);
  remark->check = report->check;
  remark->state = state;
  remark->what = what;
  remark->cure = g_strdup(cure != NULL ? cure : "");
  g_ptr_array_add(report->remarks, remark);
}

void
doctor_say(DoctorReport *report, DoctorState state, const char *cure, const char *what, ...)
{
  va_list args;
  va_start(args, what);
  add_remark(report, state, g_strdup_vprintf(what, args), cure);
  va_end(args);
}

/* ---- Running them ---- */

static gboolean
is_wanted(const char *id, char **ids, int n)
{
  for (int i = 0; i < n; i++)
    if (strcmp(id, ids[i]) == 0)
      return TRUE;
  return n == 0;
}

static void
run_check(const DoctorCheck *check, const DoctorSubject *subject, DoctorReport *report)
{
  guint before = report->remarks->len;
  report->check = check;
  check->check(subject, report);
  if (report->remarks->len == before)
    add_remark(report, DOCTOR_GOOD, g_strdup(""), NULL);
}

static void
run_checks(const DoctorSubject *subject, DoctorReport *report, char **ids, int n)
{
  for (guint i = 0; i < G_N_ELEMENTS(tables); i++)
    for (const DoctorCheck *check = tables[i]; check->id != NULL; check++)
      if (is_wanted(check->id, ids, n))
        run_check(check, subject, report);
}

/* ---- Telling ---- */

static const char *
state_name(DoctorState state)
{
  static const char *const names[] = {
      [DOCTOR_GOOD] = "good",   [DOCTOR_ABSENT] = "absent",   [DOCTOR_WARNING] = "warning",
      [DOCTOR_WRONG] = "wrong", [DOCTOR_UNKNOWN] = "unknown",
  };
  return names[state];
}

static const char *
state_colour(DoctorState state)
{
  static const char *const colours[] = {
      [DOCTOR_GOOD] = "\033[32m",    [DOCTOR_ABSENT] = "",
      [DOCTOR_WARNING] = "\033[33m", [DOCTOR_WRONG] = "\033[1;31m",
      [DOCTOR_UNKNOWN] = "\033[33m",
  };
  return colours[state];
}

static gboolean
says_something(const Remark *remark)
{
  return remark->state != DOCTOR_GOOD && remark->state != DOCTOR_ABSENT;
}

static void
append_remark(GString *out, const Remark *remark, gboolean colour)
{
  g_autofree char *title =
      g_strdup_printf("%s (%s)", remark->check->title, remark->check->id);
  g_string_append_printf(out, "  %s%-*s%s  ", colour ? state_colour(remark->state) : "",
                         STATE_WIDTH, state_name(remark->state), colour ? "\033[0m" : "");
  text_wrap(out, TEXT_COLUMN, TEXT_COLUMN, title);
  if (*remark->what != '\0') {
    g_string_append_printf(out, "%*s", TEXT_COLUMN + 2, "");
    text_wrap(out, TEXT_COLUMN + 2, TEXT_COLUMN + 2, remark->what);
  }
  if (*remark->cure != '\0') {
    g_string_append_printf(out, "%*s" CURE, TEXT_COLUMN + 2, "");
    text_wrap(out, TEXT_COLUMN + 2 + strlen(CURE), TEXT_COLUMN + 2 + strlen(CURE),
              remark->cure);
  }
}

static guint
count(const DoctorReport *report, DoctorState state)
{
  guint n = 0;
  for (guint i = 0; i < report->remarks->len; i++)
    n += ((const Remark *) report->remarks->pdata[i])->state == state;
  return n;
}

static void
append_text(GString *out, const DoctorReport *report, gboolean colour)
{
  for (guint i = 0; i < report->remarks->len; i++) {
    const Remark *remark = report->remarks->pdata[i];
    if (option_all || says_something(remark))
      append_remark(out, remark, colour);
  }
  g_string_append_printf(out,
                         "good: %u, wrong: %u, warnings: %u, unknown: %u, absent: %u\n",
                         count(report, DOCTOR_GOOD), count(report, DOCTOR_WRONG),
                         count(report, DOCTOR_WARNING), count(report, DOCTOR_UNKNOWN),
                         count(report, DOCTOR_ABSENT));
}

static void
append_json(GString *out, const DoctorReport *report)
{
  g_string_append_c(out, '[');
  for (guint i = 0; i < report->remarks->len; i++) {
    const Remark *remark = report->remarks->pdata[i];
    g_string_append(out, i == 0 ? "\n  {" : ",\n  {");
    json_append_pair(out, "id", remark->check->id, TRUE);
    json_append_pair(out, "state", state_name(remark->state), TRUE);
    json_append_pair(out, "title", remark->check->title, TRUE);
    json_append_pair(out, "what", remark->what, TRUE);
    json_append_pair(out, "cure", remark->cure, FALSE);
    g_string_append_c(out, '}');
  }
  g_string_append(out, "\n]\n");
}

static int
tell(const DoctorReport *report)
{
  g_autoptr(GString) out = g_string_new(NULL);
  int status = EX_OK;
  if (option_json)
    append_json(out, report);
  else
    append_text(out, report, isatty(STDOUT_FILENO));
  fputs(out->str, stdout);
  if (count(report, DOCTOR_WRONG) + count(report, DOCTOR_WARNING) > 0)
    status = EXIT_FINDINGS;
  else if (count(report, DOCTOR_UNKNOWN) > 0)
    status = EX_TEMPFAIL;
  return command_done(status);
}

/* ---- What it is about ---- */

/* Those of SITES (which it takes) that zegel is in; when it is in none, all of them: the
 * checks will say so. */
static GPtrArray *
keep_ours(GPtrArray *sites)
{
  g_autoptr(GPtrArray) all = sites;
  GPtrArray *ours = g_ptr_array_new_with_free_func((GDestroyNotify) site_free);
  for (guint i = 0; i < all->len; i++)
    if (site_is_set(all->pdata[i], "zegel_milter"))
      g_ptr_array_add(ours, g_steal_pointer(&all->pdata[i]));
  if (ours->len > 0)
    return ours;
  g_ptr_array_unref(ours);
  return g_steal_pointer(&all);
}

static GPtrArray *
find_sites(GError **error)
{
  if (option_instance == NULL) {
    GPtrArray *sites = site_find_all(error);
    return sites != NULL ? keep_ours(sites) : NULL;
  }
  Site *site = site_open(option_instance, error);
  if (site == NULL)
    return NULL;
  GPtrArray *sites = g_ptr_array_new_with_free_func((GDestroyNotify) site_free);
  g_ptr_array_add(sites, site);
  return sites;
}

/* FALSE, said on standard error: there is no check ID. */
static gboolean
is_known(const char *id)
{
  for (guint i = 0; i < G_N_ELEMENTS(tables); i++)
    for (const DoctorCheck *check = tables[i]; check->id != NULL; check++)
      if (strcmp(check->id, id) == 0)
        return TRUE;
  fprintf(stderr, "zegelctl: there is no check %s; zegel-doctor(7) has them all\n", id);
  return FALSE;
}

static int
run_doctor(int argc, char **argv)
{
  GError *error = NULL;
  for (int i = 0; i < argc; i++)
    if (!is_known(argv[i]))
      return EX_USAGE;
  if (geteuid() != 0) {
    fputs("zegelctl: doctor looks at what only root may read: run it as root\n", stderr);
    return EX_NOPERM;
  }
  g_autoptr(Config) config = command_config(&error);
  g_autoptr(GPtrArray) sites = config != NULL ? find_sites(&error) : NULL;
  if (sites == NULL)
    return command_fail(error);
  const DoctorSubject subject = {.config = config,
                                 .config_path = command_config_path(),
                                 .sites = sites,
                                 .now_s = g_get_real_time() / G_USEC_PER_SEC};
  DoctorReport report = {.remarks = g_ptr_array_new_with_free_func(remark_free)};
  run_checks(&subject, &report, argv, argc);
  int status = tell(&report);
  g_ptr_array_unref(report.remarks);
  return status;
}

static const GOptionEntry doctor_options[] = {
    {"json", 0, 0, G_OPTION_ARG_NONE, &option_json, "As JSON", NULL},
    {"all", 0, 0, G_OPTION_ARG_NONE, &option_all, "Also what is good", NULL},
    {"instance", 0, 0, G_OPTION_ARG_FILENAME, &option_instance,
     "Only the Postfix that has its main.cf there", "DIRECTORY"},
    G_OPTION_ENTRY_NULL,
};

const Command doctor_commands[] = {
    {{"doctor", NULL},
     0,
     MAX_IDS,
     "[ID...] [--all] [--json] [--instance DIRECTORY]",
     "Find what is wrong with this installation, and how it is cured",
     doctor_options,
     run_doctor},
    {.words = {NULL}},
};
