/* What comes back from the reader, which hostile bytes may have taken over. */
#include <string.h>

#include "common/base/error.h"
#include "viewer-cgi/upload.h"

#define LINE_MAX_BYTES  16384       /* names are 8 KiB at most before they are escaped */
#define FIELD_MAX_BYTES (3 * 65536) /* 64 KiB, of which each may become U+FFFD */
#define FILE_MAX_BYTES  (1024u * 1024 * 1024)
#define MAX_WORDS       5

struct UploadFrames {
  Upload *upload;
  guint64 files_max;
  char line[LINE_MAX_BYTES];
  gsize line_len;
  /* The frame whose bytes are coming; words[0] is NULL between frames. */
  char *words[MAX_WORDS];
  guint word_count;
  Secret *bytes; /* NULL: they are not kept */
  guint64 size, have;
  gboolean ended;
};

static void
file_free(gpointer p)
{
  UploadFile *file = p;
  g_free(file->field);
  g_free(file->file_name);
  g_free(file->type);
  secret_free(file->bytes);
  g_free(file);
}

void
upload_free(Upload *upload)
{
  if (upload == NULL)
    return;
  form_free(upload->fields);
  g_ptr_array_unref(upload->files);
  g_free(upload);
}

UploadFrames *
upload_frames_new(guint64 files_max)
{
  UploadFrames *frames = g_new0(UploadFrames, 1);
  frames->files_max = files_max;
  frames->upload = g_new0(Upload, 1);
  frames->upload->fields = form_new();
  frames->upload->files = g_ptr_array_new_with_free_func(file_free);
  return frames;
}

static void
clear_frame(UploadFrames *frames)
{
  for (guint i = 0; i < MAX_WORDS; i++)
    g_clear_pointer(&frames->words[i], g_free);
  g_clear_pointer(&frames->bytes, secret_free);
  frames->word_count = 0;
  frames->size = frames->have = 0;
}

void
upload_frames_free(UploadFrames *frames)
{
  if (frames == NULL)
    return;
  clear_frame(frames);
  upload_free(frames->upload);
  g_free(frames);
}

static gboolean
reject(GError **error, const char *what)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "what was sent %s", what);
  return FALSE;
}

/* LEN bytes of a word, with %XX for blanks and controls, as a new string; or NULL. */
static char *
unescape(const char *word, gsize len)
{
  g_autofree char *plain = g_malloc(len + 1);
  gsize n = 0;
  for (gsize i = 0; i < len; i++) {
    char c = word[i];
    if (c == '%') {
      if (len - i < 3 || !g_ascii_isxdigit(word[i + 1]) || !g_ascii_isxdigit(word[i + 2]))
        return NULL;
      c = (char) (g_ascii_xdigit_value(word[i + 1]) * 16 +
                  g_ascii_xdigit_value(word[i + 2]));
      i += 2;
    }
    plain[n++] = c;
  }
  plain[n] = '\0';
  return g_utf8_validate_len(plain, n, NULL) ? g_steal_pointer(&plain) : NULL;
}

static gboolean
split_line(UploadFrames *frames)
{
  const char *start = frames->line;
  const char *end = frames->line + frames->line_len;
  while (frames->word_count < MAX_WORDS) {
    const char *blank = memchr(start, ' ', (gsize) (end - start));
    const char *stop = blank != NULL ? blank : end;
    char *word = unescape(start, (gsize) (stop - start));
    if (word == NULL)
      return FALSE;
    frames->words[frames->word_count++] = word;
    if (blank == NULL)
      return TRUE;
    start = blank + 1;
  }
  return FALSE;
}

static gboolean
take_field(UploadFrames *frames, GError **error)
{
  const char *text = (const char *) secret_peek(frames->bytes);
  if (!g_utf8_validate_len(text, frames->size, NULL) ||
      !form_add(frames->upload->fields, frames->words[1], text, frames->size))
    return reject(error, "has a field twice, or with what is no text");
  return TRUE;
}

static void
take_file(UploadFrames *frames)
{
  if (frames->bytes == NULL)
    return;
  UploadFile *file = g_new0(UploadFile, 1);
  file->field = g_steal_pointer(&frames->words[1]);
  file->file_name = g_steal_pointer(&frames->words[2]);
  file->type = g_steal_pointer(&frames->words[3]);
  file->bytes = g_steal_pointer(&frames->bytes);
  g_ptr_array_add(frames->upload->files, file);
}

static gboolean
end_frame(UploadFrames *frames, GError **error)
{
  gboolean field = strcmp(frames->words[0], "field") == 0;
  gboolean good = !field || take_field(frames, error);
  if (!field)
    take_file(frames);
  clear_frame(frames);
  return good;
}

/* Files that are too large together are not kept; the rest of the form still is. */
static void
begin_file(UploadFrames *frames)
{
  Upload *upload = frames->upload;
  upload->files_bytes += frames->size;
  if (upload->files_bytes > frames->files_max || upload->files->len == UPLOAD_MAX_FILES)
    upload->left_out = TRUE;
  if (upload->left_out)
    g_ptr_array_set_size(upload->files, 0);
  else
    frames->bytes = secret_new(frames->size);
}

static gboolean
begin_frame(UploadFrames *frames, GError **error)
{
  gboolean split = split_line(frames);
  const char *kind = split ? frames->words[0] : "";
  frames->line_len = 0;
  if (strcmp(kind, "end") == 0 && frames->word_count == 1) {
    frames->ended = TRUE;
    clear_frame(frames);
    return TRUE;
  }
  gboolean field = strcmp(kind, "field") == 0 && frames->word_count == 3;
  gboolean file = strcmp(kind, "file") == 0 && frames->word_count == 5;
  if ((!field && !file) ||
      !g_ascii_string_to_unsigned(frames->words[frames->word_count - 1], 10, 0,
                                  field ? FIELD_MAX_BYTES : FILE_MAX_BYTES, &frames->size,
                                  NULL))
    return reject(error, "came back in no order");
  if (file)
    begin_file(frames);
  else
    frames->bytes = secret_new(frames->size);
  return frames->size > 0 || end_frame(frames, error);
}

/* Takes what belongs to the frame that is coming; how many bytes that was. */
static gsize
take_content(UploadFrames *frames, const char *bytes, gsize len)
{
  gsize n = (gsize) MIN((guint64) len, frames->size - frames->have);
  if (frames->bytes != NULL)
    memcpy(secret_bytes(frames->bytes) + frames->have, bytes, n);
  frames->have += n;
  return n;
}

gboolean
upload_frames_take(UploadFrames *frames, const char *bytes, gsize len, GError **error)
{
  while (len > 0) {
    gsize n = 1;
    if (frames->ended)
      return reject(error, "has more behind its end");
    if (frames->word_count > 0) {
      n = take_content(frames, bytes, len);
      if (frames->have == frames->size && !end_frame(frames, error))
        return FALSE;
    } else if (*bytes == '\n') {
      if (!begin_frame(frames, error))
        return FALSE;
    } else if (frames->line_len == sizeof frames->line) {
      return reject(error, "has a name that is too long");
    } else {
      frames->line[frames->line_len++] = *bytes;
    }
    bytes += n;
    len -= n;
  }
  return TRUE;
}

Upload *
upload_frames_finish(UploadFrames *frames, GError **error)
{
  Upload *upload = frames->ended ? g_steal_pointer(&frames->upload) : NULL;
  if (upload == NULL)
    reject(error, "ends before its end");
  upload_frames_free(frames);
  return upload;
}
