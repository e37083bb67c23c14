#include "policyd/rr.h"

#include <string.h>

#define NAME_MAX_BYTES  255 /* RFC 1035 2.3.4 */
#define MX_HEAD_BYTES   2
#define TLSA_HEAD_BYTES 3

DnsAnswer *
dns_answer_new(const char *name, guint16 type)
{
  DnsAnswer *answer = g_new0(DnsAnswer, 1);
  answer->refs = 1;
  answer->name = g_strdup(name);
  answer->type = type;
  answer->outcome = DNS_FAILURE;
  answer->records = g_ptr_array_new_with_free_func((GDestroyNotify) g_bytes_unref);
  return answer;
}

DnsAnswer *
dns_answer_ref(DnsAnswer *answer)
{
  answer->refs++;
  return answer;
}

void
dns_answer_unref(DnsAnswer *answer)
{
  if (answer == NULL || --answer->refs > 0)
    return;
  g_ptr_array_unref(answer->records);
  g_free(answer->name);
  g_free(answer->failure);
  g_free(answer);
}

void
dns_answer_add(DnsAnswer *answer, const void *bytes, gsize len)
{
  answer->outcome = DNS_DATA;
  g_ptr_array_add(answer->records, g_bytes_new(bytes, len));
}

gboolean
dns_answer_is_proved(const DnsAnswer *answer)
{
  return answer->outcome != DNS_FAILURE && answer->secure && !answer->alias;
}

const char *
rr_type_name(guint16 type)
{
  switch (type) {
  case RR_A:
    return "A";
  case RR_CNAME:
    return "CNAME";
  case RR_SOA:
    return "SOA";
  case RR_PTR:
    return "PTR";
  case RR_MX:
    return "MX";
  case RR_TXT:
    return "TXT";
  case RR_AAAA:
    return "AAAA";
  case RR_DS:
    return "DS";
  case RR_DNSKEY:
    return "DNSKEY";
  case RR_TLSA:
    return "TLSA";
  default:
    return "TYPE";
  }
}

char *
rr_txt(GBytes *rdata, gsize *len)
{
  gsize left;
  const guint8 *p = g_bytes_get_data(rdata, &left);
  g_autoptr(GString) text = g_string_new(NULL);
  while (left > 0) {
    gsize count = *p;
    if (count >= left)
      return NULL;
    g_string_append_len(text, (const char *) p + 1, (gssize) count);
    p += 1 + count;
    left -= 1 + count;
  }
  *len = text->len;
  return g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean
prints(gchar c)
{
  return g_ascii_isgraph(c) && c != '.' && c != '\\';
}

static gboolean
is_of_host(gchar c)
{
  return g_ascii_isalnum(c) || c == '-' || c == '_';
}

/* The name in LEN octets at P, which must be all of it; octets that are not GOOD are '?'.
 */
static char *
read_name(const guint8 *p, gsize len, gboolean (*good)(gchar c))
{
  g_autoptr(GString) name = g_string_new(NULL);
  if (len > NAME_MAX_BYTES)
    return NULL;
  while (len > 1) {
    gsize count = *p;
    if (count == 0 || count > 63 || count + 1 >= len)
      return NULL;
    g_string_append(name, name->len > 0 ? "." : "");
    for (gsize i = 1; i <= count; i++)
      g_string_append_c(name, good((char) p[i]) ? g_ascii_tolower((char) p[i]) : '?');
    p += 1 + count;
    len -= 1 + count;
  }
  if (len != 1 || *p != 0)
    return NULL;
  return g_string_free(g_steal_pointer(&name), FALSE);
}

gboolean
rr_mx(GBytes *rdata, guint *preference, char **host)
{
  gsize len;
  const guint8 *p = g_bytes_get_data(rdata, &len);
  if (len <= MX_HEAD_BYTES)
    return FALSE;
  *preference = (guint) (p[0] << 8 | p[1]);
  *host = read_name(p + MX_HEAD_BYTES, len - MX_HEAD_BYTES, is_of_host);
  return *host != NULL;
}

char *
rr_name(GBytes *rdata, gsize skip)
{
  gsize len;
  const guint8 *p = g_bytes_get_data(rdata, &len);
  return len > skip ? read_name(p + skip, len - skip, prints) : NULL;
}

gboolean
rr_tlsa(GBytes *rdata, guint *usage, guint *selector, guint *matching, gsize *data_len)
{
  gsize len;
  const guint8 *p = g_bytes_get_data(rdata, &len);
  if (len <= TLSA_HEAD_BYTES)
    return FALSE;
  *usage = p[0];
  *selector = p[1];
  *matching = p[2];
  *data_len = len - TLSA_HEAD_BYTES;
  return TRUE;
}

static void
append_hex(GString *text, const guint8 *p, gsize len)
{
  for (gsize i = 0; i < len; i++)
    g_string_append_printf(text, "%02x", p[i]);
}

/* What RDATA says, or nothing when it is damaged. */
static void
append_record(GString *text, guint16 type, GBytes *rdata)
{
  gsize len, data_len;
  guint usage, selector, matching, preference;
  g_autofree char *host = NULL;
  g_autofree char *joined = NULL;
  const guint8 *p = g_bytes_get_data(rdata, &len);
  if (type == RR_TXT) {
    joined = rr_txt(rdata, &data_len);
    if (joined != NULL)
      g_string_append_len(text, joined, (gssize) data_len);
  } else if (type == RR_MX && rr_mx(rdata, &preference, &host)) {
    g_string_append_printf(text, "%u %s", preference, *host != '\0' ? host : ".");
  } else if (type == RR_TLSA && rr_tlsa(rdata, &usage, &selector, &matching, &data_len)) {
    g_string_append_printf(text, "%u %u %u ", usage, selector, matching);
    append_hex(text, p + (len - data_len), data_len);
  } else {
    append_hex(text, p, len);
  }
}

char *
rr_text(guint16 type, GBytes *rdata)
{
  GString *text = g_string_new(NULL);
  append_record(text, type, rdata);
  for (gsize i = 0; i < text->len; i++)
    if (!g_ascii_isprint(text->str[i]))
      text->str[i] = '?';
  return g_string_free(text, FALSE);
}
