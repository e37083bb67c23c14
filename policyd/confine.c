#include "policyd/confine.h"

#include <netinet/in.h>

#include "common/sandbox/sandbox.h"
#include "policyd/dns_server.h"

static gboolean
find_port(const char *resolver, guint16 *port, GError **error)
{
  DnsServer server;
  if (!dns_server_parse(resolver, &server, error))
    return FALSE;
  const struct sockaddr *address = (const struct sockaddr *) &server.address;
  *port = address->sa_family == AF_INET6
              ? ntohs(((const struct sockaddr_in6 *) address)->sin6_port)
              : ntohs(((const struct sockaddr_in *) address)->sin_port);
  return TRUE;
}

gboolean
confine(const Config *config, const char *config_path, GError **error)
{
  const char *const reads[] = {
      config_path,          config->domain_book, config->dkim_directory,
      config->trust_anchor, config->phone_key,   NULL,
  };
  const char *const changes[] = {
      config->routes_db,
      config->phone_db,
      config->seen_db,
      NULL,
  };
  const char *const runs[] = {config->spf_program, NULL};
  SandboxDaemon daemon = {
      .duties = SANDBOX_INTERNET | SANDBOX_PROGRAMS,
      .reads = reads,
      .changes = changes,
      .runs = runs,
  };
  return find_port(config->resolver, &daemon.port, error) &&
         sandbox_confine_daemon(&daemon, error);
}
