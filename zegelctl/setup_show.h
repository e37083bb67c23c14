/*
 * setup_show.h - says what setup is going to do, and what it could not do.
 */
#pragma once

#include "common/conf/conf.h"
#include "zegelctl/setup_plan.h"
#include "zegelctl/setup_record.h"

/* Prints every command and file. CONF_TEXT: of a new zegel.conf, or NULL. */
void
setup_show(const SetupRecord *record, const SetupPlan *plan, const Config *config,
           const char *conf_text, const char *queue);

/* Prints what is left for people when all was done. */
void
setup_show_end(const SetupRecord *record, const SetupPlan *plan, const Config *config);
