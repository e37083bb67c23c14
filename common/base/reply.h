/*
 * reply.h - what SMTP replies of ours have in common.
 */
#pragma once

#include <glib.h>

/* Three names fit in a line of 400 octets with its text. */
#define REPLY_NAME_MAX_BYTES 48

/*
 * Appends NAME, which may hold any octets, to LINE as printable ASCII without spaces: '?'
 * stands for others, "..." for what is longer than REPLY_NAME_MAX_BYTES. Any thread.
 */
void
reply_append_name(GString *line, const char *name);
