#include "reader/view.h"

#include <string.h>

#include "common/base/attr.h"
#include "reader/charset.h"
#include "reader/clean.h"
#include "reader/html.h"

/* In both languages: the reader does not know who reads. */
#define NOTICE_CUT                                                                         \
  "Dit bericht is te groot om hier helemaal te tonen. Download het originele bericht. / "  \
  "This message is too large to be shown in full. Download the original message."

#define HTML_MORE_BYTES   8 /* a character may be cut away at the end */
#define ADDRESS_MAX_DEPTH 4 /* of groups in groups, which RFC 5322 does not know */

#define DOCUMENT_POLICY "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
#define DOCUMENT_STYLE                                                                     \
  "html{font-size:118.75%}body{margin:1em;font-family:sans-serif;line-height:1.4;"         \
  "color:#000;background:#fff;overflow-wrap:break-word}"                                   \
  "img{max-width:100%;height:auto}"                                                        \
  "blockquote{margin:0 0 0 .5em;padding-left:.5em;border-left:2px solid #999}"             \
  ".plain{white-space:pre-wrap}"                                                           \
  ".target{font-size:85%;font-weight:normal}"                                              \
  "@page{margin:2cm}@media print{html{font-size:100%}body{margin:0}}"

/* A name that could be taken for an address or for several stands in quotes (T30). */
static void
append_mailbox(GString *line, const char *name, const char *spec)
{
  if (name == NULL || name[0] == '\0') {
    g_string_append(line, spec);
  } else if (strpbrk(name, ",;<>@\"") != NULL) {
    g_autofree char *plain = g_strdelimit(g_strdup(name), "\"", '\'');
    g_string_append_printf(line, "\"%s\" <%s>", plain, spec);
  } else {
    g_string_append_printf(line, "%s <%s>", name, spec);
  }
}

/* "Name <address>, address" of the mailboxes in LIST, groups by their members. */
static void
append_mailboxes(GString *line, InternetAddressList *list, guint depth)
{
  gint count = list != NULL ? internet_address_list_length(list) : 0;
  for (gint i = 0; i < count && depth > 0 && line->len <= VIEW_HEADER_MAX_BYTES; i++) {
    InternetAddress *address = internet_address_list_get_address(list, i);
    if (INTERNET_ADDRESS_IS_GROUP(address)) {
      append_mailboxes(line,
                       internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)),
                       depth - 1);
      continue;
    }
    const char *name = internet_address_get_name(address);
    const char *spec = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address));
    if (line->len > 0)
      g_string_append(line, ", ");
    append_mailbox(line, name, spec);
  }
}

static void
add_header(Attrs *attrs, const char *name, const char *value)
{
  g_autofree char *clean = clean_header(value, VIEW_HEADER_MAX_BYTES);
  attrs_add(attrs, name, clean);
}

static void
add_mailboxes(Attrs *attrs, const char *name, InternetAddressList *list)
{
  g_autoptr(GString) line = g_string_new(NULL);
  append_mailboxes(line, list, ADDRESS_MAX_DEPTH);
  add_header(attrs, name, line->str);
}

/* The first mailbox of LIST, in its groups too (DEPTH is how far to go into them). */
static InternetAddress *
find_mailbox(InternetAddressList *list, guint depth)
{
  gint count = list != NULL ? internet_address_list_length(list) : 0;
  for (gint i = 0; i < count && depth > 0; i++) {
    InternetAddress *address = internet_address_list_get_address(list, i);
    if (INTERNET_ADDRESS_IS_GROUP(address))
      address = find_mailbox(
          internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)), depth - 1);
    if (address != NULL)
      return address;
  }
  return NULL;
}

/* The last word of TEXT with an '@', without its brackets, or NULL. A new string. */
static char *
guess_address(const char *text)
{
  g_auto(GStrv) words = g_strsplit_set(text, " \t\r\n<>,;\"", 0);
  for (guint i = g_strv_length(words); i > 0; i--)
    if (strchr(words[i - 1], '@') != NULL)
      return g_strdup(words[i - 1]);
  return NULL;
}

