#include "common/ask/phone_book.h"

#include <string.h>

#include "common/ask/ask.h"
#include "common/ask/block.h"
#include "common/base/error.h"
#include "common/base/phone.h"

static const char *const change_names[] = {
    [PHONE_KNOWN] = "known",
    [PHONE_LEARNED] = "learned",
    [PHONE_WAITS] = "waits",
    [PHONE_REPLACED] = "replaced",
};

const char *
phone_change_name(PhoneChange change)
{
  return change_names[change];
}

Attrs *
phone_question_format(const char *request, const PhoneEntry *entry)
{
  Attrs *attrs = attrs_new();
  attrs_add(attrs, "request", request);
  attrs_add_uint(attrs, "version", ASK_VERSION);
  attrs_add(attrs, "organisation", entry->organisation);
  attrs_add(attrs, "recipient", entry->recipient);
  if (entry->number != NULL)
    attrs_add(attrs, "number", entry->number);
  attrs_add(attrs, "sender", entry->sender);
  attrs_add(attrs, "reference", entry->reference);
  return attrs;
}

/* Whether VALUE has from MIN through MAX octets. */
static gboolean
is_long(const char *value, gsize min, gsize max)
{
  return value != NULL && strlen(value) >= min && strlen(value) <= max;
}

gboolean
phone_question_parse(const Attrs *attrs, gboolean number, PhoneEntry *entry, GError **error)
{
  if (!block_check_version(attrs, error))
    return FALSE;
  *entry = (PhoneEntry){.organisation = attrs_get(attrs, "organisation"),
                        .recipient = attrs_get(attrs, "recipient"),
                        .number = number ? attrs_get(attrs, "number") : NULL,
                        .sender = attrs_get(attrs, "sender"),
                        .reference = attrs_get(attrs, "reference")};
  if (!is_long(entry->organisation, 1, ASK_WORD_MAX_BYTES) ||
      !is_long(entry->recipient, 1, ASK_ADDRESS_MAX_BYTES) ||
      !is_long(entry->sender, 0, ASK_ADDRESS_MAX_BYTES) ||
      !is_long(entry->reference, 0, ASK_WORD_MAX_BYTES))
    return block_refuse(error,
                        "organisation, recipient, sender or reference is missing or bad");
  if (number && (entry->number == NULL || !phone_is_e164(entry->number)))
    return block_refuse(error, "number is missing or none of E.164");
  return TRUE;
}

Attrs *
phone_change_format(PhoneChange change)
{
  Attrs *attrs = attrs_new();
  attrs_add_uint(attrs, "version", ASK_VERSION);
  attrs_add(attrs, "result", phone_change_name(change));
  return attrs;
}

/* The answer to REQUEST about ENTRY, or NULL with ZEGEL_ERROR_TEMPORARY. */
static Attrs *
ask(const char *path, const char *request, const PhoneEntry *entry, guint timeout_ms,
    GError **error)
{
  g_autoptr(Attrs) question = phone_question_format(request, entry);
  g_autoptr(Attrs) answer = ask_exchange(path, question, timeout_ms, error);
  if (answer == NULL)
    return NULL;
  const char *failure = attrs_get(answer, "error");
  if (failure == NULL && attrs_get(answer, "result") != NULL)
    return g_steal_pointer(&answer);
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "policyd: %s",
              failure != NULL ? failure : "no answer that we understand");
  return NULL;
}

static gboolean
ask_change(const char *path, const char *request, const PhoneEntry *entry, guint timeout_ms,
           PhoneChange *change, GError **error)
{
  g_autoptr(Attrs) answer = ask(path, request, entry, timeout_ms, error);
  if (answer == NULL)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS(change_names); i++)
    if (strcmp(attrs_get(answer, "result"), change_names[i]) == 0) {
      *change = (PhoneChange) i;
      return TRUE;
    }
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                      "policyd: a result that we do not know");
  return FALSE;
}

gboolean
ask_phone_learn(const char *path, const PhoneEntry *entry, PhoneChange *change,
                GError **error)
{
  return ask_change(path, "phone-learn", entry, ASK_TIMEOUT_MS, change, error);
}

gboolean
ask_phone_confirm(const char *path, const PhoneEntry *entry, PhoneChange *change,
                  GError **error)
{
  return ask_change(path, "phone-confirm", entry, PHONE_CONFIRM_TIMEOUT_MS, change, error);
}

gboolean
ask_phone_show(const char *path, const PhoneEntry *entry, char **number, char **waiting,
               GError **error)
{
  g_autoptr(Attrs) answer = ask(path, "phone-show", entry, ASK_TIMEOUT_MS, error);
  if (answer == NULL)
    return FALSE;
  *number = g_strdup(attrs_get(answer, "number"));
  *waiting = g_strdup(attrs_get(answer, "waiting"));
  return TRUE;
}

gboolean
ask_phone_forget(const char *path, const PhoneEntry *entry, gboolean *known, GError **error)
{
  g_autoptr(Attrs) answer = ask(path, "phone-forget", entry, ASK_TIMEOUT_MS, error);
  if (answer == NULL)
    return FALSE;
  *known = strcmp(attrs_get(answer, "result"), "forgotten") == 0;
  return TRUE;
}
