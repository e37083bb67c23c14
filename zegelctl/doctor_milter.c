/*
 * doctor_milter.c - what zegelctl doctor looks at between Postfix and zegel's programs: the
 * sockets, and who is asked about which message.
 */
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/network.h"
#include "zegelctl/doctor_look.h"

#define MILTER_PROTOCOL_MIN 6 /* of Postfix's milter_protocol: we change senders */

/* ---- Sockets ---- */

/* Where Postfix finds a program of ours. */
typedef struct {
  const char *parameter; /* of main.cf, or NULL: it is PLACE */
  const char *place;     /* "unix:zegel/deliver.sock"; borrowed */
  const char *listens;   /* where zegel.conf has the program listen; borrowed */
  const char *key;       /* of zegel.conf, for people */
  const char *program;
  const char *client; /* the command in master.cf that connects */
} Door;

#define DOORS 5

/* All doors of VISIT. */
static void
find_doors(const Visit *visit, Door *doors)
{
  const Config *config = visit->subject->config;
  const char *colon = strchr(config->store_transport, ':');
  const Door all[DOORS] = {
      {"zegel_milter", NULL, config->milter_socket, "socket in [milter]", "zegel-milter",
       "smtpd"},
      {"zegel_mx_milter", NULL, config->mx_socket, "mx_socket in [milter]",
       "zegel-milter-mx", "smtpd"},
      {"zegel_submit_milter", NULL, config->milter_socket, "socket in [milter]",
       "zegel-milter", "smtpd"},
      {"zegel_policy", NULL, config->policy_socket, "policy_socket in [policyd]",
       "zegel-policyd", "smtpd"},
      {NULL, colon != NULL ? colon + 1 : "", config->deliver_socket, "socket in [deliver]",
       "zegel-deliver", "lmtp"},
  };
  memcpy(doors, all, sizeof all);
}

static const char *
door_name(const Door *door)
{
  return door->parameter != NULL ? door->parameter : "store_transport";
}

/* The place of DOOR, as Postfix has it: a new string. */
static char *
door_place(const Visit *visit, const Door *door)
{
  if (door->parameter == NULL)
    return g_strdup(door->place);
  g_autofree char *value = look_value(visit, door->parameter);
  g_auto(Peer) peer = {.place = NULL};
  peer_parse(value, &peer);
  return g_steal_pointer(&peer.place);
}

/* Whether a service of DOOR's kind runs with CHROOT. */
static gboolean
has_client(const Visit *visit, const Door *door, gboolean chroot)
{
  for (guint i = 0; i < visit->services->len; i++) {
    const SiteService *service = visit->services->pdata[i];
    if (strcmp(service->command, door->client) == 0 && service->chroot == chroot)
      return TRUE;
  }
  return FALSE;
}

static void
look_at_place(const Visit *visit, const Door *door, const char *place, gboolean chroot)
{
  g_autofree char *path = look_socket_path(visit, place, chroot);
  if (path != NULL && look_same_file(path, door->listens))
    return;
  g_autofree char *right = g_strdup_printf(
      "let both name one place under the queue directory: \"unix:zegel/%s\" "
      "in main.cf, and \"%s/zegel/%s\" as %s of zegel.conf; then \"postfix "
      "reload\", and restart %s",
      strrchr(door->listens, '/') + 1, visit->queue, strrchr(door->listens, '/') + 1,
      door->key, door->program);
  look_say(visit, DOCTOR_WRONG, right, "%s is \"%s\": %s%s opens %s, but %s listens at %s",
           door_name(door), place, door->client,
           chroot ? ", which runs in the chroot of the queue directory," : "",
           path != NULL ? path : "no unix socket", door->program, door->listens);
}

static void
look_at_places(const Visit *visit)
{
  Door doors[DOORS];
  find_doors(visit, doors);
  for (guint i = 0; i < DOORS; i++) {
    g_autofree char *place = door_place(visit, &doors[i]);
    for (int chroot = FALSE; chroot <= TRUE; chroot++)
      if (has_client(visit, &doors[i], chroot))
        look_at_place(visit, &doors[i], place, chroot);
  }
}

static void
check_socket_chroot(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_places);
}

