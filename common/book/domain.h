/*
 * domain.h - the name of a mail domain, in one form that can be compared.
 */
#pragma once

/*
 * TEXT, a bare domain, in A-labels and lower case, with no dot at the end: a new string, or
 * NULL when it is no name of the DNS. Pure; any thread.
 */
char *
domain_canonical(const char *text);
