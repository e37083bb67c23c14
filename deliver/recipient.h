/*
 * recipient.h - whom a message that Postfix brings is for: a reader, or ourselves.
 */
#pragma once

#include "common/crypt/origin.h"
#include "deliver/reply.h"
#include "deliver/service.h"

/* A recipient of the message under way. */
typedef struct {
  char *address; /* without label */

  /* Of a control address of our own (origin.h); REFERENCE is NULL for everybody else. */
  const Organisation *organisation;
  ControlKind kind;
  char *reference;
} Recipient;

/* Frees RECIPIENT; NULL is allowed. */
void
recipient_free(Recipient *recipient);

/*
 * Reads PATH, the address of RCPT. Returns a Recipient that the caller frees, or NULL when
 * it is nobody here: then *REPLY says why.
 */
Recipient *
recipient_parse(const Service *service, const char *path, Reply *reply);

/* Whether RECIPIENT is a control address of KIND. */
gboolean
recipient_is(const Recipient *recipient, ControlKind kind);

/* Whether bounces come back to RECIPIENT, for returned.h. */
gboolean
recipient_is_return(const Recipient *recipient);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Recipient, recipient_free)
