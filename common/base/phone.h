/*
 * phone.h - mobile numbers as people write them (S3).
 *
 * Only mobile numbers are taken: a code by SMS to a premium or fixed number would cost
 * money or reach nobody (T5). The Dutch mobile range is 06, without 06 76 (M2M) and pagers
 * 06 6x; those of the neighbours are in phone.c. Of other countries the range is not known,
 * only the length is checked. No country is allowed that is not in the caller's list.
 */
#pragma once

#include <glib.h>

#define PHONE_E164_MAX_DIGITS 15 /* ITU-T E.164 6.1 */

typedef enum {
  PHONE_NONE, /* no digits here at all */
  PHONE_BAD,  /* digits, but no mobile number of an allowed country */
  PHONE_VALID
} PhoneResult;

/*
 * Looks for a mobile number at the start of TEXT (after white space): 0612345678,
 * 06-12345678, 06 12 34 56 78, +31 6 1234 5678, 0031612345678, +31(0)6..., and foreign
 * numbers with + or 00. The longest valid prefix counts ("06 12345678 2024 uitslag" is
 * +31612345678); nothing but white space, punctuation or the end may follow its last digit.
 *
 * COUNTRIES is a NULL-terminated list of calling codes with '+' that are allowed, borrowed.
 * On PHONE_VALID *E164 is a new string ("+31612345678") that the caller frees, and *LENGTH
 * the bytes of TEXT used, from its first byte; else *E164 is NULL, and on PHONE_BAD *LENGTH
 * is the length of the run of digits. Pure; any thread.
 */
PhoneResult
phone_parse(const char *text, const char *const *countries, char **e164, gsize *length);

/* Whether TEXT is a number as E.164 has it: '+' and 5 to PHONE_E164_MAX_DIGITS digits.
 * Pure; any thread. */
gboolean
phone_is_e164(const char *text);
