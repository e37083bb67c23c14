#include "milter/decide.h"

#include <string.h>

#include "milter/attachment.h"
#include "milter/envelope.h"

#define MB_BYTES (1024 * 1024)

static Decision *
decision_new(void)
{
  Decision *decision = g_new0(Decision, 1);
  decision->reason = "";
  decision->names = g_ptr_array_new_with_free_func(g_free);
  decision->outcomes = g_array_new(FALSE, TRUE, sizeof(Outcome));
  return decision;
}

void
decision_free(Decision *decision)
{
  if (decision == NULL)
    return;
  g_ptr_array_unref(decision->names);
  g_array_unref(decision->outcomes);
  g_free(decision);
}

void
header_number_free(HeaderNumber *number)
{
  if (number->number != NULL)
    explicit_bzero(number->number, strlen(number->number));
  g_free(number->number);
  g_free(number->address);
  g_free(number);
}

static void
refuse(Decision *decision, Refusal refusal)
{
  decision->kind = DECISION_REFUSE;
  decision->refusal = refusal;
}

static void
refuse_naming(Decision *decision, Refusal refusal, const GPtrArray *names)
{
  refuse(decision, refusal);
  for (guint i = 0; i < names->len; i++)
    g_ptr_array_add(decision->names, g_strdup(names->pdata[i]));
}

/* Refuses with a text that has NAME: what it is about. */
static void
refuse_for(Decision *decision, Refusal refusal, const char *name)
{
  refuse(decision, refusal);
  g_ptr_array_add(decision->names, g_strdup(name));
}

/* Refuses with a text that has LIMIT. */
static void
refuse_over(Decision *decision, Refusal refusal, guint limit)
{
  g_autofree char *text = g_strdup_printf("%u", limit);
  refuse_for(decision, refusal, text);
}

/* The number in the subject, or NULL; *TWO when there are different ones. */
static const char *
subject_number(const Facts *facts, gboolean *two)
{
  const char *number = NULL;
  for (guint i = 0; i < facts->triggers->len; i++) {
    const Trigger *trigger = facts->triggers->pdata[i];
    if (trigger->number == NULL)
      continue;
    if (number != NULL && strcmp(number, trigger->number) != 0)
      *two = TRUE;
    number = trigger->number;
  }
  return number;
}

static gboolean
has_trigger(const Facts *facts)
{
  for (guint i = 0; i < facts->triggers->len; i++)
    if (((const Trigger *) facts->triggers->pdata[i])->sensitive)
      return TRUE;
  return FALSE;
}

static gboolean
find_mistake(const Facts *facts, Refusal *refusal)
{
  for (guint i = 0; i < facts->triggers->len; i++) {
    switch (((const Trigger *) facts->triggers->pdata[i])->mistake) {
    case MISTAKE_NO_NUMBER:
      *refusal = REFUSAL_NO_NUMBER;
      return TRUE;
    case MISTAKE_BAD_NUMBER:
      *refusal = REFUSAL_BAD_NUMBER;
      return TRUE;
    case MISTAKE_TWO_NUMBERS:
      *refusal = REFUSAL_TWO_NUMBERS;
      return TRUE;
    case MISTAKE_NONE:
      break;
    }
  }
  gboolean two = FALSE;
  subject_number(facts, &two);
  *refusal = REFUSAL_TWO_NUMBERS;
  return two;
}

/*
 * The number that X-Zegel-SMS gives for ADDRESS, or NULL. Local parts may differ in case,
 * but nobody has two mailboxes that differ in that alone.
 */
static const char *
header_number(const Facts *facts, const char *address)
{
  for (guint i = 0; i < facts->numbers->len; i++) {
    const HeaderNumber *number = facts->numbers->pdata[i];
    if (number->address != NULL && g_ascii_strcasecmp(number->address, address) == 0)
      return number->number;
  }
  return NULL;
}

