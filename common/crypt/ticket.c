#include "common/crypt/ticket.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/error.h"
#include "common/crypt/box_text.h"

#define TICKET_LABEL      "ticket"
#define ADDRESS_MAX_BYTES 1024 /* RFC 5321 allows 320; Postfix passes on somewhat more */
#define NUMBER_MIN_DIGITS 4
#define NUMBER_MAX_DIGITS 15  /* E.164 6.2.1 */
#define NAME_MAX_BYTES    255 /* of an attachment: NAME_MAX of most file systems */
#define ROUTE_MAX_BYTES   16

static void
wipe_free(char *text)
{
  if (text != NULL)
    secret_wipe(text, strlen(text));
  g_free(text);
}

static void
recipient_free(gpointer p)
{
  TicketRecipient *recipient = p;
  g_free(recipient->address);
  wipe_free(recipient->number);
  g_free(recipient->route);
  g_free(recipient);
}

static void
part_free(gpointer p)
{
  TicketPart *part = p;
  wipe_free(part->name);
  g_free(part);
}

static Ticket *
ticket_alloc(void)
{
  Ticket *ticket = g_new0(Ticket, 1);
  ticket->recipients = g_ptr_array_new_with_free_func(recipient_free);
  ticket->parts = g_ptr_array_new_with_free_func(part_free);
  return ticket;
}

Ticket *
ticket_new(GError **error)
{
  g_autoptr(Ticket) ticket = ticket_alloc();
  if (!crypt_random(ticket->id, sizeof ticket->id, error))
    return NULL;
  return g_steal_pointer(&ticket);
}

void
ticket_free(Ticket *ticket)
{
  if (ticket == NULL)
    return;
  g_free(ticket->organisation);
  g_free(ticket->sender);
  wipe_free(ticket->sender_name);
  g_free(ticket->message_id);
  g_ptr_array_unref(ticket->recipients);
  g_ptr_array_unref(ticket->parts);
  secret_wipe(ticket, sizeof *ticket);
  g_free(ticket);
}

TicketRecipient *
ticket_add_recipient(Ticket *ticket, const char *address, const char *number)
{
  TicketRecipient *recipient = g_new0(TicketRecipient, 1);
  recipient->address = g_strdup(address);
  recipient->number = g_strdup(number);
  g_ptr_array_add(ticket->recipients, recipient);
  return recipient;
}

/* NAME as a line of at most NAME_MAX_BYTES, a new string. */
static char *
clean_name(const char *name)
{
  char *valid = g_utf8_make_valid(name, -1);
  for (char *p = valid; *p != '\0'; p++)
    if ((guchar) *p < 0x20 || *p == 0x7f)
      *p = ' ';
  gsize len = strlen(valid);
  if (len <= NAME_MAX_BYTES)
    return valid;
  char *end = g_utf8_find_prev_char(valid, valid + NAME_MAX_BYTES + 1);
  secret_wipe(end, len - (gsize) (end - valid));
  return valid;
}

/* "SHA256 SIZE NAME", a new string. */
static char *
format_part(const TicketPart *part)
{
  g_autofree char *hash = crypt_hex(part->sha256, sizeof part->sha256);
  return g_strdup_printf("%s %" G_GUINT64_FORMAT " %s", hash, part->size, part->name);
}

static gsize
parts_bytes(const Ticket *ticket)
{
  gsize bytes = 0;
  for (guint i = 0; i < ticket->parts->len; i++) {
    g_autofree char *text = format_part(ticket->parts->pdata[i]);
    bytes += strlen(text);
  }
  return bytes;
}

void
ticket_add_part(Ticket *ticket, const char *name, guint64 size, const guint8 *sha256)
{
  TicketPart *part = g_new0(TicketPart, 1);
  part->name = clean_name(name);
  part->size = size;
  memcpy(part->sha256, sha256, sizeof part->sha256);
  g_ptr_array_add(ticket->parts, part);
  if (ticket->parts->len <= TICKET_MAX_PARTS &&
      parts_bytes(ticket) <= TICKET_MAX_PART_BYTES)
    return;
  g_ptr_array_remove_index(ticket->parts, ticket->parts->len - 1);
  ticket->parts_cut = TRUE;
}

/* Local parts may differ in case (RFC 5321 2.4), domains do not. */
static gboolean
same_address(const char *a, const char *b)
{
  const char *a_at = strrchr(a, '@');
  const char *b_at = strrchr(b, '@');
  if (a_at == NULL || b_at == NULL)
    return strcmp(a, b) == 0;
  return a_at - a == b_at - b && memcmp(a, b, (gsize) (a_at - a)) == 0 &&
         g_ascii_strcasecmp(a_at, b_at) == 0;
}

