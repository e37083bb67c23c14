#include "milter/steps.h"

#include <glib.h>

#include "common/base/log.h"

/* What Postfix must leave out, and not wait for. */
#define UNWANTED (SMFIP_NODATA | SMFIP_NOUNKNOWN)
#define NO_REPLY                                                                           \
  (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_HDR |          \
   SMFIP_NR_EOH)
#define PROTOCOL (UNWANTED | NO_REPLY | SMFIP_SKIP | SMFIP_HDR_LEADSPC)

sfsistat
steps_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long protocol,
                G_GNUC_UNUSED unsigned long f2, G_GNUC_UNUSED unsigned long f3,
                unsigned long *want_actions, unsigned long *want_protocol,
                unsigned long *want_f2, unsigned long *want_f3)
{
  if ((actions & STEPS_ACTIONS) != STEPS_ACTIONS || (protocol & PROTOCOL) != PROTOCOL) {
    log_line(LOG_LEVEL_ALARM, "the mail server is too old: milter protocol 6 is needed");
    return SMFIS_REJECT;
  }
  static char mail[] = "{auth_authen} {client_addr} {client_port} {daemon_name} "
                       "{tls_version}",
              id[] = "i";
  if (smfi_setsymlist(ctx, SMFIM_ENVFROM, mail) != MI_SUCCESS ||
      smfi_setsymlist(ctx, SMFIM_EOH, id) != MI_SUCCESS ||
      smfi_setsymlist(ctx, SMFIM_EOM, id) != MI_SUCCESS)
    return SMFIS_REJECT;
  *want_actions = STEPS_ACTIONS;
  *want_protocol = PROTOCOL;
  *want_f2 = 0;
  *want_f3 = 0;
  return SMFIS_CONTINUE;
}
