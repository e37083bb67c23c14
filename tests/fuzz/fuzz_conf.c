/* conf_parse on any bytes: a valid Config, or an error that names the file. */
#include <glib.h>
#include <stdint.h>

#include "common/conf/conf.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  g_autoptr(GError) error = NULL;
  g_autoptr(Config) config = conf_parse("file", (const char *) data, size, &error);
  if (config == NULL) {
    g_assert_true(g_str_has_prefix(error->message, "file:"));
    return 0;
  }
  g_assert_no_error(error);
  g_assert_cmpuint(config->organisations->len, >, 0);
  const Organisation *first = config->organisations->pdata[0];
  g_assert_true(conf_organisation_of_domain(config, first->domains[0]) == first);
  conf_organisation_of_client(config, "jan@own.nl", NULL);
  conf_organisation_of_client(config, NULL, "192.0.2.1");
  conf_organisation_of_host(config, "v.own.nl");
  return 0;
}
