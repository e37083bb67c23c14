#include "policyd/spf_wire.h"

#include <string.h>

#define LABEL_MAX_BYTES 63

/* The first octet of a message. */
enum {
  KIND_CHECK = 'C',    /* address, helo and sender, a NUL behind each */
  KIND_QUESTION = 'Q', /* type, and the name to the end */
  KIND_ANSWER = 'A',   /* outcome, and records: length and rdata; numbers have two octets */
  KIND_VERDICT = 'V'   /* one octet */
};

typedef struct {
  const guint8 *p;
  gsize left;
} Reader;

static gboolean
is_label(const char *p, gsize len)
{
  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isprint(p[i]) || p[i] == '\\')
      return FALSE;
  return len > 0 && len <= LABEL_MAX_BYTES;
}

char *
spf_name_usable(const char *domain)
{
  gsize len = strlen(domain);
  if (len > 0 && domain[len - 1] == '.')
    len--;
  while (len > SPF_NAME_MAX_BYTES) {
    const char *dot = memchr(domain, '.', len);
    if (dot == NULL)
      return NULL;
    len -= (gsize) (dot + 1 - domain);
    domain = dot + 1;
  }
  for (const char *p = domain, *end = domain + len;;) {
    const char *dot = memchr(p, '.', (gsize) (end - p));
    if (!is_label(p, (gsize) ((dot != NULL ? dot : end) - p)))
      return NULL;
    if (dot == NULL)
      return g_ascii_strdown(domain, (gssize) len);
    p = dot + 1;
  }
}

static GByteArray *
begin(guint8 kind)
{
  GByteArray *message = g_byte_array_new();
  g_byte_array_append(message, &kind, 1);
  return message;
}

static void
put_number(GByteArray *message, gsize number)
{
  const guint8 bytes[] = {(guint8) (number >> 8), (guint8) number};
  g_byte_array_append(message, bytes, sizeof bytes);
}

static void
put_text(GByteArray *message, const char *text)
{
  g_byte_array_append(message, (const guint8 *) text, (guint) strlen(text) + 1);
}

GByteArray *
spf_wire_check(const char *address, const char *helo, const char *sender)
{
  GByteArray *message = begin(KIND_CHECK);
  put_text(message, address);
  put_text(message, helo);
  put_text(message, sender);
  return message;
}

GByteArray *
spf_wire_question(const char *name, guint16 type)
{
  GByteArray *message = begin(KIND_QUESTION);
  put_number(message, type);
  g_byte_array_append(message, (const guint8 *) name, (guint) strlen(name));
  return message;
}

GByteArray *
spf_wire_answer(const DnsAnswer *answer)
{
  GByteArray *message = begin(KIND_ANSWER);
  const guint8 outcome = (guint8) answer->outcome;
  g_byte_array_append(message, &outcome, 1);
  for (guint i = 0; i < answer->records->len; i++) {
    gsize len;
    const guint8 *rdata = g_bytes_get_data(answer->records->pdata[i], &len);
    put_number(message, len);
    g_byte_array_append(message, rdata, (guint) len);
  }
  return message;
}

GByteArray *
spf_wire_verdict(SpfVerdict verdict)
{
  GByteArray *message = begin(KIND_VERDICT);
  const guint8 octet = (guint8) verdict;
  g_byte_array_append(message, &octet, 1);
  return message;
}

/* Whether it begins with an octet: taken off, into *OCTET. */
static gboolean
take_octet(Reader *reader, guint8 *octet)
{
  if (reader->left == 0)
    return FALSE;
  *octet = *reader->p++;
  reader->left--;
  return TRUE;
}

static gboolean
take_number(Reader *reader, guint16 *number)
{
  guint8 high, low;
  if (!take_octet(reader, &high) || !take_octet(reader, &low))
    return FALSE;
  *number = (guint16) (high << 8 | low);
  return TRUE;
}

static gboolean
take_kind(Reader *reader, guint8 expected)
{
  guint8 kind;
  return take_octet(reader, &kind) && kind == expected;
}

/* A text with the NUL behind it: new, or NULL. */
static char *
take_text(Reader *reader)
{
  const guint8 *end =
      memchr(reader->p, '\0', MIN(reader->left, (gsize) SPF_TEXT_MAX_BYTES + 1));
  if (end == NULL)
    return NULL;
  char *text = g_strdup((const char *) reader->p);
  reader->left -= (gsize) (end + 1 - reader->p);
  reader->p = end + 1;
  return text;
}

gboolean
spf_wire_read_check(const guint8 *bytes, gsize len, SpfCheck *check)
{
  Reader reader = {bytes, len};
  memset(check, 0, sizeof *check);
  return take_kind(&reader, KIND_CHECK) && (check->address = take_text(&reader)) != NULL &&
         (check->helo = take_text(&reader)) != NULL &&
         (check->sender = take_text(&reader)) != NULL && reader.left == 0;
}

static gboolean
is_asked_type(guint16 type)
{
  return type == RR_A || type == RR_AAAA || type == RR_MX || type == RR_PTR ||
         type == RR_TXT;
}

gboolean
spf_wire_read_question(const guint8 *bytes, gsize len, char **name, guint16 *type)
{
  Reader reader = {bytes, len};
  *name = NULL;
  if (!take_kind(&reader, KIND_QUESTION) || !take_number(&reader, type) ||
      !is_asked_type(*type) || reader.left > SPF_NAME_MAX_BYTES ||
      memchr(reader.p, '\0', reader.left) != NULL)
    return FALSE;
  g_autofree char *text = g_strndup((const char *) reader.p, reader.left);
  *name = spf_name_usable(text);
  return *name != NULL;
}

DnsAnswer *
spf_wire_read_answer(const guint8 *bytes, gsize len, const char *name, guint16 type)
{
  Reader reader = {bytes, len};
  g_autoptr(DnsAnswer) answer = dns_answer_new(name, type);
  guint8 outcome;
  guint16 count;
  if (!take_kind(&reader, KIND_ANSWER) || !take_octet(&reader, &outcome) ||
      outcome > DNS_FAILURE)
    return NULL;
  while (reader.left > 0) {
    if (!take_number(&reader, &count) || count > reader.left)
      return NULL;
    dns_answer_add(answer, reader.p, count);
    reader.p += count;
    reader.left -= count;
  }
  if ((outcome == DNS_DATA) != (answer->records->len > 0))
    return NULL;
  answer->outcome = (DnsOutcome) outcome;
  return g_steal_pointer(&answer);
}

gboolean
spf_wire_read_verdict(const guint8 *bytes, gsize len, SpfVerdict *verdict)
{
  Reader reader = {bytes, len};
  guint8 octet;
  if (!take_kind(&reader, KIND_VERDICT) || !take_octet(&reader, &octet) ||
      octet > SPF_VERDICT_PERMERROR || reader.left > 0)
    return FALSE;
  *verdict = (SpfVerdict) octet;
  return TRUE;
}

void
spf_check_clear(SpfCheck *check)
{
  g_clear_pointer(&check->address, g_free);
  g_clear_pointer(&check->helo, g_free);
  g_clear_pointer(&check->sender, g_free);
}
