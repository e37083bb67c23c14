#include "milter/service.h"

#include <string.h>

#include "milter/envelope.h"

/*
 * The organisation whose service domain DOMAIN is, or is below; NULL: none. Postfix takes
 * mail for what is below too (parent_domain_matches_subdomains), and it would bounce.
 */
static const Organisation *
find_owner(const Config *config, const char *domain)
{
  while (domain != NULL && conf_organisation_of_domain(config, domain) == NULL) {
    const Organisation *owner = conf_organisation_of_service_domain(config, domain);
    if (owner != NULL)
      return owner;
    const char *dot = strchr(domain, '.');
    domain = dot != NULL ? dot + 1 : NULL;
  }
  return NULL;
}

/* Whom every domain that takes mail must have (RFC 5321 4.5.1): an alias of Postfix leads
 * to him. */
static gboolean
is_postmaster(const char *address)
{
  return g_ascii_strncasecmp(address, "postmaster@", strlen("postmaster@")) == 0;
}

ServiceAddress
service_address(const Config *config, const Organisation *organisation, const KeyRing *ring,
                const char *address)
{
  const char *domain = envelope_domain(address);
  const Organisation *owner = find_owner(config, domain);
  if (owner == NULL)
    return SERVICE_NONE;
  if (is_postmaster(address) && g_ascii_strcasecmp(domain, owner->service_domain) == 0)
    return SERVICE_NONE;
  gboolean below = g_ascii_strcasecmp(domain, owner->service_domain) != 0;
  if (below || (ring == NULL && !control_is_shaped(address)))
    return SERVICE_STRANGE;
  if (ring == NULL)
    return SERVICE_BOUNCE;
  ControlKind kind;
  g_autofree char *reference = NULL;
  if (!control_parse(ring, owner->name, owner->service_domain, address, &kind, &reference))
    return SERVICE_STRANGE;
  if (kind != CONTROL_NUMBER)
    return SERVICE_BOUNCE;
  return owner == organisation ? SERVICE_NUMBER : SERVICE_STRANGE;
}

/* Whether one of the recipients wrote what MESSAGE answers. */
static gboolean
is_conversation(const Message *message, const KeyRing *ring)
{
  for (guint i = 0; i < message->answered->len; i++)
    for (guint r = 0; r < message->unique->len; r++)
      if (conversation_check(ring, message->answered->pdata[i], message->organisation->name,
                             message->unique->pdata[r]))
        return TRUE;
  return FALSE;
}

void
service_look(Message *message, const Config *config, const KeyRing *ring)
{
  g_array_set_size(message->service, 0);
  for (guint i = 0; i < message->unique->len; i++) {
    ServiceAddress found =
        service_address(config, message->organisation, ring, message->unique->pdata[i]);
    g_array_append_val(message->service, found);
  }
  message->facts.service = message->service;
  message->facts.conversation = ring != NULL && is_conversation(message, ring);
}