const TicketRecipient *
ticket_find_recipient(const Ticket *ticket, const char *address)
{
  for (guint i = 0; i < ticket->recipients->len; i++) {
    const TicketRecipient *recipient = g_ptr_array_index(ticket->recipients, i);
    if (same_address(recipient->address, address))
      return recipient;
  }
  return NULL;
}

static void
add_text(Attrs *attrs, const char *name, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid(text != NULL ? text : "", -1);
  attrs_add(attrs, name, valid);
}

static void
add_bytes(Attrs *attrs, const char *name, const guint8 *bytes, gsize len)
{
  g_autofree char *hex = crypt_hex(bytes, len);
  attrs_add(attrs, name, hex);
}

static void
add_recipient_lines(Attrs *attrs, const TicketRecipient *recipient)
{
  attrs_add(attrs, "rcpt", recipient->address);
  if (recipient->number != NULL)
    attrs_add(attrs, "number", recipient->number);
  if (recipient->number != NULL && recipient->learn)
    attrs_add(attrs, "learn", "yes");
  if (recipient->number == NULL && recipient->by_mail)
    attrs_add(attrs, "by-mail", "yes");
  if (recipient->route != NULL)
    attrs_add(attrs, "route", recipient->route);
}

static void
add_content_lines(Attrs *attrs, const Ticket *ticket)
{
  for (guint i = 0; i < ticket->parts->len; i++) {
    g_autofree char *text = format_part(ticket->parts->pdata[i]);
    attrs_add(attrs, "part", text);
  }
  if (ticket->parts_cut)
    attrs_add(attrs, "parts-cut", "yes");
  if (ticket->signature_broken)
    attrs_add(attrs, "signature-broken", "yes");
}

char *
ticket_format(const Ticket *ticket, gsize *len, GError **error)
{
  if (ticket->recipients->len > TICKET_MAX_RECIPIENTS) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT,
                "%u recipients are more than a ticket can hold", ticket->recipients->len);
    return NULL;
  }
  g_autoptr(Attrs) attrs = attrs_new();
  add_bytes(attrs, "id", ticket->id, sizeof ticket->id);
  add_text(attrs, "org", ticket->organisation);
  attrs_add(attrs, "sender", ticket->sender != NULL ? ticket->sender : "");
  add_text(attrs, "sender-name", ticket->sender_name);
  attrs_add(attrs, "message-id", ticket->message_id != NULL ? ticket->message_id : "");
  attrs_add_uint(attrs, "made", (guint64) MAX(ticket->made_s, 0));
  add_bytes(attrs, "body", ticket->body_sha256, sizeof ticket->body_sha256);
  for (guint i = 0; i < ticket->recipients->len; i++)
    add_recipient_lines(attrs, g_ptr_array_index(ticket->recipients, i));
  add_content_lines(attrs, ticket);
  char *text = attrs_format(attrs, ATTR_ESCAPED);
  *len = strlen(text);
  return text;
}

static gboolean
reject(GError **error, const char *what)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "the ticket has no good %s", what);
  return FALSE;
}

static gboolean
get_bytes(const Attrs *attrs, const char *name, guint8 *out, gsize len, GError **error)
{
  const char *hex = attrs_get(attrs, name);
  return (hex != NULL && crypt_unhex(hex, out, len)) || reject(error, name);
}

/* A name that is no UTF-8 is no reason to bounce mail: it is repaired. */
static char *
get_text(const Attrs *attrs, const char *name)
{
  const char *text = attrs_get(attrs, name);
  return text != NULL ? g_utf8_make_valid(text, -1) : g_strdup("");
}

static gboolean
is_number(const char *text)
{
  gsize len = strlen(text);
  return text[0] == '+' && strspn(text + 1, "0123456789") == len - 1 &&
         len > NUMBER_MIN_DIGITS && len <= 1 + NUMBER_MAX_DIGITS;
}

static gboolean
is_address(const char *text)
{
  gsize len = strlen(text);
  for (const char *p = text; *p != '\0'; p++)
    if ((guchar) *p < 0x20 || *p == 0x7f)
      return FALSE;
  return len > 0 && len <= ADDRESS_MAX_BYTES;
}

static gboolean
add_recipient(Ticket *ticket, const char *address, GError **error)
{
  if (ticket->recipients->len == TICKET_MAX_RECIPIENTS || !is_address(address))
    return reject(error, "rcpt");
  ticket_add_recipient(ticket, address, NULL);
  return TRUE;
}

static TicketRecipient *
last_recipient(const Ticket *ticket)
{
  guint count = ticket->recipients->len;
  return count > 0 ? g_ptr_array_index(ticket->recipients, count - 1) : NULL;
}

/* A number belongs to the recipient before it. */
static gboolean
add_number(Ticket *ticket, const char *number, GError **error)
{
  TicketRecipient *last = last_recipient(ticket);
  if (last == NULL || last->number != NULL || last->by_mail || !is_number(number))
    return reject(error, "number");
  last->number = g_strdup(number);
  return TRUE;
}

