/*
 * again.h - the ticket of a message that comes back out of an expansion (R7).
 *
 * Aliases, lists and .forward files are expanded after the first pass of the milter; what
 * comes out passes it once more. The ticket in its header says whose it is, that it is
 * sensitive, and what its body was.
 */
#pragma once

#include "common/crypt/key.h"
#include "milter/message.h"

/*
 * Opens the ticket of MESSAGE (MESSAGE_AGAIN, its header complete) with RING and fills
 * what message->again says of it. The message then is its organisation's, of CONFIG. Does
 * nothing when there is no ticket.
 */
void
again_open(Message *message, const Config *config, const KeyRing *ring);

/* Ends the hash of MESSAGE's body; TRUE and a new fact when it is not the ticket's. */
gboolean
again_check_body(Message *message);

/*
 * The ticket of MESSAGE with those whom DECISION labels: sealed anew, with the same id, as
 * the header's value with the milter's line ends in *VALUE, owned by the caller; NULL there
 * when it names them all already. FALSE with an error.
 */
gboolean
again_renew(Message *message, const Decision *decision, const KeyRing *ring, char **value,
            GError **error);
