#include "reader/facts.h"

#include <string.h>

#include "common/base/packer.h"
#include "reader/charset.h"
#include "reader/clean.h"
#include "reader/zip.h"

#define NAMES_MAX_BYTES     (ATTR_BLOCK_MAX_BYTES - 256 * 1024) /* the rest: fixed sizes */
#define COPIES_MAX_BYTES    MESSAGE_MAX_BYTES /* of decoded parts, held at one time */
#define MAGIC_BYTES         4
#define ENTRY_NAME_MAX      1024 /* octets of a name in an archive; its end is kept */
#define PLAIN_EXTENSION_MAX 16
#define ALIASES_MAX         16 /* names of one attachment */

typedef struct {
  Attrs *attrs;
  guint attachments; /* of the message itself */
  guint names;
  gsize bytes;  /* of all names, as they are written */
  gsize copied; /* held now */
  guint64 total;
  gboolean is_cut;
} Facts;

/* Adds NAME=VALUE when there is room, and is else cut. */
static gboolean
add_name(Facts *facts, const char *name, const char *value)
{
  gsize bytes = strlen(name) + 2;
  for (const char *p = value; *p != '\0'; p++)
    bytes += *p == '%' ? 3 : 1; /* there are no control characters in names */
  if (facts->names >= FACTS_MAX_NAMES || bytes > NAMES_MAX_BYTES - facts->bytes) {
    facts->is_cut = TRUE;
    return FALSE;
  }
  facts->names++;
  facts->bytes += bytes;
  attrs_add(facts->attrs, name, value);
  return TRUE;
}

/* Names of an attachment */

