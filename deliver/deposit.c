#include "deliver/deposit.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/event.h"
#include "common/base/log.h"
#include "deliver/address.h"
#include "deliver/announce.h"
#include "deliver/confirm.h"
#include "deliver/head.h"
#include "deliver/number.h"
#include "deliver/post.h"
#include "deliver/teach.h"

/*
 * The notifications of one message stop after this time, well before Postfix gives up on
 * our answer (lmtp_data_done_timeout, 600 s); the rest is for the next try.
 */
#define NOTIFY_BUDGET_S 120
#define DAY_S           (24 * 60 * 60)

struct Deposit {
  const Service *service;
  char *queue_id;
  Head *head;
  CryptHash *body_hash;
  Filing *filing;   /* NULL after an error */
  GByteArray *keep; /* header lines on their way to FILING */
  guint64 size_bytes;
  Outcome trouble; /* OUTCOME_STORED: none so far */

  /* Known at the end: */
  Ticket *ticket;
  const Organisation *organisation;
  guint8 body_sha256[CRYPT_SHA256_BYTES];
  gint64 notify_until_us; /* monotonic */
  gboolean mute;          /* the phone book did not answer: the others are not told */
  FilingDispatch dispatch;
};

/* One recipient of this delivery whom the ticket names. */
typedef struct {
  const TicketRecipient *named;
  FilingRecipient filing;
  char *claim; /* our key in Service.claims, or NULL */
  Outcome outcome;
} Target;

static void
target_clear(gpointer p)
{
  Target *target = p;
  secret_wipe(target->filing.link_secret, sizeof target->filing.link_secret);
  g_free(target->claim);
}

static void
remember(Deposit *deposit, Outcome outcome, const char *why)
{
  if (deposit->trouble != OUTCOME_STORED)
    return;
  deposit->trouble = outcome;
  log_line(LOG_LEVEL_WARNING, "%s: code=%s, %s", deposit->queue_id, outcome_code(outcome),
           why);
  g_clear_pointer(&deposit->filing, filing_free); /* no use to seal the rest */
}

Deposit *
deposit_new(const Service *service, const char *queue_id)
{
  Deposit *deposit = g_new0(Deposit, 1);
  deposit->service = service;
  deposit->queue_id = g_strdup(queue_id);
  deposit->head = head_new();
  deposit->body_hash = crypt_hash_new();
  deposit->keep = g_byte_array_new();
  deposit->trouble = OUTCOME_STORED;
  g_autoptr(GError) error = NULL;
  deposit->filing = filing_begin(service->store, &error);
  if (deposit->filing == NULL)
    remember(deposit, outcome_of_error(error), error->message);
  return deposit;
}

void
deposit_free(Deposit *deposit)
{
  if (deposit == NULL)
    return;
  filing_free(deposit->filing);
  ticket_free(deposit->ticket);
  head_free(deposit->head);
  crypt_hash_free(deposit->body_hash);
  g_byte_array_unref(deposit->keep);
  secret_wipe(deposit->dispatch.status_secret, sizeof deposit->dispatch.status_secret);
  g_free(deposit->queue_id);
  g_free(deposit);
}

static void
file_bytes(Deposit *deposit, gconstpointer bytes, gsize len)
{
  g_autoptr(GError) error = NULL;
  if (deposit->filing != NULL && len > 0 &&
      !filing_write(deposit->filing, bytes, len, &error))
    remember(deposit, outcome_of_error(error), error->message);
}

static void
file_head(Deposit *deposit)
{
  if (deposit->keep->len == 0)
    return;
  file_bytes(deposit, deposit->keep->data, deposit->keep->len);
  secret_wipe(deposit->keep->data, deposit->keep->len); /* subject, addresses */
  g_byte_array_set_size(deposit->keep, 0);
}

void
deposit_write(Deposit *deposit, const char *bytes, gsize len)
{
  deposit->size_bytes += len;
  if (deposit->size_bytes > deposit->service->config->message_max_bytes)
    remember(deposit, OUTCOME_TOO_LARGE, "larger than message_max_bytes");
  if (deposit->trouble != OUTCOME_STORED)
    return;
  gsize used = 0;
  if (!head_is_over(deposit->head)) {
    used = head_take(deposit->head, bytes, len, deposit->keep);
    file_head(deposit);
    if (head_is_too_large(deposit->head))
      remember(deposit, OUTCOME_HEADER_TOO_LARGE, "header section too large");
  }
  crypt_hash_update(deposit->body_hash, bytes + used, len - used);
  file_bytes(deposit, bytes + used, len - used);
}

