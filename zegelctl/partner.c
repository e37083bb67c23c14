#include "zegelctl/partner.h"

#include <string.h>

#define MAX_DOMAINS 100000 /* so many partners nobody has */
#define KEPT_US     (PARTNER_DAYS * G_TIME_SPAN_DAY)

struct Partners {
  GHashTable *last_us; /* domain -> gint64: when mail for it last went direct */
};

/*
 * What a route to the viewer hung on (zegel-events(5)) at a domain that could be direct: it
 * publishes an NTA 7516 record, but one that does not hold now; its next hop is promised
 * with other TLS; or our own signature would be broken.
 */
static const char *const could_be[] = {
    "Z-N1-TWO",  "Z-N1-SYNTAX", "Z-N1-OLD",  "Z-N1-DATES",
    "Z-N1-SPAN", "Z-N1-HOSTS",  "Z-N1-TLSA", "Z-R5-CONFLICT",
};

#define NO_KEY "Z-N6-NO-KEY"

Partners *
partners_new(void)
{
  Partners *partners = g_new0(Partners, 1);
  partners->last_us = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  return partners;
}

void
partners_free(Partners *partners)
{
  if (partners == NULL)
    return;
  g_hash_table_unref(partners->last_us);
  g_free(partners);
}

static void
remember(Partners *partners, const char *domain, gint64 at_us)
{
  gint64 *last = g_hash_table_lookup(partners->last_us, domain);
  if (last != NULL) {
    *last = MAX(*last, at_us);
  } else if (g_hash_table_size(partners->last_us) < MAX_DOMAINS) {
    last = g_new(gint64, 1);
    *last = at_us;
    g_hash_table_insert(partners->last_us, g_strdup(domain), last);
  }
}

static gboolean
is_partner(const Partners *partners, const Attrs *attrs, const char *domain, gint64 at_us)
{
  const gint64 *last = g_hash_table_lookup(partners->last_us, domain);
  const char *detail = attrs_get(attrs, "detail");
  if (last != NULL && at_us - *last <= KEPT_US)
    return TRUE;
  if (g_strcmp0(attrs_get(attrs, "code"), NO_KEY) == 0)
    return TRUE;
  for (guint i = 0; detail != NULL && i < G_N_ELEMENTS(could_be); i++)
    if (strcmp(detail, could_be[i]) == 0)
      return TRUE;
  return FALSE;
}

PartnerFact
partners_take(Partners *partners, const Attrs *attrs, const char *domain, gint64 at_us)
{
  const char *route = attrs_get(attrs, "route");
  if (g_strcmp0(attrs_get(attrs, "event"), "routed") != 0 || route == NULL ||
      *domain == '\0')
    return PARTNER_NONE;
  gboolean direct = strcmp(route, "direct") == 0;
  if (direct || strcmp(route, "prefer") == 0)
    remember(partners, domain, at_us);
  if (direct)
    return PARTNER_DIRECT;
  gboolean fell =
      strcmp(route, "viewer") == 0 && is_partner(partners, attrs, domain, at_us);
  return fell ? PARTNER_FELL : PARTNER_NONE;
}
