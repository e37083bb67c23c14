#include "policyd/hosts.h"

#include <arpa/inet.h>
#include <string.h>

#define SMTP_PORT ":25"

/* What this domain's hosts need. */
typedef struct {
  Checks *checks;
  gboolean dane;    /* else the partner's rule proves them */
  GPtrArray *names; /* of char *, owned; each once */
} Hosts;

static gboolean
has_name(const GPtrArray *names, const char *name)
{
  for (guint i = 0; i < names->len; i++)
    if (strcmp(names->pdata[i], name) == 0)
      return TRUE;
  return FALSE;
}

static void
add_name(GPtrArray *names, const char *name)
{
  if (!has_name(names, name))
    g_ptr_array_add(names, g_strdup(name));
}

/* The hosts of MX records, which came with ANSWER. */
static CheckResult
add_mx(Hosts *hosts, const DnsAnswer *answer)
{
  for (guint i = 0; i < answer->records->len; i++) {
    g_autofree char *host = NULL;
    guint preference = 0;
    if (!rr_mx(answer->records->pdata[i], &preference, &host)) {
      checks_found(hosts->checks, "a damaged MX record");
      return CHECK_FAIL;
    }
    if (*host == '\0') {
      checks_found(hosts->checks, "its null MX says that the domain takes no mail");
      return CHECK_FAIL;
    }
    if (!nta_host_is_good(host)) {
      checks_found(hosts->checks, "MX %s: not the name of a host", host);
      return CHECK_FAIL;
    }
    add_name(hosts->names, host);
  }
  if (hosts->names->len <= NTA_MAX_HOSTS)
    return CHECK_PASS;
  checks_found(hosts->checks, "more than %d MX hosts", NTA_MAX_HOSTS);
  g_ptr_array_set_size(hosts->names, NTA_MAX_HOSTS);
  return CHECK_FAIL;
}

/* The ordinary MX hosts of the domain; without any it is its own (RFC 5321 5.1). */
static CheckResult
find_mx(Hosts *hosts)
{
  Checks *checks = hosts->checks;
  const DnsAnswer *answer = lookup_dns(checks->lookup, checks->domain, RR_MX);
  CheckResult result = check_answer(answer, hosts->dane);
  checks_found(checks, "no ntamx, so the MX of %s (%s)", checks->domain,
               check_answer_text(answer));
  if (result == CHECK_FAIL)
    checks_mend(checks, "sign the zone of %s with DNSSEC, or name the hosts with ntamx",
                checks->domain);
  if (answer == NULL || answer->outcome == DNS_FAILURE)
    return result;
  if (answer->outcome == DNS_DATA)
    return check_worse(result, add_mx(hosts, answer));
  if (!nta_host_is_good(checks->domain))
    return CHECK_FAIL;
  add_name(hosts->names, checks->domain);
  return result;
}

static CheckResult
find_names(Hosts *hosts, const NtaRecord *record)
{
  for (guint i = 0; i < record->hosts->len; i++)
    add_name(hosts->names, ((const NtaHost *) record->hosts->pdata[i])->host);
  return record->hosts->len > 0 ? CHECK_PASS : find_mx(hosts);
}

/* How many addresses ANSWER, to a question for NAME, has. */
static guint
count_addresses(Checks *checks, const char *name, const DnsAnswer *answer)
{
  guint count = 0;
  for (guint i = 0; answer != NULL && i < answer->records->len; i++) {
    char buffer[INET6_ADDRSTRLEN];
    gsize len = 0;
    const void *bytes = g_bytes_get_data(answer->records->pdata[i], &len);
    gboolean is_a = answer->type == RR_A;
    if (len != (is_a ? sizeof(struct in_addr) : sizeof(struct in6_addr)))
      continue;
    count++;
    if (checks->lines != NULL &&
        inet_ntop(is_a ? AF_INET : AF_INET6, bytes, buffer, sizeof buffer) != NULL)
      checks_found(checks, "%s %s %s, %s", name, rr_type_name(answer->type), buffer,
                   check_answer_text(answer));
  }
  return count;
}

static CheckResult
check_address(Hosts *hosts, const char *name)
{
  static const guint16 types[] = {RR_A, RR_AAAA};
  Checks *checks = hosts->checks;
  CheckResult result = CHECK_PASS;
  guint count = 0;
  for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
    const DnsAnswer *answer = lookup_dns(checks->lookup, name, types[i]);
    CheckResult one = check_answer(answer, hosts->dane);
    guint here = count_addresses(checks, name, answer);
    if (here == 0)
      checks_found(checks, "%s %s: none, %s", name, rr_type_name(types[i]),
                   check_answer_text(answer));
    if (one == CHECK_FAIL)
      checks_mend(checks, "publish %s of %s under DNSSEC, without CNAME or DNAME",
                  rr_type_name(types[i]), name);
    count += here;
    result = check_worse(result, one);
  }
  if (result != CHECK_PASS || count > 0)
    return result;
  checks_mend(checks, "publish A or AAAA records of %s", name);
  return CHECK_FAIL;
}

