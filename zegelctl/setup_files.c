/*
 * setup_files.c - the files of ours that lie beside main.cf, for this site.
 */
#include <string.h>

#include "common/base/network.h"
#include "zegelctl/setup_plan.h"

#define STORE     "zegel-store:unix:zegel/deliver.sock"
#define MILTER    "{ unix:zegel/milter.sock, default_action=tempfail }"
#define ROUTES_DB "/var/lib/zegel/routes/routes.db" /* in the pieces */

static const struct {
  const char *name;
  gboolean index; /* what is no table of a fixed kind is indexed by postmap */
} files[] = {
    {"zegel-routes.cf", FALSE},
    {"zegel-tls.cf", FALSE},
    {"zegel-seal.cf", FALSE},
    {"zegel_access", TRUE},
    {"zegel_bcc", FALSE},
    {"zegel_bounce.cf", FALSE},
    {"zegel_domains", FALSE},
    {"zegel_generic", FALSE},
    {"zegel_header_checks", FALSE},
    {"zegel_header_keep", FALSE},
    {"zegel_milter_clients", FALSE},
    {"zegel_service", TRUE},
    {"zegel_transport", TRUE},
};

/* The service domains of zegel.conf. */
static void
add_services(const SetupView *view, GString *text)
{
  const GPtrArray *organisations = view->config->organisations;
  for (guint i = 0; i < organisations->len; i++)
    g_string_append_printf(
        text, "%s  " STORE "\n",
        ((const Organisation *) organisations->pdata[i])->service_domain);
}

/* The clients of port 25 that zegel.conf knows by address, with the milters that the site
 * has for it: names of main.cf mean nothing in this file. */
static void
add_clients(const SetupView *view, GString *text, GError **error)
{
  const GPtrArray *organisations = view->config->organisations;
  g_autofree char *milters = setup_expanded(view, "smtpd_milters", error);
  g_auto(GStrv) words = site_words(milters);
  for (guint i = 0; i < organisations->len; i++) {
    const Organisation *organisation = organisations->pdata[i];
    for (guint n = 0; n < organisation->networks->len; n++) {
      g_autofree char *network = network_to_string(organisation->networks->pdata[n]);
      g_string_append_printf(text, "%s  " MILTER, network);
      for (char **word = words; *word != NULL; word++)
        g_string_append_printf(text, ", %s", *word);
      g_string_append_c(text, '\n');
    }
  }
}

static char *
make_text(const SetupView *view, const char *name, GError **error)
{
  g_autofree char *piece = setup_piece(view, name, error);
  if (piece == NULL)
    return NULL;
  g_auto(GStrv) parts = g_strsplit(piece, ROUTES_DB, -1);
  g_autofree char *placed = g_strjoinv(view->config->routes_db, parts);
  g_autofree char *ported = setup_with_ports(view, placed);
  g_autoptr(GString) text = g_string_new(ported);
  if (g_str_equal(name, "zegel_service"))
    add_services(view, text);
  else if (g_str_equal(name, "zegel_milter_clients"))
    add_clients(view, text, error);
  return g_string_free(g_steal_pointer(&text), FALSE);
}

void
setup_plan_files(SetupPlan *plan, const SetupView *view, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
    g_autofree char *text = make_text(view, files[i].name, error);
    if (text == NULL)
      return;
    SetupFile *file = g_new0(SetupFile, 1);
    file->path = g_build_filename(view->directory, files[i].name, NULL);
    file->text = g_steal_pointer(&text);
    file->index = files[i].index;
    g_ptr_array_add(plan->files, file);
  }
}
