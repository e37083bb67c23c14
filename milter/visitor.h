/*
 * visitor.h - the mark of a message that a visitor wrote in the viewer (V5, V6, V11).
 *
 * Only the viewer can make one. It says whose the message is, to whom it may go, and what
 * its body was; without it nothing leaves by the smtpd for visitors.
 */
#pragma once

#include "common/crypt/key.h"
#include "milter/message.h"

/*
 * Opens the mark of MESSAGE (MESSAGE_VISITOR, its header complete) with RING and fills what
 * message->visitor says of it. The message then is its organisation's, of CONFIG. Does
 * nothing when there is no mark.
 */
void
visitor_open(Message *message, const Config *config, const KeyRing *ring);

/* Ends the hash of MESSAGE's body; TRUE and a new fact when it is not the mark's. */
gboolean
visitor_check_body(Message *message);