static gboolean
is_recipient(const Facts *facts, const char *address)
{
  for (guint i = 0; i < facts->recipients->len; i++)
    if (g_ascii_strcasecmp(facts->recipients->pdata[i], address) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
find_header_mistake(const Facts *facts, Refusal *refusal)
{
  for (guint i = 0; i < facts->numbers->len; i++) {
    const HeaderNumber *number = facts->numbers->pdata[i];
    *refusal = number->address == NULL ? REFUSAL_NUMBER_HEADER : REFUSAL_BAD_NUMBER;
    if (number->address == NULL || number->number == NULL)
      return TRUE;
    *refusal = REFUSAL_TWO_NUMBERS;
    if (strcmp(header_number(facts, number->address), number->number) != 0)
      return TRUE;
  }
  return FALSE;
}

/* What is wrong with the message whatever its routes are. */
static gboolean
refuse_early(const Facts *facts, Decision *decision)
{
  gboolean two = FALSE;
  Refusal refusal;
  if (facts->foreign->len > 0)
    refuse_naming(decision, REFUSAL_SENDER, facts->foreign);
  else if (facts->too_many_headers)
    refuse(decision, REFUSAL_HEADERS);
  else if (find_mistake(facts, &refusal) || find_header_mistake(facts, &refusal))
    refuse(decision, refusal);
  else if (facts->bypass == BYPASS_PLAIN &&
           (subject_number(facts, &two) != NULL || facts->numbers->len > 0))
    refuse(decision, REFUSAL_CONTRADICTION);
  else
    return FALSE;
  return TRUE;
}

/*
 * S1: the first that speaks wins. What stands above the machine is explicit: said in this
 * message, for this message. Tables and default are not.
 */
static gboolean
is_sensitive(const Facts *facts, SensitiveDefault sensitive_default, const char **reason)
{
  const struct {
    gboolean speaks, sensitive;
    const char *reason;
  } voices[] = {
      {has_trigger(facts), TRUE, "Z-S2-TRIGGER"},
      {facts->bypass == BYPASS_SECURE, TRUE, "Z-S5-BYPASS"},
      {facts->bypass == BYPASS_PLAIN, FALSE, "Z-S5-BYPASS"},
      {facts->numbers->len > 0, TRUE, "Z-S7-HEADER"},
      {facts->sensitive_header, TRUE, "Z-S1-CONFIGURED"},
      {facts->sensitivity, TRUE, "Z-S1-SENSITIVITY"},
      {facts->plain_header, FALSE, "Z-S1-CONFIGURED"},
      {facts->machine, FALSE, "Z-S5-MACHINE"},
      {facts->table == SENDER_SECURE, TRUE, "Z-S5-SENDER"},
      {facts->table == SENDER_PLAIN, FALSE, "Z-S5-SENDER"},
      {TRUE, sensitive_default == DEFAULT_SECURE, "Z-S5-DEFAULT"},
  };
  guint i = 0;
  while (!voices[i].speaks)
    i++;
  *reason = voices[i].reason;
  return voices[i].sensitive;
}

/* A recipient and the answer of policyd. */
typedef struct {
  const char *address;
  const RouteAnswer *answer;
} Asked;

static gboolean
can_label(const char *address, Label label)
{
  g_autofree char *labelled = label_add(address, label, NULL);
  return labelled != NULL;
}

/* Refuses because of ASKED, whose route is none for what is sensitive. */
static void
refuse_route(Decision *decision, const Asked *asked)
{
  Refusal refusal =
      asked->answer->route == ROUTE_ORDINARY ? REFUSAL_LATER : REFUSAL_ADDRESS;
  refuse_for(decision, refusal, asked->address);
}

/*
 * Adds the outcome for ASKED, of a sensitive message, with what FOUND has of its number.
 * Refuses what has no safe route: an own address that Postfix could send on by itself is
 * none.
 */
static gboolean
add_outcome(Decision *decision, const Asked *asked, Label own, const Outcome *found)
{
  Outcome outcome = *found;
  gboolean good = TRUE;
  switch (asked->answer->route) {
  case ROUTE_VIEWER:
    outcome.label = LABEL_VIEWER;
    break;
  case ROUTE_DIRECT:
    outcome.label = LABEL_DIRECT;
    break;
  case ROUTE_OWN:
    outcome.label = own;
    good = !envelope_is_routing(asked->address);
    break;
  case ROUTE_ORDINARY:
  case ROUTE_PREFER:
    good = FALSE;
    break;
  }
  if (good && (outcome.label == LABEL_NONE || can_label(asked->address, outcome.label))) {
    g_array_append_val(decision->outcomes, outcome);
    return TRUE;
  }
  refuse_route(decision, asked);
  return FALSE;
}

static gboolean
is_anybody(G_GNUC_UNUSED const Outcome *outcome)
{
  return TRUE;
}

static gboolean
has_no_number(const Outcome *outcome)
{
  return outcome->number == NULL;
}

/* Whose number was not given with this message: the phone book's may give way. */
static gboolean
has_none_given(const Outcome *outcome)
{
  return !outcome->learn;
}

/* Some of the recipients, and what becomes of them. */
typedef struct {
  GPtrArray *names;    /* of char *, borrowed */
  GPtrArray *outcomes; /* of Outcome *, borrowed */
} Some;

static void
some_clear(Some *some)
{
  g_ptr_array_unref(some->names);
  g_ptr_array_unref(some->outcomes);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Some, some_clear)

/* Those of RECIPIENTS with LABEL for whom TEST holds; freed with some_clear. */
static Some
find_some(const GPtrArray *recipients, const Decision *decision, Label label,
          gboolean (*test)(const Outcome *))
{
  Some some = {g_ptr_array_new(), g_ptr_array_new()};
  for (guint i = 0; i < decision->outcomes->len; i++) {
    Outcome *outcome = &g_array_index(decision->outcomes, Outcome, i);
    if (outcome->label != label || !test(outcome))
      continue;
    g_ptr_array_add(some.names, recipients->pdata[i]);
    g_ptr_array_add(some.outcomes, outcome);
  }
  return some;
}

static void
give_number(Outcome *outcome, const char *number)
{
  outcome->number = number;
  outcome->learn = TRUE;
}

static gboolean
has_number(const Some *some, const char *number)
{
  for (guint i = 0; i < some->outcomes->len; i++)
    if (g_strcmp0(((Outcome *) some->outcomes->pdata[i])->number, number) == 0)
      return TRUE;
  return FALSE;
}

/*
 * NUMBER stands in the subject, and nobody lacks one. Who typed it meant somebody: the only
 * one for whom nothing else was given gets it, whatever the phone book says (S8). When
 * there is none in the viewer, the only one who goes direct may have it: his domain can
 * stop being ready (R4).
 */
static void
give_to_spare(const Facts *facts, Decision *decision, const char *number)
{
  g_auto(Some) viewer =
      find_some(facts->recipients, decision, LABEL_VIEWER, has_none_given);
  g_auto(Some) direct =
      find_some(facts->recipients, decision, LABEL_DIRECT, has_none_given);
  if (viewer.names->len == 1)
    give_number(viewer.outcomes->pdata[0], number);
  else if (viewer.names->len > 1 && !has_number(&viewer, number))
    refuse_naming(decision, REFUSAL_WHOSE_NUMBER, viewer.names);
  else if (viewer.names->len == 0 && direct.names->len == 1)
    give_number(direct.outcomes->pdata[0], number);
}

/* S6: those who have no number read their code in an e-mail. */
static void
send_codes_by_mail(const Some *lacking)
{
  for (guint i = 0; i < lacking->outcomes->len; i++)
    ((Outcome *) lacking->outcomes->pdata[i])->by_mail = TRUE;
}

/* Gives the number in the subject to the one who lacks one, or refuses (S7). */
static void
settle_numbers(const Facts *facts, Decision *decision)
{
  gboolean two = FALSE;
  const char *number = subject_number(facts, &two);
  g_auto(Some) lacking =
      find_some(facts->recipients, decision, LABEL_VIEWER, has_no_number);
  guint count = lacking.names->len;
  if (count > 1 && number != NULL)
    refuse_naming(decision, REFUSAL_ONE_NUMBER, lacking.names);
  else if (count == 1 && number != NULL)
    give_number(lacking.outcomes->pdata[0], number);
  else if (count > 0 && facts->method == METHOD_NUMBER)
    refuse_naming(decision, count > 1 ? REFUSAL_NUMBERS : REFUSAL_NUMBER, lacking.names);
  else if (count > 0)
    send_codes_by_mail(&lacking);
  else if (number != NULL)
    give_to_spare(facts, decision, number);
}

/* S6, method none: refuses with REFUSAL what only the viewer would bring. */
static void
refuse_viewer(const GPtrArray *recipients, Decision *decision, Refusal refusal)
{
  g_auto(Some) viewer = find_some(recipients, decision, LABEL_VIEWER, is_anybody);
  if (viewer.names->len > 0)
    refuse_naming(decision, refusal, viewer.names);
}

/* What is given in the header counts more than the phone book (S8). */
static Outcome
find_number(const Facts *facts, const Asked *asked)
{
  Outcome found = {.label = LABEL_NONE};
  if (facts->method == METHOD_NONE)
    return found; /* a number leads to the viewer */
  found.number = header_number(facts, asked->address);
  found.learn = found.number != NULL;
  if (found.number == NULL && facts->phone_book)
    found.number = asked->answer->number;
  return found;
}

/* N6: a partner must not get what looks forged; the viewer needs no signature. */
static void
turn_to_viewer(Decision *decision)
{
  for (guint i = 0; i < decision->outcomes->len; i++) {
    Outcome *outcome = &g_array_index(decision->outcomes, Outcome, i);
    if (outcome->label != LABEL_DIRECT)
      continue;
    outcome->label = LABEL_VIEWER;
    outcome->code = "Z-N6-NO-KEY";
  }
}

static void
decide_routes(const Facts *facts, Decision *decision)
{
  decision->kind = DECISION_SEAL;
  for (guint i = 0; i < facts->recipients->len; i++) {
    Asked asked = {facts->recipients->pdata[i], facts->answers->pdata[i]};
    Outcome found = find_number(facts, &asked);
    if (!add_outcome(decision, &asked, LABEL_OWN, &found))
      return;
  }
  if (facts->unsigned_change)
    turn_to_viewer(decision);
  if (facts->method == METHOD_NONE)
    refuse_viewer(facts->recipients, decision, REFUSAL_NO_VIEWER);
  else
    settle_numbers(facts, decision);
  for (guint i = 0; !facts->phone_book && i < decision->outcomes->len; i++)
    g_array_index(decision->outcomes, Outcome, i).learn = FALSE;
}

/* R3: whom policyd promised the direct way gets it; nothing else changes. */
static void
decide_preferred(const Facts *facts, Decision *decision)
{
  for (guint i = 0; i < facts->recipients->len; i++) {
    const char *address = facts->recipients->pdata[i];
    const RouteAnswer *answer = facts->answers->pdata[i];
    Outcome outcome = {.label = LABEL_NONE};
    if (answer->route == ROUTE_PREFER && !envelope_is_routing(address) &&
        can_label(address, LABEL_PREFER)) {
      outcome.label = LABEL_PREFER;
      decision->kind = DECISION_PREFER;
    }
    g_array_append_val(decision->outcomes, outcome);
  }
}

static void
decide_ordinary(const Facts *facts, Decision *decision)
{
  decision->kind = DECISION_PASS;
  if (!facts->prefer || facts->unanswered || facts->recipients->len == 0 ||
      facts->recipients->len > DECIDE_MAX_RECIPIENTS)
    return;
  if (facts->answers == NULL)
    decision->kind = DECISION_ASK;
  else
    decide_preferred(facts, decision);
}

/* X-Zegel-SMS may name whom only an alias reaches: the ticket must hold them all. */
static guint
count_named(const Facts *facts)
{
  guint count = facts->recipients->len;
  for (guint i = 0; i < facts->numbers->len; i++) {
    const HeaderNumber *number = facts->numbers->pdata[i];
    if (!is_recipient(facts, number->address))
      count++;
  }
  return count;
}

static void
decide_as(const Facts *facts, SensitiveDefault sensitive_default, Decision *decision)
{
  if (refuse_early(facts, decision))
    return;
  decision->sensitive = is_sensitive(facts, sensitive_default, &decision->reason);
  if (!decision->sensitive)
    decide_ordinary(facts, decision);
  else if (facts->odd->len > 0)
    refuse_naming(decision, REFUSAL_ADDRESS, facts->odd);
  else if (facts->recipients->len > facts->recipients_max)
    refuse_over(decision, REFUSAL_TOO_MANY, facts->recipients_max);
  else if (count_named(facts) > DECIDE_MAX_RECIPIENTS)
    refuse_over(decision, REFUSAL_TOO_MANY, DECIDE_MAX_RECIPIENTS);
  else if (facts->unanswered)
    refuse(decision, REFUSAL_LATER);
  else if (facts->answers == NULL)
    decision->kind = DECISION_ASK;
  else
    decide_routes(facts, decision);
}

/*
 * A login of no organisation may have its ordinary mail, as if zegel were not there; but
 * what it asks to protect must not go out in the clear because a login was forgotten (O3).
 */
static void
decide_stranger(const Facts *facts, Decision *decision)
{
  Refusal mistake;
  decision->sensitive = is_sensitive(facts, DEFAULT_ON_REQUEST, &decision->reason);
  if (facts->too_many_headers) /* one that was not looked at could be a mark of ours */
    refuse(decision, REFUSAL_HEADERS);
  else if (find_mistake(facts, &mistake) || decision->sensitive)
    refuse_naming(decision, REFUSAL_LOGIN, facts->foreign);
}

/* What setup preselects is tried (S5). When policyd gave no answer, nobody knows. */
static void
decide_observed(const Facts *facts, Decision *decision)
{
  Facts tried = *facts;
  tried.unanswered = FALSE;
  decide_as(&tried, DEFAULT_SECURE, decision);
  decision->would = decision->kind;
  decision->kind = DECISION_OBSERVE;
}

Decision *
decide(const Facts *facts)
{
  Decision *decision = decision_new();
  if (facts->stranger) {
    decide_stranger(facts, decision);
    return decision;
  }
  if (facts->sensitive_default != DEFAULT_OBSERVE) {
    decide_as(facts, facts->sensitive_default, decision);
    return decision;
  }
  decide_observed(facts, decision);
  return decision;
}

/* ---- What comes back out of an expansion ---- */

/* Whom TICKET has at ADDRESS, or NULL; as header_number, when not to the letter. */
static const TicketRecipient *
ticket_recipient(const Ticket *ticket, const char *address)
{
  const TicketRecipient *exact = ticket_find_recipient(ticket, address);
  if (exact != NULL)
    return exact;
  for (guint i = 0; i < ticket->recipients->len; i++) {
    const TicketRecipient *recipient = ticket->recipients->pdata[i];
    if (g_ascii_strcasecmp(recipient->address, address) == 0)
      return recipient;
  }
  return NULL;
}

static gboolean
refuse_ticket(const AgainFacts *facts, Decision *decision)
{
  static const Refusal refusals[] = {
      [TICKET_STATE_FORGED] = REFUSAL_TICKET_FORGED,
      [TICKET_STATE_DOUBLE] = REFUSAL_TICKET_DOUBLE,
      [TICKET_STATE_KEY] = REFUSAL_TICKET_KEY,
      [TICKET_STATE_ORGANISATION] = REFUSAL_ORGANISATION,
  };
  if (facts->state == TICKET_STATE_GOOD)
    return FALSE;
  refuse(decision, refusals[facts->state]);
  return TRUE;
}

static Outcome
find_number_again(const AgainFacts *facts, const Asked *asked)
{
  Outcome found = {.label = LABEL_NONE};
  if (facts->method == METHOD_NONE)
    return found;
  const TicketRecipient *known = ticket_recipient(facts->ticket, asked->address);
  if (known != NULL && known->number != NULL) {
    found.number = known->number;
    found.learn = known->learn;
  } else if (facts->phone_book) {
    found.number = asked->answer->number;
  }
  return found;
}

static void
settle_again(const AgainFacts *facts, Decision *decision)
{
  g_auto(Some) lacking =
      find_some(facts->recipients, decision, LABEL_VIEWER, has_no_number);
  if (facts->method == METHOD_NONE)
    refuse_viewer(facts->recipients, decision, REFUSAL_EXPANDED_NONE);
  else if (facts->method != METHOD_NUMBER)
    send_codes_by_mail(&lacking);
  else if (lacking.names->len > 0)
    refuse_naming(decision, REFUSAL_EXPANDED, lacking.names);
}

static void
decide_again_routes(const AgainFacts *facts, Decision *decision)
{
  decision->kind = DECISION_SEAL;
  for (guint i = 0; i < facts->recipients->len; i++) {
    Asked asked = {facts->recipients->pdata[i], facts->answers->pdata[i]};
    Outcome found = find_number_again(facts, &asked);
    if (!add_outcome(decision, &asked, LABEL_NONE, &found))
      return;
  }
  if (facts->ticket->signature_broken)
    turn_to_viewer(decision);
  settle_again(facts, decision);
}

Decision *
decide_again(const AgainFacts *facts)
{
  Decision *decision = decision_new();
  if (facts->tickets == 0)
    return decision;
  decision->sensitive = TRUE;
  decision->reason = "Z-R7-TICKET";
  if (refuse_ticket(facts, decision))
    return decision;
  if (facts->changed)
    refuse(decision, REFUSAL_HASH);
  else if (facts->odd->len > 0)
    refuse_naming(decision, REFUSAL_ADDRESS, facts->odd);
  else if (facts->recipients->len > DECIDE_MAX_RECIPIENTS)
    refuse_over(decision, REFUSAL_TOO_MANY, DECIDE_MAX_RECIPIENTS);
  else if (facts->unanswered)
    refuse(decision, REFUSAL_LATER);
  else if (facts->answers == NULL)
    decision->kind = DECISION_ASK;
  else
    decide_again_routes(facts, decision);
  return decision;
}

/* ---- Attachments ---- */

gboolean
decision_needs_content(const Decision *decision)
{
  return decision->kind == DECISION_SEAL ||
         (decision->kind == DECISION_OBSERVE && decision->would == DECISION_SEAL);
}

/* Names the attachments that must not go (S10). FALSE: there are none. */
static gboolean
refuse_names(Decision *decision, const Organisation *organisation,
             const Inspected *inspected)
{
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (guint i = 0; i < inspected->parts->len; i++) {
    const InspectedPart *part = inspected->parts->pdata[i];
    if (attachment_is_refused(part->name,
                              (const char *const *) organisation->refused_extensions))
      g_ptr_array_add(names, part->name);
  }
  if (names->len > 0)
    refuse_naming(decision, REFUSAL_EXTENSION, names);
  return names->len > 0;
}

void
decide_content(Decision *decision, const Organisation *organisation,
               const Inspected *inspected)
{
  if (!decision_needs_content(decision))
    return;
  DecisionKind before = decision->kind;
  guint64 max_bytes = (guint64) organisation->attachments_max_mb * MB_BYTES;
  if (refuse_names(decision, organisation, inspected))
    ; /* the worst of them */
  else if (inspected->unreadable != NULL)
    refuse_for(decision, REFUSAL_ARCHIVE, inspected->unreadable);
  else if (inspected->cut)
    refuse(decision, REFUSAL_DEEP);
  else if (inspected->total_bytes > max_bytes)
    refuse_over(decision, REFUSAL_ATTACHMENTS, organisation->attachments_max_mb);
  if (before == DECISION_OBSERVE && decision->kind == DECISION_REFUSE) {
    decision->would = DECISION_REFUSE;
    decision->kind = DECISION_OBSERVE;
  }
}
