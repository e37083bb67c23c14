#include "milter/inward_plan.h"

#include <string.h>

#include "common/mail/header.h"
#include "milter/auth_results.h"
#include "milter/marks.h"

#define MARKS "X-Zegel-*"

/* ---- What goes ---- */

static void
remove_forged(Plan *plan, const InwardMessage *message)
{
  plan_remove_fields(plan, message->fields, MARKS);
  auth_results_remove(plan, message->fields, message->authserv_id);
}

/* ---- Authentication-Results ---- */

static void
add_dkim(AuthResults *results, const GPtrArray *signatures)
{
  if (signatures->len == 0)
    auth_results_add(results, "dkim", "none", NULL);
  for (guint i = 0; i < MIN(signatures->len, VERIFY_MAX_KEYS); i++) {
    const DkimResult *one = signatures->pdata[i];
    auth_results_add(results, "dkim", dkim_status_name(one->status), one->reason);
    auth_results_property(results, "header.d", one->domain);
    auth_results_property(results, "header.s", one->selector);
    auth_results_property(results, "header.a", one->algorithm);
    auth_results_property(results, "header.b", one->begin);
  }
}

static void
add_spf(AuthResults *results, const InwardFacts *facts, const InwardMessage *message)
{
  const char *spf = inward_spf(facts);
  if (spf == NULL)
    return;
  auth_results_add(results, "spf", spf, NULL);
  if (facts->answer != NULL)
    auth_results_property(results, message->null_sender ? "smtp.helo" : "smtp.mailfrom",
                          facts->answer->spf_domain);
}

static void
add_dmarc(AuthResults *results, const InwardFacts *facts, const InwardDecision *decision,
          const InwardMessage *message)
{
  const char *reason = NULL;
  if (decision->dmarc == DMARC_PERMERROR)
    reason = "no author domain in From";
  else if (decision->dmarc == DMARC_FAIL && facts->relay)
    reason = "SPF is not known behind a trusted relay";
  auth_results_add(results, "dmarc", dmarc_result_name(decision->dmarc), reason);
  if (facts->answer != NULL && facts->answer->dmarc == VERIFY_FOUND)
    auth_results_property(results, "policy.dmarc", facts->answer->dmarc_policy);
  auth_results_property(results, "header.from", message->author);
}

static void
insert_results(Plan *plan, const InwardFacts *facts, const InwardDecision *decision,
               const InwardMessage *message)
{
  g_autoptr(AuthResults) results = auth_results_new(message->authserv_id);
  add_dkim(results, facts->signatures);
  add_spf(results, facts, message);
  add_dmarc(results, facts, decision, message);
  g_autofree char *value = auth_results_value(results);
  plan_add(plan, CHANGE_HEADER_INSERT, AUTH_RESULTS_HEADER, 0, value);
}

/* ---- The secure mark ---- */

static void
insert_mark(Plan *plan, const InwardFacts *facts, const InwardDecision *decision,
            const InwardMessage *message)
{
  g_autofree char *value = g_strdup_printf(
      "%s; domain=%s, tls=%s, dkim=pass, spf=%s", secure_name(decision->secure),
      message->author, message->tls_version, facts->relay ? "relay" : "pass");
  plan_add(plan, CHANGE_HEADER_INSERT, SECURE_HEADER, 0, value);
}

/* The prefix that all organisations of the recipients have, or "". */
static const char *
common_prefix(const InwardMessage *message)
{
  const char *prefix = NULL;
  for (guint i = 0; i < message->organisations->len; i++) {
    const Organisation *organisation = message->organisations->pdata[i];
    if (prefix != NULL && strcmp(prefix, organisation->secure_subject) != 0)
      return "";
    prefix = organisation->secure_subject;
  }
  return prefix != NULL ? prefix : "";
}

/* SUBJECT behind every prefix with which a recipient's organisation marks secure mail. */
static const char *
behind_prefixes(const char *subject, const InwardMessage *message)
{
  for (guint i = 0; i < message->organisations->len; i++) {
    const Organisation *organisation = message->organisations->pdata[i];
    const char *prefix = organisation->secure_subject;
    const char *rest = marks_behind_prefix(subject, prefix);
    if (rest == NULL)
      continue;
    subject = rest;
    i = G_MAXUINT; /* from the first again: they may stand in any order */
  }
  return subject;
}

/* Sets Subject number INDEX to PREFIX and what its RAW value says without forged ones. */
static void
set_subject(Plan *plan, guint index, const char *raw, const char *prefix,
            const InwardMessage *message)
{
  g_autofree char *text = mail_decode_text(raw);
  const char *bare = behind_prefixes(text, message);
  if (bare == text && *prefix == '\0')
    return;
  g_autofree char *marked = g_strconcat(prefix, *prefix != '\0' ? " " : "", bare, NULL);
  g_autofree char *value = mail_encode_text(marked, strlen("Subject"));
  if (*value == '\0')
    plan_add(plan, CHANGE_HEADER_REMOVE, "Subject", index, NULL);
  else
    plan_add(plan, CHANGE_HEADER_SET, "Subject", index, value);
}

/* The prefix is a mark like others: it goes from whatever did not come in securely. */
static void
mark_subjects(Plan *plan, const InwardDecision *decision, const InwardMessage *message)
{
  const char *prefix = decision->secure != SECURE_NO ? common_prefix(message) : "";
  guint count = fields_count(message->fields, "Subject");
  for (guint index = count; index > 0; index--)
    set_subject(plan, index, fields_find(message->fields, "Subject", index)->value,
                index == 1 ? prefix : "", message);
  if (count == 0 && *prefix != '\0') {
    g_autofree char *value = mail_encode_text(prefix, strlen("Subject"));
    plan_add(plan, CHANGE_HEADER_INSERT, "Subject", 0, value);
  }
}

/* ---- The plan ---- */

static void
refuse(Plan *plan, const InwardFacts *facts, const InwardDecision *decision,
       const InwardMessage *message)
{
  if (decision->refusal == REFUSAL_SERVICE) {
    plan_refuse(plan, decision->refusal, facts->unread);
    return;
  }
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  if (message->author != NULL)
    g_ptr_array_add(names, (gpointer) message->author);
  plan_refuse(plan, decision->refusal, names);
}

/* Whether it must be refused also when it is only watched: nobody could take it. */
static gboolean
is_impossible(const InwardFacts *facts, const InwardDecision *decision)
{
  return facts->cut || decision->refusal == REFUSAL_SERVICE;
}

Plan *
inward_plan(const InwardFacts *facts, const InwardDecision *decision,
            const InwardMessage *message)
{
  Plan *plan = plan_new();
  if (decision->action == INWARD_REFUSE &&
      (!facts->watch || is_impossible(facts, decision))) {
    refuse(plan, facts, decision, message);
    return plan;
  }
  remove_forged(plan, message);
  if (facts->watch)
    return plan;
  if (decision->secure != SECURE_NTA)
    plan_remove_fields(plan, message->fields, NTA_HEADER);
  mark_subjects(plan, decision, message);
  if (decision->secure != SECURE_NO)
    insert_mark(plan, facts, decision, message);
  insert_results(plan, facts, decision, message);
  if (decision->action == INWARD_QUARANTINE) {
    plan->verdict = PLAN_QUARANTINE;
    plan->reason = g_strdup_printf("DMARC of %s fails (%s)", message->author,
                                   refusal_code(REFUSAL_DMARC));
  }
  return plan;
}
