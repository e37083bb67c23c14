#include <string.h>

#include "common/crypt/crypt.h"
#include "milter/dkim.h"
#include "milter/dkim_canon.h"
#include "milter/dkim_key.h"

#define WIDTH    76 /* columns of a line: RFC 5322 2.1.1 wants no more than 78 */
#define TAB      8  /* columns */
#define SAME_MAX 8  /* fields of one name that are signed, from the last one up */

/* What is signed (RFC 6376 5.4.1), in this order. */
typedef struct {
  const char *name;
  enum {
    ALWAYS, /* once more than it is there, so that nobody can add one */
    THERE,  /* the same, when it is there */
    EACH    /* those that are there: who comes after us may add more */
  } how;
} Signed;

static const Signed signed_fields[] = {
    {"From", ALWAYS},
    {"Subject", ALWAYS},
    {"To", ALWAYS},
    {"Cc", ALWAYS},
    {"Date", ALWAYS},
    {"Reply-To", ALWAYS},
    {"Sender", ALWAYS},
    {"Message-ID", ALWAYS},
    {"In-Reply-To", ALWAYS},
    {"References", ALWAYS},
    {"MIME-Version", ALWAYS},
    {"Content-Type", ALWAYS},
    {"Content-Transfer-Encoding", ALWAYS},
    {"Content-Disposition", THERE},
    {"X-NTA7516", THERE},
    {"Auto-Submitted", EACH},
    {"List-Id", EACH},
    {"List-Unsubscribe", EACH},
    {"List-Unsubscribe-Post", EACH},
    {"List-Post", EACH},
    {"List-Owner", EACH},
    {"List-Archive", EACH},
    {"List-Help", EACH},
    {"List-Subscribe", EACH},
};

struct DkimSigner {
  const DkimKey *key;
  char *domain;
  GString *names;  /* h=, names between colons */
  GString *header; /* the fields of h=, canonical */
  DkimBody *body;
  gint64 time;
};

static void
add_name(DkimSigner *signer, const char *name)
{
  if (signer->names->len > 0)
    g_string_append_c(signer->names, ':');
  g_string_append(signer->names, name);
}

/* Signs the fields called as WHAT says, the last one first (RFC 6376 5.4.2). */
static void
add_fields(DkimSigner *signer, const Signed *what, const Fields *fields)
{
  guint count = fields_count(fields, what->name);
  guint taken = MIN(count, SAME_MAX);
  for (guint i = 0; i < taken; i++) {
    const Field *field = fields_find(fields, what->name, count - i);
    dkim_canon_field(signer->header, field->name, field->value);
    g_string_append(signer->header, "\r\n");
    add_name(signer, what->name);
  }
  if (taken == count && (what->how == ALWAYS || (what->how == THERE && count > 0)))
    add_name(signer, what->name);
}

DkimSigner *
dkim_signer_new(const DkimKey *key, const char *domain, const Fields *fields)
{
  DkimSigner *signer = g_new0(DkimSigner, 1);
  signer->key = key;
  signer->domain = g_strdup(domain);
  signer->names = g_string_new(NULL);
  signer->header = g_string_new(NULL);
  signer->body = dkim_canon_body_new();
  signer->time = g_get_real_time() / G_USEC_PER_SEC;
  for (guint i = 0; i < G_N_ELEMENTS(signed_fields); i++)
    add_fields(signer, &signed_fields[i], fields);
  return signer;
}

void
dkim_signer_set_time(DkimSigner *signer, gint64 time)
{
  signer->time = time;
}

void
dkim_signer_body(DkimSigner *signer, const void *bytes, gsize len)
{
  dkim_canon_body_add(signer->body, bytes, len);
}

/* Appends NAMES with line ends between them, none longer than WIDTH where that can be. */
static void
append_names(GString *value, const char *names)
{
  gsize column = TAB + strlen("h=");
  g_string_append(value, "\n\th=");
  for (const char *at = names; *at != '\0';) {
    gsize len = strcspn(at, ":");
    gboolean last = at[len] == '\0';
    if (column + len + 1 > WIDTH) {
      g_string_append(value, "\n\t ");
      column = TAB + 1;
    }
    g_string_append_len(value, at, (gssize) (last ? len : len + 1));
    column += len + 1;
    at += last ? len : len + 1;
  }
}

/* Appends BASE64 after what stands in the last line already, USED columns. */
static void
append_base64(GString *value, const char *base64, gsize used)
{
  while (*base64 != '\0') {
    gsize len = MIN(strlen(base64), WIDTH - used);
    g_string_append_len(value, base64, (gssize) len);
    base64 += len;
    used = TAB + 1;
    if (*base64 != '\0')
      g_string_append(value, "\n\t ");
  }
}

/* The value up to and with "b=", for a body with hash BH. */
static GString *
begin_value(const DkimSigner *signer, const guint8 *bh)
{
  GString *value = g_string_new(NULL);
  g_autofree char *hash = g_base64_encode(bh, CRYPT_SHA256_BYTES);
  g_string_append_printf(value, "v=1; a=%s; c=relaxed/relaxed;\n\td=%s;\n\ts=%s;",
                         dkim_key_algorithm(signer->key), signer->domain,
                         signer->key->selector);
  g_string_append_printf(value, " t=%" G_GINT64_FORMAT ";", signer->time);
  append_names(value, signer->names->str);
  g_string_append_printf(value, ";\n\tbh=%s;\n\tb=", hash);
  return value;
}

char *
dkim_signer_finish(DkimSigner *signer, GError **error)
{
  guint8 digest[CRYPT_SHA256_BYTES];
  dkim_canon_body_finish(signer->body, digest);
  g_autoptr(GString) value = begin_value(signer, digest);
  dkim_canon_field(signer->header, "DKIM-Signature", value->str);
  g_autoptr(CryptHash) hash = crypt_hash_new();
  crypt_hash_update(hash, signer->header->str, signer->header->len);
  crypt_hash_finish(hash, digest);
  g_autoptr(GBytes) bytes = sign_key_sign(signer->key->key, digest, error);
  if (bytes == NULL)
    return NULL;
  gsize len = 0;
  const guint8 *octets = g_bytes_get_data(bytes, &len);
  g_autofree char *base64 = g_base64_encode(octets, len);
  append_base64(value, base64, TAB + strlen("b="));
  return g_string_free(g_steal_pointer(&value), FALSE);
}

void
dkim_signer_free(DkimSigner *signer)
{
  if (signer == NULL)
    return;
  g_free(signer->domain);
  g_string_free(signer->names, TRUE);
  g_string_free(signer->header, TRUE);
  dkim_canon_body_free(signer->body);
  g_free(signer);
}
