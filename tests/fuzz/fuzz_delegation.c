/* Any bytes as a request of Postfix; every answer is one block of one short line. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "policyd/delegation.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config_text[] =
    "[organisation zorg]\ndomains = zorg.nl\nlogins = *@zorg.nl\nnetworks = 192.0.2.0/24\n"
    "service_domain = veilig.zorg.nl\nviewer_url = https://veilig.zorg.nl/\n"
    "display_name = Zorg\n";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static Config *config;
  static Clients *clients;
  if (size == 0)
    return 0;
  if (config == NULL)
    config = conf_parse("fuzz", config_text, strlen(config_text), NULL);
  g_assert_nonnull(config);
  if (clients == NULL)
    clients = clients_new();
  g_autofree char *answer = delegation_answer(config, clients, (const char *) data, size);
  if (answer == NULL)
    return 0;
  const char *end = strchr(answer, '\n');
  g_assert_cmpstr(end, ==, "\n\n");
  g_assert_true(g_str_has_prefix(answer, "action="));
  g_assert_cmpint(end - answer, <=, DELEGATION_LINE_MAX_BYTES);
  for (const char *p = answer; p < end; p++)
    g_assert_true(*p >= 0x20 && *p < 0x7f);
  return 0;
}
