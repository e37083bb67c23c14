/*
 * fuzz_lmtp.c - a client's bytes through the LMTP machine and the header scanner.
 *
 * However the bytes are cut into pieces, what comes out is the same.
 */
#include <stdint.h>
#include <string.h>

#include "deliver/head.h"
#include "deliver/lmtp.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What one run through the machine gave. */
typedef struct {
  Lmtp *lmtp;
  Head *head; /* of the message under way, or NULL */
  GByteArray *keep;
  GString *out;
} Run;

static void
take_command(Run *run, const LmtpCommand *command)
{
  g_string_append_printf(run->out, "[%d %d %s %s]", command->fault, command->verb,
                         command->path != NULL ? command->path : "",
                         command->ident != NULL ? command->ident : "");
  if (command->fault != LMTP_FAULT_NONE || command->verb != LMTP_DATA)
    return;
  lmtp_begin_content(run->lmtp);
  run->head = head_new();
}

static void
take_content(Run *run, const LmtpEvent *event)
{
  gsize used = 0;
  if (!head_is_over(run->head))
    used = head_take(run->head, event->content, event->content_len, run->keep);
  g_assert(used <= event->content_len);
  g_byte_array_append(run->keep, (const guint8 *) event->content + used,
                      (guint) (event->content_len - used));
}

static void
end_message(Run *run)
{
  head_finish(run->head, run->keep);
  const char *ticket = head_ticket(run->head);
  g_string_append_printf(run->out, "{%u %s ", head_ticket_count(run->head),
                         ticket != NULL ? ticket : "");
  g_string_append_len(run->out, (const char *) run->keep->data, run->keep->len);
  g_string_append_c(run->out, '}');
  g_byte_array_set_size(run->keep, 0);
  g_clear_pointer(&run->head, head_free);
}

static void
take_piece(Run *run, const char *piece, gsize len)
{
  LmtpEvent event = {.kind = LMTP_EVENT_COMMAND};
  for (gsize used = 0; event.kind != LMTP_EVENT_MORE;) {
    used += lmtp_next(run->lmtp, piece + used, len - used, &event);
    g_assert(used <= len);
    if (event.kind == LMTP_EVENT_COMMAND)
      take_command(run, event.command);
    else if (event.kind == LMTP_EVENT_CONTENT)
      take_content(run, &event);
    else if (event.kind == LMTP_EVENT_END)
      end_message(run);
    else
      g_assert(used == len);
  }
}

static GString *
run_in_pieces(const uint8_t *data, size_t size, size_t step)
{
  Run run = {.lmtp = lmtp_new(), .keep = g_byte_array_new(), .out = g_string_new(NULL)};
  for (size_t at = 0; at < size; at += step) {
    gsize len = MIN(step, size - at);
    g_autofree char *piece = g_memdup2(data + at, len);
    take_piece(&run, piece, len);
  }
  if (run.head != NULL)
    end_message(&run);
  g_byte_array_unref(run.keep);
  lmtp_free(run.lmtp);
  return run.out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const size_t steps[] = {1, 2, 7, 4096};
  GString *whole = run_in_pieces(data, size, MAX(size, 1));
  for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
    GString *pieces = run_in_pieces(data, size, steps[i]);
    g_assert(g_string_equal(whole, pieces));
    g_string_free(pieces, TRUE);
  }
  g_string_free(whole, TRUE);
  return 0;
}
