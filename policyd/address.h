/*
 * address.h - the domain of a recipient address, in one form that can be compared.
 *
 * Only what a route depends on is read: addresses were taken by Postfix, and what it takes
 * is wider than any RFC. Whatever has no clear domain is never own and in no book.
 */
#pragma once

#include <glib.h>

#include "common/book/domain.h"

typedef struct {
  /* A-labels, lower case, no dot at the end; NULL: no domain that a route could be known
   * for (none at all, an address literal, or a name that is not one). */
  char *domain;
  /* The domain as it was given, in the case in which Postfix looks it up; NULL with it. */
  char *spelled;
  /* The local part holds neither '@', '%' nor '!': Postfix would read those as a way on
   * when the domain is its own (resolve_dequoted_address, allow_percent_hack,
   * swap_bangpath), and the message would leave again. */
  gboolean local_is_plain;
} Address;

/* Reads TEXT (without <>) into *ADDRESS, which the caller clears. Pure; any thread. */
void
address_read(const char *text, Address *address);

/* Frees what ADDRESS holds. */
void
address_clear(Address *address);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Address, address_clear)
