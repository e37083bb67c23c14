/*
 * code.h - an access code as people type it.
 */
#pragma once

#include <glib.h>

#include "common/store/store.h"

/*
 * Reads six digits from INPUT (NULL is allowed) into CODE (wipe it). Spaces, dashes, dots
 * and invisible characters around and between them are overlooked, and the digits of other
 * scripts are taken. FALSE for anything else: such input costs no try (V3).
 */
gboolean
code_normalise(const char *input, char code[STORE_CODE_DIGITS + 1]);
