/*
 * form.h - fields that a visitor sent: the body of a form, and the query of a URL.
 */
#pragma once

#include <glib.h>

#define FORM_MAX_BYTES 65536 /* of a request body; our forms need a few hundred */

typedef struct Form Form;

/*
 * Parses LEN bytes at BYTES (application/x-www-form-urlencoded, WHATWG URL 5.1). Returns
 * the fields, freed with form_free, or NULL with ZEGEL_ERROR_INVALID (a bad escape, NUL, no
 * UTF-8, a field twice) or ZEGEL_ERROR_LIMIT.
 */
Form *
form_parse(const char *bytes, gsize len, GError **error);

/* A form without fields. Never NULL. */
Form *
form_new(void);

/* Adds field NAME with LEN bytes of text at VALUE, both copied. FALSE when it has that
 * field already or has too many, or when VALUE is no text (NUL). */
gboolean
form_add(Form *form, const char *name, const char *value, gsize len);

/* Wipes and frees FORM; NULL is allowed. */
void
form_free(Form *form);

/* The value of field NAME, owned by FORM, or NULL. FORM may be NULL. */
const char *
form_get(const Form *form, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Form, form_free)
