/*
 * template.h - a text of the administrator's with {number}, {digits}, {text}, {user} and
 * {password} in it. Pure; any thread.
 */
#pragma once

#include <glib.h>

/* Where the result stands, so that no value can end its place and begin another. */
typedef enum {
  PLACE_URL,  /* query or form: all but RFC 3986's unreserved as %XX */
  PLACE_JSON, /* between the quotes of a JSON string (RFC 8259 7) */
  PLACE_XML,  /* text or attribute; control characters but line ends become spaces */
  PLACE_LINE  /* a header line or address: controls become spaces */
} Place;

/* Borrowed; NULL counts as empty. */
typedef struct {
  const char *number; /* E.164 with '+'; {digits} is the same without it */
  const char *text;
  const char *user;
  const char *password;
} Values;

/* TEMPLATE with VALUES, escaped for PLACE: a new string with what may be secret; wipe it.
 * Other braces stay as they are. */
char *
template_expand(const char *template, Place place, const Values *values);

/* Whether TEMPLATE names {NAME}. */
gboolean
template_names(const char *template, const char *name);
