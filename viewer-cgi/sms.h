/*
 * sms.h - the access code on its way to a phone, through the adapter of zegel-sms(7).
 */
#pragma once

#include <glib.h>

typedef enum {
  SMS_SENT,   /* the gateway took it */
  SMS_FAILED, /* it was not sent: nothing is used up */
  SMS_UNKNOWN /* the adapter cannot tell, or did not end in time: it may have been sent */
} SmsResult;

/*
 * The text with CODE from the organisation with DISPLAY_NAME and VIEWER_URL, in the
 * language of the request: code and name of the service only, no link, no names (T32). Its
 * last line binds the code to the viewer's host ("@host #code", the format "origin-bound
 * one-time codes" of the WICG). A new string; wipe it.
 */
char *
sms_format(const char *code, const char *display_name, const char *viewer_url);

/*
 * Has the program COMMAND send TEXT to NUMBER (E.164). Both go to its standard input and
 * nowhere else. Waits at most TIMEOUT_S seconds, then ends the program.
 */
SmsResult
sms_send(const char *command, const char *number, const char *text, guint timeout_s);
