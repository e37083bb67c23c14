/*
 * delegation.h - what zegel-policyd answers to Postfix's policy delegation.
 *
 * Early refusals for an smtpd: our own label domains, and senders that are not of the
 * organisation that submits (O3). To everything else it says nothing (DUNNO). Protocol:
 * SMTPD_POLICY_README of Postfix. Pure; any thread.
 */
#pragma once

#include <glib.h>

#include "common/conf/conf.h"

/*
 * The answer to the request in LEN octets at BLOCK, with its empty line, as text that the
 * caller frees, or NULL when it is no request: the peer talks another language.
 */
char *
delegation_answer(const Config *config, const char *block, gsize len);
