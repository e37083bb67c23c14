/*
 * setup_plan.h - what zegelctl setup would write into a Postfix, as contrib/postfix/
 * README.postfix has it by hand. Looks and decides; writes nothing.
 */
#pragma once

#include <glib.h>

#include "common/conf/conf.h"
#include "zegelctl/site.h"

/* Where systemd looks for what an administrator says of units. */
#define SETUP_UNITS "/etc/systemd/system/"

/* The ports of our own services, by their place in setup_default_ports. */
typedef enum {
  SETUP_PORT_PLAIN,   /* 10026: ordinary mail on its way back */
  SETUP_PORT_PASS2,   /* 10027: what came out of an expansion */
  SETUP_PORT_EXPAND,  /* 10028: aliases of sensitive mail */
  SETUP_PORT_SUBMIT,  /* 10587: what zegel itself writes */
  SETUP_PORT_VISITOR, /* 10588: what visitors write */
  SETUP_PORTS
} SetupPort;

extern const guint setup_default_ports[SETUP_PORTS];

/* What there is. All borrowed. */
typedef struct {
  const Site *site;          /* as it is without zegel */
  const GPtrArray *services; /* of SiteService: its master.cf */
  const char *directory;     /* where its main.cf really is */
  const char *pieces;        /* our files for Postfix: main.cf.zegel and the others */
  const Config *config;      /* zegel.conf */
  guint ports[SETUP_PORTS];  /* which are free, or ours already */
} SetupView;

/* A parameter of main.cf and its new value. */
typedef struct {
  char *name, *value;
} SetupValue;

/* An option of a service and its new value. */
typedef struct {
  char *service; /* "smtp/inet" */
  char *name, *value;
} SetupOption;

/* A file of ours. */
typedef struct {
  char *path;
  char *text;
  gboolean index; /* by postmap hash: */
} SetupFile;

typedef struct {
  char *names;          /* appended to main.cf before anything uses it */
  char *proxy;          /* proxy_read_maps, at the same time */
  char *lines;          /* the new services: appended to master.cf then too */
  GPtrArray *values;    /* of SetupValue: the switch, main.cf */
  GPtrArray *options;   /* of SetupOption: the switch, master.cf */
  GPtrArray *files;     /* of SetupFile: beside main.cf */
  GPtrArray *units;     /* of SetupFile: what systemd reads, before the programs start */
  GPtrArray *notes;     /* of char *: what an administrator must know or do */
  GPtrArray *obstacles; /* of char *: what must be solved first */
} SetupPlan;

/* What is to be done with the Postfix of VIEW; NULL with an error when it cannot be read.
 */
SetupPlan *
setup_plan_new(const SetupView *view, GError **error);

/* Frees PLAN; NULL is allowed. */
void
setup_plan_free(SetupPlan *plan);

/* The text of main.cf that PLAN makes of BEFORE_MAIN, a new string: with SWITCHED the
 * whole, else only what by itself does nothing. */
char *
setup_plan_main(const SetupPlan *plan, const char *before_main, gboolean switched);

/* The same for master.cf. */
char *
setup_plan_master(const SetupPlan *plan, const char *before_master, gboolean switched);

/* ---- For the files of setup ---- */

/* The value of parameter NAME as it is written; "" and the first ERROR (may be set already)
 * when it cannot be read. A new string. */
char *
setup_raw(const SetupView *view, const char *name, GError **error);

/* The same with every $name replaced. */
char *
setup_expanded(const SetupView *view, const char *name, GError **error);

/* Adds a printf-formatted text to LIST. */
void
setup_add_text(GPtrArray *list, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Adds to PLAN that main.cf gets NAME, joined from PARTS (end with NULL; empty ones count
 * for nothing) with a space. */
void
setup_set(SetupPlan *plan, const char *name, ...) G_GNUC_NULL_TERMINATED;

/* What a service of master.cf is for. */
typedef enum {
  SETUP_ROLE_NONE, /* no smtpd */
  SETUP_ROLE_MX,   /* port 25, or behind postscreen */
  SETUP_ROLE_SUBMISSION,
  SETUP_ROLE_OTHER
} SetupRole;

/* What SERVICE is for, by its port and program. */
SetupRole
setup_role(const SiteService *service);

/* Adds to PLAN the options of the services of VIEW. */
void
setup_plan_services(SetupPlan *plan, const SetupView *view, GError **error);

/* Adds to PLAN what stands in the way, and what must be known. */
void
setup_plan_notes(SetupPlan *plan, const SetupView *view, GError **error);

/* Adds to PLAN the files that go beside main.cf. */
void
setup_plan_files(SetupPlan *plan, const SetupView *view, GError **error);

/* Adds to PLAN what our units need when the sockets of VIEW lie elsewhere than they say. */
void
setup_plan_units(SetupPlan *plan, const SetupView *view);

/* The text of FILE among our pieces; NULL with ZEGEL_ERROR_CONFIG. */
char *
setup_piece(const SetupView *view, const char *file, GError **error);

/* TEXT with each of our ports as it is in VIEW: a new string. */
char *
setup_with_ports(const SetupView *view, const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SetupPlan, setup_plan_free)
