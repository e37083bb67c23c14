#include "deliver/returned.h"

#include "common/base/event.h"
#include "common/base/log.h"
#include "common/base/secret.h"
#include "common/crypt/origin.h"
#include "deliver/bounce_reader.h"
#include "deliver/lost.h"
#include "deliver/post.h"

/* A report stands at the beginning, before what it returns of the message. */
#define MESSAGE_MAX_BYTES (256 * 1024)

struct Returned {
  const Service *service;
  char *queue_id;
  GByteArray *bytes;
};

Returned *
returned_new(const Service *service, const char *queue_id)
{
  Returned *returned = g_new0(Returned, 1);
  returned->service = service;
  returned->queue_id = g_strdup(queue_id);
  returned->bytes = g_byte_array_new();
  return returned;
}

void
returned_free(Returned *returned)
{
  if (returned == NULL)
    return;
  secret_wipe(returned->bytes->data, returned->bytes->len); /* it may quote the link */
  g_byte_array_unref(returned->bytes);
  g_free(returned->queue_id);
  g_free(returned);
}

void
returned_write(Returned *returned, const char *bytes, gsize len)
{
  gsize room = MESSAGE_MAX_BYTES - returned->bytes->len;
  g_byte_array_append(returned->bytes, (const guint8 *) bytes, (guint) MIN(len, room));
}

/* ---- One entry ---- */

/* A bounce about one recipient of a message. All borrowed. */
typedef struct {
  const Returned *returned;
  const Organisation *organisation;
  const Dispatch *dispatch;
  const DispatchRecipient *recipient;
  const Bounce *bounce;
} Case;

static Event *
make_event(const Case *one, EventKind kind)
{
  g_autofree char *brief = bounce_brief(one->bounce);
  return event_new(kind, one->returned->queue_id, one->organisation->name, "ref",
                   one->recipient->reference, "message-id", one->dispatch->message_id, "to",
                   one->recipient->address, "from",
                   *one->dispatch->sender != '\0' ? one->dispatch->sender : NULL, "status",
                   *one->bounce->status != '\0' ? one->bounce->status : NULL, "text",
                   *brief != '\0' ? brief : NULL, NULL);
}

/* It makes no difference any more. */
static void
drop(const Case *one)
{
  g_autoptr(Event) event = make_event(one, EVENT_BOUNCE_DROPPED);
  event_send(event);
}

/* FALSE with an error: not now. */
static gboolean
tell(const Case *one, GError **error)
{
  gboolean failed = one->bounce->kind == BOUNCE_FAILED;
  TellFacts facts = post_facts(one->organisation, one->dispatch, one->recipient);
  g_autofree char *id =
      g_strconcat(failed ? "bounced." : "delayed.", one->recipient->reference, NULL);
  GString *message = failed ? tell_bounced(&facts, tell_reason(one->bounce->status), id)
                            : tell_delayed(&facts, id);
  return post_to_sender(one->returned->service, one->organisation, one->dispatch->sender,
                        message, NULL, error);
}

static gboolean
has_line(const DispatchRecipient *recipient, HistoryKind kind)
{
  for (guint i = 0; recipient->history != NULL && i < recipient->history->len; i++)
    if (g_array_index(recipient->history, HistoryLine, i).kind == kind)
      return TRUE;
  return FALSE;
}

/* The message was itself a visitor's, and came to a reader by the phone book: he is told.
 * FALSE with an error. */
static gboolean
tell_visitor(const Case *one, GError **error)
{
  ControlKind kind;
  gboolean known;
  g_autofree char *reference = NULL;
  if (!control_parse(one->returned->service->origin_keys, one->organisation->name,
                     one->organisation->service_domain, one->dispatch->sender, &kind,
                     &reference) ||
      kind != CONTROL_VISITOR)
    return TRUE;
  const Lost lost = {.service = one->returned->service,
                     .queue_id = one->returned->queue_id,
                     .organisation = one->organisation,
                     .reference = reference,
                     .bounce = one->bounce};
  return lost_handle(&lost, &known, error);
}