/* Whatever the author wrote, the reader sees it: an address that hides is the worst (T30).
 */
static void
add_sender(Attrs *attrs, GMimeMessage *mime)
{
  InternetAddress *sender = find_mailbox(g_mime_message_get_from(mime), ADDRESS_MAX_DEPTH);
  const char *raw = g_mime_object_get_header(GMIME_OBJECT(mime), "From");
  if (sender == NULL && raw != NULL) {
    g_autofree char *address = guess_address(raw);
    g_autofree char *name = g_mime_utils_header_decode_text(NULL, raw);
    add_header(attrs, "from", address);
    add_header(attrs, "from-name", name);
    return;
  }
  if (sender == NULL)
    sender = find_mailbox(g_mime_message_get_sender(mime), ADDRESS_MAX_DEPTH);
  add_header(attrs, "from",
             sender != NULL
                 ? internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(sender))
                 : NULL);
  add_header(attrs, "from-name", sender != NULL ? internet_address_get_name(sender) : NULL);
}

static guint64
unix_date(GMimeMessage *mime)
{
  GDateTime *date = g_mime_message_get_date(mime);
  gint64 seconds = date != NULL ? g_date_time_to_unix(date) : 0;
  return (guint64) MAX(seconds, 0);
}

static void
add_envelope(Attrs *attrs, GMimeMessage *mime)
{
  add_sender(attrs, mime);
  add_mailboxes(attrs, "to", g_mime_message_get_to(mime));
  add_mailboxes(attrs, "cc", g_mime_message_get_cc(mime));
  attrs_add_uint(attrs, "date", unix_date(mime));
  add_header(attrs, "date-text", g_mime_object_get_header(GMIME_OBJECT(mime), "Date"));
  add_header(attrs, "subject", g_mime_message_get_subject(mime));
}

/* Size and hash of what an attachment is when it is downloaded (K3). */
static void
add_content(Attrs *attrs, GMimePart *part)
{
  guint64 size = 0;
  g_autofree char *sha256 = message_part_sha256(part, &size);
  attrs_add_uint(attrs, "size", size);
  attrs_add(attrs, "sha256", sha256);
}

char *
view_summary(const Message *message)
{
  g_autoptr(Attrs) attrs = attrs_new();
  if (message->mime != NULL)
    add_envelope(attrs, message->mime);
  gboolean has_text = FALSE;
  gboolean has_html = FALSE;
  for (guint i = 0; i < message->segments->len; i++) {
    const Segment *segment = &g_array_index(message->segments, Segment, i);
    has_text = has_text || segment->text != NULL || segment->loose_text != NULL;
    has_html = has_html || segment->html != NULL;
  }
  attrs_add(attrs, "body", has_html ? "html" : has_text ? "text" : "none");
  attrs_add_uint(attrs, "has-text", has_text ? 1 : 0);
  attrs_add_uint(attrs, "has-html", has_html ? 1 : 0);
  attrs_add_uint(attrs, "cut", message->is_cut ? 1 : 0);
  for (guint i = 0; i < message->attachments->len; i++) {
    const Attachment *attachment = message->attachments->pdata[i];
    attrs_add_uint(attrs, "part", i + 1);
    attrs_add(attrs, "type", attachment->type);
    attrs_add(attrs, "name", attachment->name);
    add_content(attrs, attachment->part);
  }
  return attrs_format(attrs, ATTR_ESCAPED);
}

/* The words of SEGMENT as sent in text, or NULL when it has none. */
static char *
segment_text(const Segment *segment, gsize max, gboolean *is_cut)
{
  g_autofree char *raw = NULL;
  if (segment->text != NULL)
    raw = message_part_text(segment->text, max, is_cut);
  else if (segment->loose_text != NULL)
    raw = charset_to_utf8(segment->loose_text, MIN(strlen(segment->loose_text), max), NULL);
  return raw != NULL ? clean_text(raw, strlen(raw)) : NULL;
}