static void
say_unreachable(const Visit *visit, const Door *door, int reason)
{
  g_autofree char *cure = NULL;
  if (reason == ENOENT || reason == ECONNREFUSED || reason == ETIMEDOUT)
    cure = g_strdup_printf("start it: \"systemctl restart %s\"; the mail log says why it "
                           "ended",
                           door->program);
  else
    cure = g_strdup_printf("\"chown root:%s %s/zegel\" and \"chmod 2750 %s/zegel\", then "
                           "restart %s",
                           visit->subject->config->socket_group, visit->queue, visit->queue,
                           door->program);
  look_say(visit, DOCTOR_WRONG, cure, "Postfix's user cannot connect to %s at %s: %s",
           door->program, door->listens,
           reason == ECONNREFUSED ? "nobody listens there any more"
           : reason == ETIMEDOUT  ? "it takes no connections"
                                  : g_strerror(reason));
}

static void
look_at_sockets(const Visit *visit)
{
  Door doors[DOORS];
  find_doors(visit, doors);
  for (guint i = 0; i < DOORS; i++) {
    if (doors[i].parameter != NULL &&
        strcmp(doors[i].parameter, "zegel_submit_milter") == 0)
      continue; /* the same as zegel_milter */
    int reason = look_connect(visit, doors[i].listens);
    if (reason != 0)
      say_unreachable(visit, &doors[i], reason);
  }
}

static void
check_socket_reach(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_sockets);
}

/* The directory of the sockets: who may write there can take their place. */
static void
look_at_directory(const Visit *visit, const char *path, const struct group *group)
{
  struct stat status;
  if (stat(path, &status) != 0)
    return; /* socket-reach says so */
  g_autofree char *cure = g_strdup_printf("\"chown root:%s %s\" and \"chmod 2750 %s\"",
                                          group->gr_name, path, path);
  if (status.st_gid != group->gr_gid)
    look_say(visit, DOCTOR_WRONG, cure, "%s is not of group %s: Postfix cannot go in", path,
             group->gr_name);
  else if ((status.st_mode & S_IWOTH) != 0)
    look_say(visit, DOCTOR_WRONG, cure,
             "everybody may write in %s, and put a socket of his own there", path);
}

static void
look_at_group(const Visit *visit, const Door *door, const struct group *group)
{
  struct stat status;
  if (stat(door->listens, &status) != 0)
    return;
  g_autofree char *cure = g_strdup_printf(
      "let group in [postfix] of zegel.conf be the group of Postfix, and restart %s",
      door->program);
  if (strcmp(door->client, "smtpd") == 0 && g_str_has_prefix(door->program, "zegel-milter"))
    return; /* those belong to Postfix's user, and to nobody else */
  if (status.st_gid != group->gr_gid || (status.st_mode & S_IWGRP) == 0)
    look_say(visit, DOCTOR_WRONG, cure, "%s of %s cannot be used by group %s",
             door->listens, door->program, group->gr_name);
}

static void
look_at_groups(const Visit *visit)
{
  const Config *config = visit->subject->config;
  g_autofree char *directory = g_path_get_dirname(config->milter_socket);
  Door doors[DOORS];
  const struct group *group = getgrnam(config->socket_group);
  if (group == NULL) {
    look_say(visit, DOCTOR_WRONG, "let group in [postfix] of zegel.conf name a group",
             "there is no group %s", config->socket_group);
    return;
  }
  look_at_directory(visit, directory, group);
  find_doors(visit, doors);
  for (guint i = 0; i < DOORS; i++)
    look_at_group(visit, &doors[i], group);
}

static void
check_socket_group(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_groups);
}

/* ---- Milters ---- */

/* Which of our two milters PEER is. */
typedef enum {
  OURS_NOT,
  OURS_KEYS, /* that of submission */
  OURS_MX    /* that of port 25 */
} Ours;

static Ours
which_of_ours(const Visit *visit, const Peer *peer)
{
  const Config *config = visit->subject->config;
  g_autofree char *path = look_socket_path(visit, peer->place, TRUE);
  g_autofree char *outside = look_socket_path(visit, peer->place, FALSE);
  if (path == NULL)
    return OURS_NOT;
  if (look_same_file(path, config->milter_socket) ||
      look_same_file(outside, config->milter_socket))
    return OURS_KEYS;
  if (look_same_file(path, config->mx_socket) || look_same_file(outside, config->mx_socket))
    return OURS_MX;
  return OURS_NOT;
}

