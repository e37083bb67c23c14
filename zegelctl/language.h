/*
 * language.h - the words of reports, which not only administrators read: nl or en.
 */
#pragma once

#include <glib.h>
#include <libintl.h>

#define _(text)  gettext(text)
#define N_(text) (text)

/* From now on gettext answers in LANGUAGE, "nl" or "en". Once; main thread. */
void
language_use(const char *language);
