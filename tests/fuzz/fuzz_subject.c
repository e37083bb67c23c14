/* Header fields of any bytes: decoded they are valid, encoded back they are the same. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "common/mail/header.h"
#include "milter/envelope.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
assert_text(const char *text)
{
  g_assert_true(g_utf8_validate(text, -1, NULL));
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
    g_assert_false(g_unichar_iscntrl(g_utf8_get_char(p)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  mail_init();
  g_autofree char *raw = g_strndup((const char *) data, size);
  g_autofree char *text = mail_decode_text(raw);
  assert_text(text);
  g_autofree char *value = mail_encode_text(text, strlen("Subject"));
  for (const char *p = value; *p != '\0'; p++)
    g_assert_true((*p == '\n' && p[1] == ' ') || (*p >= 0x20 && *p < 0x7f));
  g_autofree char *back = mail_decode_text(value);
  g_assert_cmpstr(back, ==, text);

  g_autofree char *name = mail_display_name(raw);
  assert_text(name);
  g_autofree char *id = mail_message_id(raw);
  g_assert_true(*id == '\0' || (*id == '<' && g_str_has_suffix(id, ">")));
  g_auto(GStrv) domains = mail_address_domains(raw);
  g_assert_true(g_strv_length(domains) <= strlen(raw));

  g_autofree char *address = envelope_address(raw);
  if (address == NULL || *address == '\0')
    return 0;
  g_autofree char *again = envelope_address(address);
  g_assert_cmpstr(again, ==, address);
  const char *const args[] = {raw, NULL};
  g_autofree char *parameters = envelope_recipient_parameters(address, args, TRUE);
  g_assert_null(strchr(parameters, '\n'));
  return 0;
}
