/*
 * dkim_canon.h - the relaxed canonicalizations of RFC 6376 3.4.2 and 3.4.4. Pure.
 */
#pragma once

#include <glib.h>

#include "common/crypt/crypt.h"

/* Appends "NAME:VALUE" in the relaxed form to TEXT, without CRLF. */
void
dkim_canon_field(GString *text, const char *name, const char *value);

/* A body that is hashed. */
typedef struct DkimBody DkimBody;

/* A body with nothing in it yet, freed with dkim_canon_body_free. */
DkimBody *
dkim_canon_body_new(void);

/* Adds LEN bytes, cut anywhere. LF ends a line, with CR before it or without. */
void
dkim_canon_body_add(DkimBody *body, const void *bytes, gsize len);

/* Ends BODY and writes its hash. */
void
dkim_canon_body_finish(DkimBody *body, guint8 out[CRYPT_SHA256_BYTES]);

/* Frees BODY; NULL is allowed. */
void
dkim_canon_body_free(DkimBody *body);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(DkimBody, dkim_canon_body_free)
