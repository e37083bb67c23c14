/*
 * mail.h - mail that the viewer writes: the access code for who has no number (S6), and
 * word to the sender when the phone book took over another number (S8).
 *
 * From the service domain, through zegel-submit, in Dutch and English. Main thread.
 */
#pragma once

#include "common/conf/conf.h"
#include "common/store/store.h"

/*
 * The text of the mail with CODE for ORGANISATION: no link, no sender, nothing of the
 * message (T32). A new string; wipe it.
 */
char *
mail_code_text(const Organisation *organisation, const char *code);

/* Sends CODE, which has the handle CODE_ID, to ENTRY's address. FALSE with
 * ZEGEL_ERROR_TEMPORARY or ZEGEL_ERROR_INVALID: it did not go. */
gboolean
mail_send_code(const Config *config, const Organisation *organisation, const Entry *entry,
               const char *code, gint64 code_id, GError **error);

/* The text of the mail to ENTRY's sender: which number counts from now on. New string. */
char *
mail_replaced_text(const Organisation *organisation, const Entry *entry);

/* Tells ENTRY's sender that its number counts from now on. FALSE as mail_send_code; a
 * message without a sender is told to nobody. */
gboolean
mail_tell_replaced(const Config *config, const Organisation *organisation,
                   const Entry *entry, GError **error);

/* The text of the mail to ENTRY's sender: its reader says that the number is not his. New
 * string. */
char *
mail_wrong_text(const Organisation *organisation, const Entry *entry);

/* Tells ENTRY's sender so. FALSE as mail_send_code. */
gboolean
mail_tell_wrong(const Config *config, const Organisation *organisation, const Entry *entry,
                GError **error);
