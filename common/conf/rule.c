#include "common/conf/rule.h"

#include <string.h>

#include "common/base/mailbox.h"

#define NO_SHARE 100 /* percent: never more than that */

static const char *const day_words[] = {"all", "working", "mon", "tue", "wed",
                                        "thu", "fri",     "sat", "sun"};

static gboolean
days_are_known(const Rule *rule)
{
  for (char **word = rule->days; *word != NULL; word++) {
    gboolean known = FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(day_words); i++)
      known = known || strcmp(*word, day_words[i]) == 0;
    if (!known)
      return FALSE;
  }
  return rule->days[0] != NULL;
}

static gboolean
mail_is_good(const Rule *rule)
{
  for (char **word = rule->mail; *word != NULL; word++) {
    g_autofree char *mailbox = mailbox_parse(*word);
    if (mailbox == NULL)
      return FALSE;
  }
  return TRUE;
}

const char *
rule_fault(const Config *config, const Rule *rule)
{
  if (conf_organisation(config, rule->organisation) == NULL)
    return "organisation: there is no such [organisation NAME]";
  if ((rule->fewer_than > 0) == (rule->viewer_over < NO_SHARE))
    return "needs fewer_than (above 0) or viewer_over (below 100), and not both";
  if (rule->fewer_than > 0 && rule->by_minute == 0)
    return "needs by = HH:MM, after 00:00: when the messages are counted";
  if (!days_are_known(rule))
    return "days: all, working, or some of mon tue wed thu fri sat sun are expected";
  if (!mail_is_good(rule))
    return "mail: addresses such as beheer@example.nl are expected";
  if (*rule->command != '\0' && *rule->command != '/')
    return "command: an absolute path is expected";
  return NULL;
}
