/*
 * doctor_daemon.c - whether the programs run: each is asked something over its own socket;
 * and whether they run with what is installed and configured now.
 */

#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/ask/client_id.h"
#include "common/audit/client.h"
#include "common/base/error.h"
#include "common/base/unix.h"
#include "zegelctl/command.h"
#include "zegelctl/doctor_parts.h"

#define ANSWER_S       5
#define MILTER_VERSION 6
#define COUNT          "eventfd-count:"
#define DELETED        " (deleted)"

typedef gboolean
AskFunc(const char *path, GError **error);

/* ---- The questions ---- */

/* Sends LEN octets at QUESTION to the socket at PATH and reads WANTED octets of what comes
 * into ANSWER; then sends LAST. */
static gboolean
exchange(const char *path, gconstpointer question, gsize len, guint8 *answer, gsize wanted,
         const char *last, gsize last_len, GError **error)
{
  gint64 deadline_us = g_get_monotonic_time() + ANSWER_S * G_TIME_SPAN_SECOND;
  gsize got = 0;
  int fd = unix_connect(path, deadline_us, error);
  if (fd < 0)
    return FALSE;
  gboolean good = len == 0 || send(fd, question, len, MSG_NOSIGNAL) == (gssize) len;
  while (good && got < wanted) {
    gssize n =
        unix_wait(fd, POLLIN, deadline_us) ? recv(fd, answer + got, wanted - got, 0) : 0;
    good = n > 0;
    got += good ? (gsize) n : 0;
  }
  if (good && last_len > 0)
    good = send(fd, last, last_len, MSG_NOSIGNAL) == (gssize) last_len;
  close(fd);
  return good || command_error(error, ZEGEL_ERROR_TEMPORARY,
                               "%s: somebody listens there, and does not answer", path);
}

/* An answer that is none: another program listens there. */
static gboolean
stranger(const char *path, GError **error)
{
  return command_error(error, ZEGEL_ERROR_TEMPORARY,
                       "%s: what answers there is another program", path);
}

/* What nobody is connected as: policyd answers from its memory. */
static gboolean
ask_policyd(const char *path, GError **error)
{
  ClientCertificate *certificate = ask_client(path, "127.0.0.1", 1, error);
  gboolean answered = certificate != NULL;
  client_certificate_free(certificate);
  return answered;
}

static gboolean
ask_auditd(const char *path, GError **error)
{
  g_autoptr(Attrs) request = attrs_new();
  attrs_add(request, "request", "status");
  g_autoptr(Attrs) answer = audit_request(path, request, AUDIT_TIMEOUT_MS, error);
  return answer != NULL;
}

/* SMFIC_OPTNEG, as mfdef.h of libmilter has it, with all that we could do; then QUIT. */
static gboolean
ask_milter(const char *path, GError **error)
{
  static const guint8 negotiate[] = {0, 0, 0,    13,   'O', 0,    0,    0,   MILTER_VERSION,
                                     0, 0, 0x01, 0xff, 0,   0x1f, 0xff, 0xff};
  static const char quit[] = {0, 0, 0, 1, 'Q'};
  guint8 answer[5]; /* its length, and what it is */
  if (!exchange(path, negotiate, sizeof negotiate, answer, sizeof answer, quit, sizeof quit,
                error))
    return FALSE;
  return answer[4] == 'O' || stranger(path, error);
}

static gboolean
ask_deliver(const char *path, GError **error)
{
  static const char quit[] = "QUIT\r\n";
  guint8 answer[3];
  if (!exchange(path, NULL, 0, answer, sizeof answer, quit, strlen(quit), error))
    return FALSE;
  return memcmp(answer, "220", sizeof answer) == 0 || stranger(path, error);
}

/*
 * A request without a host (FastCGI 1.0, 3.3): whatever page comes, somebody serves.
 * libfcgi answers FCGI_GET_VALUES, which is there for this, never.
 */
static gboolean
ask_viewer(const char *path, GError **error)
{
  static const guint8 question[] =
      {
          1,   1,   0,   1,   0,   8,   0,   0,   0,   1,   0,   0,   0,   0,
          0,   0, /* begin */
          1,   4,   0,   1,   0,   19,  0,   0,   14,  3,   'R', 'E', 'Q', 'U',
          'E', 'S', 'T', '_', 'M', 'E', 'T', 'H', 'O', 'D', 'G', 'E', 'T', /* params */
          1,   4,   0,   1,   0,   0,   0,   0,                            /* their end */
          1,   5,   0,   1,   0,   0,   0,   0, /* nothing on standard input */
      };
  guint8 answer[2]; /* version and kind */
  if (!exchange(path, question, sizeof question, answer, sizeof answer, NULL, 0, error))
    return FALSE;
  return (answer[0] == 1 && answer[1] == 6) || stranger(path, error);
}

