#include "common/conf/fixed.h"

#include <string.h>

static const char *
text_at(const Config *config, gsize offset)
{
  return G_STRUCT_MEMBER(const char *, config, offset);
}

void
conf_fixed_warn(const Config *old, const Config *new, const ConfFixed *fixed, guint count)
{
  for (guint i = 0; i < count; i++)
    if (g_strcmp0(text_at(old, fixed[i].offset), text_at(new, fixed[i].offset)) != 0)
      log_line(LOG_LEVEL_WARNING, "%s is another now: that counts after a restart",
               fixed[i].name);
}
