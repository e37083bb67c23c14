/*
 * steps.h - which steps and changes the milter agrees on with Postfix, and which not.
 *
 * Apart from the callbacks, so that the no-op filter of tests/bench asks for exactly these.
 */
#pragma once

#include <libmilter/mfapi.h>

/* What we may change in a message. */
#define STEPS_ACTIONS                                                                      \
  (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT |     \
   SMFIF_CHGFROM | SMFIF_QUARANTINE | SMFIF_SETSYMLIST)

/*
 * xxfi_negotiate of libmilter: nothing is sent that is not needed, and no reply waited for
 * that says nothing. SMFIS_REJECT: Postfix lacks something that we need.
 */
sfsistat
steps_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long protocol,
                unsigned long f2, unsigned long f3, unsigned long *want_actions,
                unsigned long *want_protocol, unsigned long *want_f2,
                unsigned long *want_f3);
