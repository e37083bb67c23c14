#include "milter/try_report.h"

#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "milter/decision.h"
#include "milter/dkim_signature.h"

#define NAME_COLUMNS 13

/* ---- Words ---- */

static const char *
kind_name(MessageKind kind)
{
  switch (kind) {
  case MESSAGE_OUTWARD:
    return "outward";
  case MESSAGE_STRANGER:
    return "of no organisation";
  case MESSAGE_INWARD:
    return "inward";
  case MESSAGE_AGAIN:
    return "second pass";
  case MESSAGE_VISITOR:
    return "of a visitor";
  case MESSAGE_SERVICE:
    break;
  }
  return "service";
}

static const char *
decision_name(DecisionKind kind)
{
  switch (kind) {
  case DECISION_PASS:
    return "pass";
  case DECISION_ASK:
    return "unknown";
  case DECISION_OBSERVE:
    return "observe";
  case DECISION_REFUSE:
    return "refuse";
  case DECISION_PREFER:
    return "prefer";
  case DECISION_SEAL:
    break;
  }
  return "seal";
}

static const char *
verdict_name(const Plan *plan)
{
  if (plan->verdict == PLAN_QUARANTINE)
    return "hold";
  if (plan->verdict == PLAN_KEEP)
    return "take";
  return plan->reply->smtp_code[0] == '4' ? "try-again" : "refuse";
}

static const char *
change_name(ChangeKind kind)
{
  switch (kind) {
  case CHANGE_HEADER_REMOVE:
    return "remove";
  case CHANGE_HEADER_SET:
    return "set";
  case CHANGE_HEADER_INSERT:
    return "insert";
  case CHANGE_RECIPIENT_ADD:
    return "add-recipient";
  case CHANGE_RECIPIENT_REMOVE:
    return "remove-recipient";
  case CHANGE_SENDER:
    break;
  }
  return "set-sender";
}

/* ---- Facts, the same for both ---- */

typedef struct {
  const char *name;
  char *value; /* owned */
} Pair;

static void
pair_clear(gpointer p)
{
  g_free(((Pair *) p)->value);
}

static void
add_pair(GArray *pairs, const char *name, const char *value)
{
  Pair pair = {name, g_strdup(value)};
  g_array_append_val(pairs, pair);
}

static void
add_flag(GArray *pairs, const char *name, gboolean value)
{
  if (value)
    add_pair(pairs, name, "yes");
}

static void
add_header_facts(GArray *pairs, const Facts *facts)
{
  static const char *const bypasses[] = {
      [BYPASS_SECURE] = "false", [BYPASS_PLAIN] = "true"};
  static const char *const tables[] = {
      [SENDER_SECURE] = "secure", [SENDER_PLAIN] = "plain"};
  for (guint i = 0; i < facts->triggers->len; i++) {
    const Trigger *trigger = facts->triggers->pdata[i];
    add_flag(pairs, "trigger", trigger->sensitive);
    g_autofree char *number =
        trigger->number != NULL ? log_mask_number(trigger->number) : NULL;
    if (number != NULL)
      add_pair(pairs, "subject-number", number);
  }
  add_flag(pairs, "conversation", facts->conversation);
  if (facts->bypass != BYPASS_NONE)
    add_pair(pairs, "x-ezorg-secbypass", bypasses[facts->bypass]);
  if (facts->table != SENDER_UNKNOWN)
    add_pair(pairs, "sender-table", tables[facts->table]);
  add_flag(pairs, "sensitive-header", facts->sensitive_header);
  add_flag(pairs, "plain-header", facts->plain_header);
  add_flag(pairs, "sensitivity", facts->sensitivity);
  add_flag(pairs, "machine", facts->machine);
  add_flag(pairs, "breaks-own-signature", facts->unsigned_change);
  for (guint i = 0; i < facts->foreign->len; i++)
    add_pair(pairs, "foreign-sender", facts->foreign->pdata[i]);
}

