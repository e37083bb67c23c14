#include "common/book/client_rule.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/network.h"

#define FINGERPRINT_DIGITS 64

static const char digest_prefix[] = "sha256:";
static const char names_prefix[] = "cn:";
static const char login_prefix[] = "login:";
static const char address_prefix[] = "ip:";

/* What stands behind PREFIX in TEXT, or NULL when it begins otherwise. */
static const char *
behind(const char *text, const char *prefix)
{
  return g_str_has_prefix(text, prefix) ? text + strlen(prefix) : NULL;
}

static char *
complain(const char *text, const char *expected, GError **error)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "client=%s: %s", text, expected);
  return NULL;
}

/* The name for which the LEN octets at TEXT stand, new; NULL when that is empty or wrong.
 */
static char *
decode_name(const char *text, gsize len)
{
  g_autofree char *name = g_uri_unescape_segment(text, text + len, NULL);
  return name != NULL && *name != '\0' ? g_steal_pointer(&name) : NULL;
}

/* Splits NAMES at its first '/'. FALSE when that does not give two names. */
static gboolean
split_names(const char *names, char **subject, char **issuer)
{
  const char *slash = strchr(names, '/');
  *subject = slash != NULL ? decode_name(names, (gsize) (slash - names)) : NULL;
  *issuer = slash != NULL ? decode_name(slash + 1, strlen(slash + 1)) : NULL;
  return *subject != NULL && *issuer != NULL;
}

static char *
parse_digest(const char *text, const char *digest, GError **error)
{
  g_autoptr(GString) rule = g_string_new(digest_prefix);
  for (const char *p = digest; *p != '\0'; p++)
    if (*p != ':')
      g_string_append_c(rule, g_ascii_tolower(*p));
  const char *digits = rule->str + strlen(digest_prefix);
  if (strlen(digits) != FINGERPRINT_DIGITS ||
      strspn(digits, "0123456789abcdef") != FINGERPRINT_DIGITS)
    return complain(text, "a SHA-256 in hexadecimal is expected", error);
  return g_string_free(g_steal_pointer(&rule), FALSE);
}

static char *
parse_address(const char *text, const char *network, GError **error)
{
  Network parsed;
  if (!network_parse(network, &parsed))
    return complain(text, "an address or a network such as 192.0.2.0/24 is expected",
                    error);
  g_autofree char *plain = network_to_string(&parsed);
  return g_strconcat(address_prefix, plain, NULL);
}

char *
client_rule_parse(const char *text, GError **error)
{
  const char *rest;
  if ((rest = behind(text, digest_prefix)) != NULL)
    return parse_digest(text, rest, error);
  if ((rest = behind(text, address_prefix)) != NULL)
    return parse_address(text, rest, error);
  if ((rest = behind(text, names_prefix)) != NULL) {
    g_autofree char *subject = NULL;
    g_autofree char *issuer = NULL;
    return split_names(rest, &subject, &issuer)
               ? g_strdup(text)
               : complain(text, "cn:NAME/ISSUER is expected, %20 for a space", error);
  }
  if ((rest = behind(text, login_prefix)) != NULL) {
    g_autofree char *login = decode_name(rest, strlen(rest));
    return login != NULL ? g_strdup(text)
                         : complain(text, "login:NAME is expected, %20 for a space", error);
  }
  return complain(text, "sha256:, cn:, login: or ip: is expected", error);
}

gboolean
client_rule_is_address(const char *rule)
{
  return g_str_has_prefix(rule, address_prefix);
}

static gboolean
matches_names(const char *names, const ClientFacts *facts)
{
  g_autofree char *subject = NULL;
  g_autofree char *issuer = NULL;
  return facts->subject != NULL && facts->issuer != NULL &&
         split_names(names, &subject, &issuer) && strcmp(subject, facts->subject) == 0 &&
         strcmp(issuer, facts->issuer) == 0;
}

static gboolean
matches_login(const char *name, const ClientFacts *facts)
{
  g_autofree char *login = decode_name(name, strlen(name));
  return facts->login != NULL && g_strcmp0(login, facts->login) == 0;
}

static gboolean
matches_address(const char *text, const ClientFacts *facts)
{
  Network network, address;
  return network_parse(text, &network) && network_parse_address(facts->address, &address) &&
         network_contains(&network, &address);
}

gboolean
client_rule_matches(const char *rule, const ClientFacts *facts)
{
  const char *rest;
  if ((rest = behind(rule, digest_prefix)) != NULL)
    return facts->fingerprint != NULL && strcmp(rest, facts->fingerprint) == 0;
  if ((rest = behind(rule, names_prefix)) != NULL)
    return matches_names(rest, facts);
  if ((rest = behind(rule, login_prefix)) != NULL)
    return matches_login(rest, facts);
  return (rest = behind(rule, address_prefix)) != NULL && matches_address(rest, facts);
}
