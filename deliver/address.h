/*
 * address.h - whether two ways of writing an address mean one mailbox.
 */
#pragma once

#include <glib.h>

/*
 * Whether A and B (local@domain, without <>) are the same: the domain in any case, the
 * local part as its quoted and plain form mean the same (RFC 5321 4.1.2). The client may
 * have written "jan"@example.nl, which is in the ticket then, while Postfix hands on
 * jan@example.nl.
 */
gboolean
address_equal(const char *a, const char *b);