/* A record that DANE for SMTP can use: RFC 7672 3.1; PKIX-TA and PKIX-EE are ignored. */
static gboolean
is_usable(GBytes *rdata)
{
  guint usage = 0, selector = 0, matching = 0;
  gsize len = 0;
  if (!rr_tlsa(rdata, &usage, &selector, &matching, &len))
    return FALSE;
  return (usage == 2 || usage == 3) && selector <= 1 &&
         ((matching == 1 && len == 32) || (matching == 2 && len == 64));
}

/* zegelctl finds the hosts to connect to in this evidence: "NAME STATE; U S M DATA; ...".
 */
static void
describe_tlsa(Checks *checks, const char *name, const DnsAnswer *answer)
{
  if (checks->lines == NULL)
    return;
  checks_found(checks, "%s %s", name, check_answer_text(answer));
  for (guint i = 0; answer != NULL && i < answer->records->len; i++) {
    GBytes *rdata = answer->records->pdata[i];
    g_autofree char *text = rr_text(RR_TLSA, rdata);
    checks_found(checks, "%s%s", text, is_usable(rdata) ? "" : " (not usable)");
  }
}

static CheckResult
check_tlsa(Hosts *hosts, const char *host)
{
  Checks *checks = hosts->checks;
  g_autofree char *name = g_strconcat("_25._tcp.", host, NULL);
  const DnsAnswer *answer = lookup_dns(checks->lookup, name, RR_TLSA);
  CheckResult result = check_answer(answer, TRUE);
  guint usable = 0;
  describe_tlsa(checks, name, answer);
  for (guint i = 0; answer != NULL && i < answer->records->len; i++)
    usable += is_usable(answer->records->pdata[i]) ? 1 : 0;
  if (result == CHECK_PASS && usable == 0)
    result = CHECK_FAIL;
  if (result == CHECK_FAIL)
    checks_mend(checks,
                "publish, under DNSSEC and without CNAME: %s. IN TLSA 3 1 1 HASH, where "
                "HASH is the SHA-256 of the public key of %s (openssl x509 -in cert.pem "
                "-noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256)",
                name, host);
  return result;
}

/* All of NAMES by CHECK: every one must pass, and each is asked for at once. */
static CheckResult
check_names(Hosts *hosts, CheckResult (*check)(Hosts *hosts, const char *name))
{
  CheckResult result = CHECK_PASS;
  for (guint i = 0; i < hosts->names->len; i++)
    result = check_worse(result, check(hosts, hosts->names->pdata[i]));
  return result;
}

void
hosts_check(Checks *checks, const NtaRecord *record, const char *policy)
{
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  Hosts hosts = {.checks = checks, .names = names};
  hosts.dane = policy == NULL || g_str_has_prefix(policy, "dane");
  CheckResult found = find_names(&hosts, record);
  if (found == CHECK_FAIL && checks->lines == NULL)
    g_ptr_array_set_size(names, 0); /* that decides: ask no more */
  CheckResult result = check_worse(found, check_names(&hosts, check_address));
  if (result == CHECK_FAIL)
    checks_mend(checks, "every host must be in order, or be taken out");
  checks_require(checks, "Z-N1-HOSTS", result,
                 hosts.dane
                     ? "the addresses of every host are under DNSSEC"
                     : "every host has an address (the partner's TLS rule proves it)");
  if (!hosts.dane && checks->lines == NULL)
    return; /* no answer of the DNS counts any more */
  if (names->len == 0) {
    checks_found(checks, "no host is known");
    checks_mend(checks, "name the hosts first");
  }
  result =
      check_worse(names->len > 0 ? CHECK_PASS : found, check_names(&hosts, check_tlsa));
  (hosts.dane ? checks_require : checks_advise)(
      checks, "Z-N1-TLSA", result, "every host has a usable TLSA record under DNSSEC");
}

char *
hosts_nexthop(const char *domain, const NtaRecord *record, const char *policy)
{
  const char *port = policy != NULL ? SMTP_PORT : "";
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GString) text = g_string_new(NULL);
  for (guint i = 0; i < record->hosts->len; i++)
    add_name(names, ((const NtaHost *) record->hosts->pdata[i])->host);
  for (guint i = 0; i < names->len; i++)
    g_string_append_printf(text, "%s[%s]%s", i > 0 ? ", " : "",
                           (const char *) names->pdata[i], port);
  if (names->len == 0)
    g_string_append_printf(text, "%s%s", domain, port);
  return g_string_free(g_steal_pointer(&text), FALSE);
}