/* The first of ours in LIST, a value of smtpd_milters, or OURS_NOT. */
static Ours
find_ours(const Visit *visit, const char *list)
{
  g_auto(GStrv) milters = site_words(list);
  for (char **milter = milters; *milter != NULL; milter++) {
    g_auto(Peer) peer = {.place = NULL};
    peer_parse(*milter, &peer);
    Ours ours = which_of_ours(visit, &peer);
    if (ours != OURS_NOT)
      return ours;
  }
  return OURS_NOT;
}

/* Calls LOOK with each service that mail from elsewhere comes in by. */
static void
for_public(const Visit *visit, void (*look)(const Visit *, const SiteService *))
{
  for (guint i = 0; i < visit->services->len; i++)
    if (look_is_public(visit->services->pdata[i]))
      look(visit, visit->services->pdata[i]);
}

static void
look_if_asked(const Visit *visit, const SiteService *service)
{
  g_autofree char *list = look_service_value(visit, service, "smtpd_milters");
  g_autofree char *off = look_service_value(visit, service, "receive_override_options");
  gboolean submission = look_is_submission(visit, service);
  const char *wanted = submission ? "$zegel_smtpd_milters" : "$zegel_mx_milters";
  Ours ours = find_ours(visit, list);
  g_autofree char *cure =
      g_strdup_printf("\"postconf -P '%s/%s/smtpd_milters=%s'\", then \"postfix reload\"",
                      service->name, service->type, wanted);
  if (strstr(off, "no_milters") != NULL)
    look_say(visit, DOCTOR_WRONG,
             "take no_milters out of receive_override_options, then \"postfix reload\"",
             "receive_override_options of service %s (%s) has no_milters: nobody asks "
             "zegel about what comes in there",
             service->name, service->type);
  else if (ours == OURS_NOT)
    look_say(visit, DOCTOR_WRONG, cure,
             "smtpd_milters of service %s (%s) has no milter of zegel: what comes in there "
             "is ordinary mail",
             service->name, service->type);
  else if (submission && ours == OURS_MX)
    look_say(visit, DOCTOR_WRONG, cure,
             "service %s (%s) asks the milter of port 25, which has no keys: its clients "
             "are told to try again (Z-O4-INSTANCE)",
             service->name, service->type);
  else if (!submission && ours == OURS_KEYS)
    look_say(visit, DOCTOR_WARNING, cure,
             "service %s (%s) meets the internet and asks the milter that has keys",
             service->name, service->type);
}

static void
look_who_is_asked(const Visit *visit)
{
  g_autofree char *list = look_value(visit, "non_smtpd_milters");
  if (find_ours(visit, list) == OURS_NOT)
    look_say(visit, DOCTOR_WRONG,
             "put $zegel_milter first in non_smtpd_milters, then \"postfix reload\"",
             "non_smtpd_milters has no milter of zegel: mail of sendmail(1) is ordinary "
             "mail");
  for_public(visit, look_if_asked);
}

static void
check_milter_asked(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_who_is_asked);
}

/* LIST is a list of milters at WHERE, of which those without an action of their own have
 * ACTION. */
static void
look_at_actions(const Visit *visit, const char *list, const char *action, const char *where)
{
  g_auto(GStrv) milters = site_words(list);
  for (char **milter = milters; *milter != NULL; milter++) {
    g_auto(Peer) peer = {.place = NULL};
    peer_parse(*milter, &peer);
    const char *holds = peer.action != NULL ? peer.action : action;
    if (which_of_ours(visit, &peer) == OURS_NOT || strcmp(holds, "tempfail") == 0)
      continue;
    look_say(visit, strcmp(holds, "accept") == 0 ? DOCTOR_WRONG : DOCTOR_WARNING,
             "write \"{ unix:zegel/milter.sock, default_action=tempfail }\" there "
             "(milter-mx.sock for port 25), then \"postfix reload\"",
             "default_action of %s at %s is %s: %s", peer.place, where, holds,
             strcmp(holds, "accept") == 0
                 ? "while the milter is down, sensitive mail leaves in the clear"
                 : "while the milter is down, mail is refused instead of tried again");
  }
}

