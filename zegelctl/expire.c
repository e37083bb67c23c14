/*
 * expire.c - zegelctl expire: what is past its time goes, from the store and from the audit
 * trail (K4).
 *
 * The store is opened as zegel-deliver's user, and only root may have the trail expire: so
 * the first is done by a process of its own, which gives up root's rights for good. It also
 * says whether the clock is believed. One that leapt ahead removes nothing.
 */
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/audit/client.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "zegelctl/aside.h"
#include "zegelctl/command.h"
#include "zegelctl/opened.h"

#define EXIT_CLOCK 3      /* of the process for the store: done, but the clock leapt */
#define TRAIL_MS   600000 /* a trail of five years may have much to remove */

/* ---- The store ---- */

static int
expire_store(gpointer data)
{
  GError *error = NULL;
  (void) data;
  g_auto(Opened) opened = {.config = NULL};
  gboolean believed = FALSE;
  guint removed = 0;
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
  if (!opened_store(&opened, &error) ||
      !store_check_clock(opened.store, now_s, &believed, &error) ||
      !store_expire(opened.store, now_s, &removed, &error))
    return command_fail(error);
  if (removed > 0)
    log_line(LOG_LEVEL_INFO, "removed %u messages that were past their time", removed);
  printf("removed %u messages that were past their time\n", removed);
  int status = command_done(EX_OK);
  return status == EX_OK && !believed ? EXIT_CLOCK : status;
}

/* ---- The trail ---- */

/* The first moment of the day that is YEARS ago: what happened before it goes. */
static GDateTime *
first_kept(guint years)
{
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  g_autoptr(GDateTime) then = g_date_time_add_years(now, -(gint) years);
  return g_date_time_new_local(g_date_time_get_year(then), g_date_time_get_month(then),
                               g_date_time_get_day_of_month(then), 0, 0, 0);
}

static gboolean
ask_auditd(const Config *config, GDateTime *before, guint64 *count, GError **error)
{
  g_autoptr(Attrs) request = attrs_new();
  attrs_add(request, "request", "expire");
  attrs_add_uint(request, "before", (guint64) g_date_time_to_unix(before));
  g_autoptr(Attrs) answer = audit_request(config->audit_socket, request, TRAIL_MS, error);
  return answer != NULL && attrs_get_uint(answer, "count", 0, G_MAXUINT32, count, error);
}

static int
expire_trail(void)
{
  GError *error = NULL;
  guint64 count = 0;
  g_autoptr(Config) config = command_config(&error);
  if (config == NULL)
    return command_fail(error);
  g_autoptr(GDateTime) before = first_kept(config->audit_years);
  g_autofree char *day = g_date_time_format(before, "%Y-%m-%d");
  if (!ask_auditd(config, before, &count, &error)) {
    g_prefix_error(&error, "the audit trail stays as it is: ");
    return command_fail(error);
  }
  printf("removed %" G_GUINT64_FORMAT " events of before %s\n", count, day);
  return command_done(EX_OK);
}

static int
run_expire(int argc, char **argv)
{
  (void) argc;
  (void) argv;
  int status = aside_run(expire_store, NULL);
  if (status == EXIT_CLOCK) {
    fputs("zegelctl: the clock leapt ahead: nothing more is removed for a day\n", stderr);
    return EX_TEMPFAIL;
  }
  if (geteuid() != 0) {
    fputs("zegelctl: note: the audit trail stays as it is: only root has it expire\n",
          stderr);
    return status;
  }
  int trail = expire_trail();
  return status != EX_OK ? status : trail;
}

const Command expire_commands[] = {
    {{"expire", NULL},
     0,
     0,
     "",
     "Remove stored messages and events of the audit trail that are past their time",
     NULL,
     run_expire},
    {.words = {NULL}},
};
