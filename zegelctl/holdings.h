/*
 * holdings.h - what zegel keeps on a machine, by its configuration: what a backup has.
 */
#pragma once

#include <sys/stat.h>

#include "common/conf/conf.h"
#include "common/crypt/key.h"

typedef struct {
  const char *what; /* "the store" */
  const char *path; /* of the database; borrowed of the configuration */
} HoldingDatabase;

#define HOLDING_DATABASES 5

/* The databases of CONFIG, the store first and the audit trail last. */
void
holdings_databases(const Config *config, HoldingDatabase all[HOLDING_DATABASES]);

typedef struct {
  KeyPurpose purpose;
  const char *path; /* borrowed */
} HoldingKey;

#define HOLDING_KEYS 10

/* The files with root keys of CONFIG. */
void
holdings_keys(const Config *config, HoldingKey all[HOLDING_KEYS]);

/* Files that belong to the configuration and may lie anywhere (of char *, borrowed). */
GPtrArray *
holdings_files(const Config *config);

/*
 * Whether the file or directory PATH (MODE) may hold a key or a password: it is a file of
 * keys of CONFIG, or lies where those lie below CONFIG_DIRECTORY, or where the DKIM keys
 * lie, or is a file that its owner alone may read and none of holdings_files.
 */
gboolean
holdings_is_secret(const Config *config, const char *config_directory, const char *path,
                   mode_t mode);

/* The sockets on which programs of CONFIG answer (of char *, borrowed). */
GPtrArray *
holdings_sockets(const Config *config);
