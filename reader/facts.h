/*
 * facts.h - what the attachments of a message are, for who must decide about the message
 * and parses nothing itself (S10, S11, K3).
 */
#pragma once

#include "common/base/attr.h"
#include "reader/message.h"

#define FACTS_MAX_ATTACHMENTS 500  /* of the message itself */
#define FACTS_MAX_NAMES       2000 /* these, and what is found inside them */
#define FACTS_MAX_DEPTH       8    /* of messages in messages */

/*
 * The facts of MESSAGE: for each attachment name, alias (each other name that it declares),
 * type, size and sha256 of its decoded bytes, and inside (the path of what is in a zip
 * archive or a forwarded message in it; of an archive one name for each extension); then
 * unreadable (an archive that cannot be listed), total (of the sizes) and cut (1 when there
 * is more than was looked at, or IS_CUT). It formats to less than ATTR_BLOCK_MAX_BYTES and
 * leaves room for another attribute or two. When it says cut, parts of what was parsed are
 * not freed: the process should end soon. Never NULL; freed by the caller.
 */
Attrs *
facts_new(const Message *message, gboolean is_cut);
