#include "milter/signing.h"

#include <string.h>

#include "common/base/log.h"
#include "milter/dkim_signature.h"

#define SIGNATURE_HEADER "DKIM-Signature"
#define SIGNATURE_INDEX  1 /* where it is put in: behind the first field */

struct Signing {
  const Tools *tools;
  char *domain;
  Fields *fields;
  gboolean anew;
  GPtrArray *keys;
  GPtrArray *signers;     /* of DkimSigner */
  DkimVerifier *verifier; /* NULL: the domain has no signature there */
};

/* Whether VALUE, of a DKIM-Signature field, is of DOMAIN. */
static gboolean
is_of(const char *value, const char *domain)
{
  g_autoptr(DkimSignature) signature =
      dkim_signature_parse(value, g_get_real_time() / G_USEC_PER_SEC);
  return strcmp(signature->domain, domain) == 0;
}

static gboolean
is_signed(const Fields *fields, const char *domain)
{
  const Field *field;
  for (guint i = 1; (field = fields_find(fields, SIGNATURE_HEADER, i)) != NULL; i++)
    if (is_of(field->value, domain))
      return TRUE;
  return FALSE;
}

gboolean
signing_has_key(const Tools *tools, const char *domain)
{
  if (tools->keys == NULL)
    return FALSE;
  g_autoptr(GPtrArray) keys = dkim_keys_of(tools->keys, domain);
  return keys->len > 0;
}

Signing *
signing_new(const Tools *tools, const char *domain, Fields *fields, gboolean anew)
{
  g_autoptr(GPtrArray) keys =
      tools->keys != NULL ? dkim_keys_of(tools->keys, domain) : NULL;
  if (keys == NULL || keys->len == 0) {
    fields_free(fields);
    return NULL;
  }
  Signing *signing = g_new0(Signing, 1);
  signing->tools = tools;
  signing->domain = g_strdup(domain);
  signing->fields = fields;
  signing->anew = anew;
  signing->keys = g_steal_pointer(&keys);
  signing->signers = g_ptr_array_new_with_free_func((GDestroyNotify) dkim_signer_free);
  for (guint i = 0; i < signing->keys->len; i++)
    g_ptr_array_add(signing->signers,
                    dkim_signer_new(signing->keys->pdata[i], domain, fields));
  if (is_signed(fields, domain))
    signing->verifier = dkim_verifier_new(fields);
  return signing;
}

void
signing_free(Signing *signing)
{
  if (signing == NULL)
    return;
  g_ptr_array_unref(signing->signers);
  g_ptr_array_unref(signing->keys);
  dkim_verifier_free(signing->verifier);
  fields_free(signing->fields);
  g_free(signing->domain);
  g_free(signing);
}

void
signing_body(Signing *signing, const void *bytes, gsize len)
{
  for (guint i = 0; i < signing->signers->len; i++)
    dkim_signer_body(signing->signers->pdata[i], bytes, len);
  if (signing->verifier != NULL)
    dkim_verifier_body(signing->verifier, bytes, len);
}

/* Whether a signature of the domain's own holds. Without an answer none does. */
static gboolean
holds(const Signing *signing)
{
  g_autoptr(VerifyQuestion) question = verify_question_new();
  question->helo = g_strdup("");
  question->sender = g_strdup("");
  dkim_verifier_ask(signing->verifier, question);
  g_autoptr(GError) error = NULL;
  g_autoptr(VerifyAnswer) answer =
      ask_verify(signing->tools->config->policyd_socket, question, &error);
  if (answer == NULL)
    log_line(LOG_LEVEL_WARNING, "the keys of %s cannot be had: %s", signing->domain,
             error->message);
  g_autoptr(GPtrArray) results = dkim_verifier_finish(signing->verifier, answer);
  for (guint i = 0; i < results->len; i++) {
    const DkimResult *result = results->pdata[i];
    if (result->status == DKIM_PASS && strcmp(result->domain, signing->domain) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Takes the domain's own signatures out, last to first. */
static void
remove_own(const Signing *signing, Plan *plan)
{
  for (guint i = fields_count(signing->fields, SIGNATURE_HEADER); i > 0; i--) {
    const Field *field = fields_find(signing->fields, SIGNATURE_HEADER, i);
    if (is_of(field->value, signing->domain))
      plan_add(plan, CHANGE_HEADER_REMOVE, SIGNATURE_HEADER, i, NULL);
  }
}

gboolean
signing_finish(Signing *signing, Plan *plan, GError **error)
{
  if (signing->verifier != NULL) {
    gboolean stays = holds(signing);
    if (stays && !signing->anew)
      return TRUE;
    if (!stays)
      remove_own(signing, plan);
  }
  for (guint i = 0; i < signing->signers->len; i++) {
    g_autofree char *value = dkim_signer_finish(signing->signers->pdata[i], error);
    if (value == NULL)
      return FALSE;
    plan_add(plan, CHANGE_HEADER_INSERT, SIGNATURE_HEADER, SIGNATURE_INDEX, value);
  }
  return TRUE;
}

/* Whether SIGNATURE covers a field that PLAN sets or removes. */
static gboolean
covers_change(const DkimSignature *signature, const Plan *plan)
{
  for (guint i = 0; signature->names != NULL && i < plan->changes->len; i++) {
    const Change *change = plan->changes->pdata[i];
    g_autofree char *name = g_ascii_strdown(change->name, -1);
    if ((change->kind == CHANGE_HEADER_SET || change->kind == CHANGE_HEADER_REMOVE) &&
        g_strv_contains((const char *const *) signature->names, name))
      return TRUE;
  }
  return FALSE;
}

gboolean
signing_would_break(const Plan *plan, const char *domain, const Fields *fields)
{
  const Field *field;
  for (guint i = 1; (field = fields_find(fields, SIGNATURE_HEADER, i)) != NULL; i++) {
    g_autoptr(DkimSignature) signature =
        dkim_signature_parse(field->value, g_get_real_time() / G_USEC_PER_SEC);
    if (strcmp(signature->domain, domain) == 0 && covers_change(signature, plan))
      return TRUE;
  }
  return FALSE;
}