static const struct {
  const char *program;
  const char *unit;
  gsize socket; /* offset in Config */
  AskFunc *ask;
  const char *without; /* what happens while it does not run */
} daemons[] = {
    {"zegel-auditd", "zegel-auditd", offsetof(Config, audit_socket), ask_auditd,
     "events wait, and nobody may look into the audit trail"},
    {"zegel-policyd", "zegel-policyd", offsetof(Config, policyd_socket), ask_policyd,
     "sensitive mail is told to try again"},
    {"zegel-milter", "zegel-milter", offsetof(Config, milter_socket), ask_milter,
     "all mail that is sent is told to try again"},
    {"zegel-milter --mx", "zegel-milter-mx", offsetof(Config, mx_socket), ask_milter,
     "all mail that comes in is told to try again"},
    {"zegel-deliver", "zegel-deliver", offsetof(Config, deliver_socket), ask_deliver,
     "messages for the viewer wait in Postfix's queue"},
    {"zegel-viewer", "zegel-viewer", offsetof(Config, viewer_socket), ask_viewer,
     "nobody can read his messages"},
};

static const char *
socket_of(const Config *config, guint i)
{
  return *(char *const *) (gconstpointer) ((const char *) config + daemons[i].socket);
}

/* A viewer that the web server starts for each request has no socket (zegel-viewer(8)). */
static gboolean
is_cgi(const DoctorSubject *subject, guint i, DoctorReport *report)
{
  return daemons[i].ask == ask_viewer && access(socket_of(subject->config, i), F_OK) != 0 &&
         doctor_viewer_answers(subject, report);
}

void
doctor_check_running(const DoctorSubject *subject, DoctorReport *report)
{
  for (guint i = 0; i < G_N_ELEMENTS(daemons); i++) {
    g_autoptr(GError) error = NULL;
    g_autofree char *cure =
        g_strdup_printf("run \"systemctl restart %s\"; why it ended stands in the mail log "
                        "and in \"journalctl -u %s\"",
                        daemons[i].unit, daemons[i].unit);
    if (!daemons[i].ask(socket_of(subject->config, i), &error) &&
        !is_cgi(subject, i, report))
      doctor_say(report, DOCTOR_WRONG, cure, "%s does not run (%s): %s", daemons[i].program,
                 error->message, daemons[i].without);
  }
}

/* ---- What they run with ---- */

/* Who listens on the socket at PATH; 0: nobody, or it cannot be seen. */
static pid_t
listener_of(const char *path)
{
  struct ucred peer = {.pid = 0};
  socklen_t len = sizeof peer;
  int fd = unix_connect(path, g_get_monotonic_time() + ANSWER_S * G_TIME_SPAN_SECOND, NULL);
  if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
    peer.pid = 0;
  if (fd >= 0)
    close(fd);
  return peer.pid;
}

/* The mark in TEXT of an fdinfo (proc(5)); 0: it is no eventfd of conf_show. */
static guint64
read_mark(const char *text)
{
  guint64 mark = 0;
  const char *count = strstr(text, COUNT);
  if (count == NULL)
    return 0;
  count += strlen(COUNT);
  count += strspn(count, " \t");
  g_autofree char *digits = g_strndup(count, strcspn(count, " \n"));
  if (!g_ascii_string_to_unsigned(digits, 16, 0, G_MAXUINT64, &mark, NULL))
    return 0;
  return (mark & CONF_MARK_MASK) == CONF_MARK_SIGN ? mark : 0;
}

/* The mark of the zegel.conf with which PID runs (conf_show); 0: it does not show it. */
static guint64
mark_of(pid_t pid)
{
  guint64 mark = 0;
  const char *name = NULL;
  g_autofree char *folder = g_strdup_printf("/proc/%d/fdinfo", (int) pid);
  g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
  while (dir != NULL && mark == 0 && (name = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *text = NULL;
    if (g_file_get_contents(path, &text, NULL, NULL))
      mark = read_mark(text);
  }
  return mark;
}

static void
look_at_process(pid_t pid, guint i, guint64 now, DoctorReport *report)
{
  g_autofree char *restart = g_strdup_printf("systemctl restart %s", daemons[i].unit);
  g_autofree char *path = g_strdup_printf("/proc/%d/exe", (int) pid);
  g_autofree char *program = g_file_read_link(path, NULL);
  guint64 mark = mark_of(pid);
  if (program != NULL && g_str_has_suffix(program, DELETED))
    doctor_say(report, DOCTOR_WARNING, restart,
               "%s was installed anew, and the one of before still runs",
               daemons[i].program);
  else if (mark == 0)
    doctor_say(report, DOCTOR_UNKNOWN, restart,
               "process %d, which has the socket of %s, does not show its zegel.conf",
               (int) pid, daemons[i].program);
  if (mark != 0 && mark != now)
    doctor_say(
        report, DOCTOR_WARNING, restart,
        "%s runs with another zegel.conf than the one that is there: it was not told "
        "of a change, or refused it, which the mail log says",
        daemons[i].program);
}

void
doctor_check_current(const DoctorSubject *subject, DoctorReport *report)
{
  for (guint i = 0; i < G_N_ELEMENTS(daemons); i++) {
    pid_t pid = listener_of(socket_of(subject->config, i));
    if (pid > 0)
      look_at_process(pid, i, subject->config->mark, report);
  }
}
