#include "deliver/head.h"

#include <string.h>

#include "common/crypt/ticket.h"

static const char ticket_name[] = TICKET_HEADER ":";

struct Head {
  GString *line;      /* of the section, so far, with its CRLF */
  GString *ticket;    /* the first one's value */
  guint tickets;      /* how many there were */
  gboolean in_ticket; /* a continuation now belongs to a ticket */
  gboolean over;
  gboolean too_large;
  gsize size;
};

Head *
head_new(void)
{
  Head *head = g_new0(Head, 1);
  head->line = g_string_new(NULL);
  head->ticket = g_string_new(NULL);
  return head;
}

void
head_free(Head *head)
{
  if (head == NULL)
    return;
  g_string_free(head->line, TRUE);
  g_string_free(head->ticket, TRUE);
  g_free(head);
}

gboolean
head_is_over(const Head *head)
{
  return head->over;
}

gboolean
head_is_too_large(const Head *head)
{
  return head->too_large;
}

guint
head_ticket_count(const Head *head)
{
  return head->tickets;
}

const char *
head_ticket(const Head *head)
{
  return head->tickets > 0 ? head->ticket->str : NULL;
}

/* A NUL would end the value early: it becomes a byte that no base64 has. */
static void
add_ticket(Head *head, const char *text, gsize len)
{
  if (head->tickets > 1)
    return;
  for (gsize i = 0; i < len; i++)
    g_string_append_c(head->ticket, text[i] != '\0' ? text[i] : '?');
}

/* One whole line, or what is left of one at the end. */
static void
end_line(Head *head, GByteArray *keep)
{
  const char *text = head->line->str;
  gsize len = head->line->len;
  gsize name_len = strlen(ticket_name);
  gboolean folded = len > 0 && (*text == ' ' || *text == '\t');
  if (folded && head->in_ticket) {
    add_ticket(head, text, len);
  } else if (!folded && len >= name_len &&
             g_ascii_strncasecmp(text, ticket_name, name_len) == 0) {
    head->in_ticket = TRUE;
    head->tickets++;
    add_ticket(head, text + name_len, len - name_len);
  } else {
    head->in_ticket = FALSE;
    head->over = len == 2 && memcmp(text, "\r\n", 2) == 0;
    g_byte_array_append(keep, (const guint8 *) text, (guint) len);
  }
  g_string_truncate(head->line, 0);
}

gsize
head_take(Head *head, const char *bytes, gsize len, GByteArray *keep)
{
  gsize used = 0;
  while (used < len && !head->over && !head->too_large) {
    const char *lf = memchr(bytes + used, '\n', len - used);
    gsize end = lf != NULL ? (gsize) (lf - bytes) + 1 : len;
    head->size += end - used;
    if (head->size > HEAD_MAX_BYTES) {
      head->too_large = TRUE;
      break;
    }
    g_string_append_len(head->line, bytes + used, (gssize) (end - used));
    used = end;
    GString *line = head->line;
    if (line->len >= 2 && memcmp(line->str + line->len - 2, "\r\n", 2) == 0)
      end_line(head, keep);
  }
  return head->too_large ? len : used;
}

void
head_finish(Head *head, GByteArray *keep)
{
  if (head->line->len > 0 && !head->over && !head->too_large)
    end_line(head, keep);
}
