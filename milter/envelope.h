/*
 * envelope.h - addresses and ESMTP parameters as they come in MAIL and RCPT.
 *
 * Pure; any thread.
 */
#pragma once

#include <glib.h>

/*
 * The address in ARG, the first argument of MAIL or RCPT, with or without <>: "" for <>,
 * else local@domain with the local part quoted only when it must be, as Postfix writes it,
 * and the domain in lower case.
 * NULL when Postfix might read it otherwise than we do: no domain, an address literal, a
 * source route, comments, an empty label in the domain. New string, owned by the caller.
 */
char *
envelope_address(const char *arg);

/*
 * Whether the local part of ADDRESS (as envelope_address gives it) can make Postfix send it
 * on to another domain: allow_percent_hack, swap_bangpath and resolve_dequoted_address of
 * postconf(5) are on by default.
 */
gboolean
envelope_is_routing(const char *address);

/* The domain of ADDRESS, inside it; NULL when there is none. */
const char *
envelope_domain(const char *address);

/*
 * The parameters with which a labelled recipient is added: ORCPT as in ARGS
 * (NULL-terminated, after the address) without any label of ours, or made of GIVEN, the
 * address as it stood in RCPT, with <> or without. With SENSITIVE (S12) NOTIFY has FAILURE
 * and DELAY, and SUCCESS when ARGS asked for it; else it is as in ARGS, and FAILURE,DELAY
 * when that has none: Postfix would take none for NEVER.
 */
char *
envelope_recipient_parameters(const char *given, const char *const *args,
                              gboolean sensitive);

/* The parameters for the sender (S12): RET=HDRS, and ENVID when ARGS had one. */
char *
envelope_sender_parameters(const char *const *args);
