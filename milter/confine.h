/*
 * confine.h - what zegel-milter may use of the system while it works.
 */
#pragma once

#include "common/conf/conf.h"

/*
 * sandbox_confine_daemon with the paths of CONFIG, which was read from CONFIG_PATH: for the
 * instance of port 25 when MX, which has no key and starts nothing. FALSE with
 * ZEGEL_ERROR_CONFIG.
 */
gboolean
confine(const Config *config, const char *config_path, gboolean mx, GError **error);
