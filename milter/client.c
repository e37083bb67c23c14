#include "milter/client.h"

#include "common/base/error.h"
#include "common/book/client_rule.h"

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

/* RULE in the form that can be compared, a new string, or NULL with an error: only what is
 * said of a certificate has a meaning here. */
static char *
read_rule(const char *rule, GError **error)
{
  if (!g_str_has_prefix(rule, "sha256:") && !g_str_has_prefix(rule, "cn:")) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG,
                "%s: sha256:HEX or cn:NAME/ISSUER is expected", rule);
    return NULL;
  }
  return client_rule_parse(rule, error);
}

gboolean
client_matches(const Client *client, const char *rule)
{
  const ClientFacts facts = {.fingerprint = client->fingerprint,
                             .subject = client->subject,
                             .issuer = client->issuer};
  g_autofree char *read = read_rule(rule, NULL);
  return read != NULL && client_rule_matches(read, &facts);
}

gboolean
client_check_rules(const Config *config, GError **error)
{
  for (guint i = 0; i < config->organisations->len; i++) {
    const Organisation *organisation = config->organisations->pdata[i];
    for (char **rule = organisation->certificates; *rule != NULL; rule++) {
      g_autofree char *read = read_rule(*rule, error);
      if (read == NULL) {
        g_prefix_error(error, "certificates of organisation %s: ", organisation->name);
        return FALSE;
      }
    }
  }
  return TRUE;
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
