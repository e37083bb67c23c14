/*
 * delegation.h - what zegel-policyd answers to Postfix's policy delegation.
 *
 * Early refusals for an smtpd: our own label domains, and senders that are not of the
 * organisation that submits (O3). To everything else it says nothing (DUNNO). Protocol:
 * SMTPD_POLICY_README of Postfix. Any thread.
 */
#pragma once

#include <glib.h>

#include "common/conf/conf.h"

#define DELEGATION_LINE_MAX_BYTES 400 /* S7 */

/*
 * The answer to the request in LEN octets at BLOCK, with its empty line, as text that the
 * caller frees, or NULL when it is no request: the peer talks another language. Logs what
 * it refuses.
 */
char *
delegation_answer(const Config *config, const char *block, gsize len);
