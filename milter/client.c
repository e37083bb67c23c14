#include "milter/client.h"

#include <string.h>

void
client_clear(Client *client)
{
  g_free(client->address);
  g_free(client->helo);
  g_free(client->login);
  g_free(client->tls_version);
  g_free(client->fingerprint);
  g_free(client->subject);
  g_free(client->issuer);
  g_free(client->daemon);
  *client = (Client){0};
}

gboolean
client_has_tls12(const Client *client)
{
  static const char *const good[] = {"TLSv1.2", "TLSv1.3", NULL};
  return client->tls_version != NULL && g_strv_contains(good, client->tls_version);
}

/* "NAME/ISSUER"; the issuer's name may have a '/', the other not. */
static gboolean
has_names(const Client *client, const char *names)
{
  if (client->subject == NULL || client->issuer == NULL)
    return FALSE;
  const char *slash = strchr(names, '/');
  return slash != NULL && strlen(client->subject) == (gsize) (slash - names) &&
         strncmp(client->subject, names, (gsize) (slash - names)) == 0 &&
         strcmp(client->issuer, slash + 1) == 0;
}

gboolean
client_matches(const Client *client, const char *rule)
{
  static const char digest[] = "sha256:", names[] = "cn:";
  if (g_str_has_prefix(rule, digest))
    return client->fingerprint != NULL &&
           g_ascii_strcasecmp(client->fingerprint, rule + strlen(digest)) == 0;
  return g_str_has_prefix(rule, names) && has_names(client, rule + strlen(names));
}

static const Organisation *
organisation_of_certificate(const Client *client, const Config *config)
{
  for (guint i = 0; i < config->organisations->len; i++) {
    const Organisation *organisation = config->organisations->pdata[i];
    for (char **rule = organisation->certificates; *rule != NULL; rule++)
      if (client_matches(client, *rule))
        return organisation;
  }
  return NULL;
}

const Organisation *
client_organisation(const Client *client, const Config *config)
{
  const Organisation *organisation = organisation_of_certificate(client, config);
  if (organisation != NULL)
    return organisation;
  return conf_organisation_of_client(config, client->login, client->address);
}
