#include "deliver/recipient.h"

#include <string.h>

#include "common/base/label.h"

void
recipient_free(Recipient *recipient)
{
  if (recipient == NULL)
    return;
  g_free(recipient->address);
  g_free(recipient->reference);
  g_free(recipient);
}

/* Sets what a genuine control address of one of the organisations says. */
static void
find_control(const Service *service, Recipient *recipient)
{
  const GPtrArray *organisations = service->config->organisations;
  for (guint i = 0; recipient->reference == NULL && i < organisations->len; i++) {
    const Organisation *organisation = organisations->pdata[i];
    if (control_parse(service->origin_keys, organisation->name,
                      organisation->service_domain, recipient->address, &recipient->kind,
                      &recipient->reference))
      recipient->organisation = organisation;
  }
}

static gboolean
is_ours(const Service *service, const char *address)
{
  const char *at = strrchr(address, '@');
  const GPtrArray *organisations = service->config->organisations;
  for (guint i = 0; at != NULL && i < organisations->len; i++) {
    const Organisation *organisation = organisations->pdata[i];
    if (g_ascii_strcasecmp(at + 1, organisation->service_domain) == 0)
      return TRUE;
  }
  return FALSE;
}

Recipient *
recipient_parse(const Service *service, const char *path, Reply *reply)
{
  g_autoptr(Recipient) recipient = g_new0(Recipient, 1);
  recipient->address = label_strip(path);
  find_control(service, recipient);
  if (recipient->reference == NULL && is_ours(service, recipient->address))
    *reply = REPLY_NO_MAILBOX;
  else if (recipient->reference == NULL && label_of(path) == LABEL_NONE)
    *reply = REPLY_NO_LABEL;
  else
    return g_steal_pointer(&recipient);
  return NULL;
}

gboolean
recipient_is(const Recipient *recipient, ControlKind kind)
{
  return recipient->reference != NULL && recipient->kind == kind;
}

gboolean
recipient_is_return(const Recipient *recipient)
{
  return recipient_is(recipient, CONTROL_BOUNCE) ||
         recipient_is(recipient, CONTROL_VISITOR);
}
