#include "common/ask/verify.h"

#include <string.h>

#include "common/ask/ask.h"
#include "common/base/error.h"

#define HEAD_ATTRS 7 /* of an answer, in the order of head_names */
#define KEY_ATTRS  4 /* of one key of it, in the order of key_names */

static const char *const head_names[HEAD_ATTRS] = {
    "version", "spf", "spf_domain", "spf_aligned", "dmarc", "dmarc_policy", "dmarc_domain"};
static const char *const key_names[KEY_ATTRS] = {"key", "text", "secure", "aligned"};

static const char *const state_names[] = {
    [VERIFY_FOUND] = "found", [VERIFY_ABSENT] = "absent", [VERIFY_UNKNOWN] = "unknown"};

static const char *const spf_names[] = {"none",     "neutral",   "pass",     "fail",
                                        "softfail", "temperror", "permerror"};
static const char *const policy_names[] = {"none", "quarantine", "reject"};

static void
key_free(gpointer p)
{
  VerifyKey *key = p;
  g_free(key->domain);
  g_free(key->selector);
  g_free(key);
}

static void
key_answer_free(gpointer p)
{
  VerifyKeyAnswer *key = p;
  g_free(key->text);
  g_free(key);
}

VerifyQuestion *
verify_question_new(void)
{
  VerifyQuestion *question = g_new0(VerifyQuestion, 1);
  question->keys = g_ptr_array_new_with_free_func(key_free);
  return question;
}

VerifyAnswer *
verify_answer_new(void)
{
  VerifyAnswer *answer = g_new0(VerifyAnswer, 1);
  answer->dmarc = VERIFY_ABSENT;
  answer->keys = g_ptr_array_new_with_free_func(key_answer_free);
  return answer;
}

gboolean
verify_question_add_key(VerifyQuestion *question, const char *domain, const char *selector)
{
  if (question->keys->len == VERIFY_MAX_KEYS)
    return FALSE;
  VerifyKey *key = g_new0(VerifyKey, 1);
  key->domain = g_strdup(domain);
  key->selector = g_strdup(selector);
  g_ptr_array_add(question->keys, key);
  return TRUE;
}

void
verify_answer_add_key(VerifyAnswer *answer, VerifyState state, const char *text,
                      gboolean secure, gboolean aligned)
{
  VerifyKeyAnswer *key = g_new0(VerifyKeyAnswer, 1);
  key->state = state;
  key->text = g_strdup(text);
  key->secure = secure;
  key->aligned = aligned;
  g_ptr_array_add(answer->keys, key);
}

void
verify_question_free(VerifyQuestion *question)
{
  if (question == NULL)
    return;
  g_free(question->client_address);
  g_free(question->helo);
  g_free(question->sender);
  g_free(question->from_domain);
  g_ptr_array_unref(question->keys);
  g_free(question);
}

void
verify_answer_free(VerifyAnswer *answer)
{
  if (answer == NULL)
    return;
  g_free(answer->spf);
  g_free(answer->spf_domain);
  g_free(answer->dmarc_policy);
  g_free(answer->dmarc_domain);
  g_ptr_array_unref(answer->keys);
  g_free(answer);
}

/* ---- Questions ---- */

static void
add_text(Attrs *attrs, const char *name, const char *text)
{
  attrs_add(attrs, name, text != NULL ? text : "");
}

Attrs *
verify_question_format(const VerifyQuestion *question)
{
  Attrs *attrs = attrs_new();
  attrs_add(attrs, "request", "verify");
  attrs_add_uint(attrs, "version", ASK_VERSION);
  if (question->fresh)
    attrs_add(attrs, "fresh", "yes");
  if (question->client_address != NULL) {
    attrs_add(attrs, "client_address", question->client_address);
    add_text(attrs, "helo", question->helo);
    add_text(attrs, "sender", question->sender);
  }
  if (question->from_domain != NULL)
    attrs_add(attrs, "from_domain", question->from_domain);
  for (guint i = 0; i < question->keys->len; i++) {
    const VerifyKey *key = question->keys->pdata[i];
    attrs_add(attrs, "key_domain", key->domain);
    attrs_add(attrs, "key_selector", key->selector);
  }
  return attrs;
}