/* "learn" and "by-mail" belong to the recipient before them too. */
static gboolean
add_flag(Ticket *ticket, const char *name, const char *value, GError **error)
{
  TicketRecipient *last = last_recipient(ticket);
  gboolean learn = strcmp(name, "learn") == 0;
  if (last == NULL || strcmp(value, "yes") != 0 || learn != (last->number != NULL))
    return reject(error, name);
  if (learn)
    last->learn = TRUE;
  else
    last->by_mail = TRUE;
  return TRUE;
}

/* So does the word for its route. */
static gboolean
add_route(Ticket *ticket, const char *word, GError **error)
{
  TicketRecipient *last = last_recipient(ticket);
  gsize len = strlen(word);
  if (last == NULL || last->route != NULL || len == 0 || len > ROUTE_MAX_BYTES ||
      strspn(word, "abcdefghijklmnopqrstuvwxyz-") != len)
    return reject(error, "route");
  last->route = g_strdup(word);
  return TRUE;
}

/* "SHA256 SIZE NAME" */
static gboolean
add_part(Ticket *ticket, const char *text, GError **error)
{
  g_auto(GStrv) words = g_strsplit(text, " ", 3);
  guint8 sha256[CRYPT_SHA256_BYTES];
  guint64 size = 0;
  if (g_strv_length(words) != 3 || !crypt_unhex(words[0], sha256, sizeof sha256) ||
      !g_ascii_string_to_unsigned(words[1], 10, 0, G_MAXINT64, &size, NULL))
    return reject(error, "part");
  ticket_add_part(ticket, words[2], size, sha256);
  return TRUE;
}

static gboolean
take_line(Ticket *ticket, const char *name, const char *value, GError **error)
{
  if (strcmp(name, "rcpt") == 0)
    return add_recipient(ticket, value, error);
  if (strcmp(name, "number") == 0)
    return add_number(ticket, value, error);
  if (strcmp(name, "learn") == 0 || strcmp(name, "by-mail") == 0)
    return add_flag(ticket, name, value, error);
  if (strcmp(name, "route") == 0)
    return add_route(ticket, value, error);
  if (strcmp(name, "part") == 0)
    return add_part(ticket, value, error);
  if (strcmp(name, "parts-cut") == 0)
    ticket->parts_cut = TRUE;
  if (strcmp(name, "signature-broken") == 0)
    ticket->signature_broken = TRUE;
  return TRUE;
}

static gboolean
get_lines(Ticket *ticket, const Attrs *attrs, GError **error)
{
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name = NULL;
    const char *value = NULL;
    attrs_nth(attrs, i, &name, &value);
    if (!take_line(ticket, name, value, error))
      return FALSE;
  }
  return TRUE;
}

Ticket *
ticket_parse(const char *bytes, gsize len, GError **error)
{
  g_autoptr(Attrs) attrs = attrs_parse(bytes, len, ATTR_ESCAPED, error);
  if (attrs == NULL)
    return NULL;
  g_autoptr(Ticket) ticket = ticket_alloc();
  guint64 made_s = 0;
  if (!get_bytes(attrs, "id", ticket->id, sizeof ticket->id, error) ||
      !get_bytes(attrs, "body", ticket->body_sha256, sizeof ticket->body_sha256, error) ||
      !attrs_get_uint(attrs, "made", 0, G_MAXINT64, &made_s, error) ||
      !get_lines(ticket, attrs, error))
    return NULL;
  ticket->made_s = (gint64) made_s;
  ticket->organisation = get_text(attrs, "org");
  ticket->sender = g_strdup(attrs_get(attrs, "sender"));
  ticket->sender_name = get_text(attrs, "sender-name");
  ticket->message_id = g_strdup(attrs_get(attrs, "message-id"));
  if (*ticket->organisation == '\0' || ticket->sender == NULL ||
      ticket->message_id == NULL) {
    reject(error, "org, sender or message-id");
    return NULL;
  }
  return g_steal_pointer(&ticket);
}

char *
ticket_seal(const KeyRing *ring, const Ticket *ticket, GError **error)
{
  gsize len = 0;
  char *plain = ticket_format(ticket, &len, error);
  if (plain == NULL)
    return NULL;
  char *value = box_text_seal(ring, TICKET_LABEL, TICKET_HEADER, plain, len, error);
  wipe_free(plain);
  return value;
}

Ticket *
ticket_open(const KeyRing *ring, const char *value, GError **error)
{
  g_autoptr(Secret) plain = box_text_open(ring, TICKET_LABEL, value, error);
  if (plain == NULL)
    return NULL;
  return ticket_parse((const char *) secret_peek(plain), secret_size(plain), error);
}
