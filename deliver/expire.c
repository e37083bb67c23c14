#include "deliver/expire.h"

#include <errno.h>
#include <poll.h>

#include "common/base/log.h"
#include "common/store/store.h"
#include "deliver/again.h"
#include "deliver/due.h"

#define FIRST_MS (5 * 1000)
#define EVERY_MS (60 * 60 * 1000)
#define AGAIN_MS 2000        /* an administrator looks whether it went */
#define LATER_MS (60 * 1000) /* when Postfix or the store could not */

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

static void
run_hourly(const Service *service)
{
  guint removed = 0;
  g_autoptr(GError) error = NULL;
  due_run(service);
  if (!store_expire(service->store, g_get_real_time() / G_USEC_PER_SEC, &removed, &error))
    log_line(LOG_LEVEL_WARNING, "nothing could be removed: %s", error->message);
  else if (removed > 0)
    log_line(LOG_LEVEL_INFO, "removed %u messages that were past their time", removed);
}

static gpointer
expire_main(gpointer p)
{
  const Service *service = p;
  gint64 next_us = g_get_monotonic_time() + FIRST_MS * G_TIME_SPAN_MILLISECOND;
  for (int wait_ms = AGAIN_MS; pause_for(service, wait_ms);) {
    wait_ms = again_run(service) ? AGAIN_MS : LATER_MS;
    if (g_get_monotonic_time() < next_us)
      continue;
    run_hourly(service);
    next_us = g_get_monotonic_time() + (gint64) EVERY_MS * G_TIME_SPAN_MILLISECOND;
  }
  return NULL;
}

GThread *
expire_start(const Service *service)
{
  return g_thread_new("expire", expire_main, (gpointer) service);
}
