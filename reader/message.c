#include "reader/message.h"

#include <string.h>

#include "common/mail/header.h"
#include "config.h"
#include "reader/charset.h"
#include "reader/clean.h"

#define CHUNK_BYTES      (64 * 1024)
#define INNER_HEADER_MAX (64 * 1024) /* of a forwarded message, to find its subject */
#define INNER_NAME_MAX   120

/* Of media type message. */
static const char *const forwarded_kinds[] = {"rfc822", "rfc2822", "global", "news"};

static void
attachment_free(gpointer p)
{
  Attachment *attachment = p;
  g_free(attachment->type);
  g_free(attachment->name);
  g_free(attachment);
}

#ifdef ZEGEL_SANITIZERS
/* GMime loses four of its own types when they are registered again below. */
void
__lsan_disable(void);

void
__lsan_enable(void);
#else
#define __lsan_disable()
#define __lsan_enable()
#endif

void
message_init(void)
{
  __lsan_disable();
  g_mime_init();
  __lsan_enable();
  /* A forwarded message stays one part: its bytes go out as they came in. */
  for (gsize i = 0; i < G_N_ELEMENTS(forwarded_kinds); i++)
    g_mime_object_register_type("message", forwarded_kinds[i], GMIME_TYPE_PART);
  const char *fallback[] = {"utf-8", "windows-1252", NULL};
  g_mime_parser_options_set_fallback_charsets(g_mime_parser_options_get_default(),
                                              fallback);
}

gboolean
message_part_decode(GMimePart *part, MessageSink sink, gpointer data)
{
  GMimeDataWrapper *content = g_mime_part_get_content(part);
  if (content == NULL)
    return TRUE;
  GMimeStream *stream = g_mime_data_wrapper_get_stream(content);
  GMimeEncoding state;
  g_mime_encoding_init_decode(&state, g_mime_data_wrapper_get_encoding(content));
  g_autofree char *in = g_malloc(CHUNK_BYTES);
  g_autofree char *out = g_malloc(g_mime_encoding_outlen(&state, CHUNK_BYTES));
  g_mime_stream_reset(stream);
  for (gssize n; (n = g_mime_stream_read(stream, in, CHUNK_BYTES)) > 0;) {
    gsize len = g_mime_encoding_step(&state, in, (gsize) n, out);
    if (len > 0 && !sink(out, len, data))
      return FALSE;
  }
  gsize rest = g_mime_encoding_flush(&state, "", 0, out);
  return rest == 0 || sink(out, rest, data);
}

static gboolean
count_sink(const char *bytes, gsize len, gpointer data)
{
  (void) bytes;
  guint64 *size = data;
  *size += len;
  return TRUE;
}

guint64
message_part_size(GMimePart *part)
{
  guint64 size = 0;
  message_part_decode(part, count_sink, &size);
  return size;
}

typedef struct {
  GChecksum *checksum;
  guint64 size;
} Measured;

static gboolean
measure_sink(const char *bytes, gsize len, gpointer data)
{
  Measured *measured = data;
  measured->size += len;
  g_checksum_update(measured->checksum, (const guchar *) bytes, (gssize) len);
  return TRUE;
}

char *
message_part_sha256(GMimePart *part, guint64 *size)
{
  g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
  Measured measured = {checksum, 0};
  message_part_decode(part, measure_sink, &measured);
  *size = measured.size;
  return g_strdup(g_checksum_get_string(checksum));
}

typedef struct {
  GByteArray *bytes;
  gsize max;
} Collected;

static gboolean
collect_sink(const char *bytes, gsize len, gpointer data)
{
  Collected *collected = data;
  gsize room = collected->max - collected->bytes->len;
  g_byte_array_append(collected->bytes, (const guint8 *) bytes, (guint) MIN(len, room));
  return len <= room;
}

GByteArray *
message_part_bytes(GMimePart *part, gsize max, gboolean *is_cut)
{
  Collected collected = {g_byte_array_new(), max};
  if (!message_part_decode(part, collect_sink, &collected) && is_cut != NULL)
    *is_cut = TRUE;
  return collected.bytes;
}

