/*
 * doctor_look.h - how the checks of doctor look at a Postfix: its values, its tables, and
 * what its processes can reach.
 *
 * Reads only; what cannot be read is reported as unknown by these functions themselves, and
 * counts as empty. One thread.
 */
#pragma once

#include "zegelctl/doctor.h"

/* One Postfix that is looked at. All borrowed. */
typedef struct {
  const DoctorSubject *subject;
  DoctorReport *report;
  const Site *site;
  const GPtrArray *services; /* of SiteService */
  const char *queue;         /* its queue directory */
} Visit;

/* A milter or policy server as main.cf names it: "{ unix:a/b, default_action=accept }". */
typedef struct {
  char *place;  /* "unix:a/b", "inet:127.0.0.1:8891" */
  char *action; /* its own default_action, or NULL */
} Peer;

/* Calls LOOK with each Postfix of SUBJECT that knows zegel. */
void
look_at_each(const DoctorSubject *subject, DoctorReport *report,
             void (*look)(const Visit *visit));

/*
 * doctor_say for VISIT: where it is not the Postfix of /etc/postfix, WHAT begins with its
 * directory, and the commands in CURE get it too.
 */
void
look_say(const Visit *visit, DoctorState state, const char *cure, const char *what, ...)
    G_GNUC_PRINTF(4, 5);

/* main.cf's parameter NAME with every $name replaced: a new string, never NULL. */
char *
look_value(const Visit *visit, const char *name);

/* What SERVICE has for NAME, as look_value. */
char *
look_service_value(const Visit *visit, const SiteService *service, const char *name);

/* Whether SERVICE is an smtpd that others than this machine can reach, and is not one of
 * zegel's own. */
gboolean
look_is_public(const SiteService *service);

/* Whether SERVICE has "smtpd_sasl_auth_enable" or is a port for submission. */
gboolean
look_is_submission(const Visit *visit, const SiteService *service);

/* ---- Tables ---- */

/* What is in the braces of "NAME:{a, b}" or "{a, b}", else VALUE: a new string. */
char *
look_inner(const char *value);

/* TABLE ("hash:/etc/postfix/x") without "proxy:" before it; borrowed. */
const char *
look_plain_table(const char *table);

/* The last part of the path of TABLE, "zegel-routes.cf"; borrowed. */
const char *
look_table_name(const char *table);

/* Whether TABLE has patterns, which are matched with whole keys only. */
gboolean
look_is_pattern(const char *table);

/*
 * What TABLE answers for KEY: a new string, or NULL: nothing, or it could not be asked.
 * Root asks, without the proxy.
 */
char *
look_ask(const Visit *visit, const char *table, const char *key);

/* The first of the tables in LIST that answers for KEY, a new string, and *ANSWER; NULL:
 * none does. PATTERNS: those too. */
char *
look_ask_all(const Visit *visit, const char *list, const char *key, gboolean patterns,
             char **answer);

/* The entries of TABLE, each in one line "KEY VALUE" with one space: never NULL, empty when
 * they are nowhere to be read. Inside pipemap: and the like those of all tables. */
GStrv
look_entries(const Visit *visit, const char *table);

/* ---- Addresses ---- */

/* Whether mail for ADDRESS stays here: it has no domain, or one of ours or of Postfix's. */
gboolean
look_is_ours(const Visit *visit, const char *address);

/* Whether HOP, a "transport:nexthop" or a next hop, leads to this machine. */
gboolean
look_hop_is_here(const char *hop);

/* Whether PROTOCOLS, as Postfix has them (">=TLSv1.2", "!SSLv3, !TLSv1", "TLSv1.3"), has
 * nothing below TLS 1.2. Pure. */
gboolean
look_protocols_are_good(const char *protocols);

/* ---- Sockets ---- */

/* The milter or policy server in TEXT; cleared with peer_clear. */
void
peer_parse(const char *text, Peer *peer);

/* Frees what PEER holds. */
void
peer_clear(Peer *peer);

/* Where a process of VISIT finds PLACE ("unix:a/b"), in a CHROOT or not: a new path, or
 * NULL: it is no unix socket. */
char *
look_socket_path(const Visit *visit, const char *place, gboolean chroot);

/* Whether two paths are the same file, or would be. */
gboolean
look_same_file(const char *path, const char *other);

/* Connects to the socket at PATH with the rights of Postfix's user: 0 or errno. */
int
look_connect(const Visit *visit, const char *path);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Peer, peer_clear)
