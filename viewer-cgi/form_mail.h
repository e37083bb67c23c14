/*
 * form_mail.h - what a visitor wrote in the web form, as the mail that his organisation
 * gets.
 */
#pragma once

#include "common/conf/conf.h"
#include "common/crypt/crypt.h"
#include "common/submit/compose.h"
#include "viewer-cgi/upload.h"

/* All borrowed, UTF-8; name and phone are one line. */
typedef struct {
  const Organisation *organisation;
  const char *address; /* of the visitor; it was verified */
  const char *name;
  const char *phone; /* "": none */
  const char *text;
  const GPtrArray *files; /* of UploadFile; NULL: none */
  gint64 now_s;
} FormWords;

/* The digest of all that the visitor wrote: the same words again have the same. */
void
form_mail_digest(const FormWords *words, guint8 digest[CRYPT_SHA256_BYTES]);

/* The text of the mail: who wrote it, what is known of him, and his words. A new string. */
char *
form_mail_text(const FormWords *words);

/* WORDS as a mail to the mailbox of the form. What facts points to is owned, or WORDS'. */
typedef struct {
  ComposeFacts facts; /* without id and time (visitor_mail.h) */
  char *text;
  GPtrArray *names; /* of the files */
  GArray *parts;    /* of ComposePart */
} FormMail;

/* Fills *MAIL (to be cleared) from WORDS, which must outlive it. */
void
form_mail_begin(FormMail *mail, const FormWords *words);

/* Wipes and frees what MAIL owns. */
void
form_mail_clear(FormMail *mail);

/*
 * MAIL as a message with ID (the local part of its Message-ID) and no mark, for the
 * visitor's copy: to be freed with compose_free. NULL with an error as compose_body.
 */
GString *
form_mail_copy(const FormMail *mail, const FormWords *words, const char *id,
               GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FormMail, form_mail_clear)
