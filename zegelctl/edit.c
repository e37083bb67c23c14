#include "zegelctl/edit.h"

#include <string.h>

struct Edit {
  GHashTable *changed; /* line to its new text, "" for a line that goes */
  GPtrArray *added;
  guint behind; /* 0: the end */
};

Edit *
edit_new(void)
{
  Edit *edit = g_new0(Edit, 1);
  edit->changed = g_hash_table_new_full(NULL, NULL, NULL, g_free);
  edit->added = g_ptr_array_new_with_free_func(g_free);
  return edit;
}

void
edit_free(Edit *edit)
{
  if (edit == NULL)
    return;
  g_hash_table_unref(edit->changed);
  g_ptr_array_unref(edit->added);
  g_free(edit);
}

void
edit_drop(Edit *edit, guint line)
{
  edit_replace(edit, line, "");
}

void
edit_replace(Edit *edit, guint line, const char *text)
{
  g_hash_table_insert(edit->changed, GUINT_TO_POINTER(line), g_strdup(text));
}

void
edit_add(Edit *edit, const char *text)
{
  g_ptr_array_add(edit->added, g_strdup(text));
}

void
edit_add_behind(Edit *edit, guint line)
{
  edit->behind = line;
}

gboolean
edit_is_change(const Edit *edit)
{
  return g_hash_table_size(edit->changed) > 0 || edit->added->len > 0;
}

static void
append_added(const Edit *edit, GString *result)
{
  if (result->len > 0 && result->str[result->len - 1] != '\n' && edit->added->len > 0)
    g_string_append_c(result, '\n'); /* the last line had no end */
  for (guint i = 0; i < edit->added->len; i++)
    g_string_append_printf(result, "%s\n", (const char *) edit->added->pdata[i]);
}

/* TEXT in the place of the LEN bytes at LINE, with the comment of that line. */
static void
append_replaced(GString *result, const char *text, const char *line, gsize len)
{
  const char *comment = memchr(line, '#', len);
  g_string_append(result, text);
  if (comment != NULL) {
    while (comment > line && g_ascii_isspace(comment[-1]))
      comment--;
    g_string_append_len(result, comment, (gssize) (len - (gsize) (comment - line)));
  } else if (len > 0 && line[len - 1] == '\n') {
    g_string_append_c(result, '\n');
  }
}

GString *
edit_apply(const Edit *edit, const char *text, gsize len)
{
  GString *result = g_string_sized_new(len);
  gsize at = 0;
  for (guint number = 1; at < len; number++) {
    const char *line = text + at;
    const char *newline = memchr(line, '\n', len - at);
    gsize line_len = newline != NULL ? (gsize) (newline - line) + 1 : len - at;
    const char *changed = g_hash_table_lookup(edit->changed, GUINT_TO_POINTER(number));
    if (changed == NULL)
      g_string_append_len(result, line, (gssize) line_len);
    else if (*changed != '\0')
      append_replaced(result, changed, line, line_len);
    if (number == edit->behind)
      append_added(edit, result);
    at += line_len;
  }
  if (edit->behind == 0)
    append_added(edit, result);
  return result;
}
