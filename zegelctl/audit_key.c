#include "zegelctl/audit_key.h"

#include <string.h>

#include "common/base/error.h"
#include "zegelctl/command.h"

#define PEM_BEGIN        "-----BEGIN PUBLIC KEY-----"
#define PEM_END          "-----END PUBLIC KEY-----"
#define CHECKPOINT_BEGIN "zegel-checkpoint "
#define CHECKPOINT_WORDS 7
#define CHECKPOINT_MAX   400 /* octets */

/* SubjectPublicKeyInfo of Ed25519 up to the key itself (RFC 8410 4). */
static const guint8 spki[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                              0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

char *
audit_key_format(guint32 id, const guint8 public_key[CHECKPOINT_PUBLIC_BYTES])
{
  guint8 der[sizeof spki + CHECKPOINT_PUBLIC_BYTES];
  memcpy(der, spki, sizeof spki);
  memcpy(der + sizeof spki, public_key, CHECKPOINT_PUBLIC_BYTES);
  g_autofree char *base64 = g_base64_encode(der, sizeof der);
  return g_strdup_printf("# key %08x of the audit trail\n" PEM_BEGIN "\n%s\n" PEM_END "\n",
                         id, base64);
}

gboolean
audit_key_parse(const char *name, const char *text,
                guint8 public_key[CHECKPOINT_PUBLIC_BYTES], GError **error)
{
  const char *begin = strstr(text, PEM_BEGIN);
  const char *end = begin != NULL ? strstr(begin, PEM_END) : NULL;
  gsize len = 0;
  g_autofree guint8 *der = NULL;
  if (end != NULL) {
    begin += strlen(PEM_BEGIN);
    g_autofree char *base64 = g_strndup(begin, (gsize) (end - begin));
    der = g_base64_decode(base64, &len);
  }
  if (len != sizeof spki + CHECKPOINT_PUBLIC_BYTES || memcmp(der, spki, sizeof spki) != 0)
    return command_error(error, ZEGEL_ERROR_INVALID,
                         "%s: there is no public key of Ed25519 here; zegelctl audit key "
                         "prints it",
                         name);
  memcpy(public_key, der + sizeof spki, CHECKPOINT_PUBLIC_BYTES);
  return TRUE;
}

/* The length of the checkpoint at TEXT: seven words with one space between; 0: none. */
static gsize
checkpoint_length(const char *text)
{
  gsize len = 0;
  for (guint word = 1; word <= CHECKPOINT_WORDS; word++) {
    gsize part = strcspn(text + len, " \t\r\n");
    len += part;
    if (part == 0 || len > CHECKPOINT_MAX)
      return 0;
    if (word < CHECKPOINT_WORDS && text[len++] != ' ')
      return 0;
  }
  return len;
}

/* TEXT with what quoted-printable (RFC 2045 6.7) makes of long lines and of '=' undone. */
static char *
decode_mail(const char *text)
{
  GString *plain = g_string_new(NULL);
  for (const char *p = text; *p != '\0'; p++) {
    if (*p == '=' && (p[1] == '\n' || (p[1] == '\r' && p[2] == '\n')))
      p += p[1] == '\r' ? 2 : 1;
    else if (g_str_has_prefix(p, "=3D")) {
      g_string_append_c(plain, '=');
      p += 2;
    } else
      g_string_append_c(plain, *p);
  }
  return g_string_free(plain, FALSE);
}

guint
audit_checkpoints_find(const char *text, GPtrArray *checkpoints)
{
  guint count = 0;
  g_autofree char *mail =
      strstr(text, "quoted-printable") != NULL ? decode_mail(text) : NULL;
  for (const char *p = mail != NULL ? mail : text;
       (p = strstr(p, CHECKPOINT_BEGIN)) != NULL; p++) {
    gsize len = checkpoint_length(p);
    if (len == 0)
      continue;
    g_ptr_array_add(checkpoints, g_strndup(p, len));
    count++;
  }
  return count;
}
