#include "zegelctl/record.h"

#include "common/audit/client.h"
#include "common/base/error.h"
#include "zegelctl/command.h"

gboolean
record_first(const Config *config, const Event *event, GError **error)
{
  g_autoptr(GPtrArray) events = g_ptr_array_new();
  g_autoptr(GError) reason = NULL;
  g_ptr_array_add(events, (gpointer) event);
  if (!audit_append(config->audit_socket, events, AUDIT_TIMEOUT_MS, &reason))
    return command_error(error, ZEGEL_ERROR_TEMPORARY,
                         "nothing was done: it must stand in the audit trail first, and "
                         "zegel-auditd did not take it (%s); see that it runs, as root, "
                         "and try again",
                         reason->message);
  event_write(event);
  return TRUE;
}
