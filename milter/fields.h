/*
 * fields.h - the header fields of a message, in order, as they came and as they leave.
 *
 * A value is what stands behind the colon, with the blank that may follow it (Postfix is
 * asked for it: SMFIP_HDR_LEADSPC), folded with LF as libmilter has it. One thread.
 */
#pragma once

#include <glib.h>

#define FIELDS_MAX       2000
#define FIELDS_MAX_BYTES (1024 * 1024)

typedef struct {
  char *name; /* as it came, perhaps with blanks at its end: "Subject " */
  char *value;
} Field;

typedef struct {
  GPtrArray *list; /* of Field */
  gsize bytes;     /* of names and values */
  gboolean cut;    /* there were more than the limits: the list is not whole */
} Fields;

/* An empty list, freed with fields_free. */
Fields *
fields_new(void);

/* Frees FIELDS; NULL is allowed. */
void
fields_free(Fields *fields);

/* Appends a copy, unless a limit is reached. */
void
fields_add(Fields *fields, const char *name, const char *value);

/* Whether FIELD is called NAME: any case, and blanks before the colon do not count, as
 * Postfix has it. */
gboolean
field_is(const Field *field, const char *name);

/* Appends FIELD to TEXT as it stands in a message, with CRLF where it is folded, and none
 * at its end. */
void
field_append(const Field *field, GString *text);

/* How many fields are called NAME (any case). */
guint
fields_count(const Fields *fields, const char *name);

/* Field number INDEX (from 1) of those called NAME, owned by FIELDS, or NULL. */
const Field *
fields_find(const Fields *fields, const char *name, guint index);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fields, fields_free)
