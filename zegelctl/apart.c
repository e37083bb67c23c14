#include "zegelctl/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/child.h"
#include "common/base/daemon.h"
#include "common/base/unix.h"

#define READ_BYTES 4096

/* What was said: state, what and cure, one after the other. */
struct Apart {
  Attrs *said;
};

/* ---- In the other process ---- */

void
apart_say(Apart *apart, DoctorState state, const char *cure, const char *what, ...)
{
  va_list args;
  va_start(args, what);
  g_autofree char *text = g_strdup_vprintf(what, args);
  va_end(args);
  attrs_add_uint(apart->said, "state", state);
  attrs_add(apart->said, "what", text);
  attrs_add(apart->said, "cure", cure != NULL ? cure : "");
}

static gboolean
write_all(int fd, const char *text, gsize len)
{
  while (len > 0) {
    gssize written = write(fd, text, len);
    if (written < 0 && errno != EINTR)
      return FALSE;
    text += written > 0 ? written : 0;
    len -= written > 0 ? (gsize) written : 0;
  }
  return TRUE;
}

static void
look_as(const DoctorSubject *subject, const char *user, ApartLook look, gpointer data,
        int out) G_GNUC_NORETURN;

static void
look_as(const DoctorSubject *subject, const char *user, ApartLook look, gpointer data,
        int out)
{
  g_autoptr(GError) error = NULL;
  Apart apart = {.said = attrs_new()};
  signal(SIGPIPE, SIG_IGN);
  if (daemon_become(user, &error))
    look(subject, data, &apart);
  else
    apart_say(&apart, DOCTOR_UNKNOWN, NULL, "%s", error->message);
  g_autofree char *text = attrs_format(apart.said, ATTR_ESCAPED);
  _exit(write_all(out, text, strlen(text)) ? 0 : 1);
}

/* ---- Here ---- */

/* All that comes from FD until its end. FALSE when that does not come in time. */
static gboolean
read_all(int fd, GString *text, gint64 deadline_us)
{
  char buffer[READ_BYTES];
  while (unix_wait(fd, POLLIN, deadline_us)) {
    gssize got = read(fd, buffer, sizeof buffer);
    if (got == 0)
      return TRUE;
    if ((got < 0 && errno != EINTR) || text->len > ATTR_BLOCK_MAX_BYTES)
      return FALSE;
    g_string_append_len(text, buffer, MAX(got, 0));
  }
  return FALSE;
}

/* Whether process PID, which is no more after this, ended by itself and well. */
static gboolean
end_child(pid_t pid)
{
  int status = 0;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      return FALSE;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Tells REPORT what SAID has; whether DOCTOR_GOOD was in it. */
static gboolean
pass_on(const Attrs *said, DoctorReport *report)
{
  gboolean good = FALSE;
  const char *name = NULL, *state = NULL, *what = NULL, *cure = NULL;
  for (guint i = 0; i + 2 < attrs_count(said); i += 3) {
    guint64 number = DOCTOR_UNKNOWN;
    attrs_nth(said, i, &name, &state);
    attrs_nth(said, i + 1, &name, &what);
    attrs_nth(said, i + 2, &name, &cure);
    g_ascii_string_to_unsigned(state, 10, DOCTOR_GOOD, DOCTOR_UNKNOWN, &number, NULL);
    good = good || number == DOCTOR_GOOD;
    if (number != DOCTOR_GOOD)
      doctor_say(report, (DoctorState) number, *cure != '\0' ? cure : NULL, "%s", what);
  }
  return good;
}

gboolean
apart_run(const DoctorSubject *subject, DoctorReport *report, const char *user,
          guint seconds, ApartLook look, gpointer data)
{
  int pipe_fds[2];
  g_autoptr(GString) text = g_string_new(NULL);
  pid_t pid = pipe2(pipe_fds, O_CLOEXEC) == 0 ? fork() : -1;
  if (pid < 0) {
    doctor_say(report, DOCTOR_UNKNOWN, NULL, "no process for it: %s", g_strerror(errno));
    return FALSE;
  }
  if (pid == 0)
    look_as(subject, user, look, data, pipe_fds[1]);
  close(pipe_fds[1]);
  gint64 deadline_us = g_get_monotonic_time() + (gint64) seconds * G_TIME_SPAN_SECOND;
  gboolean in_time = read_all(pipe_fds[0], text, deadline_us);
  close(pipe_fds[0]);
  if (!in_time)
    kill(pid, SIGKILL);
  gboolean ended = end_child(pid);
  g_autoptr(Attrs) said = attrs_parse(text->str, text->len, ATTR_ESCAPED, NULL);
  if (!in_time || !ended || said == NULL) {
    doctor_say(report, DOCTOR_UNKNOWN, NULL, "looking as %s %s", user,
               in_time ? "failed" : "took too long");
    return FALSE;
  }
  return pass_on(said, report);
}
