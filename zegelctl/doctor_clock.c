/*
 * doctor_clock.c - whether the clock is right: what expires, what is signed and what stands
 * in the audit trail hangs on it.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

#include <gio/gio.h>

#include "common/audit/trail.h"
#include "common/base/unix.h"
#include "common/crypt/crypt.h"
#include "zegelctl/apart.h"
#include "zegelctl/clock.h"
#include "zegelctl/doctor_parts.h"

#define LOOK_S    30
#define ANSWER_MS 5000
#define DNS_PORT  53
#define SLACK_S   60 /* between us and who wrote the last record */
#define CURE                                                                               \
  "see \"timedatectl\" and have the clock set from the network (Debian: \"apt install "    \
  "systemd-timesyncd\", or chrony), then \"systemctl restart 'zegel-*'\""

/* SECONDS for people: a new string. */
static char *
duration(gint64 seconds)
{
  if (seconds >= 2 * 86400)
    return g_strdup_printf("%" G_GINT64_FORMAT " days", seconds / 86400);
  if (seconds >= 2 * 3600)
    return g_strdup_printf("%" G_GINT64_FORMAT " hours", seconds / 3600);
  return g_strdup_printf("%" G_GINT64_FORMAT " seconds", seconds);
}

/* ---- By the trail: time does not go back ---- */

static gboolean
take_time(const TrailRecord *record, gpointer data, GError **error)
{
  (void) error;
  *(gint64 *) data = record->at_us / G_USEC_PER_SEC;
  return TRUE;
}

static void
look_at_trail(const DoctorSubject *subject, gpointer data, Apart *apart)
{
  (void) data;
  static const TrailQuery query = {.newest_first = TRUE, .limit = 1};
  g_autoptr(Trail) trail = trail_open(subject->config->audit_database, NULL, NULL);
  gint64 last_s = 0;
  if (trail == NULL || !trail_each(trail, &query, take_time, &last_s, NULL) || last_s == 0)
    return; /* audit-chain says why */
  apart_say(apart, DOCTOR_GOOD, NULL, "there is a record");
  if (last_s <= subject->now_s + SLACK_S)
    return;
  g_autofree char *ahead = duration(last_s - subject->now_s);
  apart_say(
      apart, DOCTOR_WRONG, CURE,
      "the last record of the audit trail lies %s ahead: the clock is behind, or it was "
      "ahead then",
      ahead);
}

/* ---- By the DNS: signatures have their time ---- */

/* A connected socket to the resolver that the configuration has, or -1. */
static int
connect_resolver(const char *resolver)
{
  g_autoptr(GSocketConnectable) place = g_network_address_parse(resolver, DNS_PORT, NULL);
  if (place == NULL)
    return -1;
  GNetworkAddress *address = G_NETWORK_ADDRESS(place);
  const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM,
                                 .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
  struct addrinfo *found = NULL;
  g_autofree char *port = g_strdup_printf("%u", g_network_address_get_port(address));
  if (getaddrinfo(g_network_address_get_hostname(address), port, &hints, &found) != 0)
    return -1;
  int fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
    close(fd);
    fd = -1;
  }
  freeaddrinfo(found);
  return fd;
}

/* How far the clock is off by the signature that the resolver at FD has. */
static gboolean
ask_resolver(int fd, gint64 now_s, gint64 *off_s)
{
  guint8 question[CLOCK_QUESTION_BYTES], answer[CLOCK_ANSWER_MAX];
  guint16 id = 0;
  gint64 deadline_us = g_get_monotonic_time() + ANSWER_MS * G_TIME_SPAN_MILLISECOND;
  if (!crypt_random(&id, sizeof id, NULL))
    return FALSE;
  clock_question(id, question);
  if (send(fd, question, sizeof question, MSG_NOSIGNAL) != sizeof question ||
      !unix_wait(fd, POLLIN, deadline_us))
    return FALSE;
  gssize len = recv(fd, answer, sizeof answer, 0);
  return len > 0 && clock_answer(id, answer, (gsize) len, now_s, off_s);
}

