#include "zegelctl/pin.h"

#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "zegelctl/finding.h"
#include "zegelctl/smtp.h"

#define POLICY "fingerprint match="

static void
pinned_free(gpointer p)
{
  Pinned *pinned = p;
  g_free(pinned->host);
  g_free(pinned->port);
  g_strfreev(pinned->tlsa);
  g_ptr_array_unref(pinned->domains);
  g_free(pinned);
}

/* Postfix takes a fingerprint of the certificate and of its public key alike. */
static GStrv
parse_pins(const char *policy)
{
  g_autoptr(GStrvBuilder) records = g_strv_builder_new();
  const char *start = policy + strlen(POLICY);
  g_autofree char *list = g_strndup(start, strcspn(start, " "));
  g_auto(GStrv) pins = g_strsplit(list, "|", -1);
  for (char **pin = pins; *pin != NULL; pin++) {
    g_auto(GStrv) octets = g_strsplit(*pin, ":", -1);
    g_autofree char *hex = g_strjoinv("", octets);
    g_autofree char *certificate = g_strconcat("3 0 1 ", hex, NULL);
    g_autofree char *key = g_strconcat("3 1 1 ", hex, NULL);
    g_strv_builder_add(records, certificate);
    g_strv_builder_add(records, key);
  }
  return g_strv_builder_end(records);
}

/* The server of ENTRY, without domains, or NULL: it is not pinned, or has no name. */
static Pinned *
parse_entry(const BookEntry *entry)
{
  const char *end = entry->nexthop != NULL ? strstr(entry->nexthop, "]:") : NULL;
  if (end == NULL || *entry->nexthop != '[' || !g_str_has_prefix(entry->policy, POLICY))
    return NULL;
  Pinned *pinned = g_new0(Pinned, 1);
  pinned->host = g_strndup(entry->nexthop + 1, (gsize) (end - entry->nexthop) - 1);
  pinned->port = g_strdup(end + 2);
  pinned->tlsa = parse_pins(entry->policy);
  pinned->domains = g_ptr_array_new();
  return pinned;
}

static gint
compare_entries(gconstpointer a, gconstpointer b)
{
  return strcmp((*(const BookEntry *const *) a)->domain,
                (*(const BookEntry *const *) b)->domain);
}

/* A next hop has one rule in the whole book. */
GPtrArray *
pin_list(const Book *book)
{
  GPtrArray *all = g_ptr_array_new_with_free_func(pinned_free);
  g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GPtrArray) entries = book_entries(book);
  g_ptr_array_sort(entries, compare_entries);
  for (guint i = 0; i < entries->len; i++) {
    const BookEntry *entry = entries->pdata[i];
    Pinned *pinned =
        entry->nexthop != NULL ? g_hash_table_lookup(known, entry->nexthop) : NULL;
    if (pinned == NULL && (pinned = parse_entry(entry)) != NULL) {
      g_hash_table_insert(known, entry->nexthop, pinned);
      g_ptr_array_add(all, pinned);
    }
    if (pinned != NULL)
      g_ptr_array_add(pinned->domains, entry->domain);
  }
  return all;
}

static gboolean
expect(Smtp *smtp, const char *command, int wanted)
{
  g_autoptr(GString) text = g_string_new(NULL);
  return smtp_talk(smtp, command, text, NULL) == wanted;
}

/* What the server at ADDRESS shows: TRUE in *MATCHES when that is pinned. FALSE: it could
 * not be seen. */
static gboolean
look_at_address(const Pinned *pinned, const struct addrinfo *address, const char *helo,
                gboolean *matches)
{
  const TlsPeer peer = {pinned->host, ((const char *) pinned->domains->pdata[0]),
                        (const char *const *) pinned->tlsa};
  const char *reason = NULL;
  g_autofree char *ehlo = g_strconcat("EHLO ", helo, NULL);
  g_autoptr(Smtp) smtp = smtp_open(address, NULL);
  if (smtp == NULL || !expect(smtp, NULL, 220) || !expect(smtp, ehlo, 250) ||
      !expect(smtp, "STARTTLS", 220) || !smtp_start_tls(smtp, &peer, NULL))
    return FALSE;
  *matches = tls_probe_is_verified(smtp_tls(smtp), &reason);
  expect(smtp, "QUIT", 221);
  return TRUE;
}

/* The first address that can be seen decides. */
static gboolean
look_at_server(const Pinned *pinned, const char *helo, gint64 end_us, gboolean *matches)
{
  const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *addresses = NULL;
  gboolean seen = FALSE;
  if (getaddrinfo(pinned->host, pinned->port, &hints, &addresses) != 0)
    return FALSE;
  for (const struct addrinfo *one = addresses;
       one != NULL && !seen && g_get_monotonic_time() < end_us; one = one->ai_next)
    seen = look_at_address(pinned, one, helo, matches);
  freeaddrinfo(addresses);
  return seen;
}

static Finding *
describe(const Pinned *pinned)
{
  const char *domain = pinned->domains->pdata[0];
  g_autofree char *pins = g_strjoinv(" ", pinned->tlsa);
  g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, pins, -1);
  Finding *finding = finding_new("Z-M4-PIN", domain, FALSE);
  finding->host = g_strdup(pinned->host);
  g_string_append_printf(finding->what,
                         "%s port %s shows neither a certificate nor a key with a "
                         "fingerprint that the domain book has for it",
                         pinned->host, pinned->port);
  if (pinned->domains->len > 1)
    g_string_append_printf(finding->what, "; it takes mail of %u domains",
                           pinned->domains->len);
  g_string_append_printf(finding->action,
                         "ask the partner, not by this way, whether he has a new "
                         "certificate, and change fingerprint= of its lines; mail for them "
                         "waits until then");
  finding_key(finding, "%s %s %s", pinned->host, pinned->port, sum);
  return finding;
}

void
pin_search(const Book *book, const char *helo, GPtrArray *findings)
{
  g_autoptr(GPtrArray) all = pin_list(book);
  gint64 end_us = g_get_monotonic_time() + PIN_TOTAL_MS * G_TIME_SPAN_MILLISECOND;
  signal(SIGPIPE, SIG_IGN);
  for (guint i = 0; i < all->len && g_get_monotonic_time() < end_us; i++) {
    const Pinned *pinned = all->pdata[i];
    gboolean matches = TRUE;
    if (look_at_server(pinned, helo, end_us, &matches) && !matches)
      g_ptr_array_add(findings, describe(pinned));
  }
}
