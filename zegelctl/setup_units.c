/*
 * setup_units.c - the sockets of a Postfix with another queue directory, for our units.
 */
#include "zegelctl/setup_plan.h"

#define USUAL   "/var/spool/postfix/zegel" /* of contrib/systemd */
#define DROP_IN "zegel-setup.conf"

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
  const char *instance = site_name(view->site);
  g_autofree char *directory = g_path_get_dirname(view->config->policyd_socket);
  g_autofree char *before =
      instance != NULL ? g_strdup_printf("[Unit]\nBefore=postfix@%s.service\n", instance)
                       : g_strdup("");
  if (g_str_equal(directory, USUAL))
    return;
  /* An empty value takes back what the unit says. */
  add_unit(plan, "zegel-policyd.socket", before,
           g_strdup_printf("[Socket]\nListenStream=\nListenStream=%s\nListenStream=%s\n",
                           view->config->policyd_socket, view->config->policy_socket));
  add_unit(plan, "zegel-deliver.socket", before,
           g_strdup_printf("[Socket]\nListenStream=\nListenStream=%s\n",
                           view->config->deliver_socket));
  for (guint i = 0; i < G_N_ELEMENTS(milters); i++)
    add_unit(plan, milters[i], before,
             g_strdup_printf("[Service]\nReadWritePaths=%s\n", directory));
}
