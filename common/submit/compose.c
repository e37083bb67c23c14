#include "common/submit/compose.h"

#include <string.h>

#include "common/base/error.h"
#include "common/base/secret.h"
#include "common/submit/letter.h"
#include "common/submit/mime.h"

#define HEAD_RESERVE_BYTES 16384
#define PART_RESERVE_BYTES 2048
#define TEXT_RESERVE       4 /* quoted-printable makes of one octet three, and line ends */
#define TYPE_MAX_BYTES     127 /* twice, RFC 6838 4.2 */
#define ID_MAX_BYTES       64  /* with "=_" at most 70, RFC 2046 5.1.1 */
#define ENCODED_MIN        0x80

gboolean
compose_is_line(const char *text)
{
  if (!g_utf8_validate(text, -1, NULL) || strlen(text) > COMPOSE_LINE_MAX_BYTES)
    return FALSE;
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
    GUnicodeType type = g_unichar_type(g_utf8_get_char(p));
    if (type == G_UNICODE_CONTROL || type == G_UNICODE_LINE_SEPARATOR ||
        type == G_UNICODE_PARAGRAPH_SEPARATOR)
      return FALSE;
  }
  return TRUE;
}

void
compose_free(GString *message)
{
  if (message == NULL)
    return;
  secret_wipe(message->str, message->len);
  g_string_free(message, TRUE);
}

/* ---- What may come in ---- */

static gboolean
reject(GError **error, const char *what)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID,
              "the %s cannot stand in a message of ours", what);
  return FALSE;
}

/* An address that came with a message: quoted ones are written to as well. */
static gboolean
is_header_address(const char *address)
{
  return compose_is_line(address) && strchr(address, '@') != NULL &&
         strpbrk(address, "<>") == NULL;
}

/* A Message-ID in its <>: ASCII, one word. */
static gboolean
is_message_id(const char *id)
{
  gsize len = strlen(id);
  if (len < 3 || len > COMPOSE_LINE_MAX_BYTES || id[0] != '<' || id[len - 1] != '>')
    return FALSE;
  for (gsize i = 1; i + 1 < len; i++)
    if (!g_ascii_isgraph(id[i]) || id[i] == '<' || id[i] == '>')
      return FALSE;
  return TRUE;
}

/* The id is part of the boundary too (RFC 2046 5.1.1, bchars). */
static gboolean
is_own_id(const char *id)
{
  gsize len = strlen(id);
  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isalnum(id[i]) && strchr("-._+", id[i]) == NULL)
      return FALSE;
  return len > 0 && len <= ID_MAX_BYTES;
}

static gboolean
check_parts(const ComposeFacts *facts, GError **error)
{
  if (facts->part_count > COMPOSE_MAX_PARTS) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT, "%u attachments are too many",
                facts->part_count);
    return FALSE;
  }
  for (guint i = 0; i < facts->part_count; i++)
    if (!compose_is_line(facts->parts[i].name) || !compose_is_line(facts->parts[i].type))
      return reject(error, "name or type of an attachment");
  return TRUE;
}

static gboolean
check_facts(const ComposeFacts *facts, GError **error)
{
  if (!compose_is_line(facts->author) || !compose_is_line(facts->organisation_name))
    return reject(error, "name of who wrote");
  if (!compose_is_line(facts->subject))
    return reject(error, "subject");
  if (!is_header_address(facts->reply_to) || !is_header_address(facts->recipient))
    return reject(error, "address");
  if (!is_own_id(facts->id))
    return reject(error, "id");
  if (facts->in_reply_to != NULL && *facts->in_reply_to != '\0' &&
      !is_message_id(facts->in_reply_to))
    return reject(error, "Message-ID");
  if (!g_utf8_validate(facts->text, -1, NULL))
    return reject(error, "text");
  return check_parts(facts, error);
}

/* ---- Body ---- */

static gboolean
is_multipart(const ComposeFacts *facts)
{
  return facts->part_count > 0 || facts->original != NULL;
}

/* "=_" never stands in quoted-printable or base64 (RFC 2045 6.7), and ID in no original. */
static void
append_boundary(GString *out, const ComposeFacts *facts, gboolean last)
{
  g_string_append_printf(out, "--=_%s%s\r\n", facts->id, last ? "--" : "");
}

static void
append_text_type(GString *out)
{
  g_string_append(out, "Content-Type: text/plain; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: quoted-printable\r\n");
}

static void
append_text(GString *out, const char *text)
{
  GString *lines = g_string_sized_new(strlen(text) + 1);
  for (const char *p = text; *p != '\0'; p++) {
    if (*p != '\r')
      g_string_append_c(lines, *p);
    else if (p[1] != '\n')
      g_string_append_c(lines, '\n');
  }
  mime_append_quoted_printable(out, lines->str);
  g_string_append(out, "\r\n");
  compose_free(lines);
}

/* type/subtype of RFC 2045 tokens; and nothing that is parsed as mail or made of parts. */
static gboolean
is_plain_type(const char *type)
{
  const char *slash = strchr(type, '/');
  gsize len = strlen(type);
  if (slash == NULL || slash == type || slash[1] == '\0' || len > TYPE_MAX_BYTES ||
      g_ascii_strncasecmp(type, "multipart/", 10) == 0 ||
      g_ascii_strncasecmp(type, "message/", 8) == 0)
    return FALSE;
  for (const char *p = type; *p != '\0'; p++)
    if (p != slash && !g_ascii_isalnum(*p) && strchr("!#$&^_.+-", *p) == NULL)
      return FALSE;
  return TRUE;
}

/* RFC 2183, and RFC 2231 for what is not ASCII: never both, for some programs take the
 * first and some the last. */
