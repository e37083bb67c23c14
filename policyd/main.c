/*
 * main.c - zegel-policyd: decides the routes of recipients and promises them to Postfix.
 *
 * For zegel-milter, over a unix socket. Never sees message content, and holds no key.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/daemon.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/conf/conf.h"
#include "common/sandbox/sandbox.h"
#include "policyd/answer.h"
#include "policyd/server.h"

static void
must(gboolean done, GError *error)
{
  if (!done)
    daemon_die(error);
}

static Config *
read_config(const char *path)
{
  GError *error = NULL;
  Config *config = conf_load(path, &error);
  must(config != NULL, error);
  return config;
}

/* Under the user that will read it on SIGHUP: what it cannot read must show now. */
static Book *
read_book(const Config *config)
{
  GError *error = NULL;
  Book *book = book_load(config->domain_book, &error);
  must(book != NULL, error);
  return book;
}

static int
open_socket(const Config *config)
{
  GError *error = NULL;
  int listener =
      daemon_listen_unix(config->policyd_socket, 0660, config->socket_group, &error);
  must(listener >= 0, error);
  return listener;
}

static void
make_directory(const Config *config)
{
  GError *error = NULL;
  gboolean made = promises_make_directory(config->routes_db, config->policyd_user,
                                          config->socket_group, &error);
  must(made, error);
}

/* One descriptor for each peer, and some to spare. */
static void
raise_file_limit(void)
{
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= SERVER_MAX_FILES)
    return;
  limit.rlim_cur = MIN(limit.rlim_max, SERVER_MAX_FILES);
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
    log_line(LOG_LEVEL_WARNING, "the limit of open files cannot be raised");
}

static void
drop_rights(const Config *config)
{
  GError *error = NULL;
  must(daemon_become(config->policyd_user, &error), error);
  must(sandbox_harden(&error), error);
  umask(0027);
}

static Promises *
open_promises(const Config *config)
{
  GError *error = NULL;
  Promises *promises = promises_open(config->routes_db, config->socket_group, &error);
  must(promises != NULL, error);
  return promises;
}

static int
catch_signals(void)
{
  GError *error = NULL;
  int signals = server_catch_signals(&error);
  must(signals >= 0, error);
  return signals;
}

static char *
answer(gpointer data, const char *block, gsize len)
{
  return service_answer(data, block, len);
}

static void
reload(gpointer data)
{
  service_reload(data);
}

static void
serve(Service *service, int listener, int signals)
{
  GError *error = NULL;
  const ServerHooks hooks = {.answer = answer, .reload = reload, .data = service};
  must(service_start(service, &error), error);
  daemon_ready();
  must(server_run(listener, signals, &hooks, &error), error);
}

static int
check_only(const Config *config)
{
  g_autoptr(Book) book = read_book(config);
  printf("%s: %u domains\n", config->domain_book, book_count(book));
  return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
  DaemonOptions options;
  daemon_options(&options, &argc, &argv, "Decides and promises the routes of recipients.",
                 NULL);
  log_open("zegel-policyd", options.foreground);
  g_autofree char *config_path = options.config_path;
  Config *config = read_config(config_path);
  if (options.check_only) {
    int status = check_only(config);
    conf_free(config);
    return status;
  }

  make_directory(config);
  int listener = open_socket(config);
  raise_file_limit();
  drop_rights(config);
  int signals = catch_signals();
  Promises *promises = open_promises(config);
  Service *service = service_new(config_path, config, read_book(config), promises);
  serve(service, listener, signals);

  service_free(service);
  promises_close(promises);
  return EXIT_SUCCESS;
}
