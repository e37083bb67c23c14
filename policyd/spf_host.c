/*
 * spf_host.c - libspf2 as the engine, and around it what it does not do itself.
 *
 * libspf2 1.2.10 evaluates mechanisms and expands macros. The choice of the record and its
 * grammar (spf_record.h), the limits of RFC 7208 4.6.4 over all records together, and names
 * that nothing can have are ours: it gets these wrong. It is never asked through
 * SPF_request_query_mailfrom, which says "pass" to every client on loopback.
 */
#include "policyd/spf_host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <spf2/spf.h>

#include "policyd/spf_record.h"

#define MX_HEAD_BYTES 2 /* the preference */

struct SpfHost {
  SPF_dns_server_t dns; /* libspf2's view of us; hook is this */
  SPF_server_t *server;
  SpfAsk ask;
  gpointer data;

  /* Of the check that is under way. */
  guint records;      /* looked for */
  guint terms;        /* that asked */
  guint voids;        /* of those, that found nothing */
  GQueue hosts;       /* of the last "mx" or "ptr", still to be looked up; borrowed texts */
  GPtrArray *names;   /* which owns them */
  gboolean is_ptr;    /* they are of a "ptr": what cannot be found out does not match */
  gboolean over;      /* decided by us: nothing is asked any more */
  SpfVerdict verdict; /* then; until then, why there is no record */
};

/* Decides for VERDICT, whatever libspf2 makes of the rest. */
static void
end_check(SpfHost *host, SpfVerdict verdict)
{
  if (!host->over)
    host->verdict = verdict;
  host->over = TRUE;
}

/* The answer to DOMAIN; a name that cannot be is not there. New. */
static DnsAnswer *
ask(SpfHost *host, const char *domain, guint16 type)
{
  g_autofree char *name = spf_name_usable(domain);
  if (name != NULL)
    return host->ask(host->data, name, type);
  DnsAnswer *answer = dns_answer_new(domain, type);
  answer->outcome = DNS_NXDOMAIN;
  return answer;
}

/* One more term that asks the DNS. FALSE when it is one too many. */
static gboolean
count_term(SpfHost *host)
{
  if (++host->terms > SPF_MAX_TERMS)
    end_check(host, SPF_VERDICT_PERMERROR);
  return !host->over;
}

static void
count_void(SpfHost *host, const DnsAnswer *answer)
{
  gboolean found_nothing = answer->outcome == DNS_NODATA || answer->outcome == DNS_NXDOMAIN;
  if (found_nothing && ++host->voids > SPF_MAX_VOID)
    end_check(host, SPF_VERDICT_PERMERROR);
}

/* Whether DOMAIN is looked up as the next host of the last "mx" or "ptr". */
static gboolean
is_next_host(SpfHost *host, const char *domain)
{
  const char *next = g_queue_peek_head(&host->hosts);
  if (next == NULL || strcmp(next, domain) != 0)
    return FALSE;
  g_queue_pop_head(&host->hosts);
  return TRUE;
}

/* Room for LEN octets in record I of RR, which libspf2 frees. */
static SPF_dns_rr_data_t *
make_room(SPF_dns_rr_t *rr, int i, gsize len)
{
  if (SPF_dns_rr_buf_realloc(rr, i, len) != SPF_E_SUCCESS)
    g_error("out of memory");
  rr->num_rr = i + 1;
  return rr->rr[i];
}

static void
add_address(SPF_dns_rr_t *rr, GBytes *rdata)
{
  gsize len;
  const void *bytes = g_bytes_get_data(rdata, &len);
  gsize wanted = rr->rr_type == ns_t_a ? sizeof(struct in_addr) : sizeof(struct in6_addr);
  if (len == wanted)
    memcpy(make_room(rr, rr->num_rr, sizeof(SPF_dns_rr_data_t)), bytes, len);
}

/* Adds the name, and expects that it will be looked up. */
static void
add_name(SpfHost *host, SPF_dns_rr_t *rr, GBytes *rdata)
{
  char *name = rr_name(rdata, rr->rr_type == ns_t_mx ? MX_HEAD_BYTES : 0);
  if (name == NULL)
    return;
  memcpy(make_room(rr, rr->num_rr, strlen(name) + 1), name, strlen(name) + 1);
  g_ptr_array_add(host->names, name);
  g_queue_push_tail(&host->hosts, name);
}

static void
fill_records(SpfHost *host, SPF_dns_rr_t *rr, const DnsAnswer *answer)
{
  gboolean names = rr->rr_type == ns_t_mx || rr->rr_type == ns_t_ptr;
  guint most = rr->rr_type == ns_t_ptr ? SPF_MAX_HOSTS : G_MAXUINT;
  for (guint i = 0; i < answer->records->len && i < most; i++) {
    if (names)
      add_name(host, rr, answer->records->pdata[i]);
    else
      add_address(rr, answer->records->pdata[i]);
  }
}

/* Forgets the hosts of an earlier term: TYPE is asked for a new one. */
static void
begin_term(SpfHost *host, ns_type type)
{
  g_queue_clear(&host->hosts);
  g_ptr_array_set_size(host->names, 0);
  host->is_ptr = type == ns_t_ptr;
}