static void
look_at_signatures(const DoctorSubject *subject, gpointer data, Apart *apart)
{
  (void) data;
  gint64 off_s = 0;
  int fd = connect_resolver(subject->config->resolver);
  gboolean known = fd >= 0 && ask_resolver(fd, subject->now_s, &off_s);
  if (fd >= 0)
    close(fd);
  if (!known)
    return; /* whether the resolver is good is looked at elsewhere */
  apart_say(apart, DOCTOR_GOOD, NULL, "there is a signature");
  if (off_s == 0)
    return;
  g_autofree char *off = duration(ABS(off_s));
  apart_say(apart, DOCTOR_WRONG, CURE,
            "by the signatures of the DNS root the clock is %s by at least %s: nothing in "
            "the DNS can be proven at such a time",
            off_s < 0 ? "behind" : "ahead", off);
}

void
doctor_check_clock(const DoctorSubject *subject, DoctorReport *report)
{
  const Config *config = subject->config;
  gboolean record =
      apart_run(subject, report, config->audit_user, LOOK_S, look_at_trail, NULL);
  gboolean signature =
      apart_run(subject, report, config->policyd_user, LOOK_S, look_at_signatures, NULL);
  if (!record && !signature)
    doctor_say(report, DOCTOR_UNKNOWN, NULL,
               "there is nothing to compare it with: no signature of the DNS, and no audit "
               "trail");
}

/* ---- clock-kept ---- */

/* As systemd-detect-virt(1) finds it. */
static gboolean
is_container(void)
{
  static const char *const marks[] = {"/run/systemd/container", "/.dockerenv",
                                      "/run/.containerenv"};
  g_autofree char *environment = NULL;
  gsize len = 0;
  for (guint i = 0; i < G_N_ELEMENTS(marks); i++)
    if (access(marks[i], F_OK) == 0)
      return TRUE;
  return g_file_get_contents("/proc/1/environ", &environment, &len, NULL) &&
         (g_str_has_prefix(environment, "container=") ||
          memmem(environment, len, "\0container=", strlen("container=") + 1) != NULL);
}

/* The names of all processes. */
static GStrv
running(void)
{
  g_autoptr(GStrvBuilder) names = g_strv_builder_new();
  g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
  const char *pid = NULL;
  while (dir != NULL && (pid = g_dir_read_name(dir)) != NULL) {
    g_autofree char *path = g_build_filename("/proc", pid, "comm", NULL);
    g_autofree char *name = NULL;
    if (g_ascii_isdigit(*pid) && g_file_get_contents(path, &name, NULL, NULL))
      g_strv_builder_add(names, g_strchomp(name));
  }
  return g_strv_builder_end(names);
}

void
doctor_check_clock_kept(const DoctorSubject *subject, DoctorReport *report)
{
  (void) subject;
  struct timex clock = {.modes = 0};
  const char *program = NULL;
  g_auto(GStrv) names = running();
  const ClockFacts facts = {.container = is_container(),
                            .synchronised =
                                adjtimex(&clock) >= 0 && (clock.status & STA_UNSYNC) == 0,
                            .running = (const char *const *) names};
  switch (clock_keeper(&facts, &program)) {
  case CLOCK_KEPT:
    return;
  case CLOCK_HOST:
    doctor_say(report, DOCTOR_ABSENT, NULL, "who runs this container keeps its clock");
    return;
  case CLOCK_WAITING:
    doctor_say(report, DOCTOR_WARNING,
               "see \"timedatectl timesync-status\" or \"chronyc sources\": mostly nothing "
               "lets its questions out (UDP port 123)",
               "%s is to keep the clock, and the kernel says that it is not synchronised",
               program);
    return;
  case CLOCK_ALONE:
    break;
  }
  doctor_say(
      report, DOCTOR_WARNING, CURE,
      "nothing keeps the clock: it will be off by minutes some day, and so will what "
      "the audit trail says");
}
