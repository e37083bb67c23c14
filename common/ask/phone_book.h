/*
 * phone_book.h - what policyd's phone book learns (S8).
 *
 * Learned by zegel-deliver after a message was filed; another number for somebody who has
 * one waits until a code sent to it came back, which zegel-viewer reports. Who looks a
 * number up asks for a route (ask.h, numbers). Protocol: zegel-policy(7),
 * request=phone-learn, phone-confirm, phone-show and phone-forget; policyd answers each
 * only who needs it, and root.
 */
#pragma once

#include <glib.h>

#include "common/base/attr.h"

#define PHONE_CONFIRM_TIMEOUT_MS 1000 /* a visitor waits for it */

typedef enum {
  PHONE_KNOWN,   /* nothing changed */
  PHONE_LEARNED, /* it is the first number that the book has of the recipient */
  PHONE_WAITS,   /* the book has another one; this one waits for its first code */
  PHONE_REPLACED /* it took the place of another one: tell the sender */
} PhoneChange;

/* Who and what; all borrowed. */
typedef struct {
  const char *organisation;
  const char *recipient; /* without label */
  const char *number;    /* E.164; NULL to show and to forget */
  const char *sender;    /* who gave it, or who asks: for the audit */
  const char *reference; /* of the message, for the audit; "" when there is none */
} PhoneEntry;

/* "known", "learned", "waits", "replaced": static. */
const char *
phone_change_name(PhoneChange change);

/* Teaches ENTRY over the socket at PATH: *CHANGE is KNOWN, LEARNED or WAITS. FALSE with
 * ZEGEL_ERROR_TEMPORARY. Any thread. */
gboolean
ask_phone_learn(const char *path, const PhoneEntry *entry, PhoneChange *change,
                GError **error);

/* A code sent to ENTRY's number came back: *CHANGE is KNOWN or REPLACED. FALSE with
 * ZEGEL_ERROR_TEMPORARY. Any thread. */
gboolean
ask_phone_confirm(const char *path, const PhoneEntry *entry, PhoneChange *change,
                  GError **error);

/* What the book has of ENTRY's recipient: *NUMBER and *WAITING are new strings, masked, or
 * NULL. FALSE with ZEGEL_ERROR_TEMPORARY, also when we are not root. Any thread. */
gboolean
ask_phone_show(const char *path, const PhoneEntry *entry, char **number, char **waiting,
               GError **error);

/* Takes ENTRY's recipient out of the book; *KNOWN is whether there was anything. FALSE as
 * ask_phone_show. Any thread. */
gboolean
ask_phone_forget(const char *path, const PhoneEntry *entry, gboolean *known,
                 GError **error);

/* ---- The protocol's shape, for both sides ---- */

/* ENTRY as a question for REQUEST ("phone-learn", ...); the caller frees it. */
Attrs *
phone_question_format(const char *request, const PhoneEntry *entry);

/* The question in ATTRS into *ENTRY, which borrows from ATTRS; NUMBER says whether there
 * must be one. FALSE with ZEGEL_ERROR_INVALID. */
gboolean
phone_question_parse(const Attrs *attrs, gboolean number, PhoneEntry *entry,
                     GError **error);

/* The answer to phone-learn and phone-confirm; the caller frees it. */
Attrs *
phone_change_format(PhoneChange change);
