/*
 * packer.h - extensions that say nothing of what is inside.
 */
#pragma once

#include <glib.h>

/*
 * Whether EXTENSION, in lower case and without dot, is of a program that packs one file:
 * the name before it, as in "x.exe.gz", says what that is. Any thread.
 */
gboolean
packer_is_known(const char *extension);
