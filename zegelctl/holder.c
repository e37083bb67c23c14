#include "zegelctl/holder.h"

#include <stddef.h>

/*
 * Readers before makers: a program that made something with a new key before the reader
 * knows it would only cause delay, but there is no need for that.
 */
static const struct {
  KeyPurpose purpose;
  const char *program;
  gsize path; /* offsets in Config */
  gsize user;
} holders[] = {
    {KEY_LINK, "zegel-deliver", offsetof(Config, deliver_link_key),
     offsetof(Config, deliver_user)},
    {KEY_STORE, "zegel-viewer", offsetof(Config, viewer_store_key),
     offsetof(Config, viewer_user)},
    {KEY_STORE, "zegel-deliver", offsetof(Config, deliver_store_key),
     offsetof(Config, deliver_user)},
    {KEY_TICKET, "zegel-deliver", offsetof(Config, deliver_ticket_key),
     offsetof(Config, deliver_user)},
    {KEY_TICKET, "zegel-milter", offsetof(Config, milter_ticket_key),
     offsetof(Config, milter_user)},
    {KEY_PHONE, "zegel-policyd", offsetof(Config, phone_key),
     offsetof(Config, policyd_user)},
    {KEY_ORIGIN, "zegel-milter", offsetof(Config, milter_origin_key),
     offsetof(Config, milter_user)},
    {KEY_ORIGIN, "zegel-deliver", offsetof(Config, deliver_origin_key),
     offsetof(Config, deliver_user)},
    {KEY_ORIGIN, "zegel-viewer", offsetof(Config, viewer_origin_key),
     offsetof(Config, viewer_user)},
    {KEY_AUDIT, "zegel-auditd", offsetof(Config, audit_key), offsetof(Config, audit_user)},
};

static const char *
config_text(const Config *config, gsize offset)
{
  return *(char *const *) (gconstpointer) ((const char *) config + offset);
}

guint
holder_count(void)
{
  return G_N_ELEMENTS(holders);
}

Holder
holder_nth(const Config *config, guint i)
{
  return (Holder){.purpose = holders[i].purpose,
                  .program = holders[i].program,
                  .path = config_text(config, holders[i].path),
                  .user = config_text(config, holders[i].user)};
}
