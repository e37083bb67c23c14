/*
 * dkim.h - whether the DKIM keys that we sign with are those that the DNS has (N2).
 */
#pragma once

#include "common/crypt/dkim_record.h"
#include "policyd/checks.h"

#define DKIM_KEYS_MAX      32    /* of one domain, with those that rest */
#define DKIM_KEY_MAX_BYTES 16384 /* of a key's file */

/*
 * Reads DIRECTORY/DOMAIN/SELECTOR.pub (PEM) for the domain of CHECKS, and compares each key
 * with the record of its selector. Passes when one is published, under DNSSEC, and none is
 * published as another key.
 */
void
dkim_check(Checks *checks, const char *directory);
