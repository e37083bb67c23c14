/* bad_spf - in the place of zegel-spf, one that was taken over: does what HELO says. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policyd/spf_wire.h"

static guint8 bytes[SPF_WIRE_MAX_BYTES];

static void
say(GByteArray *message)
{
  if (write(STDOUT_FILENO, message->data, message->len) < 0)
    exit(EXIT_FAILURE);
  g_byte_array_unref(message);
}

static void
say_bytes(const void *text, gsize len)
{
  if (write(STDOUT_FILENO, text, len) < 0)
    exit(EXIT_FAILURE);
}

/* Asks for ever. */
static void
flood(void)
{
  for (;;) {
    say(spf_wire_question("flood.example", RR_A));
    if (read(STDIN_FILENO, bytes, sizeof bytes) <= 0)
      exit(EXIT_SUCCESS);
  }
}

static void
misbehave(const char *how)
{
  if (strcmp(how, "flood") == 0)
    flood();
  if (strcmp(how, "leave") == 0)
    exit(EXIT_SUCCESS);
  if (strcmp(how, "two-questions") == 0) {
    say(spf_wire_question("one.example", RR_A));
    say(spf_wire_question("two.example", RR_A));
  } else if (strcmp(how, "verdict-first") == 0) {
    say(spf_wire_question("one.example", RR_A));
    say(spf_wire_verdict(SPF_VERDICT_PASS));
  } else if (strcmp(how, "no-such-verdict") == 0) {
    say_bytes("V\x07", 2);
  } else if (strcmp(how, "long-verdict") == 0) {
    say_bytes("V\x02\x02", 3);
  } else if (strcmp(how, "other-type") == 0) {
    say_bytes("Q\x00\x2bsecret.example", 17);
  } else if (strcmp(how, "bad-name") == 0) {
    say_bytes("Q\x00\x01\\046.example", 15);
  } else if (strcmp(how, "too-long") == 0) {
    memset(bytes, 'Q', sizeof bytes);
    say_bytes(bytes, 4000);
  } else {
    say(spf_wire_verdict(SPF_VERDICT_PASS));
    if (strcmp(how, "talk-on") == 0)
      say(spf_wire_verdict(SPF_VERDICT_PASS));
  }
}

int
main(void)
{
  gssize n;
  while ((n = read(STDIN_FILENO, bytes, sizeof bytes)) > 0) {
    g_auto(SpfCheck) check = {NULL, NULL, NULL};
    if (!spf_wire_read_check(bytes, (gsize) n, &check))
      return EXIT_FAILURE;
    misbehave(check.helo);
  }
  return EXIT_SUCCESS;
}
