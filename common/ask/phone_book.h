/*
 * phone_book.h - what policyd's phone book learns (S8).
 *
 * Learned by zegel-deliver after a message was filed; another number for somebody who has
 * one waits until a code sent to it came back, which zegel-viewer reports. Who looks a
 * number up asks for a route (ask.h, numbers). Protocol: zegel-ask(5), request=phone-learn
 * and phone-confirm; policyd answers only zegel's own users and root.
 */
#pragma once

#include <glib.h>

typedef enum {
  PHONE_KNOWN,   /* it is the number that the book has */
  PHONE_LEARNED, /* it is in the book from now on: tell the sender */
  PHONE_WAITS,   /* the book has another one; this one waits for its first code */
  PHONE_REPLACED /* it took the place of another one: tell the sender */
} PhoneResult;

/* Who and what; all borrowed. */
typedef struct {
  const char *organisation;
  const char *recipient; /* without label */
  const char *number;    /* E.164 */
  const char *sender;    /* who gave it, for the audit */
  const char *reference; /* of the message, for the audit */
} PhoneEntry;

/* Teaches ENTRY over the socket at PATH: *RESULT is KNOWN, LEARNED or WAITS. FALSE with
 * ZEGEL_ERROR_TEMPORARY. Any thread. */
gboolean
ask_phone_learn(const char *path, const PhoneEntry *entry, PhoneResult *result,
                GError **error);

/* A code sent to ENTRY's number came back: *RESULT is KNOWN or REPLACED. FALSE with
 * ZEGEL_ERROR_TEMPORARY. Any thread. */
gboolean
ask_phone_confirm(const char *path, const PhoneEntry *entry, PhoneResult *result,
                  GError **error);
