#include "milter/act.h"

#include <string.h>

#include "common/base/log.h"
#include "common/crypt/ticket.h"
#include "common/mail/header.h"
#include "milter/again.h"
#include "milter/envelope.h"

#define LOGGED_ID_MAX_BYTES 200 /* of a message id in the log */
#define TICKET_INDEX        1   /* behind the first header field */

/* libmilter takes strings that are not const, and changes none. */
static char *
loose(const char *text)
{
  return (char *) (gpointer) text;
}

/* The Message-ID as it stands in log lines. */
static char *
logged_id(const Message *message)
{
  return g_strndup(message->message_id, LOGGED_ID_MAX_BYTES);
}

/* '%' is libmilter's escape in replies. */
static char *
escape_line(const char *line)
{
  g_auto(GStrv) parts = g_strsplit(line, "%", -1);
  return g_strjoinv("%%", parts);
}

/* The envelope sender as it stands in log lines. */
static const char *
logged_sender(const Message *message)
{
  if (message->sender == NULL)
    return message->sender_given;
  return *message->sender != '\0' ? message->sender : "<>";
}

/* What the log says of a refusal: the first it names. */
static void
log_refusal(EventKind kind, const Message *message, const Decision *decision,
            const char *queue_id)
{
  g_autofree char *id = logged_id(message);
  const char *about = decision->names->len > 0 ? decision->names->pdata[0] : NULL;
  event_log(kind, queue_id, message->organisation->name, "message-id", id, "code",
            refusal_code(decision->refusal), "from", logged_sender(message), "about", about,
            kind == EVENT_OBSERVED ? "would" : NULL, "refuse", NULL);
}

/*
 * Sets the two lines as the reply. What sendmail(1) is told, which gives addresses without
 * <>, and what zegel-again is told, ends in a bounce, where Postfix would write the line
 * end as "__550 5.7.1".
 */
static gboolean
set_reply(SMFICTX *ctx, const Message *message, const RefusalReply *reply)
{
  g_autofree char *dutch = escape_line(reply->lines[0]);
  g_autofree char *english = escape_line(reply->lines[1]);
  if (message->sender_given[0] == '<' && message->kind != MESSAGE_AGAIN)
    return smfi_setmlreply(ctx, reply->smtp_code, reply->enhanced_code, dutch, english,
                           NULL) == MI_SUCCESS;
  g_autofree char *both = g_strdup_printf("%s %s", dutch, english);
  return smfi_setreply(ctx, loose(reply->smtp_code), loose(reply->enhanced_code), both) ==
         MI_SUCCESS;
}

/* A ticket that is not ours, or that belongs to another body, is an event of its own. */
static EventKind
event_of(Refusal refusal)
{
  if (refusal == REFUSAL_TICKET_FORGED || refusal == REFUSAL_TICKET_DOUBLE)
    return EVENT_TICKET;
  return refusal == REFUSAL_HASH ? EVENT_INTEGRITY : EVENT_REFUSED;
}

