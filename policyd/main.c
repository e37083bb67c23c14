/*
 * main.c - zegel-policyd: decides the routes of recipients and promises them to Postfix.
 *
 * For zegel-milter and for Postfix's smtpd, over unix sockets. Also keeps the phone book.
 * Never sees message content, and holds no key but that of the phone book.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/audit/client.h"
#include "common/base/daemon.h"
#include "common/base/log.h"
#include "common/base/signals.h"
#include "common/base/statistics.h"
#include "common/book/book.h"
#include "common/conf/fixed.h"
#include "policyd/answer.h"
#include "policyd/confine.h"
#include "policyd/delegation.h"
#include "policyd/keeper.h"
#include "common/base/loop.h"
#include "policyd/phone_ask.h"
#include "policyd/preview.h"
#include "policyd/refresh.h"
#include "policyd/server.h"

/* Who asks. */
typedef enum {
  SOCKET_ASK,     /* the milter, zegelctl */
  SOCKET_POLICY,  /* smtpd */
  SOCKET_PHONE,   /* deliver, the viewer, zegelctl; may be missing */
  SOCKET_PREVIEW, /* mail clients; may be missing */
  SOCKETS
} Socket;

/* The service knows a peer of that last socket by his number and this: each socket has
 * numbers of its own. */
#define OF_PREVIEW (G_GUINT64_CONSTANT(1) << 63)

/* A user of zegel.conf, and what he may ask the phone book. */
typedef struct {
  uid_t id;
  PhoneRights rights;
} User;

enum {
  USER_MILTER,
  USER_DELIVER,
  USER_VIEWER,
  USERS
};

typedef struct {
  const char *config_path;
  Loop *loop;
  User users[USERS];
  PhoneBook *phones;
  Dns *dns;
  Spf *spf;
  Promises *promises;
  Keeper *keeper;
  Clients *clients;
  Service *service;
  Previews *previews;
  RefreshBasis basis; /* what counts now; the service's */
  Refresh *refresh;
  int listeners[SOCKETS];
  Server *servers[SOCKETS];
  guint draining; /* servers that are not done yet */
  int signals;
} Policyd;

static Config *
read_config(const char *path)
{
  GError *error = NULL;
  Config *config = conf_load(path, &error);
  daemon_must(config != NULL, &error);
  return config;
}

/* Under the user that will read it on SIGHUP: what it cannot read must show now. */
static Book *
read_book(const Config *config)
{
  GError *error = NULL;
  Book *book = book_load(config->domain_book, &error);
  daemon_must(book != NULL, &error);
  return book;
}

static int
open_socket(const char *path, const Config *config)
{
  GError *error = NULL;
  int listener = daemon_listen_unix(path, 0660, config->socket_group, &error);
  daemon_must(listener >= 0, &error);
  return listener;
}

static void
make_directory(const Config *config)
{
  GError *error = NULL;
  gboolean made = promises_make_directory(config->routes_db, config->policyd_user,
                                          config->socket_group, &error);
  daemon_must(made, &error);
  made = daemon_make_directory(config->phone_db, config->policyd_user, &error);
  daemon_must(made, &error);
}

/* Nothing hangs on what is kept there. */
static void
make_seen_directory(const Config *config)
{
  g_autoptr(GError) error = NULL;
  if (!daemon_make_directory(config->seen_db, config->policyd_user, &error))
    log_line(LOG_LEVEL_WARNING, "what domains show cannot be kept: %s", error->message);
}

/*
 * In a directory of those who may come. Those who ask for routes must not depend on it, and
 * those who meet visitors must not reach the other sockets.
 */
static int
open_phone_socket(const Config *config)
{
  g_autoptr(GError) error = NULL;
  int listener = daemon_listen_unix(config->phone_socket, 0660, NULL, &error);
  if (listener < 0)
    log_line(LOG_LEVEL_ALARM, "no number can be learned: %s", error->message);
  return listener;
}

