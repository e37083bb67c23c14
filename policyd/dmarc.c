#include "policyd/dmarc.h"

#include <string.h>

#define PREFIX         "_dmarc."
#define NAME_MAX_BYTES 253 /* RFC 1035 2.3.4, as text */
#define WALK_MAX       8   /* questions of one walk, RFC 9989 4.10 */
#define WALK_JUMP      7   /* labels to which a longer name jumps */

/* One step of a walk. */
typedef struct {
  const char *domain; /* in the name it began with */
  gboolean found;
  DmarcRecord record;
} Step;

static guint
count_labels(const char *domain)
{
  guint count = 1;
  for (; *domain != '\0'; domain++)
    count += *domain == '.' ? 1 : 0;
  return count;
}

/* The last COUNT labels of DOMAIN, which has as many. */
static const char *
last_labels(const char *domain, guint count)
{
  for (guint labels = count_labels(domain); labels > count; labels--)
    domain = strchr(domain, '.') + 1;
  return domain;
}

/* The domains of the walk from DOMAIN, longest first (RFC 9989 4.10). */
static guint
plan_walk(const char *domain, Step *steps)
{
  guint labels = count_labels(domain), count = 0;
  steps[count++] = (Step){.domain = domain};
  for (guint left = labels > WALK_MAX ? WALK_JUMP : labels - 1; left > 0; left--)
    steps[count++] = (Step){.domain = last_labels(domain, left)};
  return count;
}

/* The DMARC record in ANSWER, if it has one and only one. */
static void
read_step(const DnsAnswer *answer, Step *step)
{
  guint count = 0;
  for (guint i = 0; i < answer->records->len; i++) {
    DmarcRecord record;
    gsize len = 0;
    g_autofree char *text = rr_txt(answer->records->pdata[i], &len);
    if (text == NULL || !dmarc_parse(text, len, &record))
      continue;
    step->record = record;
    count++;
  }
  step->found = count == 1;
}

static const DnsAnswer *
ask_step(Lookup *lookup, const Step *step, gboolean *too_long)
{
  g_autofree char *name = g_strconcat(PREFIX, step->domain, NULL);
  *too_long = strlen(name) > NAME_MAX_BYTES;
  return *too_long ? NULL : lookup_dns(lookup, name, RR_TXT);
}

/*
 * Walks up to COUNT STEPS, and sets *COUNT to those that were needed. All are asked for at
 * once: the names are few, and most walks need them all.
 */
static DmarcStatus
walk(Lookup *lookup, Step *steps, guint *count)
{
  gboolean missing = FALSE, failed = FALSE, stopped = FALSE;
  guint needed = 0;
  for (guint i = 0; i < *count; i++) {
    gboolean too_long = FALSE;
    const DnsAnswer *answer = ask_step(lookup, &steps[i], &too_long);
    if (stopped)
      continue;
    needed = i + 1;
    if (too_long)
      continue;
    missing = missing || answer == NULL;
    failed = failed || (answer != NULL && answer->outcome == DNS_FAILURE);
    if (answer != NULL)
      read_step(answer, &steps[i]);
    stopped = !missing && !failed && steps[i].found &&
              (steps[i].record.psd == 0 || (steps[i].record.psd == 1 && i > 0));
  }
  *count = needed;
  if (missing)
    return DMARC_MISSING;
  return failed ? DMARC_UNKNOWN : DMARC_FOUND;
}

/*
 * The step of the Organizational Domain's record, else of its Public Suffix's, or NULL:
 * there is no record. *ORGANISATIONAL gets the domain (RFC 9989 4.10.2).
 */
static const Step *
select_step(const Step *steps, guint count, const char **organisational)
{
  const Step *highest = NULL;
  *organisational = steps[0].domain;
  for (guint i = 0; i < count; i++) {
    if (steps[i].found && steps[i].record.psd == 1 && i > 0) {
      *organisational = last_labels(steps[0].domain, count_labels(steps[i].domain) + 1);
      gboolean below =
          i > 0 && steps[i - 1].found && strcmp(steps[i - 1].domain, *organisational) == 0;
      return below ? &steps[i - 1] : &steps[i];
    }
    if (steps[i].found)
      highest = &steps[i];
  }
  if (highest != NULL)
    *organisational = highest->domain;
  return highest;
}

static DmarcPolicy
lower(DmarcPolicy policy)
{
  return policy == DMARC_REJECT ? DMARC_QUARANTINE : DMARC_NONE;
}

/* The policy of RECORD for DOMAIN below it: np when that is not there at all (RFC 8020). */
static DmarcStatus
policy_below(Lookup *lookup, const char *domain, const DmarcRecord *record,
             DmarcPolicy *policy)
{
  *policy = record->sp;
  if (record->sp == record->np)
    return DMARC_FOUND;
  const DnsAnswer *answer = lookup_dns(lookup, domain, RR_TXT);
  if (answer == NULL)
    return DMARC_MISSING;
  if (answer->outcome == DNS_FAILURE)
    return DMARC_UNKNOWN;
  if (answer->outcome == DNS_NXDOMAIN)
    *policy = record->np;
  return DMARC_FOUND;
}

DmarcStatus
dmarc_find(Lookup *lookup, const char *domain, DmarcResult *result)
{
  Step steps[WALK_MAX];
  const char *organisational = NULL;
  *result = (DmarcResult){.policy = DMARC_NONE};
  guint count = plan_walk(domain, steps);
  DmarcStatus status = walk(lookup, steps, &count);
  if (status != DMARC_FOUND)
    return status;
  const Step *step = select_step(steps, count, &organisational);
  result->organisational = g_strdup(organisational);
  if (step == NULL)
    return DMARC_ABSENT;
  if (steps[0].found)
    step = &steps[0];
  result->record = step->record;
  result->found_at = g_strdup(step->domain);
  result->policy = step->record.p;
  if (step != &steps[0])
    status = policy_below(lookup, domain, &step->record, &result->policy);
  if (step->record.testing)
    result->policy = lower(result->policy);
  return status;
}

DmarcStatus
dmarc_organisational(Lookup *lookup, const char *domain, char **organisational)
{
  Step steps[WALK_MAX];
  const char *found = NULL;
  *organisational = NULL;
  guint count = plan_walk(domain, steps);
  DmarcStatus status = walk(lookup, steps, &count);
  if (status != DMARC_FOUND)
    return status;
  select_step(steps, count, &found);
  *organisational = g_strdup(found);
  return DMARC_FOUND;
}

void
dmarc_result_clear(DmarcResult *result)
{
  g_clear_pointer(&result->found_at, g_free);
  g_clear_pointer(&result->organisational, g_free);
}