/* Takes away the character of UTF-8 that a cut at the end of BYTES left unfinished. */
static void
trim_character(GByteArray *bytes)
{
  guint len = bytes->len;
  while (len > 0 && (bytes->data[len - 1] & 0xc0) == 0x80)
    len--;
  if (len > 0 && bytes->data[len - 1] >= 0xc0)
    g_byte_array_set_size(bytes, len - 1);
}

char *
message_part_text(GMimePart *part, gsize max, gboolean *is_cut)
{
  gboolean is_part = FALSE;
  g_autoptr(GByteArray) bytes = message_part_bytes(part, max, &is_part);
  if (is_part)
    trim_character(bytes);
  if (is_part && is_cut != NULL)
    *is_cut = TRUE;
  const char *charset =
      g_mime_object_get_content_type_parameter(GMIME_OBJECT(part), "charset");
  return charset_to_utf8((const char *) bytes->data, bytes->len, charset);
}

const Attachment *
message_find_content_id(const Message *message, const char *content_id)
{
  for (guint i = 0; i < message->attachments->len; i++) {
    const Attachment *attachment = message->attachments->pdata[i];
    const char *id = g_mime_part_get_content_id(attachment->part);
    if (id != NULL && strcmp(id, content_id) == 0)
      return attachment;
  }
  return NULL;
}

/* Has GMime read the encoded words of OBJECT's header as they were meant. */
static void
mend_header(GMimeObject *object)
{
  GMimeHeaderList *list = g_mime_object_get_header_list(object);
  int count = g_mime_header_list_get_count(list);
  for (int i = 0; i < count; i++) {
    GMimeHeader *field = g_mime_header_list_get_header_at(list, i);
    const char *raw = g_mime_header_get_raw_value(field);
    if (raw == NULL || strstr(raw, "=?") == NULL)
      continue;
    g_autofree char *mended = mail_mend_words(raw);
    g_mime_header_set_raw_value(field, mended);
  }
}

/* STREAM is unreferenced. */
static GMimeMessage *
parse_stream(GMimeStream *stream)
{
  GMimeParser *parser = g_mime_parser_new_with_stream(stream);
  /* Parts point into the bytes; nothing is copied. */
  g_mime_parser_set_persist_stream(parser, TRUE);
  GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
  g_object_unref(parser);
  g_object_unref(stream);
  if (message != NULL)
    mend_header(GMIME_OBJECT(message));
  return message;
}

static GMimeMessage *
parse_bytes(GByteArray *bytes)
{
  return parse_stream(g_mime_stream_mem_new_with_byte_array(bytes));
}

/* A name out of the subject of the forwarded message in PART, or NULL. */
static char *
inner_name(GMimePart *part)
{
  GMimeMessage *inner = parse_bytes(message_part_bytes(part, INNER_HEADER_MAX, NULL));
  const char *subject = inner != NULL ? g_mime_message_get_subject(inner) : NULL;
  g_autofree char *line = clean_header(subject, INNER_NAME_MAX);
  g_strdelimit(line, "/\\", '-');
  if (inner != NULL)
    g_object_unref(inner);
  return line[0] != '\0' ? g_strconcat(line, ".eml", NULL) : NULL;
}

gboolean
message_is_forwarded(const char *type)
{
  if (!g_str_has_prefix(type, "message/"))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS(forwarded_kinds); i++)
    if (strcmp(type + strlen("message/"), forwarded_kinds[i]) == 0)
      return TRUE;
  return FALSE;
}

static void
add_attachment(Message *message, GMimePart *part)
{
  Attachment *attachment = g_new0(Attachment, 1);
  g_autofree char *type =
      g_mime_content_type_get_mime_type(g_mime_object_get_content_type(GMIME_OBJECT(part)));
  attachment->part = part;
  attachment->type = clean_media_type(type);
  const char *name = g_mime_part_get_filename(part);
  g_autofree char *inner = NULL;
  if (name == NULL && message_is_forwarded(attachment->type))
    name = inner = inner_name(part);
  attachment->name = clean_file_name(name, message->attachments->len + 1, attachment->type);
  g_ptr_array_add(message->attachments, attachment);
}

