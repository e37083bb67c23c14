/*
 * hop.h - a next hop and the TLS that is asked of it, as an administrator writes them.
 *
 * The parsers know Postfix's forms and take the ones that are safe: a rule that would let a
 * name be proved by unproved DNS is refused here, not found out later.
 */
#pragma once

#include <glib.h>

/*
 * TEXT as a next hop in Postfix's form: "[host]", "[address]", "domain", each with ":port"
 * or without. Returns a new string in lower case, always with a port: the next hop is a key
 * of Postfix's TLS policy table, and those of NTA 7516, which have no port, must never meet
 * a rule of the book. Sets *IS_ADDRESS. NULL with ZEGEL_ERROR_CONFIG. Pure; any thread.
 */
char *
hop_parse(const char *text, gboolean *is_address, GError **error);

/*
 * The words of a TLS rule (NULL-terminated, borrowed) as a value of Postfix's TLS policy
 * table, a new string:
 *
 *     dane-only
 *     secure [match=NAME[:NAME...]]
 *     fingerprint=SHA256[|SHA256...]
 *
 * each with or without protocols=TLSv1.3. NULL with ZEGEL_ERROR_CONFIG, also for a rule
 * that cannot hold for an address (IS_ADDRESS). Pure; any thread.
 */
char *
hop_parse_rule(const char *const *words, gboolean is_address, GError **error);

/* POLICY, from hop_parse_rule, as the words that hop_parse_rule takes: a new string. */
char *
hop_format_rule(const char *policy);
