/*
 * settings.h - the file of an adapter: one section of "key = value" lines, as they stand.
 */
#pragma once

#include <glib.h>

/*
 * Reads section SECTION of PATH; a key that is not in KEYS (NULL-terminated) or another
 * section is ZEGEL_ERROR_CONFIG, as is a file that cannot be read. NULL on error.
 */
GKeyFile *
settings_load(const char *path, const char *section, const char *const *keys,
              GError **error);

/* The value of KEY, or FALLBACK (may be NULL) when there is none: a new string. */
char *
settings_text(GKeyFile *file, const char *section, const char *key, const char *fallback);

/* The number of KEY into *VALUE, which has the default before; FALSE with
 * ZEGEL_ERROR_CONFIG when it is not from MIN to MAX. */
gboolean
settings_uint(GKeyFile *file, const char *section, const char *key, guint min, guint max,
              guint *value, GError **error);

/*
 * The first line of the file at PATH, which only its owner, we or root, may read: a new
 * string; wipe it. NULL with ZEGEL_ERROR_CONFIG.
 */
char *
settings_secret(const char *path, GError **error);

/* Sets ERROR to ZEGEL_ERROR_CONFIG with "KEY: WHY"; FALSE. */
gboolean
settings_refuse(GError **error, const char *key, const char *why);
