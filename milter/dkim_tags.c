#include "milter/dkim_tags.h"

#include <string.h>

#define BLANKS " \t\r\n"

#define LABEL_MAX_BYTES    63  /* RFC 1035 2.3.4 */
#define SELECTOR_MAX_BYTES 253 /* a name of the DNS */

typedef struct {
  char *name;
  char *value;
} Tag;

struct DkimTags {
  GPtrArray *list; /* of Tag */
};

static void
tag_free(gpointer p)
{
  Tag *tag = p;
  g_free(tag->name);
  g_free(tag->value);
  g_free(tag);
}

void
dkim_tags_free(DkimTags *tags)
{
  if (tags == NULL)
    return;
  g_ptr_array_unref(tags->list);
  g_free(tags);
}

/* A new string: LEN bytes at TEXT without the blanks at both ends. */
static char *
trim(const char *text, gsize len)
{
  while (len > 0 && strchr(BLANKS, text[len - 1]) != NULL)
    len--;
  while (len > 0 && strchr(BLANKS, *text) != NULL)
    text++, len--;
  return g_strndup(text, len);
}

/* Printable ASCII and blanks only. */
static gboolean
is_text(const char *text)
{
  for (; *text != '\0'; text++)
    if (!g_ascii_isprint(*text) && strchr(BLANKS, *text) == NULL)
      return FALSE;
  return TRUE;
}

/*
 * RFC 6376 3.2: ALPHA *ALNUMPUNC. libopendkim takes every name that ends in 'b' for the
 * signature when it leaves that out of the hash, so there is no other such name for us.
 */
static gboolean
is_name(const char *name)
{
  gsize len = strlen(name);
  if (!g_ascii_isalpha(*name) || (len > 1 && name[len - 1] == 'b'))
    return FALSE;
  for (; *name != '\0'; name++)
    if (!g_ascii_isalnum(*name) && *name != '_')
      return FALSE;
  return TRUE;
}

static gboolean
is_taken(const DkimTags *tags, const char *name)
{
  for (guint i = 0; i < tags->list->len; i++)
    if (g_ascii_strcasecmp(((const Tag *) tags->list->pdata[i])->name, name) == 0)
      return TRUE;
  return FALSE;
}

/* Adds the tag in LEN bytes at TEXT. */
static gboolean
add_tag(DkimTags *tags, const char *text, gsize len)
{
  const char *equal = memchr(text, '=', len);
  if (equal == NULL || tags->list->len == DKIM_TAGS_MAX)
    return FALSE;
  Tag *tag = g_new0(Tag, 1);
  tag->name = trim(text, (gsize) (equal - text));
  tag->value = trim(equal + 1, len - (gsize) (equal + 1 - text));
  /* libopendkim does not see "b =" as the signature either. */
  gboolean good = is_name(tag->name) && !is_taken(tags, tag->name) &&
                  (strcmp(tag->name, "b") != 0 || equal[-1] == 'b');
  g_ptr_array_add(tags->list, tag);
  return good;
}

DkimTags *
dkim_tags_parse(const char *text)
{
  if (strlen(text) > DKIM_TAGS_MAX_BYTES || !is_text(text))
    return NULL;
  g_autoptr(DkimTags) tags = g_new0(DkimTags, 1);
  tags->list = g_ptr_array_new_with_free_func(tag_free);
  for (const char *at = text; *at != '\0';) {
    gsize len = strcspn(at, ";");
    gboolean last = at[len] == '\0';
    if (!(last && strspn(at, BLANKS) == len) && !add_tag(tags, at, len))
      return NULL;
    at += last ? len : len + 1;
  }
  return tags->list->len > 0 ? g_steal_pointer(&tags) : NULL;
}

const char *
dkim_tags_get(const DkimTags *tags, const char *name)
{
  for (guint i = 0; i < tags->list->len; i++) {
    const Tag *tag = tags->list->pdata[i];
    if (strcmp(tag->name, name) == 0)
      return tag->value;
  }
  return NULL;
}

char *
dkim_tags_packed(const DkimTags *tags, const char *name)
{
  const char *value = dkim_tags_get(tags, name);
  if (value == NULL)
    return NULL;
  char *packed = g_malloc(strlen(value) + 1);
  char *to = packed;
  for (; *value != '\0'; value++)
    if (strchr(BLANKS, *value) == NULL)
      *to++ = *value;
  *to = '\0';
  return packed;
}

gboolean
dkim_list_has(const char *list, const char *word)
{
  g_auto(GStrv) words = g_strsplit(list, ":", -1);
  for (char **each = words; *each != NULL; each++)
    if (g_ascii_strcasecmp(g_strstrip(*each), word) == 0)
      return TRUE;
  return FALSE;
}

guint8 *
dkim_unbase64(const char *text, gsize *len)
{
  gsize all = strlen(text);
  gsize digits = 0;
  while (g_ascii_isalnum(text[digits]) || text[digits] == '+' || text[digits] == '/')
    digits++;
  gsize pads = all - digits;
  if (all == 0 || all % 4 != 0 || pads > 2 || strspn(text + digits, "=") != pads)
    return NULL;
  return g_base64_decode(text, len);
}

gboolean
dkim_is_selector(const char *text)
{
  gsize len = strlen(text);
  gsize label = 0;
  if (len == 0 || len > SELECTOR_MAX_BYTES)
    return FALSE;
  for (gsize i = 0; i <= len; i++) {
    if (text[i] == '.' || text[i] == '\0') {
      if (label == 0 || label > LABEL_MAX_BYTES)
        return FALSE;
      label = 0;
    } else if (g_ascii_isalnum(text[i]) || text[i] == '-' || text[i] == '_')
      label++;
    else
      return FALSE;
  }
  return TRUE;
}