/* Mail does not hang on who only wants to know. */
static int
open_preview_socket(const Config *config)
{
  g_autoptr(GError) error = NULL;
  if (*config->preview_group == '\0')
    return -1;
  int listener =
      daemon_listen_unix(config->preview_socket, 0660, config->preview_group, &error);
  if (listener < 0)
    log_line(LOG_LEVEL_ALARM, "nobody can ask what would become of mail: %s",
             error->message);
  return listener;
}

/* Without its key routes go on, and numbers are not to be had (R9). */
static KeyRing *
read_phone_key(const Config *config)
{
  g_autoptr(GError) error = NULL;
  KeyRing *keys = keyring_load(config->phone_key, KEY_PHONE, &error);
  if (keys == NULL)
    log_line(LOG_LEVEL_ALARM,
             "no number can be remembered: %s (zegelctl key generate phone)",
             error->message);
  return keys;
}

static User
find_user(const char *name, PhoneRights rights)
{
  const struct passwd *entry = name != NULL ? getpwnam(name) : NULL;
  return (User){.id = entry != NULL ? entry->pw_uid : (uid_t) -1, .rights = rights};
}

static void
drop_rights(const Config *config, const char *config_path)
{
  GError *error = NULL;
  daemon_must(daemon_become(config->policyd_user, &error), &error);
  daemon_must(confine(config, config_path, &error), &error);
  umask(0027);
}

/* ---- Questions ---- */

static void
take_question(gpointer data, guint64 peer, const char *block, gsize len)
{
  Policyd *policyd = data;
  statistics_count(STATISTIC_MESSAGES);
  service_question(policyd->service, peer, block, len);
}

static void
send_answer(gpointer data, guint64 peer, const char *text)
{
  Policyd *policyd = data;
  if ((peer & OF_PREVIEW) == 0) {
    server_answer(policyd->servers[SOCKET_ASK], peer, text);
    return;
  }
  peer &= ~OF_PREVIEW;
  g_autofree char *answer =
      previews_answer(policyd->previews, service_config(policyd->service), peer, text);
  server_answer(policyd->servers[SOCKET_PREVIEW], peer, answer);
}

static void
take_preview(gpointer data, guint64 peer, const char *block, gsize len)
{
  Policyd *policyd = data;
  statistics_count(STATISTIC_MESSAGES);
  g_autofree char *question = NULL;
  g_autofree char *answer = previews_ask(
      policyd->previews, service_config(policyd->service), peer, block, len, &question);
  if (question != NULL)
    service_question(policyd->service, peer | OF_PREVIEW, question, strlen(question));
  else
    server_answer(policyd->servers[SOCKET_PREVIEW], peer, answer);
}

static void
take_request(gpointer data, guint64 peer, const char *block, gsize len)
{
  Policyd *policyd = data;
  statistics_count(STATISTIC_MESSAGES);
  g_autofree char *text =
      delegation_answer(service_config(policyd->service), policyd->clients, block, len);
  server_answer(policyd->servers[SOCKET_POLICY], peer, text);
}

static PhoneRights
rights_of_user(const Policyd *policyd, uid_t id)
{
  guint rights = PHONE_MAY_NOTHING;
  if (id == 0)
    rights = PHONE_MAY_READ | PHONE_MAY_LEARN | PHONE_MAY_CONFIRM | PHONE_MAY_MANAGE;
  for (guint i = 0; id != (uid_t) -1 && i < USERS; i++)
    if (policyd->users[i].id == id)
      rights |= policyd->users[i].rights;
  return (PhoneRights) rights;
}

static gboolean
add_numbers(gpointer data, guint64 peer, const RouteQuestion *question, GPtrArray *answers,
            GError **error)
{
  const Policyd *policyd = data;
  gboolean may_read = (peer & OF_PREVIEW) != 0; /* where no number leaves us */
  if (!may_read) {
    uid_t user = server_peer_user(policyd->servers[SOCKET_ASK], peer);
    may_read = (rights_of_user(policyd, user) & PHONE_MAY_READ) != 0;
  }
  return !may_read || phone_ask_numbers(policyd->phones, service_config(policyd->service),
                                        question, answers, error);
}

