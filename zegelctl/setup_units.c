/*
 * setup_units.c - the sockets of a Postfix with another queue directory, for our units.
 */
#include "zegelctl/setup_plan.h"

#define USUAL       "/var/spool/postfix/zegel" /* of contrib/systemd */
#define USUAL_GROUP "postfix"
#define DROP_IN     "zegel-setup.conf"

/* The unit NAME gets BEFORE and TEXT, which is freed. */
static void
add_unit(SetupPlan *plan, const char *name, const char *before, char *text)
{
  SetupFile *file = g_new0(SetupFile, 1);
  file->path = g_strdup_printf(SETUP_UNITS "%s.d/" DROP_IN, name);
  file->text = g_strconcat("# Written by zegelctl setup.\n", before, text, NULL);
  g_ptr_array_add(plan->units, file);
  g_free(text);
}

void
setup_plan_units(SetupPlan *plan, const SetupView *view)
{
  static const char *const milters[] = {"zegel-milter.service", "zegel-milter-mx.service"};
  const Config *config = view->config;
  const char *instance = site_name(view->site);
  g_autofree char *directory = g_path_get_dirname(config->policyd_socket);
  g_autofree char *before =
      instance != NULL ? g_strdup_printf("[Unit]\nBefore=postfix@%s.service\n", instance)
                       : g_strdup("");
  if (g_str_equal(directory, USUAL) && g_str_equal(config->socket_group, USUAL_GROUP))
    return;
  /* An empty value takes back what the unit says. */
  add_unit(plan, "zegel-policyd.socket", before,
           g_strdup_printf("[Socket]\nListenStream=\nListenStream=%s\nListenStream=%s\n"
                           "SocketGroup=%s\n",
                           config->policyd_socket, config->policy_socket,
                           config->socket_group));
  add_unit(plan, "zegel-deliver.socket", before,
           g_strdup_printf("[Socket]\nListenStream=\nListenStream=%s\nSocketGroup=%s\n",
                           config->deliver_socket, config->socket_group));
  for (guint i = 0; i < G_N_ELEMENTS(milters); i++)
    add_unit(plan, milters[i], before,
             g_strdup_printf("[Service]\nReadWritePaths=\nReadWritePaths=%s\n", directory));
}
