#include "common/base/reply.h"

#include <string.h>

void
reply_append_name(GString *line, const char *name)
{
  gsize len = strlen(name);
  for (gsize i = 0; i < MIN(len, REPLY_NAME_MAX_BYTES); i++)
    g_string_append_c(line, name[i] > 0x20 && name[i] < 0x7f ? name[i] : '?');
  if (len > REPLY_NAME_MAX_BYTES)
    g_string_append(line, "...");
}
