#include "policyd/delegation.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/error.h"
#include "common/base/label.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "common/base/reply.h"
#include "common/book/domain.h"

#define NOTHING "action=DUNNO\n\n"

typedef struct {
  const char *code, *enhanced_code;
  const char *dutch, *english; /* "{}" stands for the address */
} Refusal;

static const Refusal label_refusal = {
    "Z-R4-LABEL",
    "5.1.2",
    "Haal alles vanaf het stuk voor .zegel.internal uit het adres {} en verstuur opnieuw: "
    "het is voor intern gebruik.",
    "Take everything from the part before .zegel.internal out of the address {} and send "
    "again: it is for internal use.",
};

static const Refusal sender_refusal = {
    "Z-O3-SENDER",
    "5.7.1",
    "Verstuur van een adres van uw eigen organisatie. Dit hoort er niet bij: {}.",
    "Send from an address of your own organisation. This is not one: {}.",
};

/* ---- Addresses ---- */

static gboolean
is_label_domain(const char *name, gsize len)
{
  static const char root[] = LABEL_ROOT;
  gsize root_len = strlen(root);
  if (len > 0 && name[len - 1] == '.')
    len--;
  return len >= root_len &&
         g_ascii_strncasecmp(name + (len - root_len), root, root_len) == 0 &&
         (len == root_len || name[len - root_len - 1] == '.');
}

/*
 * Whether ADDRESS has a label in any place in which Postfix can come to read a domain:
 * behind '@' or '%', and before '!' (resolve_dequoted_address, allow_percent_hack,
 * swap_bangpath).
 */
static gboolean
has_label(const char *address)
{
  static const char marks[] = "@%!:,\"<>";
  gboolean is_domain = FALSE;
  for (const char *p = address;; p++) {
    gsize len = strcspn(p, marks);
    if ((is_domain || p[len] == '!') && is_label_domain(p, len))
      return TRUE;
    p += len;
    if (*p == '\0')
      return FALSE;
    if (*p != '"') /* quotes are around a local part, or a piece of it */
      is_domain = *p == '@' || *p == '%';
  }
}

static gboolean
is_of(const Organisation *organisation, const char *address)
{
  const char *at = strrchr(address, '@');
  g_autofree char *domain = at != NULL ? domain_canonical(at + 1) : NULL;
  return domain != NULL && conf_has_domain(organisation, domain);
}

/* ---- Answers ---- */

static void
append_text(GString *line, const char *text, const char *name)
{
  const char *gap = strstr(text, "{}");
  g_string_append_c(line, ' ');
  g_string_append_len(line, text, gap - text);
  reply_append_name(line, name);
  g_string_append(line, gap + strlen("{}"));
}

static const char *
value_of(const Attrs *attrs, const char *name)
{
  const char *value = attrs_get(attrs, name);
  return value != NULL && *value != '\0' ? value : NULL;
}

/* Refuses because of ADDRESS. */
static char *
refuse(const Refusal *refusal, const Attrs *attrs, const Organisation *organisation,
       const char *address)
{
  event_log(EVENT_REFUSED, value_of(attrs, "queue_id"),
            organisation != NULL ? organisation->name : NULL, "code", refusal->code, "from",
            attrs_get(attrs, "sender"), "to", attrs_get(attrs, "recipient"), "client",
            value_of(attrs, "client_address"), NULL);
  GString *line = g_string_new(NULL);
  g_string_printf(line, "action=REJECT %s %s", refusal->enhanced_code, refusal->code);
  append_text(line, refusal->dutch, address);
  g_string_append(line, " /");
  append_text(line, refusal->english, address);
  g_string_append(line, "\n\n");
  return g_string_free(line, FALSE);
}

/* ---- Certificates ---- */

/* The octets that TEXT, xtext of RFC 3461 4, stands for: a new string, or NULL when there
 * are none, or what stands there is none. */
