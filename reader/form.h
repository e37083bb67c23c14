/*
 * form.h - a form that was sent to the viewer, as frames that are easy to read.
 *
 * In: "Content-Type: VALUE", an empty line (both with CRLF), and the body of the request.
 * Out: "field NAME SIZE" or "file NAME FILENAME TYPE SIZE", a line feed and SIZE bytes, for
 * each part in its order, and then "end" and a line feed. Manual: zegel-reader(8).
 */
#pragma once

#include "reader/message.h"

#define FORM_MAX_BYTES       MESSAGE_MAX_BYTES /* of all that comes in */
#define FORM_MAX_FIELDS      100
#define FORM_FIELD_MAX_BYTES (64 * 1024) /* as it came in */
#define FORM_MAX_FILES       20

typedef enum {
  FORM_WRITTEN,
  FORM_MALFORMED,
  FORM_TOO_MUCH, /* more parts, or larger ones, than the limits */
  FORM_STOPPED   /* SINK said so */
} FormResult;

/*
 * Hands the frames of the LEN bytes at REQUEST to SINK; nothing when they are not in order.
 * Texts are UTF-8 with line feeds; of a file, the bytes are as they came. What a browser
 * sends for a file that was not chosen is left out.
 */
FormResult
form_write(const char *request, gsize len, MessageSink sink, gpointer data);
