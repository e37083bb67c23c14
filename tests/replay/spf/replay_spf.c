/*
 * replay_spf - checks SPF with a DNS that is told on standard input.
 *
 * The real pool of policyd/spf.c and the real, confined zegel-spf (the one argument); only
 * the DNS is ours. Lines have fields with a tab between:
 *
 *   answer NAME TYPE OUTCOME [RDATA in hexadecimal]...
 *   check ADDRESS HELO SENDER
 *
 * TYPE and OUTCOME are numbers (rr.h). Each check prints its verdict.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "policyd/spf.h"
#include "tests/unit/policyd/fake_dns.h"

typedef struct {
  Loop *loop;
  Dns *dns;
  Spf *spf;
} Replay;

static guint
number(const char *text, guint most)
{
  guint64 value = 0;
  g_autoptr(GError) error = NULL;
  if (!g_ascii_string_to_unsigned(text, 10, 0, most, &value, &error))
    g_error("replay_spf: %s", error->message);
  return (guint) value;
}

static void
add_hex(DnsAnswer *answer, const char *hex)
{
  g_autoptr(GByteArray) rdata = g_byte_array_new();
  for (; hex[0] != '\0' && hex[1] != '\0'; hex += 2) {
    guint8 octet =
        (guint8) (g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
    g_byte_array_append(rdata, &octet, 1);
  }
  dns_answer_add(answer, rdata->data, rdata->len);
}

static void
on_verdict(gpointer data, SpfVerdict verdict)
{
  Replay *replay = data;
  printf("%s\n", spf_verdict_name(verdict));
  loop_stop(replay->loop);
}

static void
obey(Replay *replay, char **field, guint count)
{
  g_autoptr(GError) error = NULL;
  if (count >= 4 && strcmp(field[0], "answer") == 0) {
    DnsAnswer *answer =
        fake_dns_put(replay->dns, field[1], (guint16) number(field[2], G_MAXUINT16),
                     (DnsOutcome) number(field[3], DNS_FAILURE));
    for (guint i = 4; i < count; i++)
      add_hex(answer, field[i]);
  } else if (count == 4 && strcmp(field[0], "check") == 0) {
    spf_ask(replay->spf, field[1], field[2], field[3], on_verdict, replay);
    if (!loop_run(replay->loop, &error))
      g_error("replay_spf: %s", error->message);
  } else {
    g_error("replay_spf: no such line: %s", field[0]);
  }
}

int
main(int argc, char **argv)
{
  Replay replay;
  g_autofree char *line = NULL;
  size_t size = 0;
  if (argc != 2)
    return EXIT_FAILURE;
  log_open("replay_spf", TRUE);
  replay.loop = loop_new(NULL);
  replay.dns = fake_dns_new(replay.loop);
  replay.spf = spf_new(replay.loop, replay.dns, argv[1]);
  while (getline(&line, &size, stdin) > 0) {
    line[strcspn(line, "\n")] = '\0';
    g_auto(GStrv) fields = g_strsplit(line, "\t", -1);
    obey(&replay, fields, g_strv_length(fields));
  }
  spf_free(replay.spf);
  fake_dns_free(replay.dns);
  loop_free(replay.loop);
  return EXIT_SUCCESS;
}