/* ---- The message as a whole ---- */

/* A ticket that is missing, or not one of ours, is an event (DESIGN: failing). */
static void
accuse(Deposit *deposit, EventKind kind, Outcome outcome, const char *why)
{
  const Ticket *ticket = deposit->ticket;
  event_log(kind, deposit->queue_id, ticket != NULL ? ticket->organisation : NULL, "code",
            outcome_code(outcome), "message-id", ticket != NULL ? ticket->message_id : NULL,
            NULL);
  remember(deposit, outcome, why);
}

static gboolean
are_for_numbers(const GPtrArray *recipients)
{
  for (guint i = 0; i < recipients->len; i++)
    if (!recipient_is(recipients->pdata[i], CONTROL_NUMBER))
      return FALSE;
  return TRUE;
}

static void
open_ticket(Deposit *deposit, const GPtrArray *recipients)
{
  guint count = head_ticket_count(deposit->head);
  if (count == 0 && are_for_numbers(recipients)) {
    /* Without a number it is ordinary mail to the milter, and no attack. */
    remember(deposit, OUTCOME_CHANGE_NUMBER, "no number");
    return;
  }
  if (count != 1) {
    accuse(deposit, EVENT_TICKET,
           count == 0 ? OUTCOME_TICKET_MISSING : OUTCOME_TICKET_DOUBLE,
           count == 0 ? "no ticket" : "several tickets");
    return;
  }
  g_autoptr(GError) error = NULL;
  deposit->ticket =
      ticket_open(deposit->service->ticket_keys, head_ticket(deposit->head), &error);
  if (deposit->ticket != NULL)
    return;
  Outcome outcome = outcome_of_ticket_error(error);
  if (outcome == OUTCOME_TICKET_FORGED)
    accuse(deposit, EVENT_TICKET, outcome, error->message);
  else
    remember(deposit, outcome, error->message);
}

static void
check_body(Deposit *deposit)
{
  crypt_hash_finish(deposit->body_hash, deposit->body_sha256);
  if (!crypt_equal(deposit->body_sha256, deposit->ticket->body_sha256,
                   sizeof deposit->body_sha256))
    accuse(deposit, EVENT_INTEGRITY, OUTCOME_HASH, "the body is not the ticket's");
}

static void
check_message(Deposit *deposit, const GPtrArray *recipients)
{
  head_finish(deposit->head, deposit->keep);
  file_head(deposit);
  if (deposit->trouble == OUTCOME_STORED)
    open_ticket(deposit, recipients);
  if (deposit->trouble == OUTCOME_STORED)
    check_body(deposit);
  if (deposit->trouble != OUTCOME_STORED)
    return;
  deposit->organisation =
      conf_organisation(deposit->service->config, deposit->ticket->organisation);
  if (deposit->organisation == NULL)
    remember(deposit, OUTCOME_ORGANISATION, "the ticket's organisation is not configured");
}

/* ---- Recipients ---- */

/* The ticket's recipient with ADDRESS, however it is quoted, or NULL. */
static const TicketRecipient *
find_named(const Ticket *ticket, const char *address)
{
  const TicketRecipient *named = ticket_find_recipient(ticket, address);
  for (guint i = 0; named == NULL && i < ticket->recipients->len; i++) {
    const TicketRecipient *one = ticket->recipients->pdata[i];
    if (address_equal(one->address, address))
      named = one;
  }
  return named;
}

static void
claim_target(const Deposit *deposit, Target *target)
{
  g_autofree char *id = crypt_hex(deposit->ticket->id, TICKET_ID_BYTES);
  g_autofree char *key = g_strdup_printf("%s %s", id, target->named->address);
  if (claims_take(deposit->service->claims, key))
    target->claim = g_steal_pointer(&key);
  else
    target->outcome = OUTCOME_LATER; /* another session is busy with it */
}

static void
add_target(const Deposit *deposit, GArray *targets, const TicketRecipient *named)
{
  Target target = {.named = named, .outcome = OUTCOME_STORED};
  target.filing.address = named->address;
  target.filing.number = named->number;
  claim_target(deposit, &target);
  g_autoptr(GError) error = NULL;
  if (target.outcome == OUTCOME_STORED &&
      !announce_prepare(deposit->service, &target.filing, &error)) {
    target.outcome = outcome_of_error(error);
    log_line(LOG_LEVEL_WARNING, "%s: no link secret: %s", deposit->queue_id,
             error->message);
  }
  g_array_append_val(targets, target);
}

