/*
 * setup_make.h - what zegel needs on the machine besides Postfix: users, directories, keys,
 * running programs. Each step is skipped when it was done before.
 */
#pragma once

#include <glib.h>

#include "common/conf/conf.h"

/* Shows, a line each, what setup_make would do for CONFIG with the queue directory QUEUE.
 */
void
setup_make_show(const Config *config, const char *queue);

/* Makes the users, groups and directories. FALSE with an error. */
gboolean
setup_make_places(const Config *config, const char *queue, GError **error);

/* Makes the keys that are missing, by zegelctl key generate. FALSE with an error. */
gboolean
setup_make_keys(const Config *config, GError **error);

/* Has systemd read units anew that say where sockets lie, and ends those of before. FALSE
 * with ZEGEL_ERROR_CONFIG. */
gboolean
setup_make_units(GError **error);

/*
 * Starts the programs, now and with the machine, and waits until they answer; those that
 * run already read zegel.conf again. FALSE with ZEGEL_ERROR_TEMPORARY, which names those
 * that do not answer.
 */
gboolean
setup_start_programs(const Config *config, GError **error);

/* Ends those that nothing asks any more, and does not start them again. What cannot be
 * ended is said on standard output. */
void
setup_stop_programs(void);
