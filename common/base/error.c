#include "common/base/error.h"

#include <errno.h>

G_DEFINE_QUARK(zegel - error - quark, zegel_error)

void
zegel_error_errno(GError **error, ZegelError code, int errnum, const char *what)
{
  if (errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG)
    code = ZEGEL_ERROR_FULL;
  g_set_error(error, ZEGEL_ERROR, code, "%s: %s", what, g_strerror(errnum));
}
