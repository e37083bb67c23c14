#include "milter/message.h"

#include <string.h>

#include "common/base/phone.h"
#include "common/mail/header.h"
#include "milter/envelope.h"

/* Message-IDs of a conversation that are looked at: each costs a MAC for each recipient. */
#define ANSWERED_MAX 32

static void
recipient_free(gpointer p)
{
  MessageRecipient *recipient = p;
  g_free(recipient->given);
  g_free(recipient->address);
  g_strfreev(recipient->args);
  g_free(recipient);
}

static void
subject_free(gpointer p)
{
  MessageSubject *subject = p;
  g_free(subject->name);
  trigger_free(subject->trigger);
  g_free(subject);
}

/* Notes TEXT, an address or a domain, as a sender that is not of the organisation; once,
 * for people read it in the refusal. */
static void
add_foreign(Message *message, const char *text)
{
  for (guint i = 0; i < message->foreign->len; i++) {
    const char *noted = message->foreign->pdata[i];
    const char *at = strrchr(noted, '@');
    if (g_ascii_strcasecmp(at != NULL ? at + 1 : noted, text) == 0)
      return;
  }
  g_ptr_array_add(message->foreign, g_strdup(text));
}

static void
check_sender(Message *message)
{
  if (message->sender == NULL) {
    add_foreign(message, message->sender_given);
    return;
  }
  const char *domain = envelope_domain(message->sender); /* <> belongs to everybody */
  if (*message->sender != '\0' && !conf_has_domain(message->organisation, domain))
    add_foreign(message, message->sender);
}

/* In the place of the organisation of a client that none has. */
static char *no_words[] = {NULL};
static const Organisation nobody = {.name = (char *) "-",
                                    .domains = no_words,
                                    .service_domain = (char *) "",
                                    .secure_senders = no_words,
                                    .plain_senders = no_words,
                                    .machine_senders = no_words,
                                    .sensitive_default = DEFAULT_ON_REQUEST,
                                    .recipients_max = DECIDE_MAX_RECIPIENTS};

Message *
message_new(MessageKind kind, const Organisation *organisation,
            const char *const *countries, const char *const *args)
{
  Message *message = g_new0(Message, 1);
  message->kind = kind;
  message->organisation = organisation != NULL ? organisation : &nobody;
  message->facts.stranger = kind == MESSAGE_STRANGER;
  message->countries = countries;
  message->recipients = g_ptr_array_new_with_free_func(recipient_free);
  message->subjects = g_ptr_array_new_with_free_func(subject_free);
  message->numbers = g_ptr_array_new_with_free_func((GDestroyNotify) header_number_free);
  message->foreign = g_ptr_array_new_with_free_func(g_free);
  message->triggers = g_ptr_array_new();
  message->answered = g_ptr_array_new_with_free_func(g_free);
  message->service = g_array_new(FALSE, TRUE, sizeof(ServiceAddress));
  message->unmarked = g_ptr_array_new();
  message->unique = g_ptr_array_new();
  message->odd = g_ptr_array_new();
  message->sender_name = g_strdup("");
  message->message_id = g_strdup("");
  message->sender_given = g_strdup(args[0]);
  message->sender = envelope_address(args[0]);
  message->sender_args = g_strdupv((GStrv) args + 1);
  message->sealed_text = g_string_new(NULL);
  if (kind == MESSAGE_OUTWARD || kind == MESSAGE_STRANGER)
    check_sender(message);
  return message;
}

void
message_free(Message *message)
{
  if (message == NULL)
    return;
  g_ptr_array_unref(message->triggers);
  g_ptr_array_unref(message->unique);
  g_ptr_array_unref(message->odd);
  g_ptr_array_unref(message->recipients);
  g_ptr_array_unref(message->subjects);
  g_ptr_array_unref(message->numbers);
  g_ptr_array_unref(message->foreign);
  g_ptr_array_unref(message->answered);
  g_array_unref(message->service);
  g_ptr_array_unref(message->unmarked);
  g_clear_pointer(&message->answers, g_ptr_array_unref);
  g_free(message->sender_name);
  g_free(message->message_id);
  g_free(message->from_domain);
  g_free(message->sender_given);
  g_free(message->sender);
  g_strfreev(message->sender_args);
  crypt_hash_free(message->body);
  inspected_free(message->inspected);
  g_string_free(message->sealed_text, TRUE);
  ticket_free(message->ticket);
  origin_free(message->origin);
  g_free(message);
}

