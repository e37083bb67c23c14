/*
 * marks.h - what only we may say: the secure mark, and the prefix of a subject. Whoever
 * else wrote it, it goes (T27). Pure; any thread.
 */
#pragma once

#define SECURE_HEADER "X-Zegel-Secure"

/*
 * Where TEXT (UTF-8) goes on behind PREFIX and blanks, or NULL: nobody would see it begin
 * so. What has no width, accents, case, blanks and forms of the same letter do not count.
 */
const char *
marks_behind_prefix(const char *text, const char *prefix);
