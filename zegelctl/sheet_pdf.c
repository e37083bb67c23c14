/*
 * A sheet as PDF: what stands where goes to zegel-reader, which alone has fonts.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/child.h"
#include "common/base/error.h"
#include "zegelctl/command.h"
#include "zegelctl/sheet.h"

#define TIMEOUT_S     30
#define PDF_MAX_BYTES (64 * 1024 * 1024)
#define CHUNK_BYTES   65536

/* One value in the block: valid UTF-8, and no tab but those between cells. */
static void
add(Attrs *attrs, const char *name, const char *value)
{
  g_autofree char *valid = g_utf8_make_valid(value, -1);
  attrs_add(attrs, name, g_strdelimit(valid, "\t\r\n", ' '));
}

static void
add_cells(Attrs *attrs, const char *name, GStrv cells)
{
  g_autoptr(GString) line = g_string_new(NULL);
  for (guint i = 0; cells[i] != NULL; i++) {
    g_autofree char *valid = g_utf8_make_valid(cells[i], -1);
    g_string_append_printf(line, "%s%s", i > 0 ? "\t" : "",
                           g_strdelimit(valid, "\t\r\n", ' '));
  }
  attrs_add(attrs, name, line->str);
}

static char *
format_block(const Sheet *sheet)
{
  static const char *const names[] = {
      [SHEET_HEADING] = "heading", [SHEET_TEXT] = "text", [SHEET_TABLE] = "caption"};
  g_autoptr(Attrs) attrs = attrs_new();
  add(attrs, "title", sheet->title);
  add(attrs, "author", "zegel");
  for (guint i = 0; i < sheet->pieces->len; i++) {
    const SheetPiece *piece = sheet->pieces->pdata[i];
    add(attrs, names[piece->kind], piece->text);
    if (piece->kind != SHEET_TABLE)
      continue;
    add_cells(attrs, "columns", piece->columns);
    for (guint r = 0; r < piece->rows->len; r++)
      add_cells(attrs, piece->total && r + 1 == piece->rows->len ? "total" : "row",
                piece->rows->pdata[r]);
  }
  return attrs_format(attrs, ATTR_ESCAPED);
}

/* Writes on to CHILD what is left at *INPUT. FALSE: it reads no more. */
static gboolean
feed(Child *child, const char **input)
{
  gssize count = write(child->in, *input, strlen(*input));
  if (count < 0)
    return errno == EAGAIN || errno == EINTR;
  *input += count;
  if (**input == '\0')
    child_close_input(child);
  return TRUE;
}

/* Reads what CHILD wrote. FALSE at the end, or when it is too much. */
static gboolean
drain(Child *child, GByteArray *output)
{
  guint8 chunk[CHUNK_BYTES];
  gssize count = read(child->out, chunk, sizeof chunk);
  if (count < 0)
    return errno == EAGAIN || errno == EINTR;
  g_byte_array_append(output, chunk, (guint) count);
  return count > 0 && output->len <= PDF_MAX_BYTES;
}

static void
talk(Child *child, const char *input, GByteArray *output, gint64 deadline_us)
{
  for (;;) {
    struct pollfd fds[] = {{.fd = child->out, .events = POLLIN},
                           {.fd = child->in, .events = POLLOUT}};
    int ready = poll(fds, G_N_ELEMENTS(fds), child_poll_timeout_ms(deadline_us));
    if (ready == 0 || (ready < 0 && errno != EINTR))
      return;
    if (fds[1].revents != 0 && !feed(child, &input))
      child_close_input(child);
    if (fds[0].revents != 0 && !drain(child, output))
      return;
  }
}

GByteArray *
sheet_format_pdf(const Sheet *sheet, const char *reader, GError **error)
{
  const char *const argv[] = {reader, "report", sheet->language, NULL};
  const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
  gint64 deadline_us = g_get_monotonic_time() + TIMEOUT_S * G_USEC_PER_SEC;
  g_autofree char *block = format_block(sheet);
  if (strlen(block) > ATTR_BLOCK_MAX_BYTES) {
    command_error(error, ZEGEL_ERROR_LIMIT, "the report is too large for a PDF");
    return NULL;
  }
  Child child;
  signal(SIGPIPE, SIG_IGN); /* a reader that ends early is no reason to die */
  if (!child_start(&child, argv, environment, TRUE, error))
    return NULL;
  g_autoptr(GByteArray) output = g_byte_array_new();
  talk(&child, block, output, deadline_us);
  int status = -1;
  ChildState state = child_wait(&child, deadline_us, &status);
  child_end(&child);
  if (state == CHILD_EXITED && status == EX_OK && output->len > 0)
    return g_steal_pointer(&output);
  command_error(
      error, ZEGEL_ERROR_TEMPORARY,
      "%s made no PDF of it: is it there, and has the report less than 6000 lines?",
      reader);
  return NULL;
}
