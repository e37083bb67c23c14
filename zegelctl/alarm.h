/*
 * alarm.h - what an administrator must hear of when nobody reads his terminal: by mail.
 */
#pragma once

#include "common/conf/conf.h"

/*
 * Mails TEXT (lines end with LF) with SUBJECT (ASCII) to the address TO, from the service
 * domain of ORGANISATION. FALSE with an error of submit_send.
 */
gboolean
alarm_mail(const Config *config, const Organisation *organisation, const char *to,
           const char *subject, const char *text, GError **error);

/*
 * The same to each address of [audit] mail, from the first organisation; does nothing when
 * there is none. FALSE with an error of submit_send when one of them did not get it.
 */
gboolean
alarm_mail_all(const Config *config, const char *subject, const char *text, GError **error);
