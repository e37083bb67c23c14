#include "common/base/mailbox.h"

#include <string.h>

#include "common/base/label.h"

#define LABEL_MAX_BYTES 63 /* octets, RFC 1035 2.3.4 */

/* atext of RFC 5322 3.2.3, without '%' and '!'. */
static gboolean
is_local(const char *text, gsize len)
{
  if (len == 0 || len > MAILBOX_LOCAL_MAX_BYTES || text[0] == '.' || text[len - 1] == '.')
    return FALSE;
  for (gsize i = 0; i < len; i++)
    if (!g_ascii_isalnum(text[i]) && strchr("#$&'*+-/=?^_`{|}~.", text[i]) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
is_domain_label(const char *text)
{
  gsize len = strlen(text);
  if (len == 0 || len > LABEL_MAX_BYTES || text[0] == '-' || text[len - 1] == '-')
    return FALSE;
  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isalnum(*p) && *p != '-')
      return FALSE;
  return TRUE;
}

/* Two labels at least, the last one no number: that would be an address of a host. */
static gboolean
is_domain(const char *text)
{
  g_auto(GStrv) labels = g_strsplit(text, ".", -1);
  guint count = g_strv_length(labels);
  for (guint i = 0; i < count; i++)
    if (!is_domain_label(labels[i]))
      return FALSE;
  return count >= 2 && !g_ascii_isdigit(labels[count - 1][0]);
}

char *
mailbox_parse(const char *text)
{
  if (text == NULL || strlen(text) > MAILBOX_MAX_BYTES || !g_utf8_validate(text, -1, NULL))
    return NULL;
  g_autofree char *address = g_strstrip(g_strdup(text));
  const char *at = strchr(address, '@');
  if (at == NULL || !is_local(address, (gsize) (at - address)))
    return NULL;
  g_autofree char *ascii = g_hostname_to_ascii(at + 1);
  g_autofree char *domain = ascii != NULL ? g_ascii_strdown(ascii, -1) : NULL;
  if (domain == NULL || !is_domain(domain))
    return NULL;
  g_autofree char *mailbox =
      g_strdup_printf("%.*s@%s", (int) (at - address), address, domain);
  if (strlen(mailbox) > MAILBOX_MAX_BYTES || g_str_has_suffix(domain, "." LABEL_ROOT))
    return NULL;
  return g_steal_pointer(&mailbox);
}

const char *
mailbox_domain(const char *mailbox)
{
  return strrchr(mailbox, '@') + 1;
}

char *
mailbox_count_key(const char *mailbox)
{
  GString *key = g_string_new(NULL);
  const char *at = strrchr(mailbox, '@');
  for (const char *p = mailbox; p < at && (*p != '+' || p == mailbox); p++)
    if (*p != '.')
      g_string_append_c(key, g_ascii_tolower(*p));
  g_string_append(key, at);
  return g_string_free(key, FALSE);
}