static gboolean
act_failed(const Case *one, GError **error)
{
  gboolean changed;
  g_autoptr(Event) event = make_event(one, EVENT_BOUNCED);
  if (!tell(one, error) || !tell_visitor(one, error) ||
      !store_withdraw(one->returned->service->store, one->organisation->name,
                      one->recipient->reference, HISTORY_BOUNCED, event, &changed, error))
    return FALSE;
  if (!changed)
    drop(one);
  return TRUE;
}

static gboolean
act_delayed(const Case *one, GError **error)
{
  g_autoptr(Event) event = make_event(one, EVENT_DELAYED);
  return tell(one, error) &&
         store_note(one->returned->service->store, one->organisation->name,
                    one->recipient->reference, HISTORY_DELAYED, event, NULL, error);
}

/*
 * Who has opened the message had the link: what fails then is a copy of the mail on its way
 * to somebody else. First the letter, then the record: killed in between, the letter goes
 * once more with the same Message-ID; the other way round it would be lost.
 */
static gboolean
act(const Case *one, GError **error)
{
  gboolean open =
      one->recipient->state == ENTRY_OPEN && !has_line(one->recipient, HISTORY_OPENED);
  if (one->bounce->kind == BOUNCE_FAILED && open)
    return act_failed(one, error);
  if (one->bounce->kind == BOUNCE_DELAYED && open &&
      !has_line(one->recipient, HISTORY_DELAYED))
    return act_delayed(one, error);
  drop(one);
  return TRUE;
}

/* BOUNCE is of what a visitor wrote, or with SHARED of the mail about what he forwarded. */
static gboolean
handle_lost(const Returned *returned, const Recipient *addressed, gboolean shared,
            const Bounce *bounce, GError **error)
{
  const Lost lost = {.service = returned->service,
                     .queue_id = returned->queue_id,
                     .organisation = addressed->organisation,
                     .reference = addressed->reference,
                     .shared = shared,
                     .bounce = bounce};
  gboolean known;
  if (!lost_handle(&lost, &known, error))
    return FALSE;
  if (!known)
    event_log(EVENT_BOUNCE_DROPPED, returned->queue_id, addressed->organisation->name,
              "ref", addressed->reference, NULL);
  return TRUE;
}

/* BOUNCE concerns the entry that ADDRESSED names. */
static gboolean
handle(const Returned *returned, const Recipient *addressed, const Bounce *bounce,
       GError **error)
{
  g_autoptr(Dispatch) dispatch = NULL;
  if (recipient_is(addressed, CONTROL_VISITOR))
    return handle_lost(returned, addressed, FALSE, bounce, error);
  if (!store_find_dispatch_of(returned->service->store, addressed->organisation->name,
                              addressed->reference, &dispatch, error))
    return FALSE;
  const DispatchRecipient *recipient = post_find_recipient(dispatch, addressed->reference);
  if (recipient != NULL) {
    const Case one = {.returned = returned,
                      .organisation = addressed->organisation,
                      .dispatch = dispatch,
                      .recipient = recipient,
                      .bounce = bounce};
    return act(&one, error);
  }
  return handle_lost(returned, addressed, TRUE, bounce, error);
}

void
returned_finish(Returned *returned, const GPtrArray *recipients, DepositResult *results)
{
  Bounce bounce;
  g_autoptr(GError) error = NULL;
  bounce_read(returned->service->config->deliver_reader,
              (const char *) returned->bytes->data, returned->bytes->len, &bounce, &error);
  for (guint i = 0; i < recipients->len; i++) {
    const Recipient *addressed = recipients->pdata[i];
    if (!recipient_is_return(addressed))
      continue;
    gboolean done = error == NULL && handle(returned, addressed, &bounce, &error);
    results[i].outcome = done ? OUTCOME_NOTED : OUTCOME_BOUNCE_LATER;
    g_strlcpy(results[i].reference, addressed->reference, sizeof results[i].reference);
    if (!done)
      log_line(LOG_LEVEL_WARNING, "%s: ref=%s, code=%s, %s", returned->queue_id,
               addressed->reference, outcome_code(OUTCOME_BOUNCE_LATER), error->message);
  }
  bounce_clear(&bounce);
}
