/*
 * letter.h - a text message as mail to a gateway. Pure; any thread.
 */
#pragma once

#include <glib.h>

#include "sms/message.h"

typedef struct {
  const char *from;    /* address of the header */
  const char *to;      /* the gateway's address for the number */
  const char *subject; /* NULL or "": none */
  const char *id;      /* local part of the Message-ID */
  gint64 now_s;
} SmsLetter;

/*
 * TEXT as plain mail with CRLF line ends, in UTF-8 without transfer encoding: gateways that
 * make a text message of the raw body do not know any. Wipe it.
 */
char *
sms_letter_format(const SmsLetter *letter, const char *text);
