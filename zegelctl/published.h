/*
 * published.h - the list of its domains that a network publishes, as ZorgMail does.
 *
 * Text: one header line, then one domain a line. It comes from somebody else's spreadsheet,
 * so what stands around a domain is taken as it comes; what is no domain never is.
 */
#pragma once

#include <glib.h>

typedef struct {
  char *header;       /* the header line, for people; "" when there is none */
  GPtrArray *domains; /* of char *: A-labels, lower case, each once, in the list's order */
} Published;

/*
 * The list in LEN bytes at TEXT, freed with published_free; NAME stands in messages. A byte
 * order mark, CR, quotes, '@' before and spaces, commas and semicolons around a domain,
 * upper case, empty lines, U-labels and repetitions are allowed; a first line that is a
 * domain is not a header. NULL with ZEGEL_ERROR_INVALID and "NAME:LINE: what is wrong".
 * Pure; any thread.
 */
Published *
published_parse(const char *name, const char *text, gsize len, GError **error);

/* DOMAINS (of char *) as such a list with HEADER: a new string. */
char *
published_format(const char *header, const GPtrArray *domains);

/* Frees LIST; NULL is allowed. */
void
published_free(Published *list);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Published, published_free)
