/*
 * doctor_nta.c - NTA 7516 records of ours that ended or end soon.
 *
 * As zegelctl domain watch: zegel-policyd looks once more, and what it keeps of that is
 * read.
 */
#include <string.h>

#include "zegelctl/apart.h"
#include "zegelctl/doctor_parts.h"
#include "zegelctl/finding.h"

#define DAYS          60 /* as zegelctl domain watch */
#define LOOK_S        120
#define WRITE_WAIT_MS 5000 /* until policyd has written what it saw */
#define WRITE_LOOK_US 50000

static void
free_finding(gpointer p)
{
  finding_free(p);
}

/* Waits until SEEN has what was looked at since START_S. */
static void
wait_for_look(Seen *seen, const char *domain, gint64 start_s)
{
  gint64 end_us = g_get_monotonic_time() + WRITE_WAIT_MS * G_TIME_SPAN_MILLISECOND;
  while (g_get_monotonic_time() < end_us) {
    g_autoptr(SeenDomain) found = NULL;
    if (!seen_domain(seen, domain, TRUE, &found, NULL) ||
        (found != NULL && found->last_s >= start_s))
      return;
    g_usleep(WRITE_LOOK_US);
  }
}

static void
say_finding(const Finding *finding, Apart *apart)
{
  gboolean wrong = strcmp(finding->code, "Z-N1-ENDS") != 0;
  if (strcmp(finding->code, "Z-N1-ENDED") == 0 || strcmp(finding->code, "Z-N1-SPAN") == 0 ||
      !wrong)
    apart_say(apart, wrong ? DOCTOR_WRONG : DOCTOR_WARNING, finding->action->str, "%s: %s",
              finding->domain, finding->what->str);
}

/* Whether ORGANISATION says that it follows the norm. */
static gboolean
has_declared(const Organisation *organisation)
{
  return *organisation->nta_declaration != '\0';
}

typedef gboolean
DomainFunc(const DoctorSubject *subject, const char *domain, gpointer data, GError **error);

/* Calls FUNC for each domain for which that was said, until one fails. */
static gboolean
each_domain(const DoctorSubject *subject, DomainFunc *func, gpointer data, GError **error)
{
  for (guint i = 0; i < subject->config->organisations->len; i++) {
    const Organisation *organisation = subject->config->organisations->pdata[i];
    for (char **domain = organisation->domains;
         has_declared(organisation) && *domain != NULL; domain++)
      if (!func(subject, *domain, data, error))
        return FALSE;
  }
  return TRUE;
}

/* Has policyd look. Only who is in Postfix's group may ask it, and root. */
static gboolean
ask_domain(const DoctorSubject *subject, const char *domain, gpointer data, GError **error)
{
  gboolean own = FALSE;
  const CheckQuestion question = {.domain = (char *) domain, .fresh = TRUE};
  *(guint *) data += 1;
  g_autoptr(GPtrArray) lines =
      ask_check(subject->config->policyd_socket, &question, &own, error);
  return lines != NULL;
}

/* What is read, and since when it counts. */
typedef struct {
  Seen *seen;
  gint64 start_s;
  Apart *apart;
} Reading;

static gboolean
read_domain(const DoctorSubject *subject, const char *domain, gpointer data, GError **error)
{
  const Reading *reading = data;
  const FindingRules rules = {.now_s = subject->now_s, .days = DAYS};
  const FindingSubject about = {.domain = domain, .ours = TRUE};
  g_autoptr(GHashTable) hosts =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr(GPtrArray) findings = g_ptr_array_new_with_free_func(free_finding);
  wait_for_look(reading->seen, domain, reading->start_s);
  if (!finding_search(reading->seen, &rules, &about, hosts, findings, error))
    return FALSE;
  for (guint i = 0; i < findings->len; i++)
    say_finding(findings->pdata[i], reading->apart);
  return TRUE;
}

static void
read_domains(const DoctorSubject *subject, gpointer data, Apart *apart)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Seen) seen = seen_open_existing(subject->config->seen_db, &error);
  Reading reading = {.seen = seen, .start_s = *(gint64 *) data, .apart = apart};
  if (seen == NULL || !each_domain(subject, read_domain, &reading, &error))
    apart_say(apart, DOCTOR_UNKNOWN, NULL, "%s", error->message);
}

void
doctor_check_nta_ends(const DoctorSubject *subject, DoctorReport *report)
{
  g_autoptr(GError) error = NULL;
  gint64 start_s = g_get_real_time() / G_USEC_PER_SEC;
  guint asked = 0;
  if (!each_domain(subject, ask_domain, &asked, &error))
    doctor_say(report, DOCTOR_UNKNOWN, "see that zegel-policyd runs (daemon-running)",
               "it could not be found out: %s", error->message);
  else if (asked == 0)
    doctor_say(report, DOCTOR_ABSENT, NULL, "no organisation has nta_declaration");
  else
    apart_run(subject, report, subject->config->policyd_user, LOOK_S, read_domains,
              &start_s);
}
