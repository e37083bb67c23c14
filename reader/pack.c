#include "reader/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "reader/clean.h"
#include "reader/view.h"

#define TEXT_NAME  "bericht.txt"
#define FILE_MODE  0644
#define DATE_MIN_S 315619200  /* 1980-01-02: a zip archive knows nothing earlier */
#define DATE_MAX_S 4354732800 /* 2107-12-31, nor anything later */

typedef struct {
  struct archive *archive;
  GHashTable *names; /* by the form in which they are compared: the last number */
  gint64 date_s;
  MessageSink sink;
  gpointer data;
} Pack;

static la_ssize_t
write_packed(struct archive *archive, void *data, const void *bytes, size_t len)
{
  (void) archive;
  const Pack *pack = data;
  return pack->sink(bytes, len, pack->data) ? (la_ssize_t) len : -1;
}

/* NAME as file systems compare that ignore case and how a letter is composed. */
static char *
key_of(const char *name)
{
  g_autofree char *folded = g_utf8_casefold(name, -1);
  return g_utf8_normalize(folded, -1, G_NORMALIZE_ALL);
}

/* NAME, or with a number before its extension when there is one such already. */
static char *
unique_name(GHashTable *names, const char *name)
{
  const char *dot = strrchr(name, '.');
  gsize stem = dot != NULL && dot != name ? (gsize) (dot - name) : strlen(name);
  char *key = key_of(name);
  /* A thousand of the same name: each begins to count where the last one stopped. */
  guint number = GPOINTER_TO_UINT(g_hash_table_lookup(names, key));
  g_autofree char *unique = g_strdup(name);
  if (number > 0) {
    char *numbered = NULL;
    do {
      g_free(unique);
      g_free(numbered);
      number++;
      unique = g_strdup_printf("%.*s (%u)%s", (int) stem, name, number, name + stem);
      numbered = key_of(unique);
    } while (g_hash_table_contains(names, numbered));
    g_hash_table_insert(names, numbered, GUINT_TO_POINTER(1));
  }
  g_hash_table_insert(names, key, GUINT_TO_POINTER(MAX(number, 1)));
  return g_steal_pointer(&unique);
}

/* Begins the file NAME, of SIZE bytes. */
static gboolean
begin_file(Pack *pack, const char *name, guint64 size)
{
  g_autofree char *unique = unique_name(pack->names, name);
  struct archive_entry *entry = archive_entry_new();
  archive_entry_set_pathname_utf8(entry, unique);
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, FILE_MODE);
  archive_entry_set_size(entry, (la_int64_t) size);
  archive_entry_set_mtime(entry, pack->date_s, 0);
  int result = archive_write_header(pack->archive, entry);
  archive_entry_free(entry);
  return result == ARCHIVE_OK;
}

/* A MessageSink. */
static gboolean
write_content(const char *bytes, gsize len, gpointer data)
{
  const Pack *pack = data;
  return archive_write_data(pack->archive, bytes, len) == (la_ssize_t) len;
}

static gboolean
pack_text(Pack *pack, const Message *message)
{
  g_autofree char *text = view_text(message);
  gsize len = strlen(text);
  return len == 0 || (begin_file(pack, TEXT_NAME, len) && write_content(text, len, pack));
}

static gboolean
pack_attachments(Pack *pack, const Message *message)
{
  for (guint i = 0; i < message->attachments->len; i++) {
    const Attachment *attachment = message->attachments->pdata[i];
    if (!begin_file(pack, attachment->name, message_part_size(attachment->part)) ||
        !message_part_decode(attachment->part, write_content, pack))
      return FALSE;
  }
  return TRUE;
}

static gint64
date_of(const Message *message)
{
  GDateTime *date = message->mime != NULL ? g_mime_message_get_date(message->mime) : NULL;
  gint64 seconds = date != NULL ? g_date_time_to_unix(date) : 0;
  return CLAMP(seconds, DATE_MIN_S, DATE_MAX_S);
}

gboolean
pack_zip(const Message *message, MessageSink sink, gpointer data)
{
  g_autoptr(GHashTable) names =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  Pack pack = {archive_write_new(), names, date_of(message), sink, data};
  struct archive *archive = pack.archive;
  /* Of all that can read zip, not all can read a stored file whose checksum follows it. */
  gboolean packed =
      archive_write_set_format_zip(archive) == ARCHIVE_OK &&
      archive_write_set_options(archive, "zip:compression-level=1,zip:hdrcharset=UTF-8") ==
          ARCHIVE_OK &&
      archive_write_set_bytes_per_block(archive, 0) == ARCHIVE_OK &&
      archive_write_open(archive, &pack, NULL, write_packed, NULL) == ARCHIVE_OK &&
      pack_text(&pack, message) && pack_attachments(&pack, message) &&
      archive_write_close(archive) == ARCHIVE_OK;
  archive_write_free(archive);
  return packed;
}