void
message_add_recipient(Message *message, const char *const *args)
{
  MessageRecipient *recipient = g_new0(MessageRecipient, 1);
  recipient->given = g_strdup(args[0]);
  recipient->address = envelope_address(args[0]);
  if (recipient->address != NULL && *recipient->address == '\0')
    g_clear_pointer(&recipient->address, g_free);
  recipient->args = g_strdupv((GStrv) args + 1);
  g_ptr_array_add(message->recipients, recipient);
}

/* How many fields called NAME (any case) were kept as subjects before. */
static guint
count_subjects(const Message *message, const char *name)
{
  guint count = 0;
  for (guint i = 0; i < message->subjects->len; i++)
    if (g_ascii_strcasecmp(((MessageSubject *) message->subjects->pdata[i])->name, name) ==
        0)
      count++;
  return count;
}

static void
add_subject(Message *message, const char *name, const char *value)
{
  g_autofree char *text = mail_decode_text(value);
  MessageSubject *subject = g_new0(MessageSubject, 1);
  subject->name = g_strdup(name);
  subject->index = count_subjects(message, name) + 1;
  subject->trigger = trigger_parse(text, message->countries);
  g_ptr_array_add(message->subjects, subject);
}

/* "jan@example.com +31612345678", S7. */
static void
add_number(Message *message, const char *value)
{
  g_autofree char *text = mail_decode_text(value);
  gsize address_len = strcspn(text, " \t");
  g_autofree char *given = g_strndup(text, address_len);
  HeaderNumber *number = g_new0(HeaderNumber, 1);
  number->address = envelope_address(given);
  if (number->address != NULL && *number->address == '\0')
    g_clear_pointer(&number->address, g_free);
  gsize used = 0;
  const char *rest = text + address_len;
  phone_parse(rest, message->countries, &number->number, &used);
  if (number->number != NULL && rest[used + strspn(rest + used, " \t")] != '\0')
    g_clear_pointer(&number->number, g_free); /* something stands behind it */
  g_ptr_array_add(message->numbers, number);
  explicit_bzero(text, strlen(text));
}

static void
add_from(Message *message, const char *value, gboolean is_from)
{
  g_auto(GStrv) domains = mail_address_domains(value);
  for (char **domain = domains; *domain != NULL; domain++)
    if (!conf_has_domain(message->organisation, *domain))
      add_foreign(message, **domain != '\0' ? *domain : is_from ? "From" : "Sender");
  if (domains[0] == NULL)
    add_foreign(message, is_from ? "From" : "Sender");
  if (is_from) {
    message->authors += g_strv_length(domains);
    if (message->from_domain == NULL && domains[0] != NULL)
      message->from_domain = g_ascii_strdown(domains[0], -1);
  }
  if (is_from && *message->sender_name == '\0') {
    g_free(message->sender_name);
    message->sender_name = mail_display_name(value);
  }
}

static gboolean
is_word(const char *value, const char *const *words)
{
  g_autofree char *text = mail_decode_text(value);
  for (; *words != NULL; words++)
    if (g_ascii_strcasecmp(text, *words) == 0)
      return TRUE;
  return FALSE;
}

/* TEXT (taken) without comments, quotes, and what stands behind a semicolon. */
static char *
strip_word(char *text)
{
  guint depth = 0;
  char *to = text;
  for (const char *p = text; *p != '\0' && !(depth == 0 && *p == ';'); p++) {
    depth += *p == '(' ? 1 : 0;
    if (depth == 0 && *p != '"')
      *to++ = *p;
    depth -= *p == ')' && depth > 0 ? 1 : 0;
  }
  *to = '\0';
  return g_strstrip(text);
}

/* As is_word, but a program that writes it its own way must not be misunderstood. */
static gboolean
asks_for(const char *value, const char *const *words)
{
  g_autofree char *word = strip_word(mail_decode_text(value));
  return is_word(word, words) || is_word(value, words);
}

/* When several disagree, secure wins. */
static void
add_bypass(Message *message, const char *value)
{
  static const char *const secure[] = {"false", NULL};
  static const char *const plain[] = {"true", NULL};
  if (asks_for(value, secure))
    message->facts.bypass = BYPASS_SECURE;
  else if (is_word(value, plain) && message->facts.bypass == BYPASS_NONE)
    message->facts.bypass = BYPASS_PLAIN;
}

/* RFC 3834 5: "no" may be followed by parameters or a comment. */
static gboolean
is_automatic(const char *value)
{
  g_autofree char *text = mail_decode_text(value);
  return g_ascii_strncasecmp(text, "no", 2) != 0 || g_ascii_isalnum(text[2]) ||
         text[2] == '-';
}