/* More than is read of HTML, so that html.c sees that there is more. */
static char *
segment_html(const Segment *segment)
{
  return message_part_text(segment->html, HTML_MAX_BYTES + HTML_MORE_BYTES, NULL);
}

char *
view_text(const Message *message)
{
  GString *out = g_string_new(NULL);
  gboolean is_cut = message->is_cut;
  for (guint i = 0; i < message->segments->len; i++) {
    const Segment *segment = &g_array_index(message->segments, Segment, i);
    if (segment->said != NULL)
      continue;
    gsize room = VIEW_TEXT_MAX_BYTES - MIN(out->len, VIEW_TEXT_MAX_BYTES);
    g_autofree char *text = segment_text(segment, room, &is_cut);
    if (out->len > 0 && out->str[out->len - 1] != '\n')
      g_string_append_c(out, '\n');
    if (text != NULL) {
      g_string_append(out, text);
    } else if (room > 0) {
      HtmlContext context = {.is_cut = FALSE};
      g_autofree char *html = segment_html(segment);
      html_append_text(out, html, &context);
      is_cut = is_cut || context.is_cut;
    }
  }
  if (out->len > 0 && out->str[out->len - 1] != '\n')
    g_string_append_c(out, '\n');
  if (is_cut)
    g_string_append(out, "\n[" NOTICE_CUT "]\n");
  return g_string_free(out, FALSE);
}

static GByteArray *
own_image(const char *content_id, gpointer data)
{
  const Message *message = data;
  const Attachment *attachment = message_find_content_id(message, content_id);
  gboolean is_cut = FALSE;
  if (attachment == NULL)
    return NULL;
  GByteArray *bytes = message_part_bytes(attachment->part, HTML_IMAGE_MAX_BYTES, &is_cut);
  if (!is_cut)
    return bytes;
  g_byte_array_unref(bytes);
  return NULL;
}

static void
begin_document(GString *out, const Message *message)
{
  const char *subject =
      message->mime != NULL ? g_mime_message_get_subject(message->mime) : NULL;
  g_autofree char *title = clean_header(subject, VIEW_HEADER_MAX_BYTES);
  g_string_append(out, "<!DOCTYPE html>\n<html lang=\"nl\">\n<head>\n"
                       "<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\" "
                       "content=\"" DOCUMENT_POLICY "\">\n"
                       "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
  html_append_escaped(out, title, strlen(title));
  g_string_append(out, "</title>\n<style>" DOCUMENT_STYLE "</style>\n</head>\n<body>\n");
}

static void
append_plain(GString *out, const char *text)
{
  g_string_append(out, "<div class=\"plain\">");
  html_append_escaped(out, text, strlen(text));
  g_string_append(out, "</div>\n");
}

char *
view_html(const Message *message)
{
  GString *out = g_string_new(NULL);
  HtmlContext context = {.image = own_image,
                         .image_data = (gpointer) message,
                         .images_left_bytes = HTML_IMAGES_MAX_BYTES,
                         .is_cut = message->is_cut};
  gsize text_left = VIEW_TEXT_MAX_BYTES;
  begin_document(out, message);
  for (guint i = 0; i < message->segments->len; i++) {
    const Segment *segment = &g_array_index(message->segments, Segment, i);
    if (segment->html != NULL) {
      g_autofree char *html = segment_html(segment);
      html_append_safe(out, html, &context);
      continue;
    }
    g_autofree char *text = segment_text(segment, text_left, &context.is_cut);
    text_left -= MIN(text_left, strlen(text));
    append_plain(out, text);
  }
  if (context.is_cut)
    g_string_append(out, "<p>[" NOTICE_CUT "]</p>\n");
  g_string_append(out, "</body>\n</html>\n");
  return g_string_free(out, FALSE);
}

gboolean
view_part(const Message *message, guint number, MessageSink sink, gpointer data)
{
  if (number < 1 || number > message->attachments->len)
    return FALSE;
  const Attachment *attachment = message->attachments->pdata[number - 1];
  return message_part_decode(attachment->part, sink, data);
}
