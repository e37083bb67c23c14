/*
 * message_view.h - views of the visit's message, as zegel-reader makes them.
 */
#pragma once

#include "viewer-cgi/summary.h"
#include "viewer-cgi/visit.h"

/* Starts VIEW with ARGUMENT (NULL: none) of the message; VIEW NULL: the original. NULL with
 * an error as reading_new and store_open_message. */
Reading *
message_view_open(const Visit *visit, const char *view, const char *argument,
                  GError **error);

/* The whole of VIEW in at most MAX bytes; NULL with an error. */
GBytes *
message_view_read(const Visit *visit, const char *view, gsize max, GError **error);

/*
 * What the message is. Its attachments were compared with what the milter saw (K3); a
 * difference stands in the summary and was logged. NULL with an error.
 */
Summary *
message_view_summary(const Visit *visit, GError **error);
