/*
 * fuzz_ticket - any header value, and any attribute block behind a good box.
 *
 * The first octet of the input chooses: 'v' for a header value, else for the block inside.
 */
#include <stdint.h>

#include "common/crypt/ticket.h"
#include "tests/unit/crypt/ring.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was parsed once comes back the same. */
static void
check_again(const Ticket *ticket)
{
  gsize len = 0;
  g_autofree char *text = ticket_format(ticket, &len, NULL);
  g_autoptr(Ticket) again = ticket_parse(text, len, NULL);
  g_assert_nonnull(again);
  gsize again_len = 0;
  g_autofree char *again_text = ticket_format(again, &again_len, NULL);
  g_assert_cmpstr(text, ==, again_text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  g_autoptr(Ticket) ticket = NULL;
  if (data[0] == 'v') {
    g_autoptr(KeyRing) ring = ring_new(KEY_TICKET, TRUE);
    g_autofree char *value = g_strndup((const char *) data + 1, size - 1);
    ticket = ticket_open(ring, value, NULL);
  } else {
    ticket = ticket_parse((const char *) data + 1, size - 1, NULL);
  }
  if (ticket != NULL)
    check_again(ticket);
  return 0;
}
