/*
 * reading.h - one view of a message, as it comes out of zegel-reader.
 *
 * The viewer itself never parses a message: verified plaintext from the store goes into the
 * confined reader, and what comes back is bytes to escape or to hand on.
 */
#pragma once

#include <glib.h>

#include "common/store/store.h"

#define READING_TIMEOUT_S 8 /* an answer within 10 s */

typedef struct Reading Reading;

/*
 * Starts the program READER for VIEW with ARGUMENT (NULL: none; zegel-reader(8) has both)
 * of the message in SOURCE, which it takes. NULL with ZEGEL_ERROR_TEMPORARY.
 */
Reading *
reading_new(const char *reader, MessageSource *source, const char *view,
            const char *argument, GError **error);

/* The message of SOURCE (takes) just as it is. Never NULL. */
Reading *
reading_new_original(MessageSource *source);

/* Ends the reader when it still runs, and frees; NULL is allowed. */
void
reading_free(Reading *reading);

/*
 * Reads at most LEN (at least 1) bytes of the view into BUFFER. Returns the count; 0 when
 * the view is complete and the reader said so; or -1 with ZEGEL_ERROR_INVALID (there is no
 * such view), ZEGEL_ERROR_LIMIT (it cannot be shown: too large, too long, or the reader
 * died), ZEGEL_ERROR_FORGED (the stored message is damaged) or ZEGEL_ERROR_TEMPORARY. Waits
 * at most READING_TIMEOUT_S.
 */
gssize
reading_next(Reading *reading, gpointer buffer, gsize len, GError **error);

/*
 * The whole view, at most MAX bytes, within READING_TIMEOUT_S. NULL with an error as above,
 * ZEGEL_ERROR_LIMIT also when it is longer. The bytes are plaintext of the message.
 */
GBytes *
reading_all(Reading *reading, gsize max, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reading, reading_free)
