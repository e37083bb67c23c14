#include "viewer-cgi/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/error.h"

struct Slots {
  guint count;
  int fd;
};

Slots *
slots_new(guint count, GError **error)
{
  int fd = memfd_create("slots", MFD_CLOEXEC);
  if (fd < 0) {
    zegel_error_errno(error, ZEGEL_ERROR_TEMPORARY, errno, "memfd_create");
    return NULL;
  }
  Slots *slots = g_new(Slots, 1);
  *slots = (Slots){count, fd};
  return slots;
}

void
slots_free(Slots *slots)
{
  if (slots == NULL)
    return;
  close(slots->fd);
  g_free(slots);
}

static gboolean
set_lock(const Slots *slots, short type, int number)
{
  const struct flock lock = {
      .l_type = type, .l_whence = SEEK_SET, .l_start = number, .l_len = 1};
  return fcntl(slots->fd, F_SETLK, &lock) == 0;
}

int
slots_take(Slots *slots)
{
  for (int i = 0; i < (int) slots->count; i++)
    if (set_lock(slots, F_WRLCK, i))
      return i;
  return -1;
}

void
slots_return(Slots *slots, int number)
{
  if (number >= 0)
    set_lock(slots, F_UNLCK, number);
}