/* What libspf2 is told of ANSWER. */
static SPF_dns_stat_t
lookup_status(const SpfHost *host, const DnsAnswer *answer)
{
  switch (answer->outcome) {
  case DNS_DATA:
    return NETDB_SUCCESS;
  case DNS_NODATA:
    return NO_DATA;
  case DNS_NXDOMAIN:
    return HOST_NOT_FOUND;
  case DNS_FAILURE:
    break;
  }
  return host->is_ptr ? HOST_NOT_FOUND : TRY_AGAIN; /* RFC 7208 5.5 */
}

static SPF_dns_rr_t *
new_rr(SpfHost *host, const char *domain, ns_type type, SPF_dns_stat_t status)
{
  SPF_dns_rr_t *rr = SPF_dns_rr_new_init(&host->dns, domain, type, 0, status);
  if (rr == NULL)
    g_error("out of memory");
  return rr;
}

/*
 * libspf2's question. The macro "p" asks for PTR without CACHE, and is no term; the hosts
 * of a term are no terms either.
 */
static SPF_dns_rr_t *
lookup(SPF_dns_server_t *dns, const char *domain, ns_type type, int cache)
{
  SpfHost *host = dns->hook;
  gboolean is_host = is_next_host(host, domain);
  gboolean is_term = !is_host && (type != ns_t_ptr || cache);
  if (!is_host)
    begin_term(host, type);
  if (host->over || (is_term && !count_term(host)))
    return new_rr(host, domain, type, TRY_AGAIN);
  g_autoptr(DnsAnswer) answer = ask(host, domain, (guint16) type);
  if (is_term)
    count_void(host, answer);
  if (type == ns_t_mx && answer->records->len > SPF_MAX_HOSTS)
    end_check(host, SPF_VERDICT_PERMERROR);
  SPF_dns_rr_t *rr = new_rr(host, domain, type, lookup_status(host, answer));
  if (answer->outcome == DNS_DATA)
    fill_records(host, rr, answer);
  return rr;
}

/* Whether the LEN octets of TXT are an SPF record, good or bad (RFC 7208 4.5). */
static gboolean
is_spf_record(const char *txt, gsize len)
{
  return len >= 6 && g_ascii_strncasecmp(txt, "v=spf1", 6) == 0 &&
         (len == 6 || txt[6] == ' ');
}

/* The only SPF record of ANSWER, or NULL: *FOUND says how many there are. New. */
static char *
choose_record(const DnsAnswer *answer, gsize *len, guint *found)
{
  g_autofree char *chosen = NULL;
  *found = 0;
  for (guint i = 0; i < answer->records->len; i++) {
    gsize txt_len = 0;
    g_autofree char *txt = rr_txt(answer->records->pdata[i], &txt_len);
    if (txt == NULL || !is_spf_record(txt, txt_len))
      continue;
    ++*found;
    g_free(chosen);
    chosen = g_steal_pointer(&txt);
    *len = txt_len;
  }
  return *found == 1 ? g_steal_pointer(&chosen) : NULL;
}

/*
 * Compiles TXT into *RECORD. libspf2 leaves out what does not fit any more and says
 * nothing, so the directives are counted.
 */
static gboolean
compile(SPF_server_t *server, SPF_response_t *response, const char *txt, gsize len,
        SPF_record_t **record)
{
  guint count = 0;
  g_autofree char *directives = spf_record_directives(txt, len, &count);
  return directives != NULL &&
         SPF_record_compile(server, response, record, directives) == SPF_E_SUCCESS &&
         (*record)->num_mech == count;
}

/* There is no record for VERDICT: what libspf2 must hear. */
static SPF_errcode_t
no_record(SpfHost *host, SpfVerdict verdict, SPF_errcode_t error)
{
  if (!host->over)
    host->verdict = verdict;
  return error;
}

/* libspf2 wants the record of the request's current domain (RFC 7208 4.4 and 4.5). */
static SPF_errcode_t
get_record(SPF_server_t *server, SPF_request_t *request, SPF_response_t *response,
           SPF_record_t **record)
{
  SpfHost *host = server->resolver->hook;
  *record = NULL;
  begin_term(host, ns_t_txt);
  if (host->records++ > 0 && !count_term(host))
    return SPF_E_BIG_DNS;
  g_autoptr(DnsAnswer) answer = ask(host, request->cur_dom, RR_TXT);
  if (answer->outcome == DNS_FAILURE)
    return no_record(host, SPF_VERDICT_TEMPERROR, SPF_E_DNS_ERROR);
  guint found;
  gsize len = 0;
  g_autofree char *txt = choose_record(answer, &len, &found);
  if (found == 0)
    return no_record(host, SPF_VERDICT_NONE, SPF_E_NOT_SPF);
  if (txt == NULL)
    return no_record(host, SPF_VERDICT_PERMERROR, SPF_E_MULTIPLE_RECORDS);
  if (!compile(server, response, txt, len, record))
    return no_record(host, SPF_VERDICT_PERMERROR, SPF_E_SYNTAX);
  return SPF_E_SUCCESS;
}

