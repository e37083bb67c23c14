/*
 * setup_postfix.h - the running Postfix of one instance, as setup commands it.
 */
#pragma once

#include <glib.h>

#include "zegelctl/setup_plan.h"

/* Whether the Postfix of DIRECTORY runs. */
gboolean
setup_postfix_runs(const char *directory);

/* Has it read its configuration again, when it runs. FALSE with ZEGEL_ERROR_CONFIG. */
gboolean
setup_postfix_reload(const char *directory, GError **error);

/* What postfix check says; FALSE with ZEGEL_ERROR_CONFIG and its words. */
gboolean
setup_postfix_check(const char *directory, GError **error);

/* Indexes the table at PATH, when its index is not there or older. FALSE with ZEGEL_ERROR_CONFIG. */
gboolean
setup_postfix_index(const char *directory, const char *path, GError **error);

/*
 * Whether Postfix can read our tables: each alone as its own user, and through proxymap(8)
 * when it runs. FALSE with ZEGEL_ERROR_CONFIG.
 */
gboolean
setup_postfix_reads(const char *directory, const char *user, GError **error);

/*
 * What postconf(1) complains of in DIRECTORY, without its name: lines, each once (char *,
 * freed with the table). NULL with an error.
 */
GHashTable *
setup_postfix_complaints(const char *directory, GError **error);

/* How many lines of the queue name one of our labels; -1 with an error. */
int
setup_postfix_labelled(const char *directory, GError **error);

/* Whether PORT of 127.0.0.1 is free. */
gboolean
setup_port_is_free(guint port);