static Segment *
add_segment(Message *message)
{
  g_array_set_size(message->segments, message->segments->len + 1);
  return &g_array_index(message->segments, Segment, message->segments->len - 1);
}

/*
 * Text to read: text/plain or text/html that is not declared an attachment. With a file
 * name it is read only when nothing else came before it.
 */
static gboolean
is_readable(const Message *message, GMimePart *part, gboolean *is_html)
{
  GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(part));
  *is_html = g_mime_content_type_is_type(type, "text", "html");
  if (!*is_html && !g_mime_content_type_is_type(type, "text", "plain"))
    return FALSE;
  const char *disposition = g_mime_object_get_disposition(GMIME_OBJECT(part));
  if (disposition != NULL && g_ascii_strcasecmp(disposition, "attachment") == 0)
    return FALSE;
  return g_mime_part_get_filename(part) == NULL || message->segments->len == 0;
}

/* ALTERNATIVE is the index of the segment whose forms we are in, or -1. */
static void
sort_part(Message *message, GMimePart *part, gint alternative)
{
  gboolean is_html = FALSE;
  if (!is_readable(message, part, &is_html)) {
    add_attachment(message, part);
    return;
  }
  Segment *segment = NULL;
  const GMimePart *said = NULL;
  if (alternative >= 0) {
    segment = &g_array_index(message->segments, Segment, alternative);
    if ((is_html ? segment->html : segment->text) != NULL) {
      /* Two of the same form: both are shown. Apple Mail's one text says it all. */
      said = is_html ? segment->text : NULL;
      segment = NULL;
    }
  }
  if (segment == NULL) {
    segment = add_segment(message);
    segment->said = said;
  }
  if (is_html)
    segment->html = part;
  else
    segment->text = part;
  if (g_mime_part_get_filename(part) != NULL)
    add_attachment(message, part);
}

/* Whether OBJECT has several fields called NAME that do not say the same. */
static gboolean
contradicts(GMimeObject *object, const char *name)
{
  GMimeHeaderList *list = g_mime_object_get_header_list(object);
  int count = g_mime_header_list_get_count(list);
  g_autofree char *first = NULL;
  for (int i = 0; i < count; i++) {
    GMimeHeader *field = g_mime_header_list_get_header_at(list, i);
    const char *raw = g_mime_header_get_raw_value(field);
    if (raw == NULL || g_ascii_strcasecmp(g_mime_header_get_name(field), name) != 0)
      continue;
    g_autofree char *value = g_strstrip(g_strdup(raw));
    if (first != NULL && g_ascii_strcasecmp(first, value) != 0)
      return TRUE;
    if (first == NULL)
      first = g_steal_pointer(&value);
  }
  return FALSE;
}

/*
 * Whether programs differ about what is in OBJECT: two types, two encodings, parts that are
 * encoded all together (RFC 2045 6.4 forbids it), or a piece of a message.
 */
static gboolean
is_ambiguous(GMimeObject *object)
{
  static const char encoding[] = "Content-Transfer-Encoding";
  GMimeContentType *type = g_mime_object_get_content_type(object);
  const char *raw = g_mime_object_get_header(object, encoding);
  GMimeContentEncoding is = raw != NULL ? g_mime_content_encoding_from_string(raw)
                                        : GMIME_CONTENT_ENCODING_DEFAULT;
  gboolean encoded = is == GMIME_CONTENT_ENCODING_BASE64 ||
                     is == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE ||
                     is == GMIME_CONTENT_ENCODING_UUENCODE;
  return contradicts(object, "Content-Type") || contradicts(object, encoding) ||
         (GMIME_IS_MULTIPART(object) && encoded) ||
         g_mime_content_type_is_type(type, "message", "partial");
}

