/*
 * page_write.h - the pages of the web form: how somebody begins a conversation (V11).
 */
#pragma once

#include <glib.h>

#include "viewer-cgi/page.h"

#define WRITE_NAME_MAX_CHARS  100
#define WRITE_PHONE_MAX_CHARS 30
#define WRITE_TEXT_MAX_CHARS  20000

/*
 * "/form": what it is, and the field for an address. TYPED is what was typed before, when
 * that is no address; NULL: nothing yet.
 */
Html *
page_write_ask(const Frame *frame, const char *token, const char *typed);

/* A mail to ADDRESS is on its way, or not: the page is the same. MAX: mails in a day. */
Html *
page_write_mailed(const Frame *frame, const char *address, guint max);

/* Too many from this network address. */
Html *
page_write_too_many(const Frame *frame);

/* The link is too old, or was used. */
Html *
page_write_over(const Frame *frame, gboolean used);

typedef enum {
  WRITE_NOTE_NONE,
  WRITE_NOTE_NAME,  /* there is no name, or a long one */
  WRITE_NOTE_PHONE, /* a long number */
  WRITE_NOTE_TEXT,  /* there is no text, or a long one */
  WRITE_NOTE_FILES, /* the files cannot be taken, or are too large */
  WRITE_NOTE_LATER  /* it could not be sent now */
} WriteNote;

/* What the form shows. All borrowed; what was typed is never NULL. */
typedef struct {
  const char *path; /* of the form */
  const char *token;
  const char *address; /* of the visitor */
  const char *name;
  const char *phone;
  const char *text;
  guint max_mb; /* of all files */
  WriteNote note;
} WriteFacts;

/* "/form/TICKET": the form itself. */
Html *
page_write(const Frame *frame, const WriteFacts *facts);

/* How the visitor finds his copy. All borrowed. */
typedef struct {
  const char *address;
  const char *reference;
  const char *password;
  gint64 sent_s;
  gint64 expires_s;
} WriteDone;

/* It was sent; reference and password of the copy, shown here and never again. */
Html *
page_write_done(const Frame *frame, const WriteDone *done);
