/*
 * conf.h - zegel.conf as checked values.
 *
 * The file is read once, by one table (schema.c), before a program drops its rights. What
 * a Config holds is valid: ranges, addresses and names were checked, lists are not NULL.
 * Format and keys: zegel.conf(5).
 */
#pragma once

#include <glib.h>

#include "common/base/log.h"

typedef enum {
  DEFAULT_OBSERVE,    /* change nothing, log what would have happened */
  DEFAULT_ON_REQUEST, /* sensitive only by a trigger or header */
  DEFAULT_SECURE      /* sensitive unless a bypass says otherwise */
} SensitiveDefault;

typedef enum {
  DNSSEC_RESOLVER,          /* the resolver on loopback says what is secure */
  DNSSEC_RESOLVER_AND_CHAIN /* and ldns must come to the same */
} DnssecSource;

typedef enum {
  LONG_SPAN_REFUSE, /* an NTA record of more than three years does not count */
  LONG_SPAN_WARN    /* it counts, and the check says so */
} LongSpan;

/* How the recipient of a viewer message proves who he is, safest first (S6). */
typedef enum {
  METHOD_NUMBER,   /* a code by SMS; without a number the message is refused */
  METHOD_OPTIONAL, /* a code by SMS, or by a separate e-mail when there is no number */
  METHOD_EMAIL,    /* as optional, and no number is looked up or remembered */
  METHOD_NONE      /* no viewer: who is not reached direct is refused */
} CodeMethod;

/* Which messages their sender gets a confirmation of, with the link to their status. */
typedef enum {
  CONFIRM_NEVER,
  CONFIRM_VIEWER, /* those with a recipient in the viewer */
  CONFIRM_ALL     /* every sensitive message that zegel-deliver sees */
} ConfirmWhen;

/* What is done with a message that fails DMARC. */
typedef enum {
  DMARC_ACTION_MARK,       /* only Authentication-Results says so */
  DMARC_ACTION_QUARANTINE, /* into Postfix's hold queue */
  DMARC_ACTION_REJECT
} DmarcAction;

/* How a server must be known for its mail to count as the community's (O4). */
typedef enum {
  CLIENT_CERTIFICATE, /* by certificate or login */
  CLIENT_ADDRESS,     /* by address too */
  CLIENT_ANY          /* by nothing but the domain */
} ClientDemand;

/* A header field that says whether a message is sensitive (S1). */
typedef struct {
  char *name;
  char *value; /* NULL: any */
} HeaderRule;

/* What a rule counts. */
typedef enum {
  FLOW_SENT,     /* recipients of mail that got a route */
  FLOW_VIEWER,   /* those who got a link */
  FLOW_DIRECT,   /* those who were reached direct */
  FLOW_RECEIVED, /* messages that came in */
  FLOW_SECURE,   /* those that came in with the secure mark */
  FLOW_OPENED,   /* visits in which a message was shown */
  FLOW_ANSWERED  /* answers of readers */
} FlowKind;

/* Which holidays are known without being told. */
typedef enum {
  HOLIDAYS_NONE,
  HOLIDAYS_NL
} Holidays;

/* Whether Dutch people are free on 5 May: their contract says. */
typedef enum {
  LIBERATION_DAY_NO,
  LIBERATION_DAY_YES,
  LIBERATION_DAY_LUSTRUM /* in years that can be divided by five */
} LiberationDay;

/* [rule NAME]: what is expected of the flow of mail (M3). */
typedef struct {
  char *name;         /* letters, digits, '-' */
  char *organisation; /* whose mail */
  FlowKind kind;
  char *domain;      /* of the other side, any case; "": any */
  guint fewer_than;  /* messages: an alarm when there are fewer; 0: not asked */
  guint by_minute;   /* of the day, when they are counted; 0: not given */
  GStrv days;        /* "all", "working", "mon" ... "sun" */
  guint viewer_over; /* percent of fall-backs above which is an alarm; 100: not asked */
  guint minimum;     /* recipients of a day, below which a percentage says nothing */
  GStrv mail;        /* who is told; may be empty */
  char *command;     /* path of a program that is told; may be "" */
} Rule;

