#include "milter/visitor.h"

#include <string.h>

#include "common/base/error.h"
#include "milter/author.h"
#include "milter/envelope.h"

static MarkState
state_of_error(const GError *error)
{
  return g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID) ||
                 g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED) ||
                 g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT)
             ? MARK_FORGED
             : MARK_KEY;
}

static MarkState
open_mark(Message *message, const Config *config, const KeyRing *ring)
{
  if (message->visitor.marks > 1)
    return MARK_FORGED;
  g_autoptr(GError) error = NULL;
  g_autoptr(Origin) origin = origin_open(ring, message->sealed_text->str, &error);
  if (origin == NULL)
    return state_of_error(error);
  const Organisation *organisation = conf_organisation(config, origin->organisation);
  if (organisation == NULL)
    return MARK_ORGANISATION;
  message->organisation = organisation;
  message->origin = g_steal_pointer(&origin);
  return MARK_GOOD;
}

static gboolean
is_named(const Origin *origin, const char *address)
{
  for (char **recipient = origin->recipients; *recipient != NULL; recipient++) {
    g_autofree char *named = envelope_address(*recipient);
    if (g_strcmp0(named, address) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Whom the mark does not name; what cannot be read is nobody that it names. */
static void
find_unmarked(Message *message)
{
  for (guint i = 0; i < message->recipients->len; i++) {
    const MessageRecipient *recipient = message->recipients->pdata[i];
    if (recipient->address == NULL || !is_named(message->origin, recipient->address))
      g_ptr_array_add(message->unmarked, recipient->given);
  }
}

/* Nothing of a visitor's may look as if somebody of the organisation wrote it. */
static gboolean
has_other_author(const Message *message)
{
  g_autofree char *domain = NULL;
  return author_find(message->fields, &domain) != AUTHOR_ONE || message->authors != 1 ||
         g_ascii_strcasecmp(domain, message->organisation->service_domain) != 0 ||
         fields_count(message->fields, "Sender") > 0;
}

void
visitor_open(Message *message, const Config *config, const KeyRing *ring)
{
  VisitorFacts *facts = &message->visitor;
  if (facts->marks == 0)
    return;
  facts->state = open_mark(message, config, ring);
  if (facts->state != MARK_GOOD)
    return;
  facts->viewer = message->organisation->method != METHOD_NONE;
  facts->other_author = has_other_author(message);
  find_unmarked(message);
}

gboolean
visitor_check_body(Message *message)
{
  message_end_body(message);
  if (!message->body_hashed)
    return FALSE;
  message->visitor.changed = !crypt_equal(
      message->body_sha256, message->origin->body_sha256, sizeof message->body_sha256);
  return message->visitor.changed;
}
