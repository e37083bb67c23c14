#include "milter/auth_results.h"

#include <string.h>

#define VALUE_MAX_BYTES 255 /* of a property, so that lines stay short */

struct AuthResults {
  GString *text;
  guint count; /* of results */
};

/* RFC 2045 5.1 */
static gboolean
is_token_char(char c)
{
  return c > 0x20 && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static gboolean
is_token(const char *text)
{
  for (const char *p = text; *p != '\0'; p++)
    if (!is_token_char(*p))
      return FALSE;
  return *text != '\0';
}

/* Appends TEXT as a value: a token, or a quoted string. RFC 8601 2.2. */
static void
append_value(GString *line, const char *text)
{
  g_autofree char *value = g_strndup(text, VALUE_MAX_BYTES);
  if (is_token(value)) {
    g_string_append(line, value);
    return;
  }
  g_string_append_c(line, '"');
  for (const char *p = value; *p != '\0'; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_c(line, '\\');
    g_string_append_c(line, *p >= 0x20 && *p < 0x7f ? *p : '?');
  }
  g_string_append_c(line, '"');
}

AuthResults *
auth_results_new(const char *authserv_id)
{
  AuthResults *results = g_new0(AuthResults, 1);
  results->text = g_string_new(NULL);
  append_value(results->text, authserv_id);
  return results;
}

void
auth_results_free(AuthResults *results)
{
  if (results == NULL)
    return;
  g_string_free(results->text, TRUE);
  g_free(results);
}

void
auth_results_add(AuthResults *results, const char *method, const char *result,
                 const char *reason)
{
  results->count++;
  g_string_append_printf(results->text, ";\n\t%s=%s", method, result);
  if (reason == NULL || *reason == '\0')
    return;
  g_string_append(results->text, " reason=");
  append_value(results->text, reason);
}

void
auth_results_property(AuthResults *results, const char *name, const char *value)
{
  if (value == NULL || *value == '\0')
    return;
  g_string_append_printf(results->text, "\n\t  %s=", name);
  append_value(results->text, value);
}

char *
auth_results_value(const AuthResults *results)
{
  return g_strconcat(results->text->str, results->count == 0 ? "; none" : "", NULL);
}

/* ---- Whose is it? ---- */

/* The end of the comment that begins at P, or NULL when it has none. */
static const char *
skip_comment(const char *p)
{
  guint depth = 0;
  for (; *p != '\0'; p++) {
    if (*p == '\\' && p[1] != '\0')
      p++;
    else if (*p == '(')
      depth++;
    else if (*p == ')' && --depth == 0)
      return p + 1;
  }
  return NULL;
}

/* Behind white space and comments; NULL when one has no end. */
static const char *
skip_blank(const char *p)
{
  for (;;) {
    p += strspn(p, " \t\r\n");
    if (*p != '(')
      return p;
    p = skip_comment(p);
    if (p == NULL)
      return NULL;
  }
}

/* What stands between the quotes at P, without folds; NULL when there is no second one. */
static char *
read_quoted(const char *p)
{
  g_autoptr(GString) text = g_string_new(NULL);
  for (p++; *p != '"'; p++) {
    if (*p == '\\' && p[1] != '\0')
      p++;
    if (*p == '\0')
      return NULL;
    if (*p != '\r' && *p != '\n')
      g_string_append_c(text, *p);
  }
  return g_string_free(g_steal_pointer(&text), FALSE);
}

/* The authserv-id in RAW, or NULL when it cannot be read. */
static char *
read_id(const char *raw)
{
  const char *p = skip_blank(raw);
  if (p == NULL)
    return NULL;
  if (*p == '"')
    return read_quoted(p);
  gsize len = 0;
  while (p[len] != '\0' && (is_token_char(p[len]) || (guchar) p[len] >= 0x80))
    len++;
  return len > 0 ? g_strndup(p, len) : NULL;
}

static void
drop_last_dot(char *name)
{
  gsize len = strlen(name);
  if (len > 0 && name[len - 1] == '.')
    name[len - 1] = '\0';
}

gboolean
auth_results_is_of(const char *raw, const char *authserv_id)
{
  g_autofree char *claimed = read_id(raw);
  if (claimed == NULL)
    return TRUE;
  g_strstrip(claimed);
  drop_last_dot(claimed);
  g_autofree char *ours = g_strdup(authserv_id);
  drop_last_dot(ours);
  return g_ascii_strcasecmp(claimed, ours) == 0;
}

const char *
auth_results_id(const Config *config)
{
  return *config->hostname != '\0' ? config->hostname : g_get_host_name();
}

void
auth_results_remove(Plan *plan, const Fields *fields, const char *authserv_id)
{
  for (guint i = fields->list->len; i > 0; i--) {
    const Field *field = fields->list->pdata[i - 1];
    if (field_is(field, AUTH_RESULTS_HEADER) &&
        auth_results_is_of(field->value, authserv_id))
      plan_remove_field(plan, fields, i - 1);
  }
}
