/*
 * attachment.h - whether an attachment's name is one that runs when it is opened (S10).
 *
 * Judged is what the recipient's machine makes of a name, not what it looks like: blanks
 * and dots at its end are left aside, as Windows does, and marks that only turn or hide
 * text. Pure; any thread.
 */
#pragma once

#include <glib.h>

/*
 * Whether NAME, as inspect.h has it ("a.zip/setup.exe"), has one of EXTENSIONS (lower case,
 * without dot; NULL-terminated). Only the last part of a path counts: directories of an
 * archive may be called www.example.com.
 */
gboolean
attachment_is_refused(const char *name, const char *const *extensions);
