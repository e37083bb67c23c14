#include "milter/apply.h"

#include "common/base/log.h"
#include "milter/events.h"

/* libmilter takes strings that are not const, and changes none. */
static char *
loose(const char *text)
{
  return (char *) (gpointer) text;
}

/* '%' is libmilter's escape in replies. */
static char *
escape_line(const char *line)
{
  g_auto(GStrv) parts = g_strsplit(line, "%", -1);
  return g_strjoinv("%%", parts);
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

static sfsistat
refuse(SMFICTX *ctx, const Message *message, const RefusalReply *reply,
       const char *queue_id)
{
  if (!set_reply(ctx, message, reply))
    log_line(LOG_LEVEL_WARNING, "%s: the reply could not be set", queue_id);
  return reply->smtp_code[0] == '4' ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

/* We asked for the blanks in front of values (SMFIP_HDR_LEADSPC), so we give ours too. */
static gboolean
change_header(SMFICTX *ctx, const Change *change)
{
  g_autofree char *value =
      change->value != NULL ? g_strconcat(" ", change->value, NULL) : NULL;
  if (change->kind == CHANGE_HEADER_INSERT)
    return smfi_insheader(ctx, (int) change->index, change->name, value) == MI_SUCCESS;
  return smfi_chgheader(ctx, change->name, (int) change->index, value) == MI_SUCCESS;
}

static gboolean
make(SMFICTX *ctx, const Change *change)
{
  switch (change->kind) {
  case CHANGE_HEADER_REMOVE:
  case CHANGE_HEADER_SET:
  case CHANGE_HEADER_INSERT:
    return change_header(ctx, change);
  case CHANGE_RECIPIENT_ADD:
    return smfi_addrcpt_par(ctx, change->name, change->value) == MI_SUCCESS;
  case CHANGE_RECIPIENT_REMOVE:
    return smfi_delrcpt(ctx, change->name) == MI_SUCCESS;
  case CHANGE_SENDER:
    return smfi_chgfrom(ctx, change->name, change->value) == MI_SUCCESS;
  }
  return FALSE;
}

/* Adds come first, deletes after, as the plan has them: a message without recipients would
 * be lost in silence. */
static gboolean
make_all(SMFICTX *ctx, const Plan *plan, const char *queue_id)
{
  for (guint i = 0; i < plan->changes->len; i++) {
    const Change *change = plan->changes->pdata[i];
    if (make(ctx, change))
      continue;
    log_line(LOG_LEVEL_WARNING, "%s: the %s could not be changed", queue_id,
             change->kind <= CHANGE_HEADER_INSERT ? "header" : "envelope");
    return FALSE;
  }
  return TRUE;
}

/* Something of ours failed: the message must come again. */
static sfsistat
refuse_trouble(SMFICTX *ctx, const Message *message, const char *queue_id)
{
  events_refused(message, REFUSAL_TROUBLE, NULL, queue_id);
  g_autoptr(RefusalReply) reply = refusal_reply(REFUSAL_TROUBLE, NULL);
  return refuse(ctx, message, reply, queue_id);
}

sfsistat
apply(SMFICTX *ctx, const Plan *plan, const Message *message, const char *given_id,
      gboolean *done)
{
  const char *queue_id = given_id != NULL ? given_id : "NOQUEUE";
  *done = TRUE;
  if (plan->verdict == PLAN_REFUSE)
    return refuse(ctx, message, plan->reply, queue_id);
  *done = make_all(ctx, plan, queue_id);
  if (*done && plan->verdict == PLAN_QUARANTINE) {
    log_line(LOG_LEVEL_INFO, "%s: held: %s", queue_id, plan->reason);
    *done = smfi_quarantine(ctx, loose(plan->reason)) == MI_SUCCESS;
  }
  return *done ? SMFIS_CONTINUE : refuse_trouble(ctx, message, queue_id);
}
