#include "zegelctl/audit_reader.h"

#include "zegelctl/command.h"

gboolean
audit_reader_open(AuditReader *reader, GError **error)
{
  reader->config = command_config(error);
  if (reader->config == NULL)
    return FALSE;
  reader->user = command_user();
  reader->keys = keyring_load(reader->config->audit_key, KEY_AUDIT, error);
  return reader->keys != NULL;
}

void
audit_reader_clear(AuditReader *reader)
{
  keyring_free(reader->keys);
  if (reader->config != NULL)
    conf_free(reader->config);
  g_free(reader->user);
}

Event *
audit_reader_event(const AuditReader *reader, const char *view, const char *queue_id,
                   const char *organisation)
{
  return event_new(EVENT_AUDIT_READ, queue_id, organisation, "by", reader->user, "view",
                   view, NULL);
}

const char *
audit_reader_path(const AuditReader *reader, const char *database)
{
  return database != NULL ? database : reader->config->audit_database;
}
