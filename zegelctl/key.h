/*
 * key.h - zegelctl key: makes root keys and gives each program its copy.
 */
#pragma once

#include <glib.h>

#include "common/conf/conf.h"
#include "common/crypt/key.h"

/*
 * Makes a new key for PURPOSE in the files that CONFIG names for it: generates it in the
 * first and copies that file to the others, each owned by the user of its program when we
 * are root. Missing directories are made. *RESTART gets, as a new string, which programs
 * must be started again, in this order. FALSE with an error as key_file_generate; the same
 * call again is safe then, and makes one key more.
 */
gboolean
key_distribute(const Config *config, KeyPurpose purpose, char **restart, GError **error);
