/*
 * serve.h - facts of one message after the other, for zegel-milter.
 *
 * A message comes as frames: the length in four octets, big endian, at most
 * SERVE_FRAME_MAX_BYTES, and as many octets; a frame of length 0 ends it. The answer is one
 * block of escaped attributes (attr.h): those of facts.h, and then last, 1 when the process
 * ends after it. Manual: zegel-reader(8).
 */
#pragma once

#include <glib.h>

#define SERVE_FRAME_MAX_BYTES (1024 * 1024)
#define SERVE_MAX_MESSAGES    200 /* then the process ends, and all that was lost with it */
#define SERVE_MAX_CPU_S       30
#define SERVE_LARGE_BYTES     (8 * 1024 * 1024) /* so do those that took much memory */

/*
 * Answers the messages that come in at descriptor IN at OUT, until IN ends or the process
 * has done enough. Of a message, no more than MESSAGE_MAX_BYTES are looked at. Returns the
 * exit status of the process. After message_init.
 */
int
serve_facts(int in, int out);
