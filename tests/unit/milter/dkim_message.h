/*
 * dkim_message.h - a message as it stands in a file, given to DKIM as libmilter would.
 */
#pragma once

#include <string.h>

#include "milter/dkim.h"

/* A message in two parts. */
typedef struct {
  Fields *fields;
  const char *body; /* in the text that was cut */
  gsize body_len;
} DkimMessage;

/* Adds the field in LEN bytes at LINE, without its CRLF at the end, folded with LF. */
static inline void
dkim_message_add(Fields *fields, const char *line, gsize len)
{
  const char *colon = memchr(line, ':', len);
  if (colon == NULL)
    return;
  g_autofree char *name = g_strndup(line, (gsize) (colon - line));
  g_autofree char *rest = g_strndup(colon + 1, len - (gsize) (colon + 1 - line));
  g_auto(GStrv) lines = g_strsplit(rest, "\r\n", -1);
  g_autofree char *value = g_strjoinv("\n", lines);
  fields_add(fields, name, value);
}

/* Cuts LEN bytes at TEXT, with CRLF line ends; TEXT must stay. Postfix as well takes what
 * is no field for the begin of the body. */
static inline DkimMessage
dkim_message_cut(const char *text, gsize len)
{
  DkimMessage message = {fields_new(), text + len, 0};
  const char *end = text + len, *field = text;
  while (field < end) {
    const char *stop = field;
    do {
      const char *crlf = memmem(stop, (gsize) (end - stop), "\r\n", 2);
      stop = crlf != NULL ? crlf + 2 : end;
    } while (stop > field + 2 && stop < end && (*stop == ' ' || *stop == '\t'));
    if (stop == field + 2 && memcmp(field, "\r\n", 2) == 0) {
      message.body = stop;
      break;
    }
    gsize field_len = (gsize) (stop - field);
    if (field_len >= 2 && memcmp(stop - 2, "\r\n", 2) == 0)
      field_len -= 2;
    dkim_message_add(message.fields, field, field_len);
    field = stop;
  }
  message.body_len = (gsize) (end - message.body);
  return message;
}

/* The keys that a question may ask for, and what the DNS says of them. */
typedef struct {
  char *domain, *selector;
  VerifyState state;
  char *text;
} DkimTestKey;

/* Frees a DkimTestKey. */
static inline void
dkim_test_key_free(gpointer p)
{
  DkimTestKey *key = p;
  g_free(key->domain);
  g_free(key->selector);
  g_free(key->text);
  g_free(key);
}

/* Adds to KEYS what the DNS says of SELECTOR at DOMAIN; TEXT may be NULL. */
static inline void
dkim_test_key_add(GPtrArray *keys, const char *domain, const char *selector,
                  VerifyState state, const char *text)
{
  DkimTestKey *key = g_new0(DkimTestKey, 1);
  key->domain = g_strdup(domain);
  key->selector = g_strdup(selector);
  key->state = state;
  key->text = g_strdup(text);
  g_ptr_array_add(keys, key);
}

/* The answer to QUESTION from KEYS; what is not there is absent. */
static inline VerifyAnswer *
dkim_test_answer(const VerifyQuestion *question, const GPtrArray *keys)
{
  VerifyAnswer *answer = verify_answer_new();
  for (guint i = 0; i < question->keys->len; i++) {
    const VerifyKey *wanted = question->keys->pdata[i];
    const DkimTestKey *found = NULL;
    for (guint k = 0; k < keys->len && found == NULL; k++) {
      const DkimTestKey *key = keys->pdata[k];
      if (strcmp(key->domain, wanted->domain) == 0 &&
          strcmp(key->selector, wanted->selector) == 0)
        found = key;
    }
    verify_answer_add_key(answer, found != NULL ? found->state : VERIFY_ABSENT,
                          found != NULL ? found->text : NULL, FALSE, FALSE);
  }
  return answer;
}

/* Verifies LEN bytes at TEXT, the body in pieces of STEP bytes: an array of DkimResult. */
static inline GPtrArray *
dkim_test_verify(const char *text, gsize len, gsize step, const GPtrArray *keys)
{
  DkimMessage message = dkim_message_cut(text, len);
  g_autoptr(DkimVerifier) verifier = dkim_verifier_new(message.fields);
  g_autoptr(VerifyQuestion) question = verify_question_new();
  fields_free(message.fields);
  dkim_verifier_ask(verifier, question);
  g_autoptr(VerifyAnswer) answer = dkim_test_answer(question, keys);
  for (gsize at = 0; at < message.body_len; at += step)
    dkim_verifier_body(verifier, message.body + at, MIN(step, message.body_len - at));
  return dkim_verifier_finish(verifier, answer);
}
