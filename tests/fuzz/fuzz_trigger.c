/* trigger_parse on any text: what was taken out is gone, and nothing else triggers. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "milter/trigger.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  static const char *const countries[] = {"+31", "+32", NULL};
  g_autofree char *text = g_strndup((const char *) data, size);
  g_autoptr(Trigger) trigger = trigger_parse(text, countries);
  g_assert_true((trigger->cleaned != NULL) == trigger->sensitive);
  g_assert_true(trigger->number == NULL || trigger->sensitive);
  g_assert_true(trigger->mistake != MISTAKE_TWO_NUMBERS || trigger->number != NULL);
  if (trigger->cleaned == NULL)
    return 0;
  g_assert_true(g_utf8_validate(trigger->cleaned, -1, NULL));
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  g_assert_cmpuint(strlen(trigger->cleaned), <=, strlen(valid));
  return 0;
}