static void
walk(Message *message, GMimeObject *object, guint depth, gint alternative, guint *parts)
{
  if (depth > MESSAGE_MAX_DEPTH || ++*parts > MESSAGE_MAX_PARTS) {
    message->is_cut = TRUE;
    return;
  }
  mend_header(object);
  message->is_odd |= is_ambiguous(object);
  if (GMIME_IS_PART(object)) {
    sort_part(message, GMIME_PART(object), alternative);
    return;
  }
  if (!GMIME_IS_MULTIPART(object))
    return;
  GMimeMultipart *multipart = GMIME_MULTIPART(object);
  GMimeContentType *type = g_mime_object_get_content_type(object);
  if (g_mime_content_type_is_type(type, "multipart", "alternative")) {
    add_segment(message);
    alternative = (gint) message->segments->len - 1;
  }
  gint count = g_mime_multipart_get_count(multipart);
  for (gint i = 0; i < count && *parts <= MESSAGE_MAX_PARTS; i++)
    walk(message, g_mime_multipart_get_part(multipart, i), depth + 1, alternative, parts);
  if (count == 0 && g_mime_multipart_get_prologue(multipart) != NULL)
    add_segment(message)->loose_text = g_mime_multipart_get_prologue(multipart);
}

/* A MessageSink that stops at the first byte that is no white space. */
static gboolean
blank_sink(const char *bytes, gsize len, gpointer data)
{
  (void) data;
  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isspace(bytes[i]))
      return FALSE;
  return TRUE;
}

/* TEXT has no words, so it does not say those of another segment either. */
static void
forget_said(GArray *segments, const GMimePart *text)
{
  for (guint i = 0; i < segments->len; i++) {
    Segment *segment = &g_array_index(segments, Segment, i);
    if (segment->said == text)
      segment->said = NULL;
  }
}

/* Forms in which there is nothing to read go, and segments without any form. */
static void
drop_empty_segments(GArray *segments)
{
  for (guint i = segments->len; i > 0; i--) {
    Segment *segment = &g_array_index(segments, Segment, i - 1);
    if (segment->text != NULL && message_part_decode(segment->text, blank_sink, NULL)) {
      forget_said(segments, segment->text);
      segment->text = NULL;
    }
    if (segment->html != NULL && message_part_decode(segment->html, blank_sink, NULL))
      segment->html = NULL;
    if (segment->text == NULL && segment->html == NULL && segment->loose_text == NULL)
      g_array_remove_index(segments, i - 1);
  }
}

/* What MIME (takes; or NULL) is to a person. */
static Message *
sort_out(GMimeMessage *mime)
{
  Message *message = g_new0(Message, 1);
  message->segments = g_array_new(FALSE, TRUE, sizeof(Segment));
  message->attachments = g_ptr_array_new_with_free_func(attachment_free);
  message->mime = mime;
  GMimeObject *root =
      message->mime != NULL ? g_mime_message_get_mime_part(message->mime) : NULL;
  guint parts = 0;
  if (root != NULL)
    walk(message, root, 0, -1, &parts);
  drop_empty_segments(message->segments);
  return message;
}

Message *
message_parse(GByteArray *bytes)
{
  return sort_out(parse_bytes(bytes));
}

Message *
message_parse_inner(GMimePart *part, gsize max, gsize *copied)
{
  gboolean is_cut = FALSE;
  GMimeDataWrapper *content = g_mime_part_get_content(part);
  GMimeContentEncoding encoding = content != NULL
                                      ? g_mime_data_wrapper_get_encoding(content)
                                      : GMIME_CONTENT_ENCODING_BASE64;
  gboolean as_it_is = encoding != GMIME_CONTENT_ENCODING_BASE64 &&
                      encoding != GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE &&
                      encoding != GMIME_CONTENT_ENCODING_UUENCODE;
  GMimeMessage *mime = NULL;
  *copied = 0;
  if (as_it_is) {
    GMimeStream *stream = g_mime_data_wrapper_get_stream(content);
    g_mime_stream_reset(stream);
    mime = parse_stream(g_object_ref(stream));
  } else {
    GByteArray *bytes = message_part_bytes(part, max, &is_cut);
    *copied = bytes->len;
    mime = parse_bytes(bytes);
  }
  Message *message = sort_out(mime);
  message->is_cut |= is_cut;
  return message;
}

void
message_free(Message *message)
{
  if (message == NULL)
    return;
  g_array_unref(message->segments);
  g_ptr_array_unref(message->attachments);
  if (message->mime != NULL)
    g_object_unref(message->mime);
  g_free(message);
}
