/*
 * confine.h - what zegel-deliver may use of the system while it works.
 */
#pragma once

#include "common/conf/conf.h"

/*
 * sandbox_confine_daemon with the paths of CONFIG, which was read from CONFIG_PATH. FALSE
 * with ZEGEL_ERROR_CONFIG.
 */
gboolean
confine(const Config *config, const char *config_path, GError **error);