/* What was found out about the message, in the order in which it is printed. */
static GArray *
collect_facts(const Message *message)
{
  GArray *pairs = g_array_new(FALSE, FALSE, sizeof(Pair));
  g_array_set_clear_func(pairs, pair_clear);
  add_pair(pairs, "organisation", message->organisation->name);
  add_pair(pairs, "sender",
           message->sender != NULL ? message->sender : message->sender_given);
  if (message->from_domain != NULL)
    add_pair(pairs, "from-domain", message->from_domain);
  if (message->kind == MESSAGE_OUTWARD || message->kind == MESSAGE_STRANGER)
    add_header_facts(pairs, &message->facts);
  return pairs;
}

/* What the outcome lacks because of who tries it; NULL: nothing. */
static const char *
find_note(const Tools *tools)
{
  return tools->keys == NULL && !tools->mx
             ? "no right to read the keys: signatures and ticket are not shown"
             : NULL;
}

/* A ticket is for zegel-deliver alone. */
static gboolean
is_secret(const Change *change)
{
  return change->value != NULL && g_ascii_strcasecmp(change->name, TICKET_HEADER) == 0;
}

static DkimSignature *
read_signature(const Change *change)
{
  if (change->kind != CHANGE_HEADER_INSERT ||
      g_ascii_strcasecmp(change->name, "DKIM-Signature") != 0)
    return NULL;
  return dkim_signature_parse(change->value, g_get_real_time() / G_USEC_PER_SEC);
}

/* One recipient: what is said of him, the same for both. */
static GArray *
collect_recipient(const Message *message, const Decision *decision, guint i)
{
  GArray *pairs = g_array_new(FALSE, FALSE, sizeof(Pair));
  g_array_set_clear_func(pairs, pair_clear);
  add_pair(pairs, "recipient", message->unique->pdata[i]);
  const RouteAnswer *answer = message->answers != NULL ? message->answers->pdata[i] : NULL;
  const Outcome *outcome =
      i < decision->outcomes->len ? &g_array_index(decision->outcomes, Outcome, i) : NULL;
  if (answer != NULL) {
    const char *code = outcome != NULL ? outcome->code : NULL;
    add_pair(pairs, "route",
             outcome != NULL ? decision_route_name(outcome, answer)
                             : route_name(answer->route));
    add_pair(pairs, "code", code != NULL ? code : answer->code);
    add_pair(pairs, "detail", code != NULL ? answer->code : answer->reason);
  }
  if (outcome != NULL && outcome->label != LABEL_NONE)
    add_pair(pairs, "label", label_suffix(outcome->label));
  if (outcome != NULL && outcome->number != NULL) {
    g_autofree char *number = log_mask_number(outcome->number);
    add_pair(pairs, "number", number);
  }
  if (outcome != NULL)
    add_flag(pairs, "code-by-mail", outcome->by_mail);
  return pairs;
}

/* ---- For a reader ---- */

/* TEXT in one line that a terminal can be shown. */
static char *
make_harmless(const char *text)
{
  g_autofree char *valid = g_utf8_make_valid(text, -1);
  GString *clean = g_string_new(NULL);
  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
    gunichar c = g_utf8_get_char(p);
    if (c == '\n')
      continue; /* a blank follows */
    if (c == '\t')
      g_string_append_c(clean, ' ');
    else if (g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT)
      g_string_append_c(clean, '?');
    else
      g_string_append_unichar(clean, c);
  }
  return g_string_free(clean, FALSE);
}

static void
append_line(GString *out, const char *name, const char *value)
{
  g_autofree char *clean = make_harmless(value);
  g_string_append_printf(out, "%-*s %s\n", NAME_COLUMNS, name, clean);
}

static void
append_facts(GString *out, const Message *message)
{
  append_line(out, "kind", kind_name(message->kind));
  g_autoptr(GArray) facts = collect_facts(message);
  for (guint i = 0; i < facts->len; i++) {
    const Pair *pair = &g_array_index(facts, Pair, i);
    append_line(out, pair->name, pair->value);
  }
  for (guint i = 0; message->inspected != NULL && i < message->inspected->parts->len; i++) {
    const InspectedPart *part = message->inspected->parts->pdata[i];
    g_autofree char *line = g_strdup_printf("%s, %" G_GUINT64_FORMAT " bytes%s", part->name,
                                            part->size, part->listed ? ", listed" : "");
    append_line(out, "attachment", line);
  }
}

