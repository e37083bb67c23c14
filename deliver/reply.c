#include "deliver/reply.h"

#include "common/base/error.h"

static const char *const replies[REPLY_COUNT] = {
    [REPLY_OK] = "250 2.0.0 Ok",
    [REPLY_SENDER_OK] = "250 2.1.0 Ok",
    [REPLY_RECIPIENT_OK] = "250 2.1.5 Ok",
    [REPLY_BEGIN_DATA] = "354 End data with <CR><LF>.<CR><LF>",
    [REPLY_BYE] = "221 2.0.0 Bye",
    [REPLY_CANNOT_VERIFY] = "252 2.0.0 Send mail and see",
    [REPLY_NO_LHLO] = "503 5.5.1 Say LHLO first",
    [REPLY_NO_SENDER] = "503 5.5.1 Need MAIL first",
    [REPLY_NO_RECIPIENT] = "503 5.5.1 No valid recipients",
    [REPLY_NESTED] = "503 5.5.1 A message is under way",
    [REPLY_NO_LABEL] = "550 5.7.1 Z-DELIVER-LABEL Only labelled recipients are taken here",
    [REPLY_NO_MAILBOX] = "550 5.1.1 Z-DELIVER-MAILBOX There is no such address here",
    [REPLY_TOO_MANY_RECIPIENTS] = "452 4.5.3 Too many recipients",
    [REPLY_TOO_LARGE] = "552 5.3.4 Z-S11-SIZE Message is larger than message_max_bytes",
    [REPLY_TOO_MANY_SESSIONS] = "421 4.3.2 Too many sessions, try again later",
    [REPLY_TOO_MANY_FAULTS] = "421 4.7.0 Too many errors",
    [REPLY_IDLE] = "421 4.4.2 Timeout",
    [REPLY_STOPPING] = "421 4.3.2 Service is stopping, try again later",
};

static const struct {
  const char *code; /* stable; in the log and the manual */
  const char *line; /* "%s" is the reference */
} outcomes[OUTCOME_COUNT] = {
    [OUTCOME_STORED] = {"Z-DELIVER-STORED", "250 2.0.0 %s stored"},
    [OUTCOME_LATER] = {"Z-DELIVER-LATER",
                       "451 4.3.0 Z-DELIVER-LATER Cannot store the message now"},
    [OUTCOME_FULL] = {"Z-DELIVER-FULL", "452 4.3.1 Z-DELIVER-FULL No space left"},
    [OUTCOME_ORGANISATION] = {"Z-O1-ORGANISATION",
                              "451 4.3.5 Z-O1-ORGANISATION The ticket names an "
                              "organisation that is not configured"},
    [OUTCOME_KEY] = {"Z-DELIVER-KEY",
                     "451 4.7.0 Z-DELIVER-KEY The message needs a key that is not here"},
    [OUTCOME_TICKET_MISSING] = {"Z-TICKET-MISSING",
                                "554 5.7.1 Z-TICKET-MISSING The message has no ticket: it "
                                "did not pass zegel-milter"},
    [OUTCOME_TICKET_DOUBLE] = {"Z-TICKET-DOUBLE",
                               "554 5.7.1 Z-TICKET-DOUBLE The message has several tickets"},
    [OUTCOME_TICKET_FORGED] = {"Z-TICKET-FORGED",
                               "554 5.7.1 Z-TICKET-FORGED The ticket is not ours"},
    [OUTCOME_HASH] = {"Z-K3-HASH", "554 5.7.7 Z-K3-HASH The message was changed after "
                                   "zegel-milter saw it"},
    [OUTCOME_RECIPIENT] = {"Z-TICKET-RECIPIENT",
                           "550 5.7.1 Z-TICKET-RECIPIENT The ticket does not name this "
                           "recipient"},
    [OUTCOME_NUMBER] =
        {"Z-S7-NUMBER",
         "550 5.7.1 Z-S7-NUMBER Verstuur opnieuw met SMS en het mobiele "
         "nummer vooraan in het onderwerp, zoals SMS 0612345678: deze "
         "ontvanger is nu alleen zo te bereiken. Send again with SMS and the "
         "mobile number at the start of the subject, like SMS 0612345678: "
         "this recipient can only be reached that way now"},
    [OUTCOME_CONFLICT] = {"Z-K3-CONFLICT",
                          "554 5.7.7 Z-K3-CONFLICT Another message was stored under this "
                          "ticket"},
    [OUTCOME_NOTIFY_LATER] = {"Z-V1-LATER",
                              "451 4.3.0 Z-V1-LATER Stored; the notification cannot be "
                              "sent now"},
    [OUTCOME_NOTIFY_NEVER] = {"Z-V1-REFUSED",
                              "550 5.1.1 Z-V1-REFUSED The notification to this recipient "
                              "was refused: nobody can read the message"},
    [OUTCOME_HEADER_TOO_LARGE] = {"Z-DELIVER-HEADER",
                                  "552 5.3.4 Z-DELIVER-HEADER Header section is larger "
                                  "than 1 MB"},
    [OUTCOME_TOO_LARGE] = {"Z-S11-SIZE", "552 5.3.4 Z-S11-SIZE Message is larger than "
                                         "message_max_bytes"},
    [OUTCOME_NOTED] = {"Z-DELIVER-NOTED", "250 2.0.0 %s noted"},
    [OUTCOME_BOUNCE_LATER] = {"Z-DELIVER-BOUNCE",
                              "451 4.3.0 Z-DELIVER-BOUNCE Cannot deal with the bounce now"},
    [OUTCOME_CHANGED] = {"Z-T31-CHANGED", "250 2.0.0 %s number changed"},
    [OUTCOME_CHANGE_SENDER] =
        {"Z-T31-SENDER",
         "550 5.7.1 Z-T31-SENDER Alleen wie het bericht heeft gestuurd kan het nummer "
         "veranderen. Only who sent the message can change its number"},
    [OUTCOME_CHANGE_NUMBER] =
        {"Z-T31-NUMBER",
         "550 5.7.1 Z-T31-NUMBER Verstuur opnieuw met SMS en het goede mobiele nummer "
         "vooraan in het onderwerp, zoals SMS 0612345678. Send again with SMS and the "
         "right mobile number at the start of the subject, like SMS 0612345678"},
    [OUTCOME_CHANGE_OVER] =
        {"Z-T31-OVER",
         "550 5.7.1 Z-T31-OVER Dit bericht is niet meer te lezen; verstuur het opnieuw. "
         "This message cannot be read any more; send it again"},
    [OUTCOME_CHANGE_LATER] = {"Z-T31-LATER",
                              "451 4.3.0 Z-T31-LATER Cannot change the number now"},
};

