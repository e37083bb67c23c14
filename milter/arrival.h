/*
 * arrival.h - a message as it comes in: what was said of it and what stands in its header,
 * as far as it came, and before anybody has made anything of it.
 *
 * The callbacks of libmilter fill one, and so does zegel-milter -t. One thread.
 */
#pragma once

#include <glib.h>

#include "milter/client.h"
#include "milter/fields.h"

/* All owned. */
typedef struct {
  Client client;
  GStrv sender;          /* the arguments of MAIL: first the address */
  GPtrArray *recipients; /* of GStrv: the arguments of each RCPT */
  Fields *fields;
} Arrival;

/* A message of nobody, from ARGS, the arguments of MAIL. Freed with arrival_free. */
Arrival *
arrival_new(const char *const *args);

/* Frees ARRIVAL; NULL is allowed. */
void
arrival_free(Arrival *arrival);

/* Adds the recipient in ARGS, the arguments of RCPT. */
void
arrival_add_recipient(Arrival *arrival, const char *const *args);

/* Adds the header field NAME with its raw VALUE. */
void
arrival_add_field(Arrival *arrival, const char *name, const char *value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Arrival, arrival_free)
