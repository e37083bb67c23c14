#include "common/book/hop.h"

#include <string.h>

#include "common/base/error.h"
#include "common/book/domain.h"

#define PORT_MAX         65535
#define SMTP_PORT        25
#define SHA256_TEXT_SIZE (32 * 3 - 1) /* "AA:BB:..." */
#define SHA256_MAX_COUNT 8            /* keys of one next hop, with those to come */

static gboolean
reject(GError **error, const char *value, const char *expected)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_CONFIG, "%s: %s", value, expected);
  return FALSE;
}

static gboolean
is_host(const char *text)
{
  g_autofree char *canonical = domain_canonical(text);
  return canonical != NULL && g_ascii_strcasecmp(canonical, text) == 0;
}

/* TEXT is what stands behind the host: nothing, or ":port". */
static gboolean
read_port(const char *text, guint64 *port)
{
  *port = SMTP_PORT;
  return *text == '\0' || (*text == ':' && g_ascii_string_to_unsigned(
                                               text + 1, 10, 1, PORT_MAX, port, NULL));
}

/* Splits TEXT at its brackets: HOST is what stands in them, REST what follows. */
static gboolean
split_brackets(const char *text, char **host, const char **rest)
{
  const char *close = strchr(text, ']');
  if (close == NULL)
    return FALSE;
  *host = g_strndup(text + 1, (gsize) (close - text) - 1);
  *rest = close + 1;
  return TRUE;
}

char *
hop_parse(const char *text, gboolean *is_address, GError **error)
{
  g_autofree char *host = NULL;
  const char *rest = NULL;
  gboolean bracketed = *text == '[';
  if (!bracketed) {
    rest = text + strcspn(text, ":");
    host = g_strndup(text, (gsize) (rest - text));
  } else if (!split_brackets(text, &host, &rest)) {
    reject(error, text, "']' is missing");
    return NULL;
  }
  *is_address = bracketed && g_hostname_is_ip_address(host);
  guint64 port = 0;
  if ((!*is_address && !is_host(host)) || !read_port(rest, &port)) {
    reject(error, text,
           "a next hop such as [mail.partner.nl]:25 or partner.nl is expected");
    return NULL;
  }
  g_autofree char *lower = g_ascii_strdown(host, -1);
  return g_strdup_printf(bracketed ? "[%s]:%u" : "%s:%u", lower, (guint) port);
}

/* "AA:BB:...", 32 octets. */
static gboolean
is_sha256(const char *text)
{
  gsize len = strlen(text);
  gboolean good = len == SHA256_TEXT_SIZE;
  for (gsize i = 0; good && i < len; i++)
    good = i % 3 == 2 ? text[i] == ':' : g_ascii_isxdigit(text[i]);
  return good;
}

static gboolean
append_fingerprints(GString *policy, const char *value, GError **error)
{
  g_auto(GStrv) prints = g_strsplit(value, "|", SHA256_MAX_COUNT + 1);
  gboolean good = prints[0] != NULL && g_strv_length(prints) <= SHA256_MAX_COUNT;
  for (char **print = prints; good && *print != NULL; print++)
    good = is_sha256(*print);
  if (!good)
    return reject(error, value,
                  "a SHA-256 fingerprint of 32 octets (AA:BB:...) is expected; "
                  "several are joined by '|'");
  g_autofree char *upper = g_ascii_strup(value, -1);
  g_string_append_printf(policy, "fingerprint match=%s", upper);
  return TRUE;
}

/* "hostname" is missing on purpose: it takes a name from DNS that nobody proved. */
static gboolean
is_match(const char *name)
{
  if (strcmp(name, "nexthop") == 0 || strcmp(name, "dot-nexthop") == 0)
    return TRUE;
  const char *host = *name == '.' ? name + 1 : name;
  return strchr(host, '.') != NULL && is_host(host);
}

static gboolean
append_names(GString *policy, const char *value, GError **error)
{
  g_auto(GStrv) names = g_strsplit(value, ":", -1);
  gboolean good = names[0] != NULL;
  for (char **name = names; good && *name != NULL; name++)
    good = is_match(*name);
  if (!good)
    return reject(error, value,
                  "names such as mail.partner.nl, .partner.nl, nexthop or dot-nexthop, "
                  "joined by ':', are expected");
  g_autofree char *lower = g_ascii_strdown(value, -1);
  g_string_append_printf(policy, " match=%s", lower);
  return TRUE;
}

static gboolean
append_secure(GString *policy, const char *match, gboolean is_address, GError **error)
{
  g_string_append(policy, "secure");
  if (match != NULL)
    return append_names(policy, match, error);
  return !is_address || reject(error, "secure", "an address needs match=NAME");
}

/* The value of the word that begins with PREFIX, or NULL. *USED counts the words found. */
static const char *
find_value(const char *const *words, const char *prefix, guint *used)
{
  const char *value = NULL;
  for (guint i = 0; words[i] != NULL && value == NULL; i++)
    if (g_str_has_prefix(words[i], prefix))
      value = words[i] + strlen(prefix);
  *used += value != NULL ? 1 : 0;
  return value;
}

/* The first word, without the rest that RULE does not know. */
static gboolean
append_level(GString *policy, const char *const *words, gboolean is_address, guint *used,
             GError **error)
{
  static const char expected[] =
      "dane-only, secure [match=NAME] or fingerprint=SHA256 is expected";
  if (words[0] == NULL)
    return reject(error, "TLS rule", expected);
  *used = 1;
  if (strcmp(words[0], "dane-only") == 0) {
    g_string_append(policy, "dane-only");
    return !is_address || reject(error, words[0], "DANE needs a host name, not an address");
  }
  if (strcmp(words[0], "secure") == 0)
    return append_secure(policy, find_value(words + 1, "match=", used), is_address, error);
  if (g_str_has_prefix(words[0], "fingerprint="))
    return append_fingerprints(policy, strchr(words[0], '=') + 1, error);
  return reject(error, words[0], expected);
}

char *
hop_parse_rule(const char *const *words, gboolean is_address, GError **error)
{
  g_autoptr(GString) policy = g_string_new(NULL);
  guint used = 0;
  if (!append_level(policy, words, is_address, &used, error))
    return NULL;
  const char *protocols = find_value(words + 1, "protocols=", &used);
  if (protocols != NULL) {
    if (strcmp(protocols, "TLSv1.3") != 0) {
      reject(error, protocols,
             "protocols=TLSv1.3 is expected, or nothing for TLS 1.2 and up");
      return NULL;
    }
    g_string_append(policy, " protocols=TLSv1.3");
  }
  if (g_strv_length((char **) words) != used) {
    reject(error, words[used], "the TLS rule has a word too many or an unknown one");
    return NULL;
  }
  return g_string_free(g_steal_pointer(&policy), FALSE);
}

char *
hop_format_rule(const char *policy)
{
  static const char fingerprints[] = "fingerprint match=";
  if (g_str_has_prefix(policy, fingerprints))
    return g_strconcat("fingerprint=", policy + strlen(fingerprints), NULL);
  return g_strdup(policy);
}
