/*
 * dkim_text.h - how zegelctl writes DKIM keys and their records.
 */
#pragma once

#include "zegelctl/dkim_check.h"
#include "zegelctl/dkim_files.h"

/* The name of the record of SELECTOR for DOMAIN, without final dot: a new string, or NULL:
 * it would be too long for the DNS. Pure. */
char *
dkim_record_name(const char *selector, const char *domain);

/* RECORD as the line of a zone file for NAME: strings of at most 255 octets, in parentheses
 * when there is more than one (RFC 1035 3.3.14, RFC 6376 3.6.2.2). A new string with its
 * end of line. Pure. */
char *
dkim_record_zone(const char *name, const char *record);

/*
 * Writes FILES of DOMAIN for people to OUT: a line for each key and what is wrong; with
 * RECORDS the records too. VIEWS (of DkimView, one for each file) says what the DNS has, or
 * is NULL.
 */
void
dkim_append_text(GString *out, const char *domain, const GPtrArray *files,
                 const GArray *views, gboolean records);

/* The same as a JSON object, without end of line. */
void
dkim_append_json(GString *out, const char *domain, const GPtrArray *files,
                 const GArray *views);
