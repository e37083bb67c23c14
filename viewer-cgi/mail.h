/*
 * mail.h - mail that the viewer writes: the access code for who has no number (S6), the way
 * to the web form (V11), and word to the sender: that the phone book took over another
 * number (S8), or that a reader says the number is not his (V2).
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

/* Tells ENTRY's sender so, who can answer with another number (origin.h, CONTROL_NUMBER
 * with KEYS). FALSE as mail_send_code. */
gboolean
mail_tell_wrong(const Config *config, const KeyRing *keys, const Organisation *organisation,
                const Entry *entry, GError **error);

/* The text of the mail to somebody to whom ENTRY was forwarded, for REFERENCE: nothing of
 * the message, and no word of who forwarded it but his address (T15). New string. */
char *
mail_share_text(const Organisation *organisation, const Entry *entry,
                const char *reference);

/*
 * Mails ADDRESS the way to REFERENCE, what was made for it of ENTRY. A bounce withdraws it
 * (origin.h, with KEYS). FALSE as mail_send_code.
 */
gboolean
mail_send_share(const Config *config, const KeyRing *keys, const Organisation *organisation,
                const Entry *entry, const char *address, const char *reference,
                GError **error);

/* The text of the mail with the way to the web form, LINK: not a word of the visitor (V11).
 * A new string; wipe it. */
char *
mail_form_text(const Organisation *organisation, const char *link);

/* Mails ADDRESS the way to the web form with TICKET (form_ticket.h). FALSE as
 * mail_send_code. */
gboolean
mail_send_form(const Config *config, const Organisation *organisation, const char *address,
               const char *ticket, GError **error);
