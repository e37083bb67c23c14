#include "zegelctl/given.h"

#include <errno.h>
#include <string.h>

#include "common/base/error.h"

#define FIELDS         4
#define DATE_BYTES     sizeof "9999-12-31"
#define FILE_MODE      0600
#define DIRECTORY_MODE 0700

struct Given {
  char *path;
  GPtrArray *lines; /* of char *, without their ends */
};

static gboolean
fail(GError **error, const char *message)
{
  g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY, message);
  return FALSE;
}

void
given_free(Given *given)
{
  if (given == NULL)
    return;
  g_free(given->path);
  g_ptr_array_unref(given->lines);
  g_free(given);
}

/* Keeps of TEXT the lines from the day OLDEST on. Days sort as text. */
static void
take_lines(Given *given, const char *text, const char *oldest)
{
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    g_auto(GStrv) fields = g_strsplit(*line, " ", -1);
    if (g_strv_length(fields) == FIELDS && strcmp(fields[0], oldest) >= 0)
      g_ptr_array_add(given->lines, g_strdup(*line));
  }
}

Given *
given_load(const char *path, const GDate *today, GError **error)
{
  g_autoptr(Given) given = g_new0(Given, 1);
  g_autoptr(GError) reason = NULL;
  g_autofree char *text = NULL;
  char oldest[DATE_BYTES];
  GDate day = *today;
  g_date_subtract_days(&day, GIVEN_DAYS);
  g_date_strftime(oldest, sizeof oldest, "%Y-%m-%d", &day);
  given->path = g_strdup(path);
  given->lines = g_ptr_array_new_with_free_func(g_free);
  if (g_file_get_contents(path, &text, NULL, &reason))
    take_lines(given, text, oldest);
  else if (!g_error_matches(reason, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
    fail(error, reason->message);
    return NULL;
  }
  return g_steal_pointer(&given);
}

static char *
line_of(const char *day, const char *rule, const char *domain, const char *to)
{
  return g_strjoin(" ", day, rule, domain, to, NULL);
}

gboolean
given_has(const Given *given, const char *day, const char *rule, const char *domain,
          const char *to)
{
  g_autofree char *line = line_of(day, rule, domain, to);
  for (guint i = 0; i < given->lines->len; i++)
    if (strcmp(given->lines->pdata[i], line) == 0)
      return TRUE;
  return FALSE;
}

gboolean
given_add(Given *given, const char *day, const char *rule, const char *domain,
          const char *to, GError **error)
{
  g_autoptr(GError) reason = NULL;
  g_autoptr(GString) text = g_string_new(NULL);
  g_autofree char *directory = g_path_get_dirname(given->path);
  g_ptr_array_add(given->lines, line_of(day, rule, domain, to));
  for (guint i = 0; i < given->lines->len; i++)
    g_string_append_printf(text, "%s\n", (const char *) given->lines->pdata[i]);
  if (g_mkdir_with_parents(directory, DIRECTORY_MODE) != 0)
    return fail(error, g_strerror(errno));
  if (!g_file_set_contents_full(given->path, text->str, (gssize) text->len,
                                G_FILE_SET_CONTENTS_CONSISTENT, FILE_MODE, &reason))
    return fail(error, reason->message);
  return TRUE;
}
