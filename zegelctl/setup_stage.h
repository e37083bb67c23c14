/*
 * setup_stage.h - a directory where files of Postfix are tried before they are put in
 * place.
 */
#pragma once

#include <glib.h>

#include "zegelctl/setup_record.h"
#include "zegelctl/site.h"

/*
 * The instance of DIRECTORY with MAIN_CF and MASTER_CF in the place of its own files, all
 * others as they are. NULL with an error. There is one stage at a time.
 */
Site *
setup_stage_open(const char *directory, const char *main_cf, const char *master_cf,
                 GError **error);

/*
 * Whether Postfix understands what RECORD has for after: it must complain of nothing that
 * it does not complain of before. FALSE with ZEGEL_ERROR_CONFIG. The stage has the texts of
 * before again then.
 */
gboolean
setup_stage_check(const SetupRecord *record, GError **error);

/* Removes the stage. */
void
setup_stage_remove(void);