static char *
decode_xtext(const char *text)
{
  g_autoptr(GString) decoded = g_string_new(NULL);
  for (; text != NULL && *text != '\0'; text++) {
    int octet = (guchar) *text;
    if (*text == '+') {
      int high = g_ascii_xdigit_value(text[1]);
      int low = high >= 0 ? g_ascii_xdigit_value(text[2]) : -1;
      octet = low >= 0 ? high * 16 + low : 0;
      text += 2;
    }
    if (octet == 0)
      return NULL;
    g_string_append_c(decoded, (char) octet);
  }
  return decoded->len > 0 && decoded->len <= CLIENT_NAME_MAX_BYTES
             ? g_string_free(g_steal_pointer(&decoded), FALSE)
             : NULL;
}

/* Postfix's "AB:CD:..." as client_id.h has it, new, or NULL when it is no SHA-256. */
static char *
read_fingerprint(const char *text)
{
  g_autoptr(GString) digits = g_string_new(NULL);
  for (; text != NULL && *text != '\0'; text++)
    if (*text != ':')
      g_string_append_c(digits, g_ascii_tolower(*text));
  return client_fingerprint_is_valid(digits->str)
             ? g_string_free(g_steal_pointer(&digits), FALSE)
             : NULL;
}

/* Each request says it anew: whoever comes to an address and port inherits nothing. */
static void
note_client(Clients *clients, const Attrs *attrs)
{
  guint64 port = 0;
  const char *address = value_of(attrs, "client_address");
  if (address == NULL || !attrs_get_uint(attrs, "client_port", 1, G_MAXUINT16, &port, NULL))
    return;
  g_autoptr(ClientCertificate) certificate = g_new0(ClientCertificate, 1);
  certificate->fingerprint = read_fingerprint(value_of(attrs, "ccert_fingerprint"));
  certificate->subject = decode_xtext(value_of(attrs, "ccert_subject"));
  certificate->issuer = decode_xtext(value_of(attrs, "ccert_issuer"));
  gboolean known = certificate->fingerprint != NULL || certificate->subject != NULL;
  clients_note(clients, address, (guint16) port,
               known ? g_steal_pointer(&certificate) : NULL, g_get_monotonic_time());
}

/* ---- Requests ---- */

/* Whose a client with a certificate is, the milter finds out: O4 puts it before login and
 * network. */
static gboolean
has_certificate(const Attrs *attrs)
{
  return value_of(attrs, "ccert_fingerprint") != NULL ||
         value_of(attrs, "ccert_subject") != NULL;
}

static char *
answer_request(const Config *config, const Attrs *attrs)
{
  const char *sender = value_of(attrs, "sender");
  const char *recipient = value_of(attrs, "recipient");
  const Organisation *organisation = conf_organisation_of_client(
      config, value_of(attrs, "sasl_username"), value_of(attrs, "client_address"));
  if (recipient != NULL && has_label(recipient))
    return refuse(&label_refusal, attrs, organisation, recipient);
  if (sender != NULL && has_label(sender))
    return refuse(&label_refusal, attrs, organisation, sender);
  if (organisation != NULL && organisation->sensitive_default != DEFAULT_OBSERVE &&
      !has_certificate(attrs) && sender != NULL && !is_of(organisation, sender))
    return refuse(&sender_refusal, attrs, organisation, sender);
  return g_strdup(NOTHING);
}

char *
delegation_answer(const Config *config, Clients *clients, const char *block, gsize len)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Attrs) attrs = attrs_parse(block, len, ATTR_PLAIN, &error);
  const char *request = attrs != NULL ? attrs_get(attrs, "request") : "";
  if (g_strcmp0(request, "smtpd_access_policy") == 0) {
    note_client(clients, attrs);
    return answer_request(config, attrs);
  }
  log_line(LOG_LEVEL_WARNING, "policy delegation: a peer is cut off: %s",
           error != NULL ? error->message : "it asks something else");
  return NULL;
}
