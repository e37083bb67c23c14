/*
 * zegel-viewer - the recipient's web pages, as FastCGI server or CGI program.
 *
 * It holds the store key, so it never parses a message: zegel-reader does, and gives bytes
 * back. It must never change anything on GET, say anything to one organisation's host about
 * another's messages, or write what it decrypted to a file or a log.
 */
#include <signal.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/daemon.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/signals.h"
#include "common/base/statistics.h"
#include "common/conf/fixed.h"
#include "common/sandbox/sandbox.h"
#include "common/store/outbox.h"
#include "common/submit/submit.h"
#include "viewer-cgi/confine.h"
#include "viewer-cgi/fastcgi.h"
#include "viewer-cgi/serve.h"
#include "viewer-cgi/text.h"
#include "viewer-cgi/token.h"
#include "viewer-cgi/workers.h"

#define SOCKET_MODE     0660
#define WITHOUT_STORE_S 5

typedef struct {
  const char *config_path;
  Config *config;
  KeyRing *keys;
  KeyRing *origin_keys;
  Logos *logos;
  int listen_fd; /* -1 for CGI */
  int signals;   /* of signals_catch; the same */
  Viewer viewer;
} Program;

/* For what a worker opens itself: SQLite connections do not survive a fork. */
static gboolean
open_store(Program *program, GError **error)
{
  const Config *config = program->config;
  program->viewer.config = config;
  program->viewer.token_key = token_key(program->keys, error);
  if (program->viewer.token_key == NULL)
    return FALSE;
  program->viewer.store =
      store_open(config->store_database, config->store_directory, program->keys, error);
  if (program->viewer.store == NULL)
    return FALSE;
  event_set_sink(store_record_sink, program->viewer.store);
  return TRUE;
}

static void
close_store(Program *program)
{
  event_set_sink(NULL, NULL);
  store_close(program->viewer.store);
  secret_free((Secret *) program->viewer.token_key);
}

static int
run_worker(gpointer data, int life_fd)
{
  Program *program = data;
  GError *error = NULL;
  gboolean opened = open_store(program, &error);
  if (!opened) {
    /* Visitors are told so; soon this worker ends, and the next one tries again. */
    log_line(LOG_LEVEL_ALARM, "the store cannot be opened: %s", error->message);
    g_clear_error(&error);
  }
  if (!fastcgi_serve(&program->viewer, program->listen_fd, life_fd,
                     opened ? 0 : WITHOUT_STORE_S, &error))
    daemon_die(error);
  close_store(program);
  return opened ? EX_OK : EX_TEMPFAIL;
}

static gsize
read_stdin(gpointer data, gpointer buffer, gsize len)
{
  (void) data;
  gssize n = read(STDIN_FILENO, buffer, len);
  return n > 0 ? (gsize) n : 0;
}

static gboolean
write_stdout(gpointer data, gconstpointer bytes, gsize len)
{
  (void) data;
  alarm(SERVE_DEADLINE_S); /* from each piece to the next */
  for (const char *p = bytes; len > 0;) {
    gssize n = write(STDOUT_FILENO, p, len);
    if (n <= 0)
      return FALSE;
    p += n;
    len -= (gsize) n;
  }
  return TRUE;
}

static int
run_cgi(Program *program)
{
  const Transport transport = {.read = read_stdin, .write = write_stdout};
  g_autoptr(GError) error = NULL;
  alarm(SERVE_DEADLINE_S);
  if (!open_store(program, &error))
    log_line(LOG_LEVEL_ALARM, "the store cannot be opened: %s", error->message);
  ServeResult result = serve_exchange(&program->viewer, environ, &transport);
  close_store(program);
  return result == SERVE_COMPLETE ? EX_OK : EX_IOERR;
}

/* RFC 3875 4.1.4: set for every CGI program, and for nothing else. */
static gboolean
is_cgi(void)
{
  return g_getenv("GATEWAY_INTERFACE") != NULL;
}

/* ---- What counts, at the start and after SIGHUP ---- */

static gboolean
load_config(Program *program, GError **error)
{
  program->config = conf_load(program->config_path, error);
  if (program->config == NULL)
    return FALSE;
  program->logos = logos_load(program->config, error);
  program->viewer.logos = program->logos;
  return program->logos != NULL;
}

/* As the user that owns them: root could read a key file that is somebody else's. */
static gboolean
load_keys(Program *program, GError **error)
{
  const Config *config = program->config;
  program->keys = keyring_load(config->viewer_store_key, KEY_STORE, error);
  if (program->keys == NULL)
    return FALSE;
  program->origin_keys = keyring_load(config->viewer_origin_key, KEY_ORIGIN, error);
  program->viewer.origin_keys = program->origin_keys;
  program->viewer.store_keys = program->keys;
  return program->origin_keys != NULL;
}

