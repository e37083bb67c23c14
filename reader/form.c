#include "reader/form.h"

#include <string.h>

#include "reader/charset.h"
#include "reader/clean.h"
#include "reader/multipart.h"

#define HEAD "Content-Type: "

/* Appends a blank and TEXT, without blanks and control characters (%XX). */
static void
append_word(GString *line, const char *text)
{
  g_string_append_c(line, ' ');
  for (const char *p = text; *p != '\0'; p++) {
    if ((guchar) *p <= ' ' || *p == 0x7f || *p == '%')
      g_string_append_printf(line, "%%%02X", (guchar) *p);
    else
      g_string_append_c(line, *p);
  }
}

static gboolean
write_frame(GString *line, const char *bytes, gsize len, MessageSink sink, gpointer data)
{
  g_string_append_printf(line, " %" G_GSIZE_FORMAT "\n", len);
  return sink(line->str, line->len, data) && (len == 0 || sink(bytes, len, data));
}

static char *
name_of(const MultipartPart *part)
{
  g_autofree char *text = charset_to_utf8(part->name, strlen(part->name), NULL);
  g_autofree char *name = clean_header(text, G_MAXSIZE);
  return name[0] != '\0' ? g_steal_pointer(&name) : g_strdup("_");
}

static gboolean
write_field(const MultipartPart *part, MessageSink sink, gpointer data)
{
  g_autofree char *text = charset_to_utf8(part->bytes, part->len, part->charset);
  g_autofree char *clean = clean_text(text, strlen(text));
  g_autofree char *name = name_of(part);
  g_autoptr(GString) line = g_string_new("field");
  append_word(line, name);
  return write_frame(line, clean, strlen(clean), sink, data);
}

static gboolean
write_file(const MultipartPart *part, guint number, MessageSink sink, gpointer data)
{
  g_autofree char *sent = charset_to_utf8(part->file_name, strlen(part->file_name), NULL);
  g_autofree char *file_name = clean_file_name(sent, number, part->type);
  g_autofree char *name = name_of(part);
  g_autoptr(GString) line = g_string_new("file");
  append_word(line, name);
  append_word(line, file_name);
  append_word(line, part->type);
  return write_frame(line, part->bytes, part->len, sink, data);
}

/* What a browser sends for a file that was not chosen. */
static gboolean
is_no_file(const MultipartPart *part)
{
  return part->file_name != NULL && part->file_name[0] == '\0' && part->len == 0;
}

static gboolean
is_within_limits(const GPtrArray *parts)
{
  guint fields = 0;
  guint files = 0;
  for (guint i = 0; i < parts->len; i++) {
    const MultipartPart *part = parts->pdata[i];
    if (part->file_name == NULL && part->len > FORM_FIELD_MAX_BYTES)
      return FALSE;
    fields += part->file_name == NULL;
    files += part->file_name != NULL && !is_no_file(part);
  }
  return fields <= FORM_MAX_FIELDS && files <= FORM_MAX_FILES;
}

static gboolean
write_parts(const GPtrArray *parts, MessageSink sink, gpointer data)
{
  guint files = 0;
  for (guint i = 0; i < parts->len; i++) {
    const MultipartPart *part = parts->pdata[i];
    if (is_no_file(part))
      continue;
    if (part->file_name != NULL ? !write_file(part, ++files, sink, data)
                                : !write_field(part, sink, data))
      return FALSE;
  }
  return sink("end\n", strlen("end\n"), data);
}

/* The value of the request's one header field, a new string, and where its body begins; or
 * NULL. */
static char *
split_request(const char *request, gsize len, const char **body)
{
  gsize head_len = strlen(HEAD);
  gsize max = head_len + MULTIPART_TYPE_MAX_BYTES + 4;
  const char *end = memmem(request, MIN(len, max), "\r\n\r\n", 4);
  if (end == NULL || (gsize) (end - request) < head_len ||
      g_ascii_strncasecmp(request, HEAD, head_len) != 0 ||
      memchr(request, '\0', (gsize) (end - request)) != NULL)
    return NULL;
  *body = end + 4;
  return g_strndup(request + head_len, (gsize) (end - request) - head_len);
}

FormResult
form_write(const char *request, gsize len, MessageSink sink, gpointer data)
{
  const char *body = NULL;
  g_autofree char *type = split_request(request, len, &body);
  g_autoptr(GPtrArray) parts = NULL;
  if (type == NULL)
    return FORM_MALFORMED;
  switch (multipart_parse(type, body, len - (gsize) (body - request), &parts)) {
  case MULTIPART_MALFORMED:
    return FORM_MALFORMED;
  case MULTIPART_TOO_MANY:
    return FORM_TOO_MUCH;
  case MULTIPART_READ:
    break;
  }
  if (!is_within_limits(parts))
    return FORM_TOO_MUCH;
  return write_parts(parts, sink, data) ? FORM_WRITTEN : FORM_STOPPED;
}