static sfsistat
act_refuse(SMFICTX *ctx, const Message *message, const Decision *decision,
           const char *queue_id)
{
  log_refusal(event_of(decision->refusal), message, decision, queue_id);
  g_autoptr(RefusalReply) reply = refusal_reply(decision->refusal, decision->names);
  if (!set_reply(ctx, message, reply))
    log_line(LOG_LEVEL_WARNING, "%s: the reply could not be set",
             queue_id != NULL ? queue_id : "NOQUEUE");
  return refusal_is_temporary(decision->refusal) ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

/* Something of ours failed: the message must come again. */
static sfsistat
act_trouble(SMFICTX *ctx, const Message *message, const char *what, const char *queue_id)
{
  log_line(LOG_LEVEL_WARNING, "%s: %s", queue_id != NULL ? queue_id : "NOQUEUE", what);
  g_autoptr(GPtrArray) nobody = g_ptr_array_new();
  const Decision trouble = {
      .kind = DECISION_REFUSE, .refusal = REFUSAL_TROUBLE, .names = nobody};
  return act_refuse(ctx, message, &trouble, queue_id);
}

/* Takes out every X-Zegel field, last to first (T27). */
static gboolean
remove_marks(SMFICTX *ctx, const Message *message)
{
  for (guint i = 0; i < message->marks->len; i++) {
    const MessageMark *mark = message->marks->pdata[i];
    for (guint n = mark->count; n > 0; n--)
      if (smfi_chgheader(ctx, mark->name, (int) n, NULL) != MI_SUCCESS)
        return FALSE;
  }
  return TRUE;
}

/* Takes trigger and number out of the subjects, last to first (S4). */
static gboolean
clean_subjects(SMFICTX *ctx, const Message *message)
{
  for (guint i = message->subjects->len; i > 0; i--) {
    const MessageSubject *subject = message->subjects->pdata[i - 1];
    if (subject->trigger->cleaned == NULL)
      continue;
    g_autofree char *value =
        mail_encode_text(subject->trigger->cleaned, strlen(subject->name));
    if (smfi_chgheader(ctx, subject->name, (int) subject->index,
                       *value != '\0' ? value : NULL) != MI_SUCCESS)
      return FALSE;
  }
  return TRUE;
}

static Ticket *
make_ticket(const Message *message, const Decision *decision, GError **error)
{
  g_autoptr(Ticket) ticket = ticket_new(error);
  if (ticket == NULL)
    return NULL;
  ticket->organisation = g_strdup(message->organisation->name);
  ticket->sender = g_strdup(message->sender);
  ticket->sender_name = g_strdup(message->sender_name);
  ticket->message_id = g_strdup(message->message_id);
  ticket->made_s = g_get_real_time() / G_USEC_PER_SEC;
  crypt_hash_finish(message->body, ticket->body_sha256);
  for (guint i = 0; i < decision->outcomes->len; i++) {
    const Outcome *outcome = &g_array_index(decision->outcomes, Outcome, i);
    if (outcome->label == LABEL_VIEWER || outcome->label == LABEL_DIRECT)
      ticket_add_recipient(ticket, message->unique->pdata[i], outcome->number);
  }
  /* Numbers of those whom only an alias of ours may lead to (R7). */
  for (guint i = 0; i < message->numbers->len; i++) {
    const HeaderNumber *number = message->numbers->pdata[i];
    if (ticket_find_recipient(ticket, number->address) == NULL)
      ticket_add_recipient(ticket, number->address, number->number);
  }
  return g_steal_pointer(&ticket);
}

static gboolean
insert_ticket(SMFICTX *ctx, const Message *message, const Decision *decision,
              const KeyRing *ring, GError **error)
{
  g_autoptr(Ticket) ticket = make_ticket(message, decision, error);
  if (ticket == NULL)
    return FALSE;
  g_autofree char *value = message_seal_ticket(ticket, ring, error);
  return value != NULL &&
         smfi_insheader(ctx, TICKET_INDEX, loose(TICKET_HEADER), value) == MI_SUCCESS;
}

/* Puts the ticket in, or brings the one that is there up to date. */
static gboolean
set_ticket(SMFICTX *ctx, Message *message, const Decision *decision, const KeyRing *ring,
           GError **error)
{
  if (message->kind != MESSAGE_AGAIN)
    return insert_ticket(ctx, message, decision, ring, error);
  g_autofree char *value = NULL;
  if (!again_renew(message, decision, ring, &value, error))
    return FALSE;
  return value == NULL || smfi_chgheader(ctx, loose(TICKET_HEADER), 1, value) == MI_SUCCESS;
}

/* The first recipient that was given with ADDRESS. */
static const MessageRecipient *
find_recipient(const Message *message, const char *address)
{
  for (guint i = 0; i < message->recipients->len; i++) {
    const MessageRecipient *recipient = message->recipients->pdata[i];
    if (recipient->address == address) /* unique borrows it */
      return recipient;
  }
  return NULL;
}

static gboolean
add_labelled(SMFICTX *ctx, const Message *message, const char *address, Label label)
{
  const MessageRecipient *recipient = find_recipient(message, address);
  g_autofree char *labelled = label_add(address, label, NULL);
  if (recipient == NULL || labelled == NULL)
    return FALSE;
  g_autofree char *bracketed = g_strdup_printf("<%s>", labelled);
  g_autofree char *parameters = envelope_recipient_parameters(
      recipient->given, (const char *const *) recipient->args, label != LABEL_PREFER);
  return smfi_addrcpt_par(ctx, bracketed, parameters) == MI_SUCCESS;
}

static Label
label_for(const Message *message, const Decision *decision, const char *address)
{
  for (guint i = 0; i < decision->outcomes->len; i++)
    if (strcmp(message->unique->pdata[i], address) == 0)
      return g_array_index(decision->outcomes, Outcome, i).label;
  return LABEL_NONE;
}

/* Add first, delete after: a message without recipients would be lost in silence. */
static gboolean
replace_recipients(SMFICTX *ctx, const Message *message, const Decision *decision)
{
  for (guint i = 0; i < decision->outcomes->len; i++) {
    Label label = g_array_index(decision->outcomes, Outcome, i).label;
    if (label != LABEL_NONE &&
        !add_labelled(ctx, message, message->unique->pdata[i], label))
      return FALSE;
  }
  for (guint i = 0; i < message->recipients->len; i++) {
    const MessageRecipient *recipient = message->recipients->pdata[i];
    if (label_for(message, decision, recipient->address) != LABEL_NONE &&
        smfi_delrcpt(ctx, recipient->given) != MI_SUCCESS)
      return FALSE;
  }
  return TRUE;
}

/* One that comes back may have an odd sender; its RET came along. */
static gboolean
protect_sender(SMFICTX *ctx, const Message *message)
{
  if (message->sender == NULL)
    return message->kind == MESSAGE_AGAIN;
  g_autofree char *bracketed = g_strdup_printf("<%s>", message->sender);
  g_autofree char *parameters =
      envelope_sender_parameters((const char *const *) message->sender_args);
  return smfi_chgfrom(ctx, bracketed, parameters) == MI_SUCCESS;
}

static void
log_routes(const Message *message, const Decision *decision, const char *queue_id)
{
  g_autofree char *id = logged_id(message);
  for (guint i = 0; i < decision->outcomes->len; i++) {
    const Outcome *outcome = &g_array_index(decision->outcomes, Outcome, i);
    const RouteAnswer *answer = message->answers->pdata[i];
    if (answer->route == ROUTE_ORDINARY)
      continue;
    g_autofree char *number =
        outcome->label == LABEL_VIEWER ? log_mask_number(outcome->number) : g_strdup("-");
    event_log(EVENT_ROUTED, queue_id, message->organisation->name, "message-id", id,
              "reason", decision->reason, "from", logged_sender(message), "to",
              message->unique->pdata[i], "route", route_name(answer->route), "code",
              answer->code, "detail", answer->reason, "number", number, NULL);
  }
}

static sfsistat
act_seal(SMFICTX *ctx, Message *message, const Decision *decision, const KeyRing *ring,
         const char *queue_id)
{
  g_autoptr(GError) error = NULL;
  if (!remove_marks(ctx, message) || !clean_subjects(ctx, message))
    return act_trouble(ctx, message, "the header could not be changed", queue_id);
  if (!set_ticket(ctx, message, decision, ring, &error))
    return act_trouble(ctx, message,
                       error != NULL ? error->message : "the ticket could not be set",
                       queue_id);
  if (!protect_sender(ctx, message) || !replace_recipients(ctx, message, decision))
    return act_trouble(ctx, message, "the envelope could not be changed", queue_id);
  log_routes(message, decision, queue_id);
  return SMFIS_CONTINUE;
}

static sfsistat
act_prefer(SMFICTX *ctx, const Message *message, const Decision *decision,
           const char *queue_id)
{
  if (!remove_marks(ctx, message))
    return act_trouble(ctx, message, "the header could not be changed", queue_id);
  if (!replace_recipients(ctx, message, decision))
    return act_trouble(ctx, message, "the envelope could not be changed", queue_id);
  log_routes(message, decision, queue_id);
  return SMFIS_CONTINUE;
}

static void
log_observed(const Message *message, const Decision *decision, const char *queue_id)
{
  if (decision->would == DECISION_REFUSE) {
    log_refusal(EVENT_OBSERVED, message, decision, queue_id);
    return;
  }
  g_autofree char *id = logged_id(message);
  event_log(EVENT_OBSERVED, queue_id, message->organisation->name, "message-id", id, "code",
            decision->reason, "from", logged_sender(message), "would",
            decision->would == DECISION_PASS ? "pass" : "seal", NULL);
}

sfsistat
act(SMFICTX *ctx, Message *message, const Decision *decision, const KeyRing *ring,
    const char *queue_id)
{
  switch (decision->kind) {
  case DECISION_PASS:
    if (!remove_marks(ctx, message))
      return act_trouble(ctx, message, "the header could not be changed", queue_id);
    return SMFIS_CONTINUE;
  case DECISION_OBSERVE:
    log_observed(message, decision, queue_id);
    return SMFIS_CONTINUE;
  case DECISION_REFUSE:
    return act_refuse(ctx, message, decision, queue_id);
  case DECISION_PREFER:
    return act_prefer(ctx, message, decision, queue_id);
  case DECISION_SEAL:
    return act_seal(ctx, message, decision, ring, queue_id);
  case DECISION_ASK:
    break;
  }
  return act_trouble(ctx, message, "nothing was decided", queue_id);
}