/* Half of the workers may wait for who sends files on a slow line; the rest serve pages. */
static gboolean
open_slots(Program *program, GError **error)
{
  program->viewer.upload_slots =
      slots_new(MAX(program->config->viewer_workers / 2, 1), error);
  return program->viewer.upload_slots != NULL;
}

static void
release(Program *program)
{
  slots_free(program->viewer.upload_slots);
  keyring_free(program->origin_keys);
  keyring_free(program->keys);
  logos_free(program->logos);
  conf_free(program->config);
}

/* Whether the store opens with the keys, or why it does not for now: workers try again. */
static gboolean
keys_fit(const Program *program, GError **error)
{
  const Config *config = program->config;
  GError *problem = NULL;
  Store *store =
      store_open(config->store_database, config->store_directory, program->keys, &problem);
  store_close(store);
  if (store != NULL || !g_error_matches(problem, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG)) {
    g_clear_error(&problem);
    return TRUE;
  }
  g_propagate_error(error, problem);
  return FALSE;
}

/* In the master: workers have the copy with which they were started. */
static gboolean
reload(gpointer data, guint *count, GError **error)
{
  static const ConfFixed fixed[] = {
      CONF_FIXED(viewer_socket, "[viewer] socket"),
      CONF_FIXED(viewer_user, "[viewer] user"),
      CONF_FIXED(viewer_group, "[viewer] group"),
  };
  Program *program = data;
  Program fresh = {.config_path = program->config_path,
                   .listen_fd = program->listen_fd,
                   .signals = program->signals};
  if (!load_config(&fresh, error) || !confine(fresh.config, fresh.config_path, error) ||
      !load_keys(&fresh, error) || !keys_fit(&fresh, error) || !open_slots(&fresh, error)) {
    release(&fresh);
    return FALSE;
  }
  conf_fixed_warn(program->config, fresh.config, fixed, G_N_ELEMENTS(fixed));
  log_shape(fresh.config->log_format, fresh.config->log_addresses);
  conf_show(fresh.config);
  release(program);
  *program = fresh;
  *count = program->config->viewer_workers;
  return TRUE;
}

/* ---- Steps of main ---- */

static void
give_up_rights(Program *program)
{
  GError *error = NULL;
  const struct sigaction ignore = {.sa_handler = SIG_IGN};
  umask(0007); /* the store is shared with zegel-deliver, by group */
  sigaction(SIGPIPE, &ignore, NULL);
  /* A CGI program loads it when it has a mail to send, which is seldom. */
  if ((!is_cgi() && !submit_init(&error)) ||
      !daemon_become(program->config->viewer_user, &error) || !load_keys(program, &error) ||
      !sandbox_harden(&error))
    daemon_die(error);
}

static void
open_socket(Program *program)
{
  GError *error = NULL;
  const Config *config = program->config;
  if (is_cgi())
    program->listen_fd = -1;
  else if (fastcgi_is_inherited())
    program->listen_fd = STDIN_FILENO;
  else
    program->listen_fd = daemon_listen_unix(config->viewer_socket, SOCKET_MODE,
                                            config->viewer_group, &error);
  if (error != NULL)
    daemon_die(error);
}

/* What a daemon needs and a CGI program does not, before anybody can find us by the socket.
 */
static void
prepare_daemon(Program *program)
{
  GError *error = NULL;
  if (is_cgi())
    return;
  statistics_open();
  program->signals = signals_catch(&error);
  daemon_must(program->signals >= 0, &error);
}

static void
serve(Program *program)
{
  GError *error = NULL;
  const WorkersUse use = {
      .count = program->config->viewer_workers,
      .worker = run_worker,
      .data = program,
      .ready = daemon_ready,
      .reload = reload,
      .signals = program->signals,
  };
  if (!open_slots(program, &error) ||
      !confine(program->config, program->config_path, &error) || !workers_run(&use, &error))
    daemon_die(error);
}

int
main(int argc, char **argv)
{
  DaemonOptions options;
  daemon_options(&options, &argc, &argv, "Secure mail in a browser", NULL);
  log_open("zegel-viewer", options.foreground && !is_cgi());
  g_autofree char *config_path = options.config_path;
  Program program = {.config_path = config_path, .listen_fd = -1, .signals = -1};
  GError *error = NULL;
  daemon_must(load_config(&program, &error), &error);
  log_shape(program.config->log_format, program.config->log_addresses);
  conf_show(program.config);
  int status = EX_OK;
  if (!options.check_only) {
    prepare_daemon(&program);
    open_socket(&program);
    give_up_rights(&program);
    text_init(ZEGEL_LOCALEDIR);
    if (is_cgi())
      status = run_cgi(&program);
    else
      serve(&program);
  }
  release(&program);
  return status;
}
