#include "common/base/syslog.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#define HOST_MAX      256
#define LOST_BYTES    96
#define LOST_PRIORITY LOG_WARNING

static GMutex lock;
static const char *log_path = SYSLOG_PATH;
static const char *log_name = "zegel";
static char host[HOST_MAX] = "-";
static SyslogForm log_form = SYSLOG_BSD;
static int log_fd = -1;
static guint lost;
static gint64 patience_us, refilled_us; /* what is left of it, and when that was so */

void
syslog_set_form(SyslogForm form)
{
  g_mutex_lock(&lock);
  log_form = form;
  g_mutex_unlock(&lock);
}

/* ---- Under the lock, or before there are threads ---- */

static void
drop_connection(void)
{
  if (log_fd >= 0)
    close(log_fd);
  log_fd = -1;
}

static gboolean
connect_log(void)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (log_fd >= 0)
    return TRUE;
  g_strlcpy(address.sun_path, log_path, sizeof address.sun_path);
  log_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (log_fd >= 0 &&
      connect(log_fd, (const struct sockaddr *) &address, sizeof address) == 0)
    return TRUE;
  drop_connection();
  return FALSE;
}

void
syslog_start(const char *path, const char *ident)
{
  log_path = path;
  log_name = ident;
  if (gethostname(host, sizeof host - 1) != 0 || *host == '\0')
    g_strlcpy(host, "-", sizeof host);
  connect_log(); /* what a sandbox may forbid later */
}

/* Waits at most WAIT_US, 0: not at all; in one row with others who wait, as poll does not.
 */
static gboolean
try_send(const GString *line, gint64 wait_us)
{
  const struct timeval wait = {.tv_sec = wait_us / G_USEC_PER_SEC,
                               .tv_usec = wait_us % G_USEC_PER_SEC};
  int flags = MSG_NOSIGNAL | (wait_us > 0 ? 0 : MSG_DONTWAIT);
  /* The daemon may have been started again: then the socket we have leads nowhere. */
  for (int tries = 0; tries < 2; tries++) {
    if (!connect_log())
      return FALSE;
    if (wait_us > 0 && setsockopt(log_fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0)
      return FALSE;
    if (send(log_fd, line->str, line->len, flags) >= 0)
      return TRUE;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR)
      return FALSE;
    drop_connection();
  }
  return FALSE;
}

/* As try_send, but gives a busy daemon a moment while there is patience left. */
static gboolean
send_patiently(const GString *line)
{
  if (try_send(line, 0))
    return TRUE;
  gint64 begin_us = g_get_monotonic_time(), now_us = begin_us;
  patience_us = MIN(patience_us + (begin_us - refilled_us) / SYSLOG_WAIT_SHARE,
                    SYSLOG_WAIT_MS * G_TIME_SPAN_MILLISECOND);
  gint64 until_us = begin_us + patience_us;
  gboolean sent = FALSE;
  while (!sent && log_fd >= 0 && now_us < until_us) {
    sent = try_send(line, until_us - now_us);
    now_us = g_get_monotonic_time();
  }
  patience_us -= now_us - begin_us;
  refilled_us = now_us;
  return sent;
}

/* ---- Lines ---- */

static void
append_head(GString *line, int priority, const char *msgid, const char *structured)
{
  g_autoptr(GDateTime) now = g_date_time_new_now_local();
  g_string_append_printf(line, "<%d>", LOG_MAIL | priority);
  if (log_form == SYSLOG_5424) {
    g_autoptr(GDateTime) utc = g_date_time_to_utc(now);
    g_autofree char *second = g_date_time_format(utc, "%Y-%m-%dT%H:%M:%S");
    g_string_append_printf(line, "1 %s.%06dZ %s %s %d %s %s ", second,
                           g_date_time_get_microsecond(utc), host, log_name, (int) getpid(),
                           msgid != NULL ? msgid : "-",
                           structured != NULL ? structured : "-");
    return;
  }
  static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  g_string_append_printf(
      line, "%s %2d %02d:%02d:%02d %s[%d]: ", months[g_date_time_get_month(now) - 1],
      g_date_time_get_day_of_month(now), g_date_time_get_hour(now),
      g_date_time_get_minute(now), g_date_time_get_second(now), log_name, (int) getpid());
}

static void
say_lost(void)
{
  g_autoptr(GString) line = g_string_sized_new(LOST_BYTES);
  append_head(line, LOST_PRIORITY, NULL, NULL);
  g_string_append_printf(line, "%u lines were lost: the system's log did not take them",
                         lost);
  if (try_send(line, 0))
    lost = 0;
}

void
syslog_send(int priority, const char *msgid, const char *structured, const char *text)
{
  g_autoptr(GString) line = g_string_new(NULL);
  append_head(line, priority, msgid, structured);
  g_string_append(line, text);
  g_mutex_lock(&lock);
  if (!send_patiently(line))
    lost++;
  else if (lost > 0)
    say_lost();
  g_mutex_unlock(&lock);
}