static void
append_decision(GString *out, const Message *message, const Decision *decision)
{
  g_autofree char *sensitive =
      g_strdup_printf("%s (%s)", decision->sensitive ? "yes" : "no",
                      *decision->reason != '\0' ? decision->reason : "-");
  append_line(out, "sensitive", sensitive);
  append_line(out, "decision", decision_name(decision->kind));
  if (decision->kind == DECISION_OBSERVE)
    append_line(out, "would", decision_name(decision->would));
  for (guint i = 0; i < message->unique->len; i++) {
    g_autoptr(GArray) pairs = collect_recipient(message, decision, i);
    g_autoptr(GString) line = g_string_new(g_array_index(pairs, Pair, 0).value);
    for (guint n = 1; n < pairs->len; n++) {
      const Pair *pair = &g_array_index(pairs, Pair, n);
      g_string_append_printf(line, ", %s=%s", pair->name, pair->value);
    }
    append_line(out, "recipient", line->str);
  }
}

static void
append_change(GString *out, const Change *change)
{
  g_autoptr(GString) line = g_string_new(change->name);
  g_autoptr(DkimSignature) signature = read_signature(change);
  if (signature != NULL)
    g_string_append_printf(line, ": domain %s, selector %s, %s", signature->domain,
                           signature->selector, signature->algorithm);
  else if (is_secret(change))
    g_string_append(line, ": (sealed)");
  else if (change->value != NULL)
    g_string_append_printf(line, "%s%s", change->kind <= CHANGE_HEADER_INSERT ? ": " : " ",
                           change->value);
  append_line(out, change_name(change->kind), line->str);
}

void
try_report_text(GString *out, const Flow *flow, const Plan *plan, const Tools *tools)
{
  const Message *message = flow_message(flow);
  const Decision *decision = flow_decision(flow);
  append_facts(out, message);
  if (decision != NULL)
    append_decision(out, message, decision);
  for (guint i = 0; i < plan->changes->len; i++)
    append_change(out, plan->changes->pdata[i]);
  append_line(out, "verdict", verdict_name(plan));
  if (plan->reason != NULL)
    append_line(out, "reason", plan->reason);
  for (guint i = 0; plan->reply != NULL && i < G_N_ELEMENTS(plan->reply->lines); i++) {
    g_autofree char *line =
        g_strdup_printf("%s %s %s", plan->reply->smtp_code, plan->reply->enhanced_code,
                        plan->reply->lines[i]);
    append_line(out, "reply", line);
  }
  const char *note = find_note(tools);
  if (note != NULL)
    append_line(out, "note", note);
}

/* ---- As JSON ---- */

static void
open_list(GString *out, const char *key)
{
  json_append_string(out, key);
  g_string_append(out, ": [");
}

/* One object of PAIRS; a name that comes again is left out, the first counts. */
static void
append_object(GString *out, const GArray *pairs)
{
  g_string_append_c(out, '{');
  for (guint i = 0; i < pairs->len; i++) {
    const Pair *pair = &g_array_index(pairs, Pair, i);
    json_append_pair(out, pair->name, pair->value, i + 1 < pairs->len);
  }
  g_string_append_c(out, '}');
}

static void
append_facts_json(GString *out, const Message *message)
{
  json_append_pair(out, "kind", kind_name(message->kind), TRUE);
  g_autoptr(GArray) facts = collect_facts(message);
  open_list(out, "facts");
  for (guint i = 0; i < facts->len; i++) {
    const Pair *pair = &g_array_index(facts, Pair, i);
    g_string_append(out, i > 0 ? ", {" : "{");
    json_append_pair(out, "fact", pair->name, TRUE);
    json_append_pair(out, "value", pair->value, FALSE);
    g_string_append_c(out, '}');
  }
  g_string_append(out, "], ");
}

