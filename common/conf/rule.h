/*
 * rule.h - whether a [rule NAME] says something that can be watched. For this room.
 */
#pragma once

#include "common/conf/conf.h"

/* What is wrong with RULE in CONFIG, static words that follow its name; NULL: nothing. */
const char *
rule_fault(const Config *config, const Rule *rule);
