#include "reader/multipart.h"

#include <string.h>

#include "reader/clean.h"

#define BOUNDARY_MAX_BYTES 70 /* RFC 2046 5.1.1 */
#define CRLF               "\r\n"

static void
part_free(gpointer p)
{
  MultipartPart *part = p;
  g_free(part->name);
  g_free(part->file_name);
  g_free(part->type);
  g_free(part->charset);
  g_free(part);
}

static const char *
skip_blanks(const char *p)
{
  return p + strspn(p, " \t");
}

/*
 * Where the quoted string that begins at P ends: at a quote that only blanks, or the next
 * parameter, follow. Browsers do not escape a backslash, old ones escape a quote with it.
 */
static const char *
end_of_quoted(const char *p)
{
  for (const char *quote = p; (quote = strchr(quote, '"')) != NULL; quote++) {
    const char *next = skip_blanks(quote + 1);
    if (quote[-1] != '\\' || quote == p || *next == '\0' || *next == ';')
      return quote;
  }
  return NULL;
}

/* The value of LEN bytes as it was before the browser wrote it (HTML standard, 4.10.22.8).
 */
static char *
unescape_quoted(const char *value, gsize len)
{
  static const char *const escapes[][2] = {
      {"\\\"", "\""}, {"%22", "\""}, {"%0D", "\r"}, {"%0A", "\n"}};
  g_autofree char *raw = g_strndup(value, len);
  GString *plain = g_string_new(NULL);
  for (const char *p = raw; *p != '\0';) {
    gsize found = 0;
    while (found < G_N_ELEMENTS(escapes) &&
           g_ascii_strncasecmp(p, escapes[found][0], strlen(escapes[found][0])) != 0)
      found++;
    if (found < G_N_ELEMENTS(escapes)) {
      g_string_append(plain, escapes[found][1]);
      p += strlen(escapes[found][0]);
    } else {
      g_string_append_c(plain, *p++);
    }
  }
  return g_string_free(plain, FALSE);
}

/*
 * Reads the parameter that begins at *P, behind its semicolon: NAME gets its name and the
 * result is its value, both new strings. *P is at the next semicolon or the end then. NULL
 * when it is not in order.
 */
static char *
take_param(const char **p, char **name)
{
  const char *start = skip_blanks(*p);
  gsize name_len = strcspn(start, "=; \t\"");
  if (name_len == 0 || start[name_len] != '=')
    return NULL;
  const char *value = start + name_len + 1;
  char *plain = NULL;
  if (*value == '"') {
    const char *end = end_of_quoted(value + 1);
    if (end == NULL)
      return NULL;
    plain = unescape_quoted(value + 1, (gsize) (end - value - 1));
    *p = skip_blanks(end + 1);
  } else {
    gsize len = strcspn(value, "; \t\"");
    plain = g_strndup(value, len);
    *p = skip_blanks(value + len);
  }
  *name = g_ascii_strdown(start, (gssize) name_len);
  return plain;
}

/*
 * Parses FIELD, "WORD; name=value; ...": its first word in lower case into *WORD, and its
 * parameters into a new table. NULL when it is not in order or says something twice.
 */
static GHashTable *
parse_field(const char *field, char **word)
{
  g_autoptr(GHashTable) params =
      g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  const char *p = skip_blanks(field);
  gsize len = strcspn(p, "; \t");
  g_autofree char *first = g_ascii_strdown(p, (gssize) len);
  for (p = skip_blanks(p + len); *p == ';';) {
    char *name = NULL;
    p++;
    if (*skip_blanks(p) == '\0')
      break; /* some write a semicolon at the end */
    char *value = take_param(&p, &name);
    if (value == NULL || !g_hash_table_insert(params, name, value))
      return NULL;
  }
  if (*skip_blanks(p) != '\0')
    return NULL;
  *word = g_steal_pointer(&first);
  return g_steal_pointer(&params);
}

/* The line that stands before each part, "--BOUNDARY", or NULL. */
static char *
delimiter_of(const char *content_type)
{
  g_autofree char *word = NULL;
  g_autoptr(GHashTable) params = parse_field(content_type, &word);
  const char *boundary = params != NULL ? g_hash_table_lookup(params, "boundary") : NULL;
  if (boundary == NULL || strcmp(word, "multipart/form-data") != 0)
    return NULL;
  gsize len = strlen(boundary);
  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isalnum(boundary[i]) && strchr("'()+_,-./:=? ", boundary[i]) == NULL)
      return NULL;
  if (len == 0 || len > BOUNDARY_MAX_BYTES || boundary[len - 1] == ' ')
    return NULL;
  return g_strconcat("--", boundary, NULL);
}

static gboolean
take_disposition(MultipartPart *part, const char *value)
{
  g_autofree char *word = NULL;
  g_autoptr(GHashTable) params = parse_field(value, &word);
  const char *name = params != NULL ? g_hash_table_lookup(params, "name") : NULL;
  if (name == NULL || part->name != NULL || strcmp(word, "form-data") != 0 ||
      *name == '\0' || strlen(name) > MULTIPART_NAME_MAX_BYTES)
    return FALSE;
  part->name = g_strdup(name);
  part->file_name = g_strdup(g_hash_table_lookup(params, "filename"));
  return TRUE;
}

