/*
 * message.h - a text message as zegel-viewer gives it to an adapter (zegel-sms(7)).
 */
#pragma once

#include <glib.h>

#define MESSAGE_MAX_BYTES 4096 /* of number and text together */

typedef struct {
  char *number; /* E.164, with '+' */
  char *text;   /* UTF-8, without the last line end; never empty */
} Message;

/*
 * Reads a message from FD to its end. FALSE with ZEGEL_ERROR_INVALID, in words that hold
 * nothing of it, or ZEGEL_ERROR_TEMPORARY. Free with message_clear in any case.
 */
gboolean
message_read(int fd, Message *message, GError **error);

/* Wipes what MESSAGE holds and frees it. */
void
message_clear(Message *message);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Message, message_clear)