static void
take_phone(gpointer data, guint64 peer, const char *block, gsize len)
{
  Policyd *policyd = data;
  Server *server = policyd->servers[SOCKET_PHONE];
  PhoneRights rights = rights_of_user(policyd, server_peer_user(server, peer));
  statistics_count(STATISTIC_MESSAGES);
  g_autofree char *text =
      phone_ask(policyd->phones, service_config(policyd->service), block, len, rights);
  server_answer(server, peer, text);
}

/* ---- Signals ---- */

static const ConfFixed fixed[] = {
    CONF_FIXED(policyd_socket, "[policyd] socket"),
    CONF_FIXED(policy_socket, "[policyd] policy_socket"),
    CONF_FIXED(phone_socket, "[policyd] phone_socket"),
    CONF_FIXED(preview_socket, "[policyd] preview_socket"),
    CONF_FIXED(preview_group, "[policyd] preview_group"),
    CONF_FIXED(policyd_user, "[policyd] user"),
    CONF_FIXED(milter_user, "[milter] user"),
    CONF_FIXED(deliver_user, "[deliver] user"),
    CONF_FIXED(viewer_user, "[viewer] user"),
    CONF_FIXED(routes_db, "[policyd] routes_db"),
    CONF_FIXED(phone_db, "[policyd] phone_db"),
    CONF_FIXED(seen_db, "[policyd] seen_db"),
    CONF_FIXED(resolver, "[policyd] resolver"),
    CONF_FIXED(trust_anchor, "[policyd] trust_anchor"),
    CONF_FIXED(spf_program, "[policyd] spf"),
    CONF_FIXED(audit_socket, "[audit] socket"),
    CONF_FIXED(socket_group, "[postfix] socket_group"),
};

/* A phone book that has a key does not lose it; one that has none may have it now. */
static gboolean
follow(gpointer data, const Config *config, GError **error)
{
  Policyd *policyd = data;
  if (!confine(config, policyd->config_path, error))
    return FALSE;
  if (phone_book_has_keys(policyd->phones)) {
    KeyRing *keys = keyring_load(config->phone_key, KEY_PHONE, error);
    if (keys == NULL)
      return FALSE;
    phone_book_change_keys(policyd->phones, keys);
  } else {
    phone_book_change_keys(policyd->phones, read_phone_key(config));
  }
  conf_fixed_warn(service_config(policyd->service), config, fixed, G_N_ELEMENTS(fixed));
  log_shape(config->log_format, config->log_addresses);
  conf_show(config);
  return TRUE;
}

static gboolean
reload(gpointer data, GError **error)
{
  Policyd *policyd = data;
  if (!service_reload(policyd->service, error))
    return FALSE;
  policyd->basis.config = service_config(policyd->service);
  policyd->basis.book = service_book(policyd->service);
  return TRUE;
}

static void
on_drained(gpointer data)
{
  Policyd *policyd = data;
  if (--policyd->draining == 0)
    loop_stop(policyd->loop);
}

static void
drain(gpointer data)
{
  Policyd *policyd = data;
  if (policyd->draining > 0)
    return;
  for (guint i = 0; i < SOCKETS; i++)
    policyd->draining += policyd->servers[i] != NULL;
  for (guint i = 0; i < SOCKETS; i++)
    if (policyd->servers[i] != NULL)
      server_drain(policyd->servers[i], on_drained, policyd);
}

static void
on_signal(gpointer data, guint32 events)
{
  static const SignalUse use = {.reload = reload, .stop = drain};
  Policyd *policyd = data;
  (void) events;
  signals_take(policyd->signals, &use, policyd);
}

static int
catch_signals(void)
{
  GError *error = NULL;
  int fd = signals_catch(&error);
  daemon_must(fd >= 0, &error);
  return fd;
}

/* ---- Start and end ---- */

static void
open_resolver(Policyd *policyd, const Config *config)
{
  GError *error = NULL;
  const DnsOptions options = {
      .address = config->resolver,
      .chain = config->dnssec == DNSSEC_RESOLVER_AND_CHAIN,
      .trust_anchor = config->trust_anchor,
  };
  policyd->loop = loop_new(&error);
  daemon_must(policyd->loop != NULL, &error);
  policyd->dns = dns_new(policyd->loop, &options, &error);
  daemon_must(policyd->dns != NULL, &error);
  policyd->spf = spf_new(policyd->loop, policyd->dns, config->spf_program);
}