/* Whether one of RULES (NULL: none) is about the field NAME, and VALUE is what it wants. */
static gboolean
has_rule(const GPtrArray *rules, const char *name, const char *value)
{
  for (guint i = 0; rules != NULL && i < rules->len; i++) {
    const HeaderRule *rule = rules->pdata[i];
    const char *const words[] = {rule->value, NULL};
    if (g_ascii_strcasecmp(rule->name, name) == 0 &&
        (rule->value == NULL || is_word(value, words)))
      return TRUE;
  }
  return FALSE;
}

/* What the organisation's own header rules say (S1). */
static void
add_configured(Message *message, const char *name, const char *value)
{
  const Organisation *organisation = message->organisation;
  if (has_rule(organisation->sensitive_headers, name, value))
    message->facts.sensitive_header = TRUE;
  if (has_rule(organisation->plain_headers, name, value))
    message->facts.plain_header = TRUE;
}

/*
 * What the message answers, as far as it was mail of our own (V5). The newest stands last,
 * and is the one that is answered: of too many the first ones are forgotten.
 */
static void
add_answered(Message *message, const char *value)
{
  const char *service_domain = message->organisation->service_domain;
  g_auto(GStrv) ids = mail_message_ids(value);
  for (char **id = ids; *id != NULL; id++) {
    char *at = strrchr(*id, '@');
    if (at == NULL || g_ascii_strcasecmp(at + 1, service_domain) != 0)
      continue;
    if (message->answered->len == ANSWERED_MAX)
      g_ptr_array_remove_index(message->answered, 0);
    g_ptr_array_add(message->answered, g_strndup(*id, (gsize) (at - *id)));
  }
}

static void
add_known(Message *message, const char *name, const char *value)
{
  static const char *const sensitive[] = {"personal", "private", "company-confidential",
                                          "company confidential", NULL};
  if (g_ascii_strcasecmp(name, "Subject") == 0 ||
      g_ascii_strcasecmp(name, "Thread-Topic") == 0)
    add_subject(message, name, value);
  else if (g_ascii_strcasecmp(name, "From") == 0)
    add_from(message, value, TRUE);
  else if (g_ascii_strcasecmp(name, "Sender") == 0)
    add_from(message, value, FALSE);
  else if (g_ascii_strcasecmp(name, "x-ezorg-secbypass") == 0)
    add_bypass(message, value);
  else if (g_ascii_strcasecmp(name, "Sensitivity") == 0)
    message->facts.sensitivity = message->facts.sensitivity || asks_for(value, sensitive);
  else if (g_ascii_strcasecmp(name, "Auto-Submitted") == 0)
    message->facts.machine = message->facts.machine || is_automatic(value);
  else if (g_ascii_strcasecmp(name, "In-Reply-To") == 0 ||
           g_ascii_strcasecmp(name, "References") == 0)
    add_answered(message, value);
  else if (g_ascii_strcasecmp(name, "Message-ID") == 0 && *message->message_id == '\0') {
    g_free(message->message_id);
    message->message_id = mail_message_id(value);
  }
}

/* Of a message that comes back, or is a visitor's, only the ticket or mark counts, its
 * Message-ID for the log, and From for a signature. */
static void
add_header_sealed(Message *message, const char *name, const char *value)
{
  gboolean again = message->kind == MESSAGE_AGAIN;
  guint *count = again ? &message->again.tickets : &message->visitor.marks;
  if (g_ascii_strcasecmp(name, again ? TICKET_HEADER : ORIGIN_HEADER) == 0) {
    if ((*count)++ == 0)
      g_string_assign(message->sealed_text, value);
  } else if (g_ascii_strcasecmp(name, "Message-ID") == 0 ||
             g_ascii_strcasecmp(name, "From") == 0) {
    add_known(message, name, value);
  }
}

void
message_add_header(Message *message, const char *given, const char *value)
{
  g_autofree char *name = g_strchomp(g_strdup(given)); /* "Subject :" */
  if (message->kind == MESSAGE_AGAIN || message->kind == MESSAGE_VISITOR) {
    add_header_sealed(message, name, value);
    return;
  }
  if (message->kind == MESSAGE_INWARD) {
    if (g_ascii_strcasecmp(name, "Message-ID") == 0)
      add_known(message, name, value);
    return;
  }
  add_configured(message, name, value);
  if (g_ascii_strcasecmp(name, "X-Zegel-SMS") == 0)
    add_number(message, value);
  else
    add_known(message, name, value);
}

