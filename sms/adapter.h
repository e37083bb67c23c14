/*
 * adapter.h - the steps that every adapter shares.
 */
#pragma once

#include <glib.h>

#include "sms/answer.h"
#include "sms/message.h"

/*
 * Opens the log as IDENT (static), refuses arguments, gives up what no adapter needs (new
 * privileges, core files, files written) and reads the message. Exits with the status that
 * zegel-sms(7) has for it when any of that fails.
 */
void
adapter_begin(const char *ident, int argc, Message *message);

/* The exit status for OUTCOME. */
int
adapter_status(Outcome outcome);

/* Logs ERROR (takes) and exits: 78 for ZEGEL_ERROR_CONFIG, 65 for ZEGEL_ERROR_INVALID, else
 * 75. Only for what happens before anything is sent. */
void
adapter_die(GError *error) G_GNUC_NORETURN;
