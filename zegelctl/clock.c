#include "zegelctl/clock.h"

#include <string.h>

/* RFC 1035 4, RFC 4034 3.1, RFC 6891 6.1 */
#define HEADER_BYTES   12
#define FLAG_RESPONSE  0x80
#define FLAG_RD        0x01
#define FLAG_CD        0x10
#define TYPE_SOA       6
#define TYPE_OPT       41
#define TYPE_RRSIG     46
#define CLASS_IN       1
#define EDNS_BYTES     1232
#define EDNS_DO        0x80
#define RECORD_BYTES   10 /* type, class, TTL and length */
#define QUESTION_BYTES 4
#define RRSIG_MIN      18 /* up to the key tag */
#define RRSIG_EXPIRES  8
#define RRSIG_BEGINS   12
#define LABEL_POINTER  0xc0

void
clock_question(guint16 id, guint8 question[CLOCK_QUESTION_BYTES])
{
  const guint8 text[CLOCK_QUESTION_BYTES] = {
      (guint8) (id >> 8), (guint8) id, FLAG_RD, FLAG_CD, 0, 1, 0, 0, 0, 0, 0, 1,
      /* the root */
      0, 0, TYPE_SOA, 0, CLASS_IN,
      /* EDNS, with DNSSEC */
      0, 0, TYPE_OPT, EDNS_BYTES >> 8, EDNS_BYTES & 0xff, 0, 0, EDNS_DO, 0, 0, 0};
  memcpy(question, text, sizeof text);
}

static guint
read_u16(const guint8 *bytes)
{
  return (guint) bytes[0] << 8 | bytes[1];
}

static guint32
read_u32(const guint8 *bytes)
{
  return (guint32) read_u16(bytes) << 16 | read_u16(bytes + 2);
}

/* Where the name at AT ends, or 0 when it does not within LEN. */
static gsize
skip_name(const guint8 *bytes, gsize len, gsize at)
{
  while (at < len && bytes[at] != 0) {
    if ((bytes[at] & LABEL_POINTER) == LABEL_POINTER)
      return at + 2 <= len ? at + 2 : 0;
    if ((bytes[at] & LABEL_POINTER) != 0)
      return 0;
    at += 1 + (gsize) bytes[at];
  }
  return at < len ? at + 1 : 0;
}

/* Times of signatures have 32 bits and go round (RFC 4034 3.1.5). */
static gint64
seconds_between(guint32 from, gint64 now_s)
{
  return (gint32) ((guint32) now_s - from);
}

static gint64
judge_signature(const guint8 *rdata, gint64 now_s)
{
  gint64 since_begin = seconds_between(read_u32(rdata + RRSIG_BEGINS), now_s);
  gint64 since_end = seconds_between(read_u32(rdata + RRSIG_EXPIRES), now_s);
  return since_begin < 0 ? since_begin : MAX(since_end, 0);
}

gboolean
clock_answer(guint16 id, const guint8 *answer, gsize len, gint64 now_s, gint64 *off_s)
{
  if (len < HEADER_BYTES || read_u16(answer) != id || (answer[2] & FLAG_RESPONSE) == 0)
    return FALSE;
  gsize at = HEADER_BYTES;
  for (guint i = read_u16(answer + 4); i > 0; i--) {
    at = skip_name(answer, len, at);
    if (at == 0 || len - at < QUESTION_BYTES)
      return FALSE;
    at += QUESTION_BYTES;
  }
  for (guint i = read_u16(answer + 6); i > 0; i--) {
    at = skip_name(answer, len, at);
    if (at == 0 || len - at < RECORD_BYTES)
      return FALSE;
    guint type = read_u16(answer + at);
    gsize size = read_u16(answer + at + RECORD_BYTES - 2);
    at += RECORD_BYTES;
    if (len - at < size)
      return FALSE;
    if (type == TYPE_RRSIG && size >= RRSIG_MIN) {
      *off_s = judge_signature(answer + at, now_s);
      return TRUE;
    }
    at += size;
  }
  return FALSE;
}

/* ---- Who keeps it ---- */

static const struct {
  const char *name;
  gboolean silent; /* the kernel does not hear of its success */
} programs[] = {
    {"chronyd", FALSE}, {"systemd-timesyn", FALSE}, {"ntpsec", FALSE},
    {"ntpd", TRUE}, /* OpenNTPD is called so too */
    {"phc2sys", TRUE},  {"vmtoolsd", TRUE},         {"VBoxService", TRUE},
};

static gboolean
has_name(const char *const *names, const char *name)
{
  for (; *names != NULL; names++)
    if (strcmp(*names, name) == 0)
      return TRUE;
  return FALSE;
}

ClockKeeper
clock_keeper(const ClockFacts *facts, const char **program)
{
  gboolean silent = FALSE;
  *program = NULL;
  for (guint i = 0; *program == NULL && i < G_N_ELEMENTS(programs); i++)
    if (has_name(facts->running, programs[i].name)) {
      *program = programs[i].name;
      silent = programs[i].silent;
    }
  if (facts->synchronised || silent)
    return CLOCK_KEPT;
  if (facts->container)
    return CLOCK_HOST;
  return *program != NULL ? CLOCK_WAITING : CLOCK_ALONE;
}