/* [organisation NAME]: everything belongs to one (O1). */
typedef struct {
  char *name;           /* letters, digits, '-'; in the log and in every key */
  GStrv domains;        /* its mail domains, lower case */
  GStrv logins;         /* SASL logins; "*@domain" and "*" may stand for many */
  GStrv certificates;   /* "sha256:HEX" or "cn:NAME/ISSUER": clients, without a login */
  GPtrArray *networks;  /* of Network: clients that may submit without a login */
  char *service_domain; /* From domain of the mail that zegel sends itself */
  char *viewer_url;     /* https://host[:port]/, ends with '/' */
  char *display_name;   /* as recipients read it */
  char *colour;         /* "#rrggbb" of the page's banner */
  char *language;       /* "nl" or "en", when the reader's browser does not say */
  char *logo;           /* path of a PNG or SVG file for the banner; may be "" */
  char *form_recipient; /* mailbox for what comes by the web form (V11); "": no form */
  char *contact;        /* how to reach the organisation, for the pages; may be "" */
  SensitiveDefault sensitive_default;
  GPtrArray *sensitive_headers; /* of HeaderRule */
  GPtrArray *plain_headers;     /* of HeaderRule */
  GStrv secure_senders;         /* addresses and domains, lower case (S5) */
  GStrv plain_senders;          /* the same */
  GStrv machine_senders;        /* the same: sensitive only by an explicit trigger */
  CodeMethod method;
  gboolean phone_book;      /* numbers are remembered (S8) */
  guint recipients_max;     /* of a sensitive message (S9) */
  guint attachments_max_mb; /* of a sensitive message, decoded (S11) */
  GStrv refused_extensions; /* lower case, without dot (S10) */
  char *secure_subject;     /* put before the subject of secure inward mail; may be "" */
  gboolean prefer_direct;   /* mail that is not sensitive goes direct too (R3) */
  char *nta_declaration;    /* day of the declaration (N2), YYYY-MM-DD; may be "" */
  guint retention_days;     /* how long a viewer message stays (V7) */
  ConfirmWhen confirm;      /* which messages their sender gets a confirmation of (S14) */
  guint tell_days;   /* after which a sender hears that it was never opened; 0: not */
  guint remind_days; /* before its end a reader is reminded (V7); 0: not */
  guint sms_per_day; /* codes a day for the whole organisation (T5) */
  guint sms_per_sender_per_day; /* codes a day for messages of one sender */
} Organisation;

typedef struct {
  /* [milter] */
  char *milter_socket;
  char *milter_user;
  char *milter_ticket_key;
  char *milter_origin_key;
  char *mx_socket; /* of the instance that meets the internet */
  char *mx_user;
  char *dkim_keys;     /* DOMAIN/SELECTOR.key: private */
  char *milter_reader; /* path of zegel-reader */
  guint milter_readers;
  GPtrArray *trusted_relays; /* of Network: their SPF does not count (N5) */
  DmarcAction dmarc_reject;  /* for a domain whose policy is reject */
  DmarcAction dmarc_quarantine;
  char *nta_header_value; /* of X-NTA7516 */
  /* [policyd] */
  char *policyd_socket; /* where the milter asks */
  char *policyd_user;
  char *routes_db;
  char *domain_book;
  char *direct_transport; /* name in master.cf */
  char *store_transport;  /* of zegel-deliver, with its next hop, as transport(5) has it */
  char *prefer_transport; /* like direct_transport, with the ordinary way behind it */
  char *policy_socket;    /* for Postfix's policy delegation */
  char *resolver;         /* ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT, on loopback */
  DnssecSource dnssec;
  char *trust_anchor; /* of the root, for DNSSEC_RESOLVER_AND_CHAIN */
  gboolean nta_old_syntax;
  LongSpan nta_long_span;
  char *spf_program;    /* path of zegel-spf */
  char *dkim_directory; /* DOMAIN/SELECTOR.pub */
  char *phone_db;       /* the phone book (S8) */
  char *seen_db;        /* what domains showed, and when */
  char *phone_key;
  char *phone_socket;   /* where deliver and the viewer reach it */
  char *preview_socket; /* where mail clients ask what would become of mail */
  char *preview_group;  /* who may; "": nobody */
  ClientDemand community_client;
  guint recheck_s;    /* how often promised domains are looked at again */
  guint promise_days; /* how long a promise is kept fresh after it was last given */
  /* [store] */
  char *store_database;
  char *store_directory; /* large sealed messages */
  /* [deliver] */
  char *deliver_socket;
  char *deliver_user;
  char *deliver_link_key;
  char *deliver_store_key;
  char *deliver_ticket_key;
  char *deliver_origin_key;
  char *deliver_reader; /* path of zegel-reader */
  char *submit_url;     /* smtp://host:port of zegel-submit */
  guint message_max_bytes;
  /* [viewer] */
  char *viewer_socket;
  char *viewer_user;
  char *viewer_group; /* the web server's group, for the socket */
  char *viewer_store_key;
  char *viewer_origin_key;
  char *viewer_submit_url; /* smtp://host:port where what visitors wrote is taken */
  char *viewer_reader;     /* path of zegel-reader */
  guint viewer_workers;
  /* [sms] */
  char *sms_command;
  GStrv sms_directories; /* that the command may change files in */
  guint sms_timeout_s;
  GStrv sms_countries; /* "+31", … */
  guint sms_per_day;   /* codes a day in total */
  guint sms_per_number_per_day;
  /* [log] */
  LogFormat log_format;
  LogAddresses log_addresses;
  char *mail_log; /* where Postfix's own lines are, for zegelctl */
  /* [audit] */
  char *audit_socket;
  char *audit_user;
  char *audit_key;
  char *audit_database;
  char *audit_roles;        /* who may do what with zegelctl */
  guint audit_checkpoint_s; /* how often a checkpoint is signed, when there is news */
  guint audit_years;        /* how long events are kept (NEN 7513: five at least) */
  GStrv audit_mail;         /* who gets checkpoints and alarms; may be empty */
  /* [calendar] */
  Holidays holidays;
  LiberationDay liberation_day;
  GStrv free_days;    /* YYYY-MM-DD, beside the holidays */
  GStrv working_days; /* YYYY-MM-DD, in spite of everything */
  /* [maintenance] */
  GStrv maintenance_windows; /* as window.h has them; may be empty */
  /* [watch] */
  char *watch_state; /* which alarms were given */
  guint watch_timeout_s;
  /* [postfix] */
  char *socket_user;     /* owner of the sockets of the milters: Postfix connects as it */
  char *socket_group;    /* group of the sockets that Postfix connects to */
  char *hostname;        /* with which our relay greets; may be "" */
  GStrv relay_addresses; /* from which our mail leaves */

  GPtrArray *organisations; /* of Organisation, at least one */
  GPtrArray *rules;         /* of Rule */

  guint64 mark; /* conf_mark of the text that conf_load read; 0: it was not */
} Config;

