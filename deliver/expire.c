#include "deliver/expire.h"

#include <errno.h>
#include <poll.h>

#include "common/base/log.h"
#include "common/store/store.h"
#include "deliver/due.h"

#define FIRST_MS (5 * 1000)
#define EVERY_MS (60 * 60 * 1000)

/* Whether the service goes on after a pause of WAIT_MS. */
static gboolean
pause_for(const Service *service, int wait_ms)
{
  struct pollfd stop = {.fd = service->stop_fd, .events = POLLIN};
  int ready;
  do
    ready = poll(&stop, 1, wait_ms);
  while (ready < 0 && errno == EINTR); /* a longer pause does no harm */
  return ready == 0;
}

static gpointer
expire_main(gpointer p)
{
  const Service *service = p;
  for (int wait_ms = FIRST_MS; pause_for(service, wait_ms); wait_ms = EVERY_MS) {
    guint removed = 0;
    g_autoptr(GError) error = NULL;
    due_run(service);
    if (!store_expire(service->store, g_get_real_time() / G_USEC_PER_SEC, &removed, &error))
      log_line(LOG_LEVEL_WARNING, "nothing could be removed: %s", error->message);
    else if (removed > 0)
      log_line(LOG_LEVEL_INFO, "removed %u messages that were past their time", removed);
  }
  return NULL;
}

GThread *
expire_start(const Service *service)
{
  return g_thread_new("expire", expire_main, (gpointer) service);
}
