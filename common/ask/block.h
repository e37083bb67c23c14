/*
 * block.h - what reading the blocks of all questions has in common. For this room.
 */
#pragma once

#include <glib.h>

#include "common/base/attr.h"

/* Sets ZEGEL_ERROR_INVALID with TEXT, which says what is wrong with a block. FALSE. */
gboolean
block_refuse(GError **error, const char *text);

/* Whether ATTRS is of our version. FALSE with ZEGEL_ERROR_INVALID. */
gboolean
block_check_version(const Attrs *attrs, GError **error);
