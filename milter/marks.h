/*
 * marks.h - what only we may say in a header: Authentication-Results in our name, the
 * secure mark, and the prefix of a subject. Whoever else wrote it, it goes (T27). Pure; any
 * thread.
 */
#pragma once

#include "common/conf/conf.h"
#include "milter/plan.h"

#define SECURE_HEADER "X-Zegel-Secure"

/* Our name in Authentication-Results: the configured one, else the machine's own; borrowed.
 */
const char *
marks_name(const Config *config);

/* Appends to PLAN the removal of the Authentication-Results in FIELDS that claim to be of
 * NAME, last to first. */
void
marks_remove_results(Plan *plan, const Fields *fields, const char *name);

/*
 * Where TEXT (UTF-8) goes on behind PREFIX and blanks, or NULL: nobody would see it begin
 * so. What has no width, accents, case, blanks and forms of the same letter do not count.
 */
const char *
marks_behind_prefix(const char *text, const char *prefix);