static gboolean
refuse(GError **error, const char *text)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "ask: %s", text);
  return FALSE;
}

static gboolean
check_version(const Attrs *attrs, GError **error)
{
  guint64 version = 0;
  return attrs_get_uint(attrs, "version", ASK_VERSION, ASK_VERSION, &version, error);
}

/* The value of NAME, which may be missing, into *COPY. FALSE when it is too long or too
 * short. */
static gboolean
copy_value(const Attrs *attrs, const char *name, gsize min, gsize max, char **copy)
{
  const char *value = attrs_get(attrs, name);
  gsize len = value != NULL ? strlen(value) : min;
  *copy = g_strdup(value);
  return len >= min && len <= max;
}

static gboolean
is_word(const char *value)
{
  return *value != '\0' && strlen(value) <= ASK_WORD_MAX_BYTES;
}

/* The keys: each "key_selector" is of the "key_domain" right before it. */
static gboolean
parse_keys(const Attrs *attrs, VerifyQuestion *question, GError **error)
{
  const char *domain = NULL;
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name, *value;
    attrs_nth(attrs, i, &name, &value);
    gboolean is_domain = strcmp(name, "key_domain") == 0;
    gboolean is_selector = strcmp(name, "key_selector") == 0;
    if ((is_domain || is_selector) && !is_word(value))
      return refuse(error, "a key's domain or selector is empty or too long");
    if (is_selector != (domain != NULL))
      return refuse(error, "a key is not a domain and then a selector");
    if (is_selector && !verify_question_add_key(question, domain, value))
      return refuse(error, "too many keys");
    domain = is_domain ? value : NULL;
  }
  return domain == NULL || refuse(error, "a key has no selector");
}

VerifyQuestion *
verify_question_parse(const Attrs *attrs, GError **error)
{
  if (!check_version(attrs, error))
    return NULL;
  g_autoptr(VerifyQuestion) question = verify_question_new();
  if (g_strcmp0(attrs_get(attrs, "request"), "verify") != 0 ||
      !copy_value(attrs, "client_address", 1, ASK_WORD_MAX_BYTES,
                  &question->client_address) ||
      !copy_value(attrs, "helo", 0, ASK_ADDRESS_MAX_BYTES, &question->helo) ||
      !copy_value(attrs, "sender", 0, ASK_ADDRESS_MAX_BYTES, &question->sender) ||
      !copy_value(attrs, "from_domain", 1, ASK_WORD_MAX_BYTES, &question->from_domain)) {
    refuse(error, "request, client_address, helo, sender or from_domain is bad");
    return NULL;
  }
  if (question->client_address != NULL &&
      (question->helo == NULL || question->sender == NULL)) {
    refuse(error, "there is a client_address without helo or sender");
    return NULL;
  }
  question->fresh = g_strcmp0(attrs_get(attrs, "fresh"), "yes") == 0;
  return parse_keys(attrs, question, error) ? g_steal_pointer(&question) : NULL;
}

/* ---- Answers ---- */

static const char *
yes_or_no(gboolean value)
{
  return value ? "yes" : "no";
}

Attrs *
verify_answer_format(const VerifyAnswer *answer)
{
  Attrs *attrs = attrs_new();
  attrs_add_uint(attrs, "version", ASK_VERSION);
  add_text(attrs, "spf", answer->spf);
  add_text(attrs, "spf_domain", answer->spf_domain);
  attrs_add(attrs, "spf_aligned", yes_or_no(answer->spf_aligned));
  attrs_add(attrs, "dmarc", state_names[answer->dmarc]);
  add_text(attrs, "dmarc_policy", answer->dmarc_policy);
  add_text(attrs, "dmarc_domain", answer->dmarc_domain);
  for (guint i = 0; i < answer->keys->len; i++) {
    const VerifyKeyAnswer *key = answer->keys->pdata[i];
    attrs_add(attrs, "key", state_names[key->state]);
    add_text(attrs, "text", key->text);
    attrs_add(attrs, "secure", yes_or_no(key->secure));
    attrs_add(attrs, "aligned", yes_or_no(key->aligned));
  }
  return attrs;
}