/* The lists of milters in the tables of smtpd_milter_maps. */
static void
look_at_map_actions(const Visit *visit, const SiteService *service, const char *action)
{
  g_autofree char *maps = look_service_value(visit, service, "smtpd_milter_maps");
  g_auto(GStrv) tables = site_words(maps);
  for (char **table = tables; *table != NULL; table++) {
    g_auto(GStrv) entries = look_entries(visit, *table);
    for (char **entry = entries; *entry != NULL; entry++)
      look_at_actions(visit, strchr(*entry, ' ') + 1, action, *table);
  }
}

static void
look_at_service_actions(const Visit *visit, const SiteService *service)
{
  g_autofree char *list = look_service_value(visit, service, "smtpd_milters");
  g_autofree char *action = look_service_value(visit, service, "milter_default_action");
  g_autofree char *where = g_strdup_printf("service %s (%s)", service->name, service->type);
  look_at_actions(visit, list, action, where);
  look_at_map_actions(visit, service, action);
}

static void
look_at_all_actions(const Visit *visit)
{
  g_autofree char *list = look_value(visit, "non_smtpd_milters");
  g_autofree char *action = look_value(visit, "milter_default_action");
  look_at_actions(visit, list, action, "non_smtpd_milters");
  for_public(visit, look_at_service_actions);
  for (guint i = 0; i < visit->services->len;
       i++) { /* and our own, but the one that signs */
    const SiteService *service = visit->services->pdata[i];
    const char *log_name = g_hash_table_lookup(service->options, "syslog_name");
    if (g_strcmp0(log_name, "postfix/zegel-pass2") == 0 ||
        g_strcmp0(log_name, "postfix/zegel-visitor") == 0)
      look_at_service_actions(visit, service);
  }
}

static void
check_default_action(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_all_actions);
}

/* Who is known to sign what it sees; ports as their packages have them. */
static gboolean
is_signer(const char *place)
{
  static const char *const marks[] = {"dkim", "rspam", "openarc", "amavis"};
  static const char *const ports[] = {":8891", ":12301", ":11332"};
  g_autofree char *lower = g_ascii_strdown(place, -1);
  for (guint i = 0; i < G_N_ELEMENTS(marks); i++)
    if (strstr(lower, marks[i]) != NULL)
      return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS(ports); i++)
    if (g_str_has_prefix(lower, "inet:") && strstr(lower, ports[i]) != NULL)
      return TRUE;
  return FALSE;
}

/* Says who of LIST signs before we change the message. */
static void
look_at_order(const Visit *visit, const char *list, const char *where)
{
  g_auto(GStrv) milters = site_words(list);
  if (find_ours(visit, list) == OURS_NOT)
    return;
  for (char **milter = milters; *milter != NULL; milter++) {
    g_auto(Peer) peer = {.place = NULL};
    peer_parse(*milter, &peer);
    if (which_of_ours(visit, &peer) != OURS_NOT)
      return;
    if (is_signer(peer.place))
      look_say(visit, DOCTOR_WRONG,
               "put zegel's milter first there, then \"postfix reload\"",
               "%s signs at %s before zegel's milter, which then changes what was signed",
               peer.place, where);
  }
}

static void
look_at_service_order(const Visit *visit, const SiteService *service)
{
  g_autofree char *list = look_service_value(visit, service, "smtpd_milters");
  g_autofree char *maps = look_service_value(visit, service, "smtpd_milter_maps");
  g_autofree char *where = g_strdup_printf("service %s (%s)", service->name, service->type);
  g_auto(GStrv) tables = site_words(maps);
  look_at_order(visit, list, where);
  for (char **table = tables; *table != NULL; table++) {
    g_auto(GStrv) entries = look_entries(visit, *table);
    for (char **entry = entries; *entry != NULL; entry++)
      look_at_order(visit, strchr(*entry, ' ') + 1, *table);
  }
}

static void
look_at_orders(const Visit *visit)
{
  g_autofree char *list = look_value(visit, "non_smtpd_milters");
  look_at_order(visit, list, "non_smtpd_milters");
  for_public(visit, look_at_service_order);
}

