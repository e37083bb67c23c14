/* Any octets as the text of a TXT record: what is read as an NTA record can be used. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "policyd/address.h"
#include "policyd/nta.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_record(const NtaRecord *record)
{
  guint before = 0;
  g_assert_cmpint(record->start, <=, record->end);
  g_assert_cmpint(record->start, >=, 0);
  g_assert_true(*record->provider != '\0' && strlen(record->provider) <= NTA_PROVIDER_MAX);
  g_assert_cmpuint(record->hosts->len, <=, NTA_MAX_HOSTS);
  for (guint i = 0; i < record->hosts->len; i++) {
    const NtaHost *host = record->hosts->pdata[i];
    g_autofree char *canonical = domain_canonical(host->host);
    g_assert_cmpstr(canonical, ==, host->host);
    g_assert_null(strpbrk(host->host, " \t,[]:;"));
    g_assert_cmpuint(host->preference, >=, before);
    g_assert_cmpuint(host->preference, <=, 65535);
    before = host->preference;
  }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  const NtaRules rules = {.old_syntax = TRUE, .long_span = TRUE, .month = 2026 * 12};
  g_autoptr(NtaRecord) record = NULL;
  const char *what = NULL;
  NtaState state = nta_parse((const char *) data, size, &rules, &record, &what);
  g_assert_cmpint(record == NULL, ==, state == NTA_OTHER || state == NTA_SYNTAX);
  g_assert_cmpint(what == NULL, ==, state == NTA_OTHER || state == NTA_VALID);
  g_assert_cmpint(state, !=, NTA_OLD);
  g_assert_cmpint(state, !=, NTA_SPAN);
  if (record != NULL)
    check_record(record);
  return 0;
}
