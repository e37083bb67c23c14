/* phone_parse on any text: what it takes is a number that it takes again, alone. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "common/base/phone.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  static const char *const countries[] = {"+31", "+32", "+49", "+1", "+420", NULL};
  g_autofree char *text = g_strndup((const char *) data, size);
  g_autofree char *number = NULL, *again = NULL;
  gsize length = 0, used = 0;
  PhoneResult result = phone_parse(text, countries, &number, &length);
  g_assert_true(length <= strlen(text));
  g_assert_true((result == PHONE_VALID) == (number != NULL));
  if (number == NULL)
    return 0;
  g_assert_true(number[0] == '+' && strlen(number) <= 1 + PHONE_E164_MAX_DIGITS);
  g_assert_cmpuint(strspn(number + 1, "0123456789"), ==, strlen(number) - 1);
  g_assert_cmpint(phone_parse(number, countries, &again, &used), ==, PHONE_VALID);
  g_assert_cmpstr(again, ==, number);
  return 0;
}