static void
take_one(GPtrArray *names, const char *raw, const char *type)
{
  g_autofree char *trimmed = g_strdup(raw);
  for (gsize len = strlen(trimmed); len > 0 && strchr("/\\ .", trimmed[len - 1]) != NULL;)
    trimmed[--len] = '\0';
  if (trimmed[0] == '\0' || names->len >= ALIASES_MAX)
    return;
  char *name = clean_file_name(trimmed, 0, type);
  if (g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
    g_free(name);
  else
    g_ptr_array_add(names, name);
}

/* RAW, and what stands before its first colon: "x.exe:y" is a stream of x.exe (NTFS). */
static void
take_name(GPtrArray *names, const char *raw, const char *type)
{
  take_one(names, raw, type);
  const char *colon = strchr(raw, ':');
  if (colon == NULL || colon - raw < 2) /* a drive is no file */
    return;
  g_autofree char *before = g_strndup(raw, (gsize) (colon - raw));
  take_one(names, before, type);
}

/* Every value of KEY in PARAMS (takes; or NULL): programs differ about which counts. */
static void
take_params(GPtrArray *names, GMimeParamList *params, const char *key, const char *type)
{
  int count = params != NULL ? g_mime_param_list_length(params) : 0;
  for (int i = 0; i < count; i++) {
    GMimeParam *param = g_mime_param_list_get_parameter_at(params, i);
    if (g_ascii_strcasecmp(g_mime_param_get_name(param), key) == 0 &&
        g_mime_param_get_value(param) != NULL)
      take_name(names, g_mime_param_get_value(param), type);
  }
}

/* Takes what PARAMS (or NULL) have by either of the two keys: some programs read both. */
static void
take_both(GPtrArray *names, GMimeParamList *params, const char *type)
{
  take_params(names, params, "filename", type);
  take_params(names, params, "name", type);
}

/* Takes the names that the header field FIELD declares. */
static void
take_field(GPtrArray *names, GMimeHeader *field, const char *type)
{
  const char *raw = g_mime_header_get_raw_value(field);
  const char *name = g_mime_header_get_name(field);
  if (raw == NULL)
    return;
  /* "filename=x" alone: the word before it was forgotten */
  g_autofree char *value =
      g_strconcat(raw[strcspn(raw, "=;")] == '=' ? "x/x; " : "", raw, NULL);
  if (g_ascii_strcasecmp(name, "Content-Disposition") == 0) {
    GMimeContentDisposition *parsed = g_mime_content_disposition_parse(NULL, value);
    take_both(names, g_mime_content_disposition_get_parameters(parsed), type);
    g_object_unref(parsed);
  } else if (g_ascii_strcasecmp(name, "Content-Type") == 0) {
    GMimeContentType *parsed = g_mime_content_type_parse(NULL, value);
    take_both(names, g_mime_content_type_get_parameters(parsed), type);
    g_object_unref(parsed);
  }
}

/* Takes the names in the header of PART. */
static void
take_header(GPtrArray *names, GMimePart *part, const char *type)
{
  GMimeHeaderList *list = g_mime_object_get_header_list(GMIME_OBJECT(part));
  int count = g_mime_header_list_get_count(list);
  for (int i = 0; i < count; i++)
    take_field(names, g_mime_header_list_get_header_at(list, i), type);
}

/* All names of ATTACHMENT, the one that the viewer shows first. */
static GPtrArray *
names_of(const Attachment *attachment)
{
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  g_ptr_array_add(names, g_strdup(attachment->name));
  take_header(names, attachment->part, attachment->type);
  return names;
}

/* What is inside */

static void
add_inside(Facts *facts, const char *path, const char *name)
{
  g_autofree char *inside = g_strconcat(path, "/", name, NULL);
  add_name(facts, "inside", inside);
}

typedef struct {
  Facts *facts;
  const char *path;
  GHashTable *seen; /* extensions, lower case with dot, and names that have odd ones */
} Listing;

/* What is enough to know of the LEN bytes at NAME without directories: ".exe", "" when
 * there is no dot, or all of it when more than the extension counts. */
static char *
gist_of(const char *name, gsize len)
{
  const char *dot = memrchr(name, '.', len);
  gsize tail = dot != NULL ? len - (gsize) (dot - name) : 0;
  /* a name may hide what follows */
  gboolean is_plain = tail <= PLAIN_EXTENSION_MAX && tail != 1 &&
                      memchr(name, '\0', len) == NULL && memchr(name, ':', len) == NULL;
  for (gsize i = 1; i < tail && is_plain; i++)
    is_plain = g_ascii_isalnum(dot[i]) || dot[i] == '_' || dot[i] == '-';
  g_autofree char *extension =
      is_plain ? g_ascii_strdown(dot != NULL ? dot : "", (gssize) tail) : NULL;
  if (extension == NULL || (*extension == '.' && packer_is_known(extension + 1)))
    return g_base64_encode((const guchar *) name, len);
  return g_steal_pointer(&extension);
}

/* Adds what stands in NAME (LEN bytes) before END, which is the end to some. */
static void
add_before(const Listing *listing, const char *name, gsize len, char end)
{
  const char *stop = memchr(name, end, len);
  if (stop == NULL || stop == name)
    return;
  g_autofree char *before = charset_to_utf8(name, (gsize) (stop - name), NULL);
  g_autofree char *shown = clean_file_name(before, 0, "application/octet-stream");
  add_inside(listing->facts, listing->path, shown);
}

/* A ZipSink. */
static gboolean
list_entry(const char *name, gsize len, gboolean is_utf8, gpointer data)
{
  Listing *listing = data;
  while (len > 0 && (name[len - 1] == '/' || name[len - 1] == '\\'))
    len--;
  gsize start = len;
  while (start > 0 && len - start < ENTRY_NAME_MAX && name[start - 1] != '/' &&
         name[start - 1] != '\\')
    start--;
  name += start;
  len -= start;
  if (len == 0)
    return TRUE;
  char *gist = gist_of(name, len);
  if (!g_hash_table_add(listing->seen, gist))
    return TRUE;
  g_autofree char *text = charset_to_utf8(name, len, is_utf8 ? "utf-8" : NULL);
  g_autofree char *clean = clean_file_name(text, 0, "application/octet-stream");
  add_inside(listing->facts, listing->path, clean);
  add_before(listing, name, len, '\0');
  add_before(listing, name, len, ':');
  return listing->facts->names < FACTS_MAX_NAMES;
}

static void
list_archive(Facts *facts, GByteArray *bytes, const char *path)
{
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  Listing listing = {facts, path, seen};
  ZipResult result = zip_list(bytes->data, bytes->len, list_entry, &listing);
  if (result == ZIP_CUT)
    facts->is_cut = TRUE;
  if (result == ZIP_BROKEN && attrs_get(facts->attrs, "unreadable") == NULL)
    attrs_add(facts->attrs, "unreadable", path);
}

/* Decoded bytes on their way: measured, hashed, and kept when they are an archive. */
typedef struct {
  GChecksum *checksum; /* or NULL */
  guint64 size;
  GByteArray *copy;
  gsize copy_max;
  gboolean keep;    /* whatever they begin with */
  gboolean is_over; /* COPY_MAX was reached */
} Content;

/* A MessageSink. */
static gboolean
take_content(const char *bytes, gsize len, gpointer data)
{
  Content *content = data;
  content->size += len;
  if (content->checksum != NULL)
    g_checksum_update(content->checksum, (const guchar *) bytes, (gssize) len);
  if (content->copy == NULL)
    return TRUE;
  gsize take = MIN(len, content->copy_max - content->copy->len);
  content->is_over |= take < len;
  g_byte_array_append(content->copy, (const guint8 *) bytes, (guint) take);
  if (!content->keep && content->copy->len >= MAGIC_BYTES &&
      !zip_begins(content->copy->data, content->copy->len))
    g_clear_pointer(&content->copy, g_byte_array_unref);
  return TRUE;
}

static gboolean
any_ends_with(GPtrArray *names, const char *suffix)
{
  for (guint i = 0; i < names->len; i++) {
    const char *dot = strrchr(names->pdata[i], '.');
    if (dot != NULL && g_ascii_strcasecmp(dot, suffix) == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
declares_zip(const Attachment *attachment, GPtrArray *names)
{
  return strcmp(attachment->type, "application/zip") == 0 ||
         strcmp(attachment->type, "application/x-zip-compressed") == 0 ||
         any_ends_with(names, ".zip");
}

static void
look_at_message(Facts *facts, const Message *message, const char *path, guint depth);

/* To free a deep tree takes time and stack: these end with the process. */
static GSList *unfreed;

static void
look_at_forwarded(Facts *facts, const Attachment *attachment, const char *path, guint depth)
{
  if (depth == FACTS_MAX_DEPTH || facts->copied >= COPIES_MAX_BYTES) {
    facts->is_cut = TRUE;
    return;
  }
  gsize copied = 0;
  Message *inner =
      message_parse_inner(attachment->part, COPIES_MAX_BYTES - facts->copied, &copied);
  facts->copied += copied;
  look_at_message(facts, inner, path, depth + 1);
  if (inner->is_cut) {
    unfreed = g_slist_prepend(unfreed, inner);
    return;
  }
  facts->copied -= copied;
  message_free(inner);
}

/* The other NAMES of an attachment. */
static void
add_aliases(Facts *facts, GPtrArray *names, const char *path)
{
  for (guint i = 1; i < names->len; i++) {
    if (path == NULL)
      add_name(facts, "alias", names->pdata[i]);
    else
      add_inside(facts, path, names->pdata[i]);
  }
}

/* Decodes ATTACHMENT, and says what it is when it is one of the message itself (no PARENT).
 */
static void
look_at_content(Facts *facts, const Attachment *attachment, GPtrArray *names,
                const char *path, const char *parent)
{
  gboolean is_own = parent == NULL;
  g_autoptr(GChecksum) checksum = is_own ? g_checksum_new(G_CHECKSUM_SHA256) : NULL;
  gboolean is_zip = declares_zip(attachment, names);
  Content content = {checksum, 0,    g_byte_array_new(), COPIES_MAX_BYTES - facts->copied,
                     is_zip,   FALSE};
  message_part_decode(attachment->part, take_content, &content);
  g_autoptr(GByteArray) copy = content.copy;
  if (is_own) {
    facts->total += content.size;
    attrs_add(facts->attrs, "type", attachment->type);
    attrs_add_uint(facts->attrs, "size", content.size);
    attrs_add(facts->attrs, "sha256", g_checksum_get_string(checksum));
  }
  add_aliases(facts, names, parent);
  if (copy == NULL || (!is_zip && !zip_begins(copy->data, copy->len)))
    return;
  facts->is_cut |= content.is_over;
  list_archive(facts, copy, path);
}

/* PATH is NULL for the message itself. */
static void
look_at_attachment(Facts *facts, const Attachment *attachment, const char *path,
                   guint depth)
{
  gboolean is_own = path == NULL;
  g_autoptr(GPtrArray) names = names_of(attachment);
  const char *name = names->pdata[0];
  g_autofree char *own_path = is_own ? g_strdup(name) : g_strconcat(path, "/", name, NULL);
  if (is_own && facts->attachments++ >= FACTS_MAX_ATTACHMENTS) {
    facts->is_cut = TRUE;
    return;
  }
  if (!add_name(facts, is_own ? "name" : "inside", own_path))
    return;
  look_at_content(facts, attachment, names, own_path, path);
  if (message_is_forwarded(attachment->type) || any_ends_with(names, ".eml"))
    look_at_forwarded(facts, attachment, own_path, depth);
}

/* A text to read whose name stands where only some programs look. */
static void
look_at_text(Facts *facts, GMimePart *part, const char *path)
{
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  if (part == NULL || g_mime_part_get_filename(part) != NULL)
    return; /* that is an attachment too */
  take_header(names, part, "text/plain");
  for (guint i = 0; i < names->len; i++) {
    if (path == NULL)
      add_name(facts, "text", names->pdata[i]);
    else
      add_inside(facts, path, names->pdata[i]);
  }
}

static void
look_at_message(Facts *facts, const Message *message, const char *path, guint depth)
{
  facts->is_cut |= message->is_cut;
  if (message->is_odd && attrs_get(facts->attrs, "unreadable") == NULL)
    attrs_add(facts->attrs, "unreadable", path != NULL ? path : "MIME");
  for (guint i = 0; i < message->segments->len; i++) {
    const Segment *segment = &g_array_index(message->segments, Segment, i);
    look_at_text(facts, segment->text, path);
    look_at_text(facts, segment->html, path);
  }
  for (guint i = 0; i < message->attachments->len && facts->names < FACTS_MAX_NAMES; i++)
    look_at_attachment(facts, message->attachments->pdata[i], path, depth);
  /* Whatever else there may be, nobody is told of it. */
  facts->is_cut |= facts->names >= FACTS_MAX_NAMES;
}

Attrs *
facts_new(const Message *message, gboolean is_cut)
{
  Facts facts = {attrs_new(), 0, 0, 0, 0, 0, is_cut};
  look_at_message(&facts, message, NULL, 0);
  attrs_add_uint(facts.attrs, "total", facts.total);
  attrs_add_uint(facts.attrs, "cut", facts.is_cut ? 1 : 0);
  return facts.attrs;
}
