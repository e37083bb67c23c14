/*
 * delegation.h - what zegel-policyd answers to Postfix's policy delegation.
 *
 * Early refusals for an smtpd: our own label domains, and senders that are not of the
 * organisation that submits (O3). To everything else it says nothing (DUNNO). What it tells
 * of certificates by the way is kept (clients.h). Protocol: SMTPD_POLICY_README of Postfix.
 * One thread.
 */
#pragma once

#include <glib.h>

#include "common/conf/conf.h"
#include "policyd/clients.h"

#define DELEGATION_LINE_MAX_BYTES 400 /* S7 */

/*
 * The answer to the request in LEN octets at BLOCK, with its empty line, as text that the
 * caller frees, or NULL when it is no request: the peer talks another language. Logs what
 * it refuses. CLIENTS gets the client's certificate, or that it has none.
 */
char *
delegation_answer(const Config *config, Clients *clients, const char *block, gsize len);
