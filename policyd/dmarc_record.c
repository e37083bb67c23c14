#include "policyd/dmarc.h"

#include <string.h>

#define VERSION "DMARC1" /* in this case only (RFC 9989 4.8) */

typedef enum {
  TAG_ABSENT,
  TAG_GOOD,
  TAG_BAD
} TagState;

/* What was read of p, sp and np, in this order. */
typedef struct {
  TagState states[3];
  DmarcPolicy policies[3];
} Policies;

const char *
dmarc_policy_name(DmarcPolicy policy)
{
  static const char *const names[] = {
      [DMARC_NONE] = "none", [DMARC_QUARANTINE] = "quarantine", [DMARC_REJECT] = "reject"};
  return names[policy];
}

static void
read_policy(Policies *all, guint which, const char *value)
{
  if (all->states[which] != TAG_ABSENT) {
    all->states[which] = TAG_BAD; /* twice: nobody can tell which one holds */
    return;
  }
  all->states[which] = TAG_BAD;
  for (guint i = DMARC_NONE; i <= DMARC_REJECT; i++)
    if (g_ascii_strcasecmp(value, dmarc_policy_name((DmarcPolicy) i)) == 0) {
      all->states[which] = TAG_GOOD;
      all->policies[which] = (DmarcPolicy) i;
    }
}

static void
read_tag(DmarcRecord *record, Policies *all, const char *name, const char *value)
{
  static const char *const names[] = {"p", "sp", "np"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++)
    if (g_ascii_strcasecmp(name, names[i]) == 0)
      read_policy(all, i, value);
  if (g_ascii_strcasecmp(name, "t") == 0)
    record->testing = g_ascii_strcasecmp(value, "y") == 0;
  else if (g_ascii_strcasecmp(name, "psd") == 0)
    record->psd = g_ascii_strcasecmp(value, "y") == 0   ? 1
                  : g_ascii_strcasecmp(value, "n") == 0 ? 0
                                                        : -1;
  else if (g_ascii_strcasecmp(name, "adkim") == 0)
    record->strict_dkim = g_ascii_strcasecmp(value, "s") == 0;
  else if (g_ascii_strcasecmp(name, "aspf") == 0)
    record->strict_spf = g_ascii_strcasecmp(value, "s") == 0;
}

/* Splits FIELD at its '='; FALSE without one. */
static gboolean
split_tag(char *field, const char **name, const char **value)
{
  char *equals = strchr(field, '=');
  if (equals == NULL)
    return FALSE;
  *equals = '\0';
  *value = g_strstrip(equals + 1);
  *name = g_strstrip(field);
  return TRUE;
}

/*
 * A record without a policy that can be read, or with one that cannot, asks for nothing
 * (RFC 9989 4.7, 4.10.1): whether or not a report is wanted, that is as good as "none".
 */
static void
settle_policies(DmarcRecord *record, const Policies *all)
{
  if (all->states[0] != TAG_GOOD || all->states[1] == TAG_BAD || all->states[2] == TAG_BAD)
    return;
  record->p = all->policies[0];
  record->sp = all->states[1] == TAG_GOOD ? all->policies[1] : record->p;
  record->np = all->states[2] == TAG_GOOD ? all->policies[2] : record->sp;
}

gboolean
dmarc_parse(const char *text, gsize len, DmarcRecord *record)
{
  const char *name = NULL, *value = NULL;
  Policies all = {.states = {TAG_ABSENT, TAG_ABSENT, TAG_ABSENT}};
  *record = (DmarcRecord){.p = DMARC_NONE, .sp = DMARC_NONE, .np = DMARC_NONE, .psd = -1};
  if (len == 0 || memchr(text, '\0', len) != NULL || g_ascii_isspace(*text))
    return FALSE;
  g_autofree char *copy = g_strndup(text, len);
  g_auto(GStrv) fields = g_strsplit(copy, ";", -1);
  if (!split_tag(fields[0], &name, &value) || g_ascii_strcasecmp(name, "v") != 0 ||
      strcmp(value, VERSION) != 0)
    return FALSE;
  for (char **field = fields + 1; *field != NULL; field++)
    if (split_tag(*field, &name, &value))
      read_tag(record, &all, name, value);
  settle_policies(record, &all);
  return TRUE;
}
