#include "policyd/verify.h"

#include <string.h>

#include "policyd/address.h"
#include "policyd/dmarc.h"
#include "policyd/spf_wire.h"

#define KEY_PLACE "._domainkey."

/* The author's domain, against which the others are held. */
typedef struct {
  Lookup *lookup;
  char *domain; /* canonical; NULL: not asked, or no name of the DNS */
  DmarcStatus status;
  DmarcResult dmarc;
  gboolean unclear; /* whether one is aligned could not be found out */
} Author;

/* ---- Alignment ---- */

/* Whether DOMAIN is PARENT or below it. */
static gboolean
is_within(const char *domain, const char *parent)
{
  gsize len = strlen(domain), parent_len = strlen(parent);
  return len >= parent_len && strcmp(domain + len - parent_len, parent) == 0 &&
         (len == parent_len || domain[len - parent_len - 1] == '.');
}

/* The last two labels of DOMAIN, or all of it. */
static const char *
last_two_labels(const char *domain)
{
  const char *dot = strrchr(domain, '.');
  while (dot != NULL && dot > domain && dot[-1] != '.')
    dot--;
  return dot != NULL ? dot : domain;
}

/* Asks at once for what will be needed if DOMAIN turns out to be of the same
 * organisation; for all others nothing needs to be asked. */
static void
ask_ahead(Author *author, const char *domain)
{
  g_autofree char *organisational = NULL;
  if (strcmp(last_two_labels(domain), last_two_labels(author->domain)) == 0)
    dmarc_organisational(author->lookup, domain, &organisational);
}

/* Whether DOMAIN (canonical) is aligned with the author's (RFC 9989 4.4.1, 4.4.2). */
static gboolean
is_aligned(Author *author, const char *domain, gboolean strict)
{
  g_autofree char *organisational = NULL;
  if (author->domain == NULL || strcmp(domain, author->domain) == 0)
    return author->domain != NULL;
  if (author->status == DMARC_MISSING)
    ask_ahead(author, domain);
  if (author->status == DMARC_MISSING || author->status == DMARC_UNKNOWN || strict ||
      !is_within(domain, author->dmarc.organisational))
    return FALSE;
  DmarcStatus status = dmarc_organisational(author->lookup, domain, &organisational);
  author->unclear = author->unclear || status == DMARC_UNKNOWN;
  return status == DMARC_FOUND && strcmp(organisational, author->dmarc.organisational) == 0;
}

/* ---- SPF ---- */

/* Whom SPF is about: postmaster of HELO for <> (RFC 7208 2.4). NULL, when that has no
 * domain; else a new string, and *DOMAIN is new. */
static char *
spf_sender(const VerifyQuestion *question, char **domain)
{
  const char *sender = question->sender != NULL ? question->sender : "";
  const char *helo = question->helo != NULL ? question->helo : "";
  const char *at = strrchr(sender, '@');
  *domain = NULL;
  if (*sender == '\0')
    *domain = domain_canonical(helo);
  else if (at != NULL)
    *domain = domain_canonical(at + 1);
  if (*domain == NULL)
    return NULL;
  g_autofree char *local = g_strndup(sender, at != NULL ? (gsize) (at - sender) : 0);
  return g_strconcat(*local != '\0' ? local : "postmaster", "@", *domain, NULL);
}

static void
read_spf(Author *author, const VerifyQuestion *question, VerifyAnswer *answer)
{
  SpfVerdict verdict = SPF_VERDICT_NONE;
  if (question->client_address == NULL)
    return;
  g_autofree char *domain = NULL;
  g_autofree char *sender = spf_sender(question, &domain);
  const char *helo = question->helo != NULL ? question->helo : "";
  if (sender != NULL && strlen(sender) > SPF_TEXT_MAX_BYTES)
    verdict = SPF_VERDICT_PERMERROR; /* RFC 5321 4.5.3.1: nobody has that address */
  else if (sender != NULL && g_hostname_is_ip_address(question->client_address))
    lookup_spf(author->lookup, question->client_address, helo, sender, &verdict);
  answer->spf = g_strdup(spf_verdict_name(verdict));
  answer->spf_aligned =
      domain != NULL && is_aligned(author, domain, author->dmarc.record.strict_spf);
  answer->spf_domain = g_steal_pointer(&domain);
}

/* ---- Keys ---- */

/* The only TXT record of ANSWER as a text, new, or NULL. */
static char *
only_text(const DnsAnswer *answer)
{
  gsize len = 0;
  if (answer->records->len != 1)
    return NULL;
  g_autofree char *text = rr_txt(answer->records->pdata[0], &len);
  return text != NULL && strlen(text) == len && len <= VERIFY_TEXT_MAX_BYTES
             ? g_steal_pointer(&text)
             : NULL;
}

/* Reads the key at NAME; NULL: nothing can have that name. */
static void
read_key(Lookup *lookup, const char *name, gboolean aligned, VerifyAnswer *answer)
{
  const DnsAnswer *found = name != NULL ? lookup_dns(lookup, name, RR_TXT) : NULL;
  g_autofree char *text = found != NULL ? only_text(found) : NULL;
  VerifyState state = VERIFY_ABSENT;
  if (text != NULL)
    state = VERIFY_FOUND;
  else if (found != NULL && found->outcome == DNS_FAILURE)
    state = VERIFY_UNKNOWN;
  verify_answer_add_key(answer, state, text, found != NULL && found->secure, aligned);
}

static void
read_keys(Author *author, const VerifyQuestion *question, VerifyAnswer *answer)
{
  for (guint i = 0; i < question->keys->len; i++) {
    const VerifyKey *key = question->keys->pdata[i];
    g_autofree char *domain = domain_canonical(key->domain);
    g_autofree char *joined =
        domain != NULL ? g_strconcat(key->selector, KEY_PLACE, domain, NULL) : NULL;
    g_autofree char *name = joined != NULL ? domain_canonical(joined) : NULL;
    gboolean aligned =
        domain != NULL && is_aligned(author, domain, author->dmarc.record.strict_dkim);
    read_key(author->lookup, name, aligned, answer);
  }
}

/* ---- The whole ---- */

static void
read_author(Author *author, Lookup *lookup, const VerifyQuestion *question)
{
  *author = (Author){.lookup = lookup, .status = DMARC_ABSENT};
  if (question->from_domain != NULL)
    author->domain = domain_canonical(question->from_domain);
  if (author->domain != NULL)
    author->status = dmarc_find(lookup, author->domain, &author->dmarc);
}

static void
tell_policy(const Author *author, VerifyAnswer *answer)
{
  if (author->status == DMARC_UNKNOWN || author->unclear) {
    answer->dmarc = VERIFY_UNKNOWN;
  } else if (author->status == DMARC_FOUND) {
    answer->dmarc = VERIFY_FOUND;
    answer->dmarc_policy = g_strdup(dmarc_policy_name(author->dmarc.policy));
    answer->dmarc_domain = g_strdup(author->dmarc.found_at);
  }
}

VerifyAnswer *
verify_read(Lookup *lookup, const VerifyQuestion *question)
{
  Author author;
  VerifyAnswer *answer = verify_answer_new();
  read_author(&author, lookup, question);
  read_spf(&author, question, answer);
  read_keys(&author, question, answer);
  tell_policy(&author, answer);
  dmarc_result_clear(&author.dmarc);
  g_free(author.domain);
  return answer;
}
