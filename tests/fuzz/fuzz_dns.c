/* Any octets as the response to a question, with and without the right head. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "policyd/chain.h"
#include "policyd/dns.h"
#include "policyd/dns_message.h"

#define NAME       "x.nl"
#define ID         0x1234
#define NOW_US     1000000
#define QDCOUNT_AT 4

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const guint16 types[] = {RR_TXT, RR_A,  RR_MX,     RR_CNAME,
                                RR_PTR, RR_DS, RR_DNSKEY, RR_TLSA};

static void
check_records(const DnsAnswer *answer)
{
  for (guint i = 0; i < answer->records->len; i++) {
    GBytes *rdata = answer->records->pdata[i];
    guint a, b, c;
    gsize len;
    g_autofree char *host = NULL;
    g_autofree char *txt = rr_txt(rdata, &len);
    g_assert_true(txt == NULL || txt[len] == '\0');
    g_autofree char *text = rr_text(answer->type, rdata);
    g_assert_true(g_str_is_ascii(text));
    gboolean is_mx = rr_mx(rdata, &a, &host);
    g_assert_true(answer->type != RR_MX || is_mx);
    if (rr_tlsa(rdata, &a, &b, &c, &len))
      g_assert_cmpuint(len, >, 0);
  }
}

static void
check_answer(const DnsAnswer *answer)
{
  gint64 left_us = answer->expires_us - NOW_US;
  g_assert_true((answer->outcome == DNS_DATA) == (answer->records->len > 0));
  g_assert_true((answer->outcome == DNS_FAILURE) == (answer->failure != NULL));
  g_assert_true(answer->outcome != DNS_FAILURE || (!answer->secure && !answer->alias));
  g_assert_cmpint(left_us, >=, DNS_KEEP_MIN_MS * 1000);
  g_assert_cmpint(left_us, <=, (gint64) DNS_KEEP_MAX_S * 1000000);
  check_records(answer);
}

/* Nothing here is signed by a key that anybody has. */
static void
try_chain(const guint8 *message, gsize len, DnsAnswer *answer, GPtrArray *signatures)
{
  g_autofree char *name = NULL;
  guint16 type;
  guint32 holds_s;
  if (answer->outcome != DNS_DATA || answer->alias ||
      !chain_next(answer, signatures, &name, &type) || name == NULL)
    return;
  g_autoptr(DnsAnswer) needed = dns_message_read(message, len, NAME, type, NOW_US, NULL);
  needed->secure = TRUE;
  g_free(needed->name);
  needed->name = g_steal_pointer(&name);
  g_assert_false(chain_verify(NULL, answer, signatures, needed, 1700000000, &holds_s));
}

static void
try_message(const guint8 *message, gsize len, guint16 type)
{
  g_autoptr(GBytes) question = dns_message_question(NAME, type, ID, TRUE);
  if (dns_message_check(question, message, len) == DNS_RESPONSE_ALIEN)
    return;
  g_autoptr(GPtrArray) signatures =
      g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
  g_autoptr(DnsAnswer) answer =
      dns_message_read(message, len, NAME, type, NOW_US, signatures);
  check_answer(answer);
  try_chain(message, len, answer, signatures);
}

/* The header is of DATA but for id, QR, opcode and the number of questions. */
static void
try_with_head(const guint8 *data, gsize size, guint16 type)
{
  g_autoptr(GBytes) question = dns_message_question(NAME, type, ID, FALSE);
  g_autoptr(GByteArray) message = g_byte_array_new();
  const guint8 *asked = g_bytes_get_data(question, NULL);
  g_byte_array_append(message, data, DNS_HEADER_BYTES);
  memcpy(message->data, asked, 2);
  memcpy(message->data + QDCOUNT_AT, asked + QDCOUNT_AT, 2);
  message->data[2] = (guint8) ((message->data[2] & 0x07) | 0x80);
  g_byte_array_append(message, asked + DNS_HEADER_BYTES, strlen("1x2nl0") + 4);
  g_byte_array_append(message, data + DNS_HEADER_BYTES, (guint) (size - DNS_HEADER_BYTES));
  g_assert_cmpint(dns_message_check(question, message->data, message->len), !=,
                  DNS_RESPONSE_ALIEN);
  try_message(message->data, message->len, type);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  guint16 id;
  if (size == 0)
    return 0;
  guint16 type = types[*data++ % G_N_ELEMENTS(types)];
  size--;
  dns_message_id(data, size, &id);
  try_message(data, size, type);
  if (size >= DNS_HEADER_BYTES)
    try_with_head(data, size, type);
  return 0;
}
