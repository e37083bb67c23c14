/*
 * alarm.h - what an administrator must hear of when nobody reads his terminal.
 */
#pragma once

#include "common/conf/conf.h"

/*
 * Mails TEXT (lines end with LF) with SUBJECT (ASCII) to each address of [audit] mail, from
 * the service domain of the first organisation, with an empty envelope sender; does nothing
 * when there is no address. FALSE with an error of submit_send when one of them did not get
 * it.
 */
gboolean
alarm_mail(const Config *config, const char *subject, const char *text, GError **error);
