/*
 * bounce.h - what a bounce says about the message that came back (O2, RFC 3464).
 */
#pragma once

#include "reader/message.h"

#define BOUNCE_DIAGNOSTIC_MAX_BYTES 500

/*
 * What MESSAGE reports, as one block of escaped attributes (attr.h): action (failed,
 * delayed, delivered, or other for what is no report at all), status (a code of RFC 3463,
 * or empty) and diagnostic (one line of at most BOUNCE_DIAGNOSTIC_MAX_BYTES, or empty). Of
 * a report about several recipients, what is worst. A new string.
 */
char *
bounce_view(const Message *message);
