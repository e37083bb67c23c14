/*
 * partner.h - which domains are reached direct, and when one of them fell back on the
 * viewer.
 *
 * A domain is a partner for PARTNER_DAYS after mail for it went direct, or when its route
 * says that it publishes what NTA 7516 asks for and could not be used now. A recipient of
 * sensitive mail there who got the viewer fell back. Pure: events in, facts out.
 */
#pragma once

#include "common/base/attr.h"

#define PARTNER_DAYS 90

typedef struct Partners Partners;

typedef enum {
  PARTNER_NONE,   /* no sensitive recipient of a partner */
  PARTNER_DIRECT, /* reached direct */
  PARTNER_FELL    /* got the viewer, at a partner */
} PartnerFact;

/* Knows no domain. Never NULL; freed with partners_free. */
Partners *
partners_new(void);

/* Frees PARTNERS; NULL is allowed. */
void
partners_free(Partners *partners);

/*
 * What the event ATTRS (event_format) of AT_US, Unix time, means for DOMAIN, that of its
 * recipient in lower case. Events come in the order in which they happened; those of
 * PARTNER_DAYS before the first that counts should come too.
 */
PartnerFact
partners_take(Partners *partners, const Attrs *attrs, const char *domain, gint64 at_us);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Partners, partners_free)
