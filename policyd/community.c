#include "policyd/community.h"

#include "common/book/client_rule.h"

/* What is known of who brings QUESTION; borrowed from it and from CLIENTS. */
static ClientFacts
facts_of(const RouteQuestion *question, Clients *clients)
{
  ClientFacts facts = {.login = question->client_login,
                       .address = question->client_address};
  const ClientCertificate *certificate = NULL;
  if (clients != NULL && question->client_address != NULL)
    certificate = clients_find(clients, question->client_address, question->client_port,
                               g_get_monotonic_time());
  if (certificate != NULL) {
    facts.fingerprint = certificate->fingerprint;
    facts.subject = certificate->subject;
    facts.issuer = certificate->issuer;
  }
  return facts;
}

gboolean
community_brings(const BookEntry *entry, ClientDemand demand, const RouteQuestion *question,
                 Clients *clients)
{
  if (demand == CLIENT_ANY)
    return TRUE;
  ClientFacts facts = facts_of(question, clients);
  for (char **rule = entry->clients; *rule != NULL; rule++)
    if ((demand == CLIENT_ADDRESS || !client_rule_is_address(*rule)) &&
        client_rule_matches(*rule, &facts))
      return TRUE;
  return FALSE;
}
