/*
 * mail_log.h - the files of the mail log, read.
 *
 * The log itself and what logrotate(8) leaves beside it: NAME.1, NAME.2.gz, NAME-20261122
 * and so on.
 */
#pragma once

#include "zegelctl/mail_trace.h"

typedef struct MailLog MailLog;

/*
 * Opens the log at PATH and the older ones beside it that have lines since SINCE_S. What
 * opens them needs the right to; mail_log_read does not. NULL with ZEGEL_ERROR_CONFIG when
 * there is none.
 */
MailLog *
mail_log_open(const char *path, gint64 since_s, GError **error);

/* Closes LOG; NULL is allowed. */
void
mail_log_close(MailLog *log);

/*
 * Gives TRACE the lines since SINCE_S, the oldest first, until it needs no more. What a
 * file has before that is left out where dates let it be found. FALSE with
 * ZEGEL_ERROR_TEMPORARY. May be called again.
 */
gboolean
mail_log_read(MailLog *log, gint64 since_s, MailTrace *trace, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(MailLog, mail_log_close)