static void
append_file_name(GString *out, const char *name)
{
  g_string_append(out, "Content-Disposition: attachment;\r\n filename");
  if (mime_is_plain(name)) {
    g_string_append_c(out, '=');
    mime_append_quoted(out, name);
    g_string_append(out, "\r\n");
    return;
  }
  g_string_append(out, "*=UTF-8''");
  for (const char *p = name; *p != '\0'; p++) {
    if (g_ascii_isalnum(*p) || strchr("!#$&+-.^_`|~", *p) != NULL)
      g_string_append_c(out, *p);
    else
      g_string_append_printf(out, "%%%02X", (guint) (guchar) *p);
  }
  g_string_append(out, "\r\n");
}

/* With the name as programs from before RFC 2231 read it, when that is another way. */
static void
append_part_type(GString *out, const ComposePart *part)
{
  g_string_append_printf(out, "Content-Type: %s",
                         is_plain_type(part->type) ? part->type
                                                   : "application/octet-stream");
  if (!mime_is_plain(part->name)) {
    g_string_append(out, ";\r\n name=\"");
    mime_append_words(out, part->name);
    g_string_append_c(out, '"');
  }
  g_string_append(out, "\r\n");
}

static void
append_part(GString *out, const ComposeFacts *facts, const ComposePart *part)
{
  append_boundary(out, facts, FALSE);
  append_part_type(out, part);
  append_file_name(out, part->name);
  g_string_append(out, "Content-Transfer-Encoding: base64\r\n\r\n");
  mime_append_base64(out, part->bytes, part->len);
}

/* A message may not be encoded (RFC 2046 5.2.1); its line ends are those it has. */
static void
append_original(GString *out, const ComposeFacts *facts)
{
  gboolean plain = TRUE;
  for (gsize i = 0; plain && i < facts->original_len; i++)
    plain = (guchar) facts->original[i] < ENCODED_MIN;
  append_boundary(out, facts, FALSE);
  g_string_append_printf(out,
                         "Content-Type: message/rfc822\r\n"
                         "Content-Disposition: attachment; filename=\"message.eml\"\r\n"
                         "Content-Transfer-Encoding: %s\r\n\r\n",
                         plain ? "7bit" : "8bit");
  g_string_append_len(out, facts->original, (gssize) facts->original_len);
  g_string_append(out, "\r\n");
}

/* So much that the string need not grow: growing would leave copies that nobody wipes. */
static gsize
reserve(const ComposeFacts *facts)
{
  gsize len = HEAD_RESERVE_BYTES + strlen(facts->text) * TEXT_RESERVE + facts->original_len;
  for (guint i = 0; i < facts->part_count; i++)
    len += PART_RESERVE_BYTES + mime_base64_length(facts->parts[i].len);
  return len;
}

GString *
compose_body(const ComposeFacts *facts, GError **error)
{
  if (!check_facts(facts, error))
    return NULL;
  GString *out = g_string_sized_new(reserve(facts));
  if (is_multipart(facts)) {
    append_boundary(out, facts, FALSE);
    append_text_type(out);
    g_string_append(out, "\r\n");
  }
  append_text(out, facts->text);
  for (guint i = 0; i < facts->part_count; i++)
    append_part(out, facts, &facts->parts[i]);
  if (facts->original != NULL)
    append_original(out, facts);
  if (is_multipart(facts))
    append_boundary(out, facts, TRUE);
  return out;
}

/* ---- Header ---- */

static void
append_people(GString *out, const ComposeFacts *facts)
{
  g_autofree char *author = letter_line(facts->author, LETTER_NAME_MAX_CHARS);
  g_autofree char *through = letter_line(facts->organisation_name, LETTER_NAME_MAX_CHARS);
  g_autofree char *name = g_strdup_printf("%s (via %s)", author, through);
  g_autofree char *from = letter_sender(facts->service_domain);
  g_string_append(out, "From: ");
  mime_append_phrase(out, name);
  g_string_append_printf(out, "\r\n <%s>\r\nReply-To: <%s>\r\nTo: <%s>\r\n", from,
                         facts->reply_to, facts->recipient);
}

static void
append_subject(GString *out, const char *subject)
{
  g_autofree char *line = letter_line(subject, COMPOSE_LINE_MAX_BYTES);
  g_string_append(out, "Subject: ");
  if (mime_is_plain(line) && strlen(line) < 60)
    g_string_append(out, line);
  else
    mime_append_words(out, line);
  g_string_append(out, "\r\n");
}

static void
append_ids(GString *out, const ComposeFacts *facts)
{
  g_string_append_printf(out, "Message-ID: <%s@%s>\r\n", facts->id, facts->service_domain);
  if (facts->in_reply_to != NULL && *facts->in_reply_to != '\0')
    g_string_append_printf(out, "In-Reply-To: %s\r\nReferences: %s\r\n", facts->in_reply_to,
                           facts->in_reply_to);
}

GString *
compose_message(const ComposeFacts *facts, const char *mark_name, const char *mark,
                GString *body)
{
  g_autoptr(GString) head = g_string_new(NULL);
  if (mark != NULL)
    g_string_append_printf(head, "%s: %s\r\n", mark_name, mark);
  append_people(head, facts);
  append_subject(head, facts->subject);
  mime_append_date(head, facts->now_s);
  append_ids(head, facts);
  g_string_append(head, "MIME-Version: 1.0\r\n");
  if (is_multipart(facts))
    g_string_append_printf(head, "Content-Type: multipart/mixed;\r\n boundary=\"=_%s\"\r\n",
                           facts->id);
  else
    append_text_type(head);
  g_string_append(head, "\r\n");
  return g_string_prepend_len(body, head->str, (gssize) head->len);
}
