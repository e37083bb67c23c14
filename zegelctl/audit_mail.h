/*
 * audit_mail.h - mail to those who watch over the audit trail: [audit] mail.
 */
#pragma once

#include "common/audit/verify.h"
#include "common/conf/conf.h"

/*
 * Mails each of [audit] mail that the trail is good, with CHECKPOINT to keep; or, when
 * RESULT is not good, what is wrong; or, when RESULT is NULL, that it could not be verified
 * and WHY. In the language of the first organisation. FALSE with ZEGEL_ERROR_TEMPORARY when
 * somebody was not mailed.
 */
gboolean
audit_mail_send(const Config *config, const VerifyResult *result, const char *checkpoint,
                const char *why, GError **error);