SpfHost *
spf_host_new(SpfAsk ask_dns, gpointer data)
{
  SpfHost *host = g_new0(SpfHost, 1);
  host->ask = ask_dns;
  host->data = data;
  host->names = g_ptr_array_new_with_free_func(g_free);
  g_queue_init(&host->hosts);
  host->dns.lookup = lookup;
  host->dns.get_spf = get_record;
  host->dns.name = "zegel";
  host->dns.hook = host;
  host->server = SPF_server_new_dns(&host->dns, 0);
  SPF_response_t *response = NULL;
  /* It is expanded at every "fail", and nobody reads it: a text without macros. */
  if (host->server == NULL ||
      SPF_server_set_explanation(host->server, "fail", &response) != SPF_E_SUCCESS)
    g_error("libspf2 cannot start");
  SPF_response_free(response);
  return host;
}

/* The client's address; one of IPv4 in IPv6 is one of IPv4 (RFC 7208 5). */
static gboolean
set_client(SPF_request_t *request, const char *address)
{
  struct in6_addr six;
  struct in_addr four;
  if (inet_pton(AF_INET, address, &four) == 1)
    return SPF_request_set_ipv4(request, four) == SPF_E_SUCCESS;
  if (inet_pton(AF_INET6, address, &six) != 1)
    return FALSE;
  if (!IN6_IS_ADDR_V4MAPPED(&six))
    return SPF_request_set_ipv6(request, six) == SPF_E_SUCCESS;
  memcpy(&four, six.s6_addr + 12, sizeof four);
  return SPF_request_set_ipv4(request, four) == SPF_E_SUCCESS;
}

/* Whether NAME can be the domain of a sender: of several labels (RFC 7208 4.3). */
static gboolean
is_sender_domain(const char *name)
{
  g_autofree char *usable = spf_name_usable(name);
  return usable != NULL && strlen(name) <= SPF_NAME_MAX_BYTES + 1 &&
         strchr(usable, '.') != NULL;
}

/*
 * TEXT with octets that do not print as DEL, which no usable name has: a macro with them
 * matches nothing (RFC 8616 4), and libspf2 does not get them.
 */
static char *
printing(const char *text)
{
  char *copy = g_strdup(text);
  for (char *p = copy; *p != '\0'; p++)
    if (!g_ascii_isprint(*p))
      *p = '\x7f';
  return copy;
}

/* Evaluates what was asked of REQUEST, whose domain is good. */
static SpfVerdict
evaluate(SpfHost *host, SPF_request_t *request, SPF_response_t *response)
{
  static const SpfVerdict verdicts[] = {
      [SPF_RESULT_INVALID] = SPF_VERDICT_PERMERROR,
      [SPF_RESULT_NEUTRAL] = SPF_VERDICT_NEUTRAL,
      [SPF_RESULT_PASS] = SPF_VERDICT_PASS,
      [SPF_RESULT_FAIL] = SPF_VERDICT_FAIL,
      [SPF_RESULT_SOFTFAIL] = SPF_VERDICT_SOFTFAIL,
      [SPF_RESULT_NONE] = SPF_VERDICT_NONE,
      [SPF_RESULT_TEMPERROR] = SPF_VERDICT_TEMPERROR,
      [SPF_RESULT_PERMERROR] = SPF_VERDICT_PERMERROR,
  };
  SPF_record_t *record = NULL;
  request->cur_dom = request->env_from_dp;
  SpfVerdict verdict = SPF_VERDICT_PERMERROR;
  if (get_record(host->server, request, response, &record) != SPF_E_SUCCESS) {
    verdict = host->verdict;
  } else {
    response->spf_record_exp = record;
    SPF_record_interpret(record, request, response, 0);
    SPF_result_t result = SPF_response_result(response);
    if (result < G_N_ELEMENTS(verdicts))
      verdict = verdicts[result];
  }
  if (record != NULL)
    SPF_record_free(record);
  return host->over ? host->verdict : verdict;
}

SpfVerdict
spf_host_check(SpfHost *host, const SpfCheck *check)
{
  g_autofree char *helo = printing(check->helo);
  g_autofree char *sender = printing(check->sender);
  host->records = host->terms = host->voids = 0;
  host->over = FALSE;
  SPF_request_t *request = SPF_request_new(host->server);
  SPF_response_t *response = request != NULL ? SPF_response_new(request) : NULL;
  if (response == NULL)
    g_error("out of memory");
  SpfVerdict verdict = SPF_VERDICT_TEMPERROR;
  if (set_client(request, check->address) &&
      SPF_request_set_helo_dom(request, helo) == SPF_E_SUCCESS &&
      SPF_request_set_env_from(request, sender) == SPF_E_SUCCESS)
    verdict = is_sender_domain(request->env_from_dp) ? evaluate(host, request, response)
                                                     : SPF_VERDICT_NONE;
  SPF_response_free(response);
  SPF_request_free(request);
  return verdict;
}