static Target *
find_target(GArray *targets, const TicketRecipient *named)
{
  for (guint i = 0; i < targets->len; i++)
    if (g_array_index(targets, Target, i).named == named)
      return &g_array_index(targets, Target, i);
  return NULL;
}

/* Everyone whom the ticket names as a reader, once. */
static GArray *
collect_targets(const Deposit *deposit, const GPtrArray *recipients)
{
  GArray *targets = g_array_new(FALSE, TRUE, sizeof(Target));
  g_array_set_clear_func(targets, target_clear);
  for (guint i = 0; i < recipients->len; i++) {
    const Recipient *recipient = recipients->pdata[i];
    const TicketRecipient *named = find_named(deposit->ticket, recipient->address);
    if (recipient->reference == NULL && named != NULL &&
        (named->number != NULL || named->by_mail) && find_target(targets, named) == NULL)
      add_target(deposit, targets, named);
  }
  return targets;
}

/* Everybody to whom the message goes; a control address is nobody. */
static FilingRoute *
list_routes(const Ticket *ticket, guint *count)
{
  FilingRoute *routes = g_new0(FilingRoute, ticket->recipients->len + 1);
  *count = 0;
  for (guint i = 0; i < ticket->recipients->len; i++) {
    const TicketRecipient *named = ticket->recipients->pdata[i];
    gboolean reads = named->number != NULL || named->by_mail;
    if (!control_is_shaped(named->address))
      routes[(*count)++] = (FilingRoute){.address = named->address,
                                         .route = named->route != NULL ? named->route
                                                  : reads              ? "viewer"
                                                                       : ""};
  }
  return routes;
}

/* The COUNT RECIPIENTS in one commit. */
static gboolean
commit(Deposit *deposit, FilingRecipient *recipients, guint count, GError **error)
{
  const Ticket *ticket = deposit->ticket;
  FilingDispatch *dispatch = &deposit->dispatch;
  g_autofree FilingRoute *routes = list_routes(ticket, &dispatch->route_count);
  dispatch->routes = routes;
  dispatch->confirmed = !confirm_is_wanted(deposit->organisation, ticket->sender);
  gint64 now_s = g_get_real_time() / G_USEC_PER_SEC;
  const FilingMeta meta = {
      .organisation = deposit->organisation->name,
      .ticket_id = ticket->id,
      .body_sha256 = deposit->body_sha256,
      .sender = ticket->sender,
      .sender_name = ticket->sender_name,
      .message_id = ticket->message_id,
      .queue_id = deposit->queue_id,
      .received_s = now_s,
      .expires_s = now_s + (gint64) deposit->organisation->retention_days * DAY_S,
      .parts = ticket->parts,
      .parts_cut = ticket->parts_cut,
      .dispatch = dispatch,
  };
  gboolean committed = announce_prepare_status(deposit->service, dispatch, error) &&
                       filing_commit(deposit->filing, &meta, recipients, count, error);
  dispatch->routes = NULL;
  return committed;
}

/* Files the message for all TARGETS that nothing is wrong with. */
static void
commit_targets(Deposit *deposit, GArray *targets)
{
  g_autofree FilingRecipient *list = g_new0(FilingRecipient, targets->len + 1);
  guint count = 0;
  for (guint i = 0; i < targets->len; i++)
    if (g_array_index(targets, Target, i).outcome == OUTCOME_STORED)
      list[count++] = g_array_index(targets, Target, i).filing;
  if (count == 0)
    return;

  g_autoptr(GError) error = NULL;
  gboolean committed = commit(deposit, list, count, &error);
  if (!committed)
    remember(deposit, outcome_of_error(error), error->message);
  for (guint i = 0, next = 0; i < targets->len; i++) {
    Target *target = &g_array_index(targets, Target, i);
    if (target->outcome != OUTCOME_STORED)
      continue;
    target->filing = list[next++];
    target->outcome = deposit->trouble;
  }
  secret_wipe(list, count * sizeof *list);
}

/*
 * Whether what was filed before can be read no more. Then Postfix's repeat comes late, and
 * a link that leads nowhere would only confuse. FALSE with an error when that is not known.
 */
static gboolean
find_over(const Deposit *deposit, const FilingRecipient *filing, gboolean *over,
          GError **error)
{
  g_autoptr(Dispatch) dispatch = NULL;
  *over = FALSE;
  if (!filing->existed)
    return TRUE;
  if (!store_find_dispatch_of(deposit->service->store, deposit->organisation->name,
                              filing->reference, &dispatch, error))
    return FALSE;
  const DispatchRecipient *recipient = post_find_recipient(dispatch, filing->reference);
  *over = recipient != NULL && recipient->state != ENTRY_OPEN;
  return TRUE;
}

