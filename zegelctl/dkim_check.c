#include "zegelctl/dkim_check.h"

#include <string.h>

#include "common/ask/verify.h"
#include "common/crypt/dkim_record.h"
#include "zegelctl/dkim_text.h"

const char *
dkim_view_name(DkimView view)
{
  static const char *const names[] = {
      [DKIM_VIEW_GOOD] = "good",       [DKIM_VIEW_INSECURE] = "insecure",
      [DKIM_VIEW_ABSENT] = "absent",   [DKIM_VIEW_OTHER] = "other",
      [DKIM_VIEW_REVOKED] = "revoked", [DKIM_VIEW_UNKNOWN] = "unknown",
      [DKIM_VIEW_NONE] = "none"};
  return names[view];
}

char *
dkim_view_text(DkimView view, const DkimFile *file, const char *domain)
{
  g_autofree char *name = dkim_record_name(file->selector, domain);
  switch (view) {
  case DKIM_VIEW_GOOD:
    return g_strdup("published, under DNSSEC");
  case DKIM_VIEW_INSECURE:
    return g_strdup_printf(
        "published, but not under DNSSEC: have %s signed (zegelctl domain "
        "check says what is missing); before that it is not ready for NTA "
        "7516",
        domain);
  case DKIM_VIEW_ABSENT:
    return g_strdup_printf("not published: there is no TXT record at %s, or more than one. "
                           "When it was put there "
                           "just now: the resolver may remember for an hour that there was "
                           "none (with unbound: unbound-control flush %s)",
                           name, name);
  case DKIM_VIEW_OTHER:
    return g_strdup_printf(
        "the TXT record at %s is not this key: put the one there that "
        "zegelctl dkim show prints, whole, and no second one. When it was "
        "changed just now: wait until the TTL of the old one has passed",
        name);
  case DKIM_VIEW_REVOKED:
    return g_strdup_printf("the record at %s says that the key is revoked (p= is empty)",
                           name);
  case DKIM_VIEW_UNKNOWN:
    return g_strdup_printf("it could not be found out now what is at %s: is the zone of %s "
                           "broken, or the resolver down? Try again",
                           name, domain);
  case DKIM_VIEW_NONE:
    break;
  }
  return g_strdup("there is no key here to compare with the DNS");
}

static DkimView
judge(const VerifyKeyAnswer *answer, const char *record)
{
  if (answer->state == VERIFY_UNKNOWN)
    return DKIM_VIEW_UNKNOWN;
  if (answer->state == VERIFY_ABSENT)
    return DKIM_VIEW_ABSENT;
  switch (dkim_compare(answer->text, strlen(answer->text), record)) {
  case DKIM_SAME:
    return answer->secure ? DKIM_VIEW_GOOD : DKIM_VIEW_INSECURE;
  case DKIM_REVOKED:
    return DKIM_VIEW_REVOKED;
  case DKIM_OTHER:
    break;
  }
  return DKIM_VIEW_OTHER;
}

gboolean
dkim_look(const char *socket, const char *domain, const DkimFile *file, DkimView *view,
          GError **error)
{
  g_autofree char *name = dkim_record_name(file->selector, domain);
  *view = DKIM_VIEW_NONE;
  if (file->record == NULL || name == NULL)
    return TRUE;
  g_autoptr(VerifyQuestion) question = verify_question_new();
  question->fresh = TRUE;
  verify_question_add_key(question, domain, file->selector);
  g_autoptr(VerifyAnswer) answer = ask_verify(socket, question, error);
  if (answer == NULL)
    return FALSE;
  *view = judge(answer->keys->pdata[0], file->record);
  return TRUE;
}
