#include "viewer-cgi/summary.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/error.h"
#include "common/crypt/crypt.h"
#include "common/crypt/ticket.h"
#include "viewer-cgi/route.h"

static void
attachment_free(gpointer p)
{
  Attachment *attachment = p;
  g_free(attachment->type);
  g_free(attachment->name);
  g_free(attachment);
}

void
summary_free(Summary *summary)
{
  if (summary == NULL)
    return;
  g_free(summary->from);
  g_free(summary->from_name);
  g_free(summary->to);
  g_free(summary->cc);
  g_free(summary->date_text);
  g_free(summary->subject);
  g_ptr_array_unref(summary->attachments);
  g_free(summary);
}

static gboolean
reject(GError **error, const char *what)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "the reader's answer: %s", what);
  return FALSE;
}

/* VALUE as valid UTF-8 that is not longer than what a page shows. */
static char *
clip(const char *value)
{
  gsize len = strlen(value);
  if (len <= SUMMARY_TEXT_MAX_BYTES)
    return g_utf8_make_valid(value, (gssize) len);
  g_autofree char *head = g_utf8_make_valid(value, SUMMARY_TEXT_MAX_BYTES);
  return g_strconcat(head, "…", NULL);
}

static char *
take_text(const Attrs *attrs, const char *name)
{
  const char *value = attrs_get(attrs, name);
  return clip(value != NULL ? value : "");
}

static gboolean
take_body(Summary *summary, const Attrs *attrs, GError **error)
{
  const char *body = attrs_get(attrs, "body");
  if (g_strcmp0(body, "text") == 0)
    summary->body = BODY_TEXT;
  else if (g_strcmp0(body, "html") == 0)
    summary->body = BODY_HTML;
  else if (g_strcmp0(body, "none") == 0)
    summary->body = BODY_NONE;
  else
    return reject(error, "no body");
  guint64 flag = 0;
  summary->has_text = attrs_get_uint(attrs, "has-text", 0, 1, &flag, NULL) && flag == 1;
  summary->has_html = attrs_get_uint(attrs, "has-html", 0, 1, &flag, NULL) && flag == 1;
  summary->cut = attrs_get_uint(attrs, "cut", 0, 1, &flag, NULL) && flag == 1;
  return TRUE;
}

static gboolean
begin_attachment(Summary *summary, const char *value, GError **error)
{
  guint64 part = 0;
  if (!g_ascii_string_to_unsigned(value, 10, 1, ROUTE_PART_MAX, &part, NULL) ||
      summary_find_part(summary, (guint) part) != NULL)
    return reject(error, "a bad part");
  if (summary->attachments->len == SUMMARY_MAX_ATTACHMENTS)
    return reject(error, "too many attachments");
  Attachment *attachment = g_new0(Attachment, 1);
  attachment->part = (guint) part;
  attachment->type = g_strdup("");
  attachment->name = g_strdup("");
  g_ptr_array_add(summary->attachments, attachment);
  return TRUE;
}

static void
set_text(char **field, const char *value)
{
  g_free(*field);
  *field = clip(value);
}

/* Sets what NAME=VALUE says of ATTACHMENT; other names say nothing. */
static gboolean
set_attachment(Attachment *attachment, const char *name, const char *value, GError **error)
{
  if (strcmp(name, "type") == 0) {
    set_text(&attachment->type, value);
  } else if (strcmp(name, "name") == 0) {
    set_text(&attachment->name, value);
  } else if (strcmp(name, "size") == 0) {
    if (!g_ascii_string_to_unsigned(value, 10, 0, G_MAXINT64, &attachment->size_bytes,
                                    NULL))
      return reject(error, "a bad size");
  } else if (strcmp(name, "sha256") == 0) {
    if (!crypt_unhex(value, attachment->sha256, sizeof attachment->sha256))
      return reject(error, "a bad hash");
    attachment->has_sha256 = TRUE;
  }
  return TRUE;
}

/* Attributes of an attachment follow its part=. */
static gboolean
take_attachments(Summary *summary, const Attrs *attrs, GError **error)
{
  Attachment *last = NULL;
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name;
    const char *value;
    attrs_nth(attrs, i, &name, &value);
    if (strcmp(name, "part") == 0) {
      if (!begin_attachment(summary, value, error))
        return FALSE;
      last = summary->attachments->pdata[summary->attachments->len - 1];
    } else if (last != NULL && !set_attachment(last, name, value, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

Summary *
summary_parse(const char *bytes, gsize len, GError **error)
{
  g_autoptr(Attrs) attrs = attrs_parse(bytes, len, ATTR_ESCAPED, error);
  if (attrs == NULL)
    return NULL;
  g_autoptr(Summary) summary = g_new0(Summary, 1);
  summary->from = take_text(attrs, "from");
  summary->from_name = take_text(attrs, "from-name");
  summary->to = take_text(attrs, "to");
  summary->cc = take_text(attrs, "cc");
  summary->date_text = take_text(attrs, "date-text");
  summary->subject = take_text(attrs, "subject");
  summary->attachments = g_ptr_array_new_with_free_func(attachment_free);
  guint64 date = 0;
  if (attrs_get_uint(attrs, "date", 0, G_MAXINT32 * G_GUINT64_CONSTANT(100), &date, NULL))
    summary->date_s = (gint64) date;
  if (!take_body(summary, attrs, error) || !take_attachments(summary, attrs, error))
    return NULL;
  return g_steal_pointer(&summary);
}

const Attachment *
summary_find_part(const Summary *summary, guint part)
{
  for (guint i = 0; i < summary->attachments->len; i++) {
    const Attachment *attachment = summary->attachments->pdata[i];
    if (attachment->part == part)
      return attachment;
  }
  return NULL;
}

/* Milter and viewer have the attachments from the same program, in the same order. */
static AttachmentCheck
check_nth(const Attachment *attachment, const GPtrArray *sent, guint i, gboolean cut)
{
  if (!attachment->has_sha256 || (i >= sent->len && cut))
    return CHECK_UNKNOWN;
  if (i >= sent->len)
    return CHECK_DIFFERS;
  const TicketPart *part = sent->pdata[i];
  return memcmp(part->sha256, attachment->sha256, sizeof part->sha256) == 0 ? CHECK_SAME
                                                                            : CHECK_DIFFERS;
}

gboolean
summary_compare(Summary *summary, const GPtrArray *sent, gboolean cut)
{
  gboolean same = TRUE;
  for (guint i = 0; i < summary->attachments->len; i++) {
    Attachment *attachment = summary->attachments->pdata[i];
    attachment->check = check_nth(attachment, sent, i, cut);
    same = same && attachment->check != CHECK_DIFFERS;
  }
  summary->missing = !summary->cut && summary->attachments->len < sent->len;
  return same && !summary->missing;
}