static gboolean
take_type(MultipartPart *part, const char *value)
{
  g_autofree char *word = NULL;
  g_autoptr(GHashTable) params = parse_field(value, &word);
  if (params == NULL || part->type != NULL)
    return FALSE;
  part->type = clean_media_type(word);
  part->charset = g_strdup(g_hash_table_lookup(params, "charset"));
  return TRUE;
}

static gboolean
take_field(MultipartPart *part, const char *line)
{
  const char *colon = strchr(line, ':');
  if (colon == NULL || colon == line || g_ascii_isspace(line[0]))
    return FALSE; /* nobody folds lines either */
  g_autofree char *name = g_ascii_strdown(line, colon - line);
  if (strcmp(name, "content-disposition") == 0)
    return take_disposition(part, colon + 1);
  if (strcmp(name, "content-type") == 0)
    return take_type(part, colon + 1);
  /* RFC 7578 4.7: nobody encodes. Who does is not understood. */
  if (strcmp(name, "content-transfer-encoding") == 0) {
    const char *coding = skip_blanks(colon + 1);
    return g_ascii_strcasecmp(coding, "7bit") == 0 ||
           g_ascii_strcasecmp(coding, "8bit") == 0 ||
           g_ascii_strcasecmp(coding, "binary") == 0;
  }
  return TRUE;
}

/* Reads the header of a part, the LEN bytes at HEAD without its empty line. */
static gboolean
take_head(MultipartPart *part, const char *head, gsize len)
{
  if (len > MULTIPART_HEAD_MAX_BYTES || memchr(head, '\0', len) != NULL)
    return FALSE;
  g_autofree char *text = g_strndup(head, len);
  g_auto(GStrv) lines = g_strsplit(text, CRLF, 0);
  for (guint i = 0; lines[i] != NULL; i++)
    if (!take_field(part, lines[i]))
      return FALSE;
  if (part->type == NULL)
    part->type = g_strdup("text/plain"); /* RFC 7578 4.4 */
  return part->name != NULL;
}

/* The delimiter, with its CRLF before it, in the LEN bytes at P; or NULL. What only begins
 * like it is content. */
static const char *
find_delimiter(const char *p, gsize len, const char *delimiter)
{
  g_autofree char *mark = g_strconcat(CRLF, delimiter, NULL);
  gsize mark_len = strlen(mark);
  const char *end = p + len;
  while ((p = memmem(p, (gsize) (end - p), mark, mark_len)) != NULL) {
    const char *after = p + mark_len;
    if (end - after >= 2 && (memcmp(after, CRLF, 2) == 0 || memcmp(after, "--", 2) == 0))
      return p;
    p += 2;
  }
  return NULL;
}

/*
 * Reads the part that begins at *P, behind its delimiter line, and moves *P to behind the
 * next delimiter. FALSE when it is not in order.
 */
static gboolean
take_part(MultipartPart *part, const char **p, const char *end, const char *delimiter)
{
  const char *empty_line = memmem(*p, (gsize) (end - *p), CRLF CRLF, 4);
  if (empty_line == NULL || !take_head(part, *p, (gsize) (empty_line - *p)))
    return FALSE;
  part->bytes = empty_line + 4;
  const char *stop = find_delimiter(part->bytes, (gsize) (end - part->bytes), delimiter);
  if (stop == NULL)
    return FALSE;
  part->len = (gsize) (stop - part->bytes);
  *p = stop + 2 + strlen(delimiter);
  return TRUE;
}

MultipartResult
multipart_parse(const char *content_type, const char *body, gsize len, GPtrArray **parts)
{
  g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(part_free);
  g_autofree char *delimiter =
      strlen(content_type) <= MULTIPART_TYPE_MAX_BYTES ? delimiter_of(content_type) : NULL;
  gsize delimiter_len = delimiter != NULL ? strlen(delimiter) : 0;
  *parts = NULL;
  if (delimiter == NULL || len < delimiter_len + 2 ||
      memcmp(body, delimiter, delimiter_len) != 0)
    return MULTIPART_MALFORMED;
  const char *p = body + delimiter_len;
  const char *end = body + len;
  /* find_delimiter has seen that two bytes stand there */
  while (memcmp(p, CRLF, 2) == 0) {
    if (list->len == MULTIPART_MAX_PARTS)
      return MULTIPART_TOO_MANY;
    MultipartPart *part = g_new0(MultipartPart, 1);
    g_ptr_array_add(list, part);
    p += 2;
    if (!take_part(part, &p, end, delimiter))
      return MULTIPART_MALFORMED;
  }
  if (memcmp(p, "--", 2) != 0)
    return MULTIPART_MALFORMED;
  *parts = g_steal_pointer(&list);
  return MULTIPART_READ;
}