/*
 * Reads and checks the file at PATH. Returns a Config that the caller frees, or NULL with
 * ZEGEL_ERROR_CONFIG and "PATH:LINE: what is wrong and what would be right". Files that a
 * value names are not opened: the program that needs them does.
 */
Config *
conf_load(const char *path, GError **error);

/* Like conf_load, for LEN bytes at TEXT; NAME stands in messages. For tests and fuzzing. */
Config *
conf_parse(const char *name, const char *text, gsize len, GError **error);

/* What holds where no zegel.conf is: every default, and no organisation. Freed by the
 * caller. */
Config *
conf_defaults(void);

/* Frees CONFIG; NULL is allowed. */
void
conf_free(Config *config);

/* The bits of a mark that say that it is one. */
#define CONF_MARK_SIGN (G_GUINT64_CONSTANT(0x7a67) << 48)
#define CONF_MARK_MASK (G_GUINT64_CONSTANT(0xffff) << 48)

/* A number that stands for the settings in LEN bytes at TEXT, a zegel.conf: texts that
 * differ in remarks, white space or the order of lines have the same one. Any thread. */
guint64
conf_mark(const char *text, gsize len);

/*
 * Shows that this process runs with CONFIG: its mark becomes the count of an eventfd(2) of
 * the process, which root sees in /proc/PID/fdinfo. At the start, and when CONFIG counts
 * after a reload. Nothing hangs on it. One thread.
 */
void
conf_show(const Config *config);

/* The organisation called NAME, owned by CONFIG, or NULL. */
const Organisation *
conf_organisation(const Config *config, const char *name);

/* The organisation that has DOMAIN (any case) among its mail domains, or NULL. */
const Organisation *
conf_organisation_of_domain(const Config *config, const char *domain);

/* The organisation whose service domain is DOMAIN (any case), or NULL. */
const Organisation *
conf_organisation_of_service_domain(const Config *config, const char *domain);

/* The organisation that sends mail from DOMAIN (any case): the one that has it among its
 * mail domains, or as its service domain; or NULL. */
const Organisation *
conf_organisation_of_author(const Config *config, const char *domain);

/*
 * The organisation of a client (O3): by SASL LOGIN (NULL when there is none), else by the
 * textual IP ADDRESS (NULL when unknown). NULL when it belongs to none.
 */
const Organisation *
conf_organisation_of_client(const Config *config, const char *login, const char *address);

/* The organisation whose viewer URL has HOST ("name" or "name:port", any case), or NULL. */
const Organisation *
conf_organisation_of_host(const Config *config, const char *host);

/* Whether ORGANISATION has DOMAIN (any case) among its mail domains. */
gboolean
conf_has_domain(const Organisation *organisation, const char *domain);

/* Whether ORGANISATION's phone book is asked for numbers and learns them (S6, S8). */
gboolean
conf_remembers_numbers(const Organisation *organisation);

/*
 * Writes every section and key with its default, one "section key default" line each, into
 * a new string: the lint compares it with zegel.conf(5).
 */
char *
conf_schema_text(void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Config, conf_free)
