#include "common/ask/block.h"

#include "common/ask/ask.h"
#include "common/base/error.h"

gboolean
block_refuse(GError **error, const char *text)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "ask: %s", text);
  return FALSE;
}

gboolean
block_check_version(const Attrs *attrs, GError **error)
{
  guint64 version = 0;
  return attrs_get_uint(attrs, "version", ASK_VERSION, ASK_VERSION, &version, error);
}
