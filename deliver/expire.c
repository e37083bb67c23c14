#include "deliver/expire.h"

#include <errno.h>
#include <poll.h>

#include "common/base/log.h"
#include "common/store/store.h"
#include "deliver/again.h"
#include "deliver/due.h"
#include "deliver/service.h"

#define FIRST_MS (5 * 1000)
#define EVERY_MS (60 * 60 * 1000)
#define AGAIN_MS 2000        /* an administrator looks whether it went */
#define LATER_MS (60 * 1000) /* when Postfix or the store could not */

/* Whether the service goes on after a pause of WAIT_MS. */
static gboolean
pause_for(int stop_fd, int wait_ms)
{
  struct pollfd stop = {.fd = stop_fd, .events = POLLIN};
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

/* Does what is due, the hourly part at *NEXT_US; the pause until the next time. */
static int
work(const Service *service, gint64 *next_us)
{
  int wait_ms = again_run(service) ? AGAIN_MS : LATER_MS;
  if (g_get_monotonic_time() >= *next_us) {
    run_hourly(service);
    *next_us = g_get_monotonic_time() + (gint64) EVERY_MS * G_TIME_SPAN_MILLISECOND;
  }
  return wait_ms;
}

static gpointer
expire_main(gpointer p)
{
  Current *services = p;
  Service *service = current_take(services);
  int stop_fd = service->stop_fd; /* the same in all */
  current_give(services, service);
  gint64 next_us = g_get_monotonic_time() + FIRST_MS * G_TIME_SPAN_MILLISECOND;
  for (int wait_ms = AGAIN_MS; pause_for(stop_fd, wait_ms);) {
    service = current_take(services);
    wait_ms = work(service, &next_us);
    current_give(services, service);
  }
  return NULL;
}

GThread *
expire_start(Current *services)
{
  return g_thread_new("expire", expire_main, services);
}