const char *
reply_text(Reply reply)
{
  return replies[reply];
}

const char *
reply_fault(LmtpFault fault)
{
  switch (fault) {
  case LMTP_FAULT_LENGTH:
    return "500 5.5.6 Command line too long";
  case LMTP_FAULT_BYTES:
    return "500 5.5.2 Control characters, or no UTF-8";
  case LMTP_FAULT_UNKNOWN:
    return "500 5.5.2 No such command";
  case LMTP_FAULT_NOT_HERE:
    return "502 5.5.1 This command is not offered";
  case LMTP_FAULT_ARGUMENT:
    return "501 5.5.4 Cannot read the argument";
  case LMTP_FAULT_PARAMETER:
    return "555 5.5.4 Unsupported parameter";
  case LMTP_FAULT_PARAMETER_VALUE:
    return "501 5.5.4 Cannot read the parameter's value";
  case LMTP_FAULT_NONE:
    break;
  }
  return "451 4.3.0 Try again later";
}

char *
reply_outcome(Outcome outcome, const char *reference)
{
  g_auto(GStrv) parts = g_strsplit(outcomes[outcome].line, "%s", 2);
  return g_strjoinv(reference != NULL ? reference : "", parts);
}

const char *
outcome_code(Outcome outcome)
{
  return outcomes[outcome].code;
}

Outcome
outcome_of_error(const GError *error)
{
  if (error->domain != ZEGEL_ERROR)
    return OUTCOME_LATER;
  switch ((ZegelError) error->code) {
  case ZEGEL_ERROR_FULL:
    return OUTCOME_FULL;
  case ZEGEL_ERROR_KEY_UNKNOWN:
    return OUTCOME_KEY;
  case ZEGEL_ERROR_TEMPORARY:
  case ZEGEL_ERROR_CONFIG:
  case ZEGEL_ERROR_INVALID:
  case ZEGEL_ERROR_FORGED:
  case ZEGEL_ERROR_LIMIT:
  case ZEGEL_ERROR_CONFLICT:
    return OUTCOME_LATER;
  }
  return OUTCOME_LATER;
}

Outcome
outcome_of_ticket_error(const GError *error)
{
  if (g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID) ||
      g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_FORGED) ||
      g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT))
    return OUTCOME_TICKET_FORGED;
  return outcome_of_error(error);
}

Outcome
outcome_of_submit_error(const GError *error)
{
  return g_error_matches(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID) ? OUTCOME_NOTIFY_NEVER
                                                                  : OUTCOME_NOTIFY_LATER;
}
