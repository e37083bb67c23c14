#include "zegelctl/reload.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/error.h"
#include "zegelctl/command.h"

/* The process that listens at PATH, 0 when we cannot see it, or -1 with errno. */
static pid_t
find_listener(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct ucred peer = {.pid = 0};
  socklen_t len = sizeof peer;
  errno = ENAMETOOLONG;
  if (g_strlcpy(address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
    return -1;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -1;
  if (connect(fd, (const struct sockaddr *) &address, sizeof address) != 0 ||
      getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
    peer.pid = -1;
  int reason = errno;
  close(fd);
  errno = reason;
  return peer.pid;
}

/* A socket that somebody else made (a service manager) is no reason to signal that. */
static gboolean
is_program(pid_t pid, const char *program)
{
  g_autofree char *path = g_strdup_printf("/proc/%d/comm", (int) pid);
  g_autofree char *name = NULL;
  return g_file_get_contents(path, &name, NULL, NULL) &&
         strcmp(g_strchomp(name), program) == 0;
}

static gboolean
not_told(const char *program, GError **error, const char *reason)
{
  return command_error(error, ZEGEL_ERROR_TEMPORARY,
                       "%s was not told: %s; run \"systemctl reload\" for it, or send it "
                       "SIGHUP",
                       program, reason);
}

gboolean
reload_program(const char *program, const char *path, gboolean *told, GError **error)
{
  pid_t pid = find_listener(path);
  *told = FALSE;
  if (pid < 0 && (errno == ENOENT || errno == ECONNREFUSED))
    return TRUE;
  if (pid < 0) {
    g_autofree char *reason = g_strdup_printf("%s: %s", path, g_strerror(errno));
    return not_told(program, error, reason);
  }
  if (pid < 2 || !is_program(pid, program)) {
    g_autofree char *reason = g_strdup_printf("process %d listens at %s", (int) pid, path);
    return not_told(program, error, reason);
  }
  if (kill(pid, SIGHUP) != 0)
    return not_told(program, error, g_strerror(errno));
  *told = TRUE;
  return TRUE;
}

gboolean
reload_policyd(const char *path, gboolean *told, GError **error)
{
  return reload_program("zegel-policyd", path, told, error);
}

/* ---- zegelctl reload ---- */

/* In this order: who opens what others seal knows a new key before they use it. */
static const struct {
  const char *unit, *program;
  gsize socket; /* in Config */
} daemons[] = {
    {"zegel-auditd", "zegel-auditd", G_STRUCT_OFFSET(Config, audit_socket)},
    {"zegel-policyd", "zegel-policyd", G_STRUCT_OFFSET(Config, policyd_socket)},
    {"zegel-deliver", "zegel-deliver", G_STRUCT_OFFSET(Config, deliver_socket)},
    {"zegel-viewer", "zegel-viewer", G_STRUCT_OFFSET(Config, viewer_socket)},
    {"zegel-milter", "zegel-milter", G_STRUCT_OFFSET(Config, milter_socket)},
    {"zegel-milter-mx", "zegel-milter", G_STRUCT_OFFSET(Config, mx_socket)},
};

static gboolean
is_named(const char *unit, int argc, char **argv)
{
  for (int i = 0; i < argc; i++)
    if (strcmp(argv[i], unit) == 0)
      return TRUE;
  return argc == 0;
}

static gboolean
is_unit(const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS(daemons); i++)
    if (strcmp(daemons[i].unit, name) == 0)
      return TRUE;
  return FALSE;
}

/* Tells daemon I; the exit status. */
static int
tell(const Config *config, guint i)
{
  GError *error = NULL;
  gboolean told = FALSE;
  const char *path = G_STRUCT_MEMBER(const char *, config, daemons[i].socket);
  if (!reload_program(daemons[i].program, path, &told, &error))
    return command_fail(error);
  printf("%s %s\n", daemons[i].unit,
         told ? "was told to read its configuration and keys again." : "is not running.");
  return EX_OK;
}

static int
run_reload(int argc, char **argv)
{
  GError *error = NULL;
  for (int i = 0; i < argc; i++)
    if (!is_unit(argv[i])) {
      fprintf(stderr, "zegelctl: there is no program %s\n", argv[i]);
      return EX_USAGE;
    }
  g_autoptr(Config) config = command_config(&error); /* what is wrong is not tried */
  if (config == NULL)
    return command_fail(error);
  int status = EX_OK;
  for (guint i = 0; i < G_N_ELEMENTS(daemons); i++) {
    int told = is_named(daemons[i].unit, argc, argv) ? tell(config, i) : EX_OK;
    status = MAX(status, told);
  }
  return status;
}

const Command reload_commands[] = {
    {{"reload", NULL},
     0,
     G_N_ELEMENTS(daemons),
     "[PROGRAM...]",
     "Have the programs read the configuration and the keys again",
     NULL,
     run_reload},
    {.words = {NULL}},
};
