/*
 * xss_vectors.h - HTML that tries to run, load, send or navigate (T9, T10).
 */
#pragma once

/* Each is one attack mail's body. NULL-terminated. */
extern const char *const xss_vectors[];
