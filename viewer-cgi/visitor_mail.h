/*
 * visitor_mail.h - what a visitor wrote goes to [viewer] submit, with our mark (origin.h).
 */
#pragma once

#include "common/crypt/origin.h"
#include "common/submit/compose.h"
#include "viewer-cgi/viewer.h"

/*
 * Sends FACTS, of which organisation_name, service_domain, id and now_s are filled in here,
 * as KIND: from reply_to to recipient, and to nobody else. When it cannot be delivered it
 * comes back to zegel-deliver, for the entry REFERENCE in which it was written. *QUEUE_ID
 * gets Postfix's, or NULL; the caller frees it. FALSE with ZEGEL_ERROR_INVALID (a field
 * that cannot stand in a message, or no safe way leads to the recipient: the milter
 * refused), ZEGEL_ERROR_LIMIT or ZEGEL_ERROR_TEMPORARY. Any thread.
 */
gboolean
visitor_mail_send(const Viewer *viewer, const Organisation *organisation, OriginKind kind,
                  const char *reference, ComposeFacts *facts, char **queue_id,
                  GError **error);