static void
notify_target(Deposit *deposit, Target *target)
{
  if (target->filing.notified)
    return;
  gboolean over;
  g_autoptr(GError) error = NULL;
  if (!find_over(deposit, &target->filing, &over, &error)) {
    log_line(LOG_LEVEL_WARNING, "%s: ref=%s, %s", deposit->queue_id,
             target->filing.reference, error->message);
    target->outcome = outcome_of_error(error);
    return;
  }
  if (over)
    return;
  if (g_get_monotonic_time() > deposit->notify_until_us)
    target->outcome = OUTCOME_NOTIFY_LATER;
  else
    target->outcome = announce_send(deposit->service, deposit->organisation,
                                    deposit->ticket, &target->filing, deposit->queue_id);
}

/* What the committed TARGET still needs: its notification, its number. */
static void
complete_target(Deposit *deposit, Target *target)
{
  FilingRecipient *filing = &target->filing;
  const Ticket *ticket = deposit->ticket;
  if (filing->conflict) {
    event_log(EVENT_INTEGRITY, deposit->queue_id, ticket->organisation, "code",
              outcome_code(OUTCOME_CONFLICT), "message-id", ticket->message_id, "to",
              filing->address, NULL);
    target->outcome = OUTCOME_CONFLICT;
    return;
  }
  notify_target(deposit, target);
  if (target->outcome == OUTCOME_STORED && !deposit->mute)
    deposit->mute = !teach_number(deposit->service, deposit->organisation, ticket,
                                  target->named, filing->reference, deposit->queue_id);
}

static void
complete_targets(Deposit *deposit, GArray *targets)
{
  deposit->notify_until_us = g_get_monotonic_time() + NOTIFY_BUDGET_S * G_USEC_PER_SEC;
  for (guint i = 0; i < targets->len; i++) {
    Target *target = &g_array_index(targets, Target, i);
    if (target->outcome == OUTCOME_STORED)
      complete_target(deposit, target);
    if (target->claim != NULL)
      claims_release(deposit->service->claims, target->claim);
  }
}

/* The outcome for RECIPIENT, whom the ticket has as NAMED. */
static Outcome
outcome_for(const Deposit *deposit, const Recipient *recipient,
            const TicketRecipient *named, const Target *target)
{
  if (named == NULL) {
    event_log(EVENT_TICKET, deposit->queue_id, deposit->ticket->organisation, "code",
              outcome_code(OUTCOME_RECIPIENT), "message-id", deposit->ticket->message_id,
              "to", recipient->address, NULL);
    return OUTCOME_RECIPIENT;
  }
  if (recipient_is(recipient, CONTROL_NUMBER))
    return number_change(deposit->service, deposit->ticket, named, recipient,
                         deposit->queue_id);
  return target != NULL ? target->outcome : OUTCOME_NUMBER;
}

static void
set_result(const Deposit *deposit, const Recipient *recipient, GArray *targets,
           DepositResult *result)
{
  const TicketRecipient *named = find_named(deposit->ticket, recipient->address);
  const Target *target = named != NULL ? find_target(targets, named) : NULL;
  memset(result, 0, sizeof *result);
  result->outcome = outcome_for(deposit, recipient, named, target);
  const char *reference = target != NULL ? target->filing.reference : recipient->reference;
  if (result->outcome == OUTCOME_STORED || result->outcome == OUTCOME_CHANGED)
    g_strlcpy(result->reference, reference, sizeof result->reference);
  else
    log_line(LOG_LEVEL_WARNING, "%s: to=%s, code=%s", deposit->queue_id, recipient->address,
             outcome_code(result->outcome));
}

void
deposit_finish(Deposit *deposit, const GPtrArray *recipients, DepositResult *results)
{
  check_message(deposit, recipients);
  g_autoptr(GArray) targets = NULL;
  if (deposit->trouble == OUTCOME_STORED) {
    targets = collect_targets(deposit, recipients);
    commit_targets(deposit, targets);
    complete_targets(deposit, targets);
    confirm_wake(deposit->service);
  }
  for (guint i = 0; i < recipients->len; i++) {
    const Recipient *recipient = recipients->pdata[i];
    if (recipient_is_return(recipient))
      continue;
    if (targets == NULL)
      results[i] = (DepositResult){.outcome = deposit->trouble};
    else
      set_result(deposit, recipient, targets, &results[i]);
  }
}
