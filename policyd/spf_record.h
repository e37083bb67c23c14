/*
 * spf_record.h - the grammar of an SPF record (RFC 7208 12), before libspf2 sees it.
 *
 * libspf2 1.2.10 reads what is not well-formed into places that are not its own
 * (CVE-2023-42118), drops what is too much without a word, and believes "redirect" where it
 * stands. So it gets only records that follow the grammar, in a form that it reads right.
 */
#pragma once

#include <glib.h>

/*
 * A longer record is no good one for us. Limits what CVE-2023-42118 could write behind the
 * 511 octets that are checked: not more than the 4096 of the buffer. (RFC 7208 3.4 wants
 * records to fit in 512.)
 */
#define SPF_RECORD_MAX_BYTES 2048

/*
 * The directives of the record in LEN octets at TEXT, "v=spf1 ...", in the form that
 * libspf2 reads right: one blank between, "redirect=" last and only when there is no "all",
 * and no other modifier. *COUNT gets how many they are. New, or NULL when the record is not
 * well-formed or too long. Pure; any thread.
 */
char *
spf_record_directives(const char *text, gsize len, guint *count);
