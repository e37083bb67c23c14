#include "common/base/packer.h"

gboolean
packer_is_known(const char *extension)
{
  static const char *const packers[] = {"gz", "bz2", "xz", "z", "lz", "lzma", "zst", NULL};
  return g_strv_contains(packers, extension);
}