/* Takes CONFIG. */
static void
make_service(Policyd *policyd, const char *config_path, Config *config)
{
  GError *error = NULL;
  policyd->promises = promises_open(config->routes_db, config->socket_group, &error);
  daemon_must(policyd->promises != NULL, &error);
  policyd->clients = clients_new();
  policyd->previews = previews_new();
  policyd->keeper = keeper_start(config->seen_db);
  const ServiceParts parts = {
      .config_path = config_path,
      .loop = policyd->loop,
      .dns = policyd->dns,
      .spf = policyd->spf,
      .promises = policyd->promises,
      .keeper = policyd->keeper,
      .numbers = add_numbers,
      .clients = policyd->clients,
      .follow = follow,
      .answer = send_answer,
      .data = policyd,
  };
  policyd->service = service_new(&parts, config, read_book(config));
  daemon_must(service_start(policyd->service, &error), &error);
  policyd->basis = (RefreshBasis){service_config(policyd->service),
                                  service_book(policyd->service), policyd->keeper};
  policyd->refresh =
      refresh_new(policyd->loop, policyd->dns, policyd->promises, &policyd->basis);
}

static void
serve(Policyd *policyd)
{
  static const ServerQuestion takers[SOCKETS] = {
      [SOCKET_ASK] = take_question,
      [SOCKET_POLICY] = take_request,
      [SOCKET_PHONE] = take_phone,
      [SOCKET_PREVIEW] = take_preview,
  };
  GError *error = NULL;
  for (guint i = 0; i < SOCKETS; i++) {
    if (policyd->listeners[i] < 0)
      continue;
    policyd->servers[i] =
        server_new(policyd->loop, policyd->listeners[i], takers[i], policyd, &error);
    daemon_must(policyd->servers[i] != NULL, &error);
  }
  LoopWatch *watch =
      loop_watch(policyd->loop, policyd->signals, EPOLLIN, on_signal, policyd, &error);
  daemon_must(watch != NULL, &error);
  daemon_ready();
  daemon_must(loop_run(policyd->loop, &error), &error);
}

/* Each before what it borrows. */
static void
clean_up(Policyd *policyd)
{
  for (guint i = 0; i < SOCKETS; i++)
    server_free(policyd->servers[i]);
  refresh_free(policyd->refresh);
  service_free(policyd->service);
  previews_free(policyd->previews);
  phone_book_free(policyd->phones);
  clients_free(policyd->clients);
  promises_close(policyd->promises);
  spf_free(policyd->spf);
  dns_free(policyd->dns);
  loop_free(policyd->loop);
  keeper_stop(policyd->keeper);
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

  log_shape(config->log_format, config->log_addresses);
  conf_show(config);
  statistics_open();
  Policyd policyd = {0};
  policyd.signals = catch_signals(); /* before anybody can find us by a socket */
  make_directory(config);
  make_seen_directory(config);
  policyd.listeners[SOCKET_ASK] = open_socket(config->policyd_socket, config);
  policyd.listeners[SOCKET_POLICY] = open_socket(config->policy_socket, config);
  policyd.listeners[SOCKET_PHONE] = open_phone_socket(config);
  policyd.listeners[SOCKET_PREVIEW] = open_preview_socket(config);
  daemon_need_files(SERVER_MAX_FILES);
  policyd.phones = phone_book_new(config->phone_db, read_phone_key(config));
  policyd.users[USER_MILTER] = find_user(config->milter_user, PHONE_MAY_READ);
  policyd.users[USER_DELIVER] = find_user(config->deliver_user, PHONE_MAY_LEARN);
  policyd.users[USER_VIEWER] = find_user(config->viewer_user, PHONE_MAY_CONFIRM);
  drop_rights(config, config_path);
  policyd.config_path = config_path;
  AuditClient *audit = audit_client_start(config->audit_socket);
  open_resolver(&policyd, config);
  make_service(&policyd, config_path, config);
  serve(&policyd);
  clean_up(&policyd);
  audit_client_stop(audit, AUDIT_STOP_MS);
  return EXIT_SUCCESS;
}