/* The values of the COUNT attributes from FIRST on, which must be called NAMES. */
static gboolean
take_values(const Attrs *attrs, guint first, const char *const *names, guint count,
            const char **values)
{
  for (guint i = 0; i < count; i++) {
    const char *name;
    attrs_nth(attrs, first + i, &name, &values[i]);
    if (strcmp(name, names[i]) != 0)
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_flag(const char *value, gboolean *flag)
{
  *flag = strcmp(value, "yes") == 0;
  return *flag || strcmp(value, "no") == 0;
}

static gboolean
read_state(const char *value, VerifyState *state)
{
  for (guint i = 0; i < G_N_ELEMENTS(state_names); i++)
    if (strcmp(value, state_names[i]) == 0) {
      *state = (VerifyState) i;
      return TRUE;
    }
  return FALSE;
}

/* VALUE, one of COUNT NAMES or empty (NULL), into *COPY. */
static gboolean
read_name(const char *value, const char *const *names, guint count, char **copy)
{
  if (*value == '\0')
    return TRUE;
  for (guint i = 0; i < count && *copy == NULL; i++)
    if (strcmp(value, names[i]) == 0)
      *copy = g_strdup(value);
  return *copy != NULL;
}

/* A domain, or empty (NULL). */
static gboolean
read_domain(const char *value, char **copy)
{
  if (*value == '\0')
    return TRUE;
  *copy = g_strdup(value);
  return strlen(value) <= ASK_WORD_MAX_BYTES;
}

static gboolean
parse_head(const Attrs *attrs, VerifyAnswer *answer)
{
  const char *values[HEAD_ATTRS];
  if (!take_values(attrs, 0, head_names, HEAD_ATTRS, values) ||
      !read_name(values[1], spf_names, G_N_ELEMENTS(spf_names), &answer->spf) ||
      !read_domain(values[2], &answer->spf_domain) ||
      !read_flag(values[3], &answer->spf_aligned) ||
      !read_state(values[4], &answer->dmarc) ||
      !read_name(values[5], policy_names, G_N_ELEMENTS(policy_names),
                 &answer->dmarc_policy) ||
      !read_domain(values[6], &answer->dmarc_domain))
    return FALSE;
  gboolean found = answer->dmarc == VERIFY_FOUND;
  return found == (answer->dmarc_policy != NULL) && found == (answer->dmarc_domain != NULL);
}

static gboolean
parse_key(const Attrs *attrs, guint first, VerifyAnswer *answer)
{
  const char *values[KEY_ATTRS];
  VerifyState state;
  gboolean secure, aligned;
  if (!take_values(attrs, first, key_names, KEY_ATTRS, values) ||
      !read_state(values[0], &state) || strlen(values[1]) > VERIFY_TEXT_MAX_BYTES ||
      (state != VERIFY_FOUND && *values[1] != '\0') || !read_flag(values[2], &secure) ||
      !read_flag(values[3], &aligned))
    return FALSE;
  verify_answer_add_key(answer, state, state == VERIFY_FOUND ? values[1] : NULL, secure,
                        aligned);
  return TRUE;
}

VerifyAnswer *
verify_answer_parse(const Attrs *attrs, guint keys, GError **error)
{
  if (!check_version(attrs, error))
    return NULL;
  const char *failure = attrs_get(attrs, "error");
  if (failure != NULL) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, "policyd: %s", failure);
    return NULL;
  }
  g_autoptr(VerifyAnswer) answer = verify_answer_new();
  /* Compared in 64 bits: KEYS is the caller's and may be anything. */
  gboolean good = attrs_count(attrs) == HEAD_ATTRS + KEY_ATTRS * (guint64) keys &&
                  parse_head(attrs, answer);
  for (guint i = 0; good && i < keys; i++)
    good = parse_key(attrs, HEAD_ATTRS + i * KEY_ATTRS, answer);
  if (good)
    return g_steal_pointer(&answer);
  refuse(error, "the answer is not that to a question of what the DNS says");
  return NULL;
}