static void
append_attachments_json(GString *out, const Inspected *inspected)
{
  open_list(out, "attachments");
  for (guint i = 0; inspected != NULL && i < inspected->parts->len; i++) {
    const InspectedPart *part = inspected->parts->pdata[i];
    g_autoptr(GString) hash = g_string_new(NULL);
    for (guint n = 0; !part->listed && n < sizeof part->sha256; n++)
      g_string_append_printf(hash, "%02x", part->sha256[n]);
    g_string_append(out, i > 0 ? ", {" : "{");
    json_append_pair(out, "name", part->name, TRUE);
    json_append_pair(out, "sha256", hash->str, TRUE);
    g_string_append_printf(out, "\"size\": %" G_GUINT64_FORMAT ", \"listed\": %s}",
                           part->size, part->listed ? "true" : "false");
  }
  g_string_append(out, "], ");
}

static void
append_decision_json(GString *out, const Message *message, const Decision *decision)
{
  g_string_append_printf(out, "\"sensitive\": %s, ",
                         decision->sensitive ? "true" : "false");
  json_append_pair(out, "why", decision->reason, TRUE);
  json_append_pair(out, "decision", decision_name(decision->kind), TRUE);
  if (decision->kind == DECISION_OBSERVE)
    json_append_pair(out, "would", decision_name(decision->would), TRUE);
  open_list(out, "recipients");
  for (guint i = 0; i < message->unique->len; i++) {
    g_autoptr(GArray) pairs = collect_recipient(message, decision, i);
    g_string_append(out, i > 0 ? ", " : "");
    append_object(out, pairs);
  }
  g_string_append(out, "], ");
}

static void
append_change_json(GString *out, const Change *change)
{
  g_string_append_c(out, '{');
  json_append_pair(out, "change", change_name(change->kind), TRUE);
  g_autoptr(DkimSignature) signature = read_signature(change);
  if (signature != NULL) {
    json_append_pair(out, "domain", signature->domain, TRUE);
    json_append_pair(out, "selector", signature->selector, TRUE);
    json_append_pair(out, "algorithm", signature->algorithm, TRUE);
  } else if (change->value != NULL && !is_secret(change)) {
    json_append_pair(out, "value", change->value, TRUE);
  }
  if (change->index > 0 && change->kind != CHANGE_HEADER_INSERT)
    g_string_append_printf(out, "\"index\": %u, ", change->index);
  json_append_pair(out, "name", change->name, FALSE);
  g_string_append_c(out, '}');
}

static void
append_reply_json(GString *out, const RefusalReply *reply)
{
  g_string_append(out, ", \"reply\": {");
  json_append_pair(out, "code", reply->smtp_code, TRUE);
  json_append_pair(out, "enhanced", reply->enhanced_code, TRUE);
  json_append_pair(out, "nl", reply->lines[0], TRUE);
  json_append_pair(out, "en", reply->lines[1], FALSE);
  g_string_append_c(out, '}');
}

void
try_report_json(GString *out, const Flow *flow, const Plan *plan, const Tools *tools)
{
  const Message *message = flow_message(flow);
  const Decision *decision = flow_decision(flow);
  g_string_append_c(out, '{');
  append_facts_json(out, message);
  append_attachments_json(out, message->inspected);
  if (decision != NULL)
    append_decision_json(out, message, decision);
  open_list(out, "changes");
  for (guint i = 0; i < plan->changes->len; i++) {
    g_string_append(out, i > 0 ? ", " : "");
    append_change_json(out, plan->changes->pdata[i]);
  }
  g_string_append(out, "], ");
  const char *note = find_note(tools);
  if (note != NULL)
    json_append_pair(out, "note", note, TRUE);
  if (plan->reason != NULL)
    json_append_pair(out, "reason", plan->reason, TRUE);
  json_append_pair(out, "verdict", verdict_name(plan), FALSE);
  if (plan->reply != NULL)
    append_reply_json(out, plan->reply);
  g_string_append(out, "}\n");
}