/* The recipients once each, and those whose address cannot be read. */
static void
collect_recipients(Message *message)
{
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < message->recipients->len; i++) {
    MessageRecipient *recipient = message->recipients->pdata[i];
    if (recipient->address == NULL)
      g_ptr_array_add(message->odd, recipient->given);
    else if (g_hash_table_add(seen, recipient->address))
      g_ptr_array_add(message->unique, recipient->address);
  }
}

static gboolean
has_sender(const char *const *senders, const char *word)
{
  for (; *senders != NULL; senders++)
    if (g_ascii_strcasecmp(*senders, word) == 0)
      return TRUE;
  return FALSE;
}

/* S5: an address counts before its domain; who stands in both tables is secure. */
static SenderTable
look_up_sender(const Organisation *organisation, const char *sender)
{
  const char *const words[] = {sender, envelope_domain(sender)};
  for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
    if (words[i] == NULL)
      continue;
    if (has_sender((const char *const *) organisation->secure_senders, words[i]))
      return SENDER_SECURE;
    if (has_sender((const char *const *) organisation->plain_senders, words[i]))
      return SENDER_PLAIN;
  }
  return SENDER_UNKNOWN;
}

static void
add_sender_facts(Message *message)
{
  const Organisation *organisation = message->organisation;
  const char *const *machines = (const char *const *) organisation->machine_senders;
  const char *sender = message->sender;
  Facts *facts = &message->facts;
  if (strcmp(message->sender_given, "<>") == 0 || *message->sender_given == '\0')
    facts->machine = TRUE;
  if (sender == NULL || *sender == '\0')
    return;
  const char *domain = envelope_domain(sender);
  if (has_sender(machines, sender) || (domain != NULL && has_sender(machines, domain)))
    facts->machine = TRUE;
  facts->table = look_up_sender(organisation, sender);
}

static gboolean
is_ours(const Organisation *organisation, const char *domain)
{
  return conf_has_domain(organisation, domain) ||
         g_ascii_strcasecmp(organisation->service_domain, domain) == 0;
}

/* R3: somebody outside is among the recipients, and the organisation wants it. */
static gboolean
may_prefer(const Message *message)
{
  const Organisation *organisation = message->organisation;
  if (message->kind != MESSAGE_OUTWARD || !organisation->prefer_direct ||
      organisation->sensitive_default == DEFAULT_OBSERVE)
    return FALSE;
  for (guint i = 0; i < message->unique->len; i++)
    if (!is_ours(organisation, envelope_domain(message->unique->pdata[i])))
      return TRUE;
  return FALSE;
}

void
message_end_header(Message *message)
{
  collect_recipients(message);
  message->again.recipients = message->unique;
  message->again.odd = message->odd;
  message->visitor.recipients = message->unique;
  message->visitor.unmarked = message->unmarked;
  for (guint i = 0; i < message->subjects->len; i++) {
    const MessageSubject *subject = message->subjects->pdata[i];
    if (g_ascii_strcasecmp(subject->name, "Subject") == 0)
      g_ptr_array_add(message->triggers, subject->trigger);
  }
  Facts *facts = &message->facts;
  facts->sensitive_default = message->organisation->sensitive_default;
  facts->method = message->organisation->method;
  facts->phone_book = conf_remembers_numbers(message->organisation);
  facts->recipients_max = message->organisation->recipients_max;
  facts->too_many_headers = message->fields != NULL && message->fields->cut;
  message->visitor.too_many_headers = facts->too_many_headers;
  add_sender_facts(message);
  facts->prefer = may_prefer(message);
  facts->triggers = message->triggers;
  facts->numbers = message->numbers;
  facts->recipients = message->unique;
  facts->odd = message->odd;
  facts->foreign = message->foreign;
}

void
message_end_body(Message *message)
{
  if (message->body == NULL)
    return;
  crypt_hash_finish(message->body, message->body_sha256);
  g_clear_pointer(&message->body, crypt_hash_free);
  message->body_hashed = TRUE;
}

char *
message_seal_ticket(const Ticket *ticket, const KeyRing *ring, GError **error)
{
  g_autofree char *sealed = ticket_seal(ring, ticket, error);
  if (sealed == NULL)
    return NULL;
  g_auto(GStrv) lines = g_strsplit(sealed, "\r\n", -1);
  return g_strjoinv("\n", lines);
}
