#include "viewer-cgi/budget.h"

#include "common/base/event.h"
#include "common/base/log.h"

#define NEARLY_PERCENT 80
#define WHOLLY_PERCENT 100

guint
budget_step(guint used, guint limit)
{
  guint64 nearly = ((guint64) limit * NEARLY_PERCENT + 99) / 100;
  if (used == limit)
    return WHOLLY_PERCENT;
  return used == nearly ? NEARLY_PERCENT : 0;
}

static void
tell_one(const char *scope, const char *organisation, guint used, guint limit)
{
  guint percent = budget_step(used, limit);
  if (percent == 0)
    return;
  g_autofree char *used_text = g_strdup_printf("%u", used);
  g_autofree char *limit_text = g_strdup_printf("%u", limit);
  g_autofree char *percent_text = g_strdup_printf("%u", percent);
  event_log(EVENT_SMS_BUDGET, NULL, organisation, "scope", scope, "used", used_text,
            "limit", limit_text, "percent", percent_text, NULL);
  log_line(LOG_LEVEL_ALARM, "%u of %u access codes of 24 hours are used (%s, %s)", used,
           limit, scope, organisation);
}

void
budget_tell(Store *store, const CodeLimits *limits, const char *organisation,
            gint64 code_id)
{
  guint used = 0, total = 0;
  g_autoptr(GError) error = NULL;
  if (!store_count_codes(store, organisation, code_id, &used, &total, &error)) {
    log_line(LOG_LEVEL_WARNING, "the codes were not counted: %s", error->message);
    return;
  }
  tell_one("organisation", organisation, used, limits->organisation);
  tell_one("total", organisation, total, limits->total);
}
