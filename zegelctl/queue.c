#include "zegelctl/queue.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/base/child.h"
#include "common/base/error.h"
#include "common/base/unix.h"
#include "zegelctl/command.h"
#include "zegelctl/program.h"

#define POSTQUEUE      "postqueue"
#define READ_BYTES     65536
#define LINE_MAX_BYTES (16 * 1024 * 1024) /* a message with very many recipients */
#define DIGITS_MAX     18

/* ---- One line ---- */

/* Where we are in a line; what is at END and behind it is not there. */
typedef struct {
  const char *at, *end;
} Cursor;

/*
 * Takes the JSON string that begins at the cursor into TEXT, without its quotes. Escapes
 * stay as they are written: none occurs in what is looked for here.
 */
static gboolean
take_string(Cursor *cursor, GString *text)
{
  g_string_truncate(text, 0);
  for (cursor->at++; cursor->at < cursor->end && *cursor->at != '"'; cursor->at++) {
    g_string_append_c(text, *cursor->at);
    if (*cursor->at == '\\' && cursor->at + 1 < cursor->end)
      g_string_append_c(text, *++cursor->at);
  }
  if (cursor->at == cursor->end)
    return FALSE;
  cursor->at++;
  return TRUE;
}

static gboolean
take_number(Cursor *cursor, gint64 *number)
{
  guint digits = 0;
  *number = 0;
  for (; cursor->at < cursor->end && g_ascii_isdigit(*cursor->at); cursor->at++, digits++) {
    if (digits == DIGITS_MAX)
      return FALSE;
    *number = *number * 10 + (*cursor->at - '0');
  }
  return digits > 0;
}

static void
skip_space(Cursor *cursor)
{
  while (cursor->at < cursor->end && g_ascii_isspace(*cursor->at))
    cursor->at++;
}

/* What a line says, as far as it matters. */
typedef struct {
  gint64 arrived_s;
  guint64 recipients[QUEUE_LABELS];
} Line;

/* The cursor stands behind the colon of KEY. */
static gboolean
take_value(Cursor *cursor, const char *key, GString *text, Line *line)
{
  skip_space(cursor);
  if (cursor->at == cursor->end)
    return FALSE;
  if (strcmp(key, "arrival_time") == 0)
    return take_number(cursor, &line->arrived_s);
  if (*cursor->at != '"')
    return TRUE; /* a number, a list: what is in it comes by itself */
  if (!take_string(cursor, text))
    return FALSE;
  if (strcmp(key, "address") == 0)
    line->recipients[label_of(text->str)]++;
  return TRUE;
}

static gboolean
parse_line(Cursor cursor, Line *line)
{
  g_autoptr(GString) text = g_string_new(NULL);
  while (cursor.at < cursor.end) {
    if (*cursor.at != '"') {
      cursor.at++;
      continue;
    }
    if (!take_string(&cursor, text))
      return FALSE;
    g_autofree char *key = g_strdup(text->str);
    skip_space(&cursor);
    if (cursor.at == cursor.end || *cursor.at != ':')
      continue;
    cursor.at++;
    if (!take_value(&cursor, key, text, line))
      return FALSE;
  }
  return line->arrived_s > 0;
}

gboolean
queue_add_line(QueueCount counts[QUEUE_LABELS], const char *bytes, gsize len)
{
  Line line = {.arrived_s = 0};
  if (len == 0 || bytes[0] != '{' || !parse_line((Cursor){bytes, bytes + len}, &line))
    return FALSE;
  for (guint i = 0; i < QUEUE_LABELS; i++) {
    QueueCount *count = &counts[i];
    if (line.recipients[i] == 0)
      continue;
    count->messages++;
    count->recipients += line.recipients[i];
    if (count->oldest_s == 0 || line.arrived_s < count->oldest_s)
      count->oldest_s = line.arrived_s;
  }
  return TRUE;
}

/* ---- The whole queue ---- */

/* Takes the whole lines out of TEXT. */
static gboolean
take_lines(GString *text, QueueCount counts[QUEUE_LABELS])
{
  const char *at = text->str, *end = text->str + text->len, *line_end;
  while ((line_end = memchr(at, '\n', (gsize) (end - at))) != NULL) {
    if (!queue_add_line(counts, at, (gsize) (line_end - at)))
      return FALSE;
    at = line_end + 1;
  }
  g_string_erase(text, 0, at - text->str);
  return text->len <= LINE_MAX_BYTES;
}

static gboolean
fail(GError **error, const char *what)
{
  return command_error(error, ZEGEL_ERROR_TEMPORARY, "%s: %s", POSTQUEUE, what);
}

static gboolean
read_queue(Child *child, QueueCount counts[QUEUE_LABELS], gint64 deadline_us,
           GError **error)
{
  g_autofree char *buffer = g_malloc(READ_BYTES);
  g_autoptr(GString) text = g_string_new(NULL);
  for (;;) {
    if (!unix_wait(child->out, POLLIN, deadline_us))
      return fail(error, "it takes too long");
    ssize_t n = read(child->out, buffer, READ_BYTES);
    if (n == 0)
      return text->len == 0 || fail(error, "its last line is cut off");
    if (n < 0 && errno != EINTR && errno != EAGAIN)
      return fail(error, g_strerror(errno));
    if (n < 0)
      continue;
    g_string_append_len(text, buffer, n);
    if (!take_lines(text, counts))
      return fail(error, "what it prints is not understood");
  }
}

gboolean
queue_count(const char *directory, QueueCount counts[QUEUE_LABELS], GError **error)
{
  g_autofree char *program = program_find(POSTQUEUE);
  const char *const argv[] = {program, "-c", directory, "-j", NULL};
  const char *const environment[] = {"PATH=" PROGRAM_DIRECTORIES, NULL};
  gint64 deadline_us = g_get_monotonic_time() + QUEUE_WAIT_MS * 1000;
  Child child;
  int status = -1;
  if (program == NULL)
    return fail(error, "is not there");
  if (!child_start(&child, argv, environment, TRUE, error))
    return FALSE;
  child_close_input(&child);
  gboolean done = read_queue(&child, counts, deadline_us, error);
  if (done && (child_wait(&child, deadline_us, &status) != CHILD_EXITED || status != 0))
    done = fail(error, "it failed: does Postfix run?");
  child_end(&child);
  return done;
}