static void
check_milter_order(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_orders);
}

/* Whether the clients of NETWORK get the milter with keys at SERVICE. */
static void
look_at_network(const Visit *visit, const SiteService *service, const Network *network)
{
  Network first = *network;
  first.prefix = first.bits;
  g_autofree char *address = network_to_string(&first);
  g_autofree char *shown = network_to_string(network);
  g_autofree char *maps = look_service_value(visit, service, "smtpd_milter_maps");
  g_autofree char *answer = NULL;
  g_autofree char *table = look_ask_all(visit, maps, address, TRUE, &answer);
  g_autofree char *list =
      table == NULL ? look_service_value(visit, service, "smtpd_milters") : NULL;
  if (find_ours(visit, table != NULL ? answer : list) == OURS_KEYS)
    return;
  g_autofree char *cure = g_strdup_printf(
      "write \"%s { unix:zegel/milter.sock, default_action=tempfail }\" into "
      "%s/zegel_milter_clients, see to it that smtpd_milter_maps of the service is "
      "$zegel_milter_maps, then \"postfix reload\"",
      shown, site_directory(visit->site));
  look_say(
      visit, DOCTOR_WRONG, cure,
      "%s stands in networks of zegel.conf, but gets no milter with keys at service %s "
      "(%s): its clients are told to try again (Z-O4-INSTANCE)",
      shown, service->name, service->type);
}

static void
look_at_networks(const Visit *visit, const SiteService *service)
{
  const GPtrArray *all = visit->subject->config->organisations;
  if (look_is_submission(visit, service))
    return;
  for (guint i = 0; i < all->len; i++) {
    const Organisation *organisation = all->pdata[i];
    for (guint k = 0; k < organisation->networks->len; k++)
      look_at_network(visit, service, organisation->networks->pdata[k]);
  }
}

static void
look_at_clients(const Visit *visit)
{
  for_public(visit, look_at_networks);
}

static void
check_milter_clients(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_clients);
}

/* MILTER_README, "Limitations": a milter sees no content then. */
static void
look_at_proxy(const Visit *visit, const SiteService *service)
{
  g_autofree char *proxy = look_service_value(visit, service, "smtpd_proxy_filter");
  if (*proxy != '\0')
    look_say(visit, DOCTOR_WRONG,
             "use the filter as a milter, or behind the queue: content_filter instead of "
             "smtpd_proxy_filter",
             "service %s (%s) has smtpd_proxy_filter=%s: there a milter sees no subject, "
             "and cannot change a recipient",
             service->name, service->type, proxy);
}

static void
look_at_proxies(const Visit *visit)
{
  for_public(visit, look_at_proxy);
}

static void
check_proxy_filter(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_proxies);
}

static void
look_at_protocol(const Visit *visit)
{
  g_autofree char *value = look_value(visit, "milter_protocol");
  guint64 number = 0;
  if (g_ascii_string_to_unsigned(value, 10, MILTER_PROTOCOL_MIN, G_MAXUINT8, &number, NULL))
    return;
  look_say(visit, DOCTOR_WRONG, "\"postconf -X milter_protocol\", then \"postfix reload\"",
           "milter_protocol is %s: zegel's milter needs version 6, and takes no mail",
           value);
}

static void
check_protocol(const DoctorSubject *subject, DoctorReport *report)
{
  look_at_each(subject, report, look_at_protocol);
}

const DoctorCheck doctor_milter_checks[] = {
    {"socket-chroot", "Postfix looks for the sockets where they are", check_socket_chroot},
    {"socket-group", "the sockets are for Postfix's group", check_socket_group},
    {"socket-reach", "Postfix's user reaches the programs", check_socket_reach},
    {"milter-asked", "a milter is asked about every message", check_milter_asked},
    {"milter-action", "nothing passes while a milter is down", check_default_action},
    {"milter-order", "nobody signs before zegel's milter", check_milter_order},
    {"milter-clients", "known clients of port 25 get the milter with keys",
     check_milter_clients},
    {"milter-proxy-filter", "the milters see whole messages", check_proxy_filter},
    {"milter-protocol", "Postfix speaks the milters' protocol", check_protocol},
    {.id = NULL},
};
