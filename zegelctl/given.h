/*
 * given.h - which alarms were given already: lines "DAY RULE DOMAIN TO" in a small file, so
 * that each is given once for a day, and again only to whom it could not be given.
 */
#pragma once

#include <glib.h>

#define GIVEN_DAYS 7 /* how long a line is kept */

typedef struct Given Given;

/*
 * What stands in the file at PATH (copied), without what is older than GIVEN_DAYS on TODAY;
 * no file is an empty one. NULL with ZEGEL_ERROR_TEMPORARY when it cannot be read. Lines
 * that cannot be read are left out: then an alarm is given twice.
 */
Given *
given_load(const char *path, const GDate *today, GError **error);

/* Frees GIVEN; NULL is allowed. */
void
given_free(Given *given);

/* Whether the alarm of RULE about DOMAIN on DAY was given to TO (no spaces in any). */
gboolean
given_has(const Given *given, const char *day, const char *rule, const char *domain,
          const char *to);

/* Notes that it was, and writes the file, atomically. FALSE with ZEGEL_ERROR_TEMPORARY. */
gboolean
given_add(Given *given, const char *day, const char *rule, const char *domain,
          const char *to, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Given, given_free)
