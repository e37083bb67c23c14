#include "zegelctl/program.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/base/child.h"
#include "common/base/error.h"
#include "zegelctl/command.h"

#define CHUNK_BYTES 4096

char *
program_find(const char *name)
{
  if (strchr(name, '/') != NULL)
    return access(name, X_OK) == 0 ? g_strdup(name) : NULL;
  g_auto(GStrv) directories = g_strsplit(PROGRAM_DIRECTORIES, ":", -1);
  for (char **directory = directories; *directory != NULL; directory++) {
    g_autofree char *path = g_build_filename(*directory, name, NULL);
    if (access(path, X_OK) == 0)
      return g_steal_pointer(&path);
  }
  return NULL;
}

/* Reads what CHILD says until it has no more to say, or the deadline is over. */
static void
listen_to(Child *child, GString *said, gint64 deadline_us)
{
  char chunk[CHUNK_BYTES];
  for (;;) {
    struct pollfd ready = {.fd = child->out, .events = POLLIN};
    int count = poll(&ready, 1, child_poll_timeout_ms(deadline_us));
    if (count == 0 || (count < 0 && errno != EINTR))
      return;
    gssize len = read(child->out, chunk, sizeof chunk);
    if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR))
      return;
    if (len > 0)
      g_string_append_len(said, chunk, len);
    if (said->len > PROGRAM_MAX_BYTES)
      return;
  }
}

static gboolean
run(const char *const *argv, int *status, char **output, GError **error)
{
  const char *const environment[] = {"PATH=" PROGRAM_DIRECTORIES, "LC_ALL=C", NULL};
  gint64 deadline_us = g_get_monotonic_time() + PROGRAM_TIMEOUT_S * G_USEC_PER_SEC;
  Child child;
  if (!child_start(&child, argv, environment, TRUE, error))
    return FALSE;
  child_close_input(&child);
  g_autoptr(GString) said = g_string_new(NULL);
  listen_to(&child, said, deadline_us);
  gboolean too_much = said->len > PROGRAM_MAX_BYTES;
  ChildState state = too_much ? CHILD_EXITED : child_wait(&child, deadline_us, status);
  child_end(&child);
  if (too_much)
    return command_error(error, ZEGEL_ERROR_LIMIT, "%s says more than %d bytes", argv[0],
                         PROGRAM_MAX_BYTES);
  if (state == CHILD_RUNNING)
    return command_error(error, ZEGEL_ERROR_TEMPORARY, "%s did not end in %d s", argv[0],
                         PROGRAM_TIMEOUT_S);
  while (said->len > 0 && said->str[said->len - 1] == '\n')
    g_string_truncate(said, said->len - 1);
  if (output != NULL)
    *output = g_string_free(g_steal_pointer(&said), FALSE);
  return TRUE;
}

static gboolean
is_missing(const char *name, GError **error)
{
  return command_error(error, ZEGEL_ERROR_CONFIG, "%s is not installed", name);
}

gboolean
program_read(const char *const *argv, char **output, GError **error)
{
  g_autofree char *path = program_find(argv[0]);
  if (path == NULL)
    return is_missing(argv[0], error);
  g_autoptr(GPtrArray) words = g_ptr_array_new();
  g_ptr_array_add(words, path);
  for (const char *const *word = argv + 1; *word != NULL; word++)
    g_ptr_array_add(words, (gpointer) *word);
  g_ptr_array_add(words, NULL);
  int status = -1;
  g_autofree char *said = NULL;
  if (!run((const char *const *) words->pdata, &status, &said, error))
    return FALSE;
  if (status != 0) {
    g_autofree char *line = g_strjoinv(" ", (char **) argv);
    return command_error(error, ZEGEL_ERROR_CONFIG,
                         "\"%s\" failed (exit status %d); run it to see why", line, status);
  }
  if (output != NULL)
    *output = g_steal_pointer(&said);
  return TRUE;
}

/* Standard error comes with the rest through a shell, whose text is always this one. */
gboolean
program_run(const char *const *argv, int *status, char **output, GError **error)
{
  g_autofree char *path = program_find(argv[0]);
  if (path == NULL)
    return is_missing(argv[0], error);
  g_autoptr(GPtrArray) words = g_ptr_array_new();
  g_ptr_array_add(words, (gpointer) "/bin/sh");
  g_ptr_array_add(words, (gpointer) "-c");
  g_ptr_array_add(words, (gpointer) "exec \"$@\" 2>&1");
  g_ptr_array_add(words, (gpointer) "sh");
  g_ptr_array_add(words, path);
  for (const char *const *word = argv + 1; *word != NULL; word++)
    g_ptr_array_add(words, (gpointer) *word);
  g_ptr_array_add(words, NULL);
  return run((const char *const *) words->pdata, status, output, error);
}
