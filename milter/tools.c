#include "milter/tools.h"

#include "milter/client.h"

static gboolean
load_keys(Tools *tools, GError **error)
{
  const Config *config = tools->config;
  tools->ring = keyring_load(config->milter_ticket_key, KEY_TICKET, error);
  if (tools->ring == NULL)
    return FALSE;
  tools->origin_ring = keyring_load(config->milter_origin_key, KEY_ORIGIN, error);
  tools->keys = dkim_keys_new(config->dkim_keys);
  return tools->origin_ring != NULL;
}

Tools *
tools_new(Config *config, gboolean mx, gboolean with_keys, GError **error)
{
  Tools *tools = g_atomic_rc_box_new0(Tools);
  tools->config = config;
  tools->mx = mx;
  if (!mx)
    tools->inspectors = inspectors_new(config->milter_reader, config->milter_readers);
  if (client_check_rules(config, error) && (!with_keys || load_keys(tools, error)))
    return tools;
  g_atomic_rc_box_release_full(tools, tools_clear);
  return NULL;
}

void
tools_clear(gpointer p)
{
  Tools *tools = p;
  inspectors_free(tools->inspectors);
  dkim_keys_free(tools->keys);
  keyring_free((KeyRing *) tools->origin_ring);
  keyring_free((KeyRing *) tools->ring);
  conf_free((Config *) tools->config);
}
