#include "deliver/lost.h"

#include "common/base/event.h"
#include "common/base/log.h"
#include "common/store/share.h"
#include "deliver/post.h"

/* Two answers and two times forwarded, so that nobody is flooded with letters. */
#define LETTERS_MAX (STORE_ANSWERS_MAX + STORE_FORWARDS_MAX)

static Event *
make_event(const Lost *lost, const Visitor *visitor, EventKind kind)
{
  const char *status = lost->bounce->status;
  g_autofree char *brief = bounce_brief(lost->bounce);
  return event_new(
      kind, lost->queue_id, lost->organisation->name, "ref", visitor->reference, "from",
      *visitor->address != '\0' ? visitor->address : NULL, "shared",
      lost->shared ? lost->reference : NULL, "status", *status != '\0' ? status : NULL,
      "text", *brief != '\0' ? brief : NULL, NULL);
}

/* What nothing is recorded of. */
static void
send_event(const Lost *lost, const Visitor *visitor, EventKind kind)
{
  g_autoptr(Event) event = make_event(lost, visitor, kind);
  event_send(event);
}

/* How often KIND happened to the entry REFERENCE, into *COUNT. */
static gboolean
count_lines(const Lost *lost, const char *reference, HistoryKind kind, guint *count,
            GError **error)
{
  g_autoptr(GArray) lines =
      store_history(lost->service->store, lost->organisation->name, reference, error);
  *count = 0;
  for (guint i = 0; lines != NULL && i < lines->len; i++)
    if (g_array_index(lines, HistoryLine, i).kind == kind)
      *count = g_array_index(lines, HistoryLine, i).count;
  return lines != NULL;
}

/* NUMBER makes the Message-ID, so that a letter that goes again is the same one. */
static gboolean
tell(const Lost *lost, const Visitor *visitor, guint number, GError **error)
{
  const TellFacts facts = {.organisation = lost->organisation,
                           .sender = visitor->address,
                           .message_id = "",
                           .now_s = g_get_real_time() / G_USEC_PER_SEC};
  if (*visitor->address == '\0')
    return TRUE; /* he is forgotten with his message: the log has it */
  g_autofree char *id = g_strdup_printf("lost.%s.%u", visitor->reference, number);
  return post_to_visitor(lost->service, visitor->address,
                         tell_lost(&facts, visitor->reference, id), error);
}

/* Whether nothing was lost, or enough was said of it, into *OVER; how many letters went,
 * into *LETTERS. Who opened what was forwarded had the mail about it. */
static gboolean
look(const Lost *lost, const Visitor *visitor, guint *letters, gboolean *over,
     GError **error)
{
  guint opened = 0;
  guint bounced = 0;
  if (!count_lines(lost, visitor->reference, HISTORY_ANSWER_BOUNCED, letters, error) ||
      (lost->shared &&
       (!count_lines(lost, lost->reference, HISTORY_OPENED, &opened, error) ||
        !count_lines(lost, lost->reference, HISTORY_BOUNCED, &bounced, error))))
    return FALSE;
  *over = *letters >= LETTERS_MAX || opened > 0 || bounced > 0;
  return TRUE;
}

/* Nobody needs the way to what was forwarded any more. */
static gboolean
withdraw(const Lost *lost, GError **error)
{
  gboolean changed;
  return !lost->shared ||
         store_withdraw(lost->service->store, lost->organisation->name, lost->reference,
                        HISTORY_BOUNCED, NULL, &changed, error);
}

/*
 * First the letter, then the record: killed in between, the letter goes once more with the
 * same Message-ID; the other way round it would be lost.
 */
static gboolean
fail(const Lost *lost, const Visitor *visitor, GError **error)
{
  guint letters;
  gboolean over;
  if (!look(lost, visitor, &letters, &over, error))
    return FALSE;
  if (over) {
    send_event(lost, visitor, EVENT_BOUNCE_DROPPED);
    return TRUE;
  }
  g_autoptr(Event) event = make_event(lost, visitor, EVENT_ANSWER_BOUNCED);
  if (!tell(lost, visitor, letters + 1, error) || !withdraw(lost, error) ||
      !store_note(lost->service->store, lost->organisation->name, visitor->reference,
                  HISTORY_ANSWER_BOUNCED, event, NULL, error))
    return FALSE;
  log_line(LOG_LEVEL_ALARM,
           "%s: org=%s, ref=%s, code=Z-V5-LOST, what a reader sent from the viewer could "
           "not be delivered",
           lost->queue_id, lost->organisation->name, visitor->reference);
  return TRUE;
}

gboolean
lost_handle(const Lost *lost, gboolean *known, GError **error)
{
  g_autoptr(Visitor) visitor = NULL;
  *known = FALSE;
  if (!store_find_visitor(lost->service->store, lost->organisation->name, lost->reference,
                          lost->shared, &visitor, error))
    return FALSE;
  *known = visitor != NULL;
  if (visitor == NULL)
    return TRUE;
  if (lost->bounce->kind == BOUNCE_FAILED)
    return fail(lost, visitor, error);
  send_event(lost, visitor,
             lost->bounce->kind == BOUNCE_DELAYED ? EVENT_ANSWER_DELAYED
                                                  : EVENT_BOUNCE_DROPPED);
  return TRUE;
}
