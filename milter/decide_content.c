/*
 * decide_content.c - decides on attachments (S10, S11).
 */
#include "common/base/attachment.h"
#include "milter/decide.h"
#include "milter/decision.h"

#define MB_BYTES (1024 * 1024)

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
    decision_refuse_naming(decision, REFUSAL_EXTENSION, names);
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
    decision_refuse_for(decision, REFUSAL_ARCHIVE, inspected->unreadable);
  else if (inspected->cut)
    decision_refuse(decision, REFUSAL_DEEP);
  else if (inspected->total_bytes > max_bytes)
    decision_refuse_over(decision, REFUSAL_ATTACHMENTS, organisation->attachments_max_mb);
  if (before == DECISION_OBSERVE && decision->kind == DECISION_REFUSE) {
    decision->would = DECISION_REFUSE;
    decision->kind = DECISION_OBSERVE;
  }
}
