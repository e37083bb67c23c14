/*
 * setup_undo.h - takes zegel out of a Postfix again, in the order in which nothing is lost.
 */
#pragma once

#include <glib.h>

#include "zegelctl/setup_record.h"

/*
 * Takes out what RECORD says: first what labels mail, then, when no labelled mail is in the
 * queue any more, the rest. YES: without a question; DRY_RUN: shows it only. The record is
 * gone when all is done; until then the same call continues. An exit status.
 */
int
setup_undo(SetupRecord *record, gboolean yes, gboolean dry_run);
