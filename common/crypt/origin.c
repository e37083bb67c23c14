#include "common/crypt/origin.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/error.h"
#include "common/crypt/box_text.h"

#define ORIGIN_LABEL       "origin"
#define CONVERSATION_LABEL "conversation"
#define CONTROL_LABEL      "control"
#define ADDRESS_MAX_BYTES  1024 /* RFC 5321 allows 320; Postfix passes on somewhat more */
#define LOCAL_MAX_BYTES    64   /* RFC 5321 4.5.3.1.1 */
#define NONCE_BYTES        5
#define NONCE_CHARS        8 /* of NONCE_BYTES in base32 */
#define ID_CHARS           8
#define MAC_BYTES          10 /* nobody can try but by sending mail */
#define MAC_CHARS          16 /* of MAC_BYTES in base32 */
#define REFERENCE_MAX      16 /* so that a control address fits in LOCAL_MAX_BYTES */
#define BASE32             "abcdefghijklmnopqrstuvwxyz234567" /* RFC 4648 6 */

static const char *const kind_names[] = {
    [ORIGIN_ANSWER] = "answer",
    [ORIGIN_FORWARD] = "forward",
    [ORIGIN_FORM] = "form",
};

static const char *const control_prefixes[] = {
    [CONTROL_BOUNCE] = "bounce-",
    [CONTROL_NUMBER] = "nummer-",
    [CONTROL_VISITOR] = "answer-",
};

#define CONTROL_PREFIX_CHARS 7

G_STATIC_ASSERT(CONTROL_PREFIX_CHARS + REFERENCE_MAX + 1 + ID_CHARS + 1 + MAC_CHARS <=
                LOCAL_MAX_BYTES);

/* ---- The mark ---- */

void
origin_free(Origin *origin)
{
  if (origin == NULL)
    return;
  g_free(origin->organisation);
  g_free(origin->author);
  g_strfreev(origin->recipients);
  g_free(origin);
}

static Attrs *
format_origin(const Origin *origin)
{
  Attrs *attrs = attrs_new();
  attrs_add(attrs, "kind", kind_names[origin->kind]);
  attrs_add(attrs, "org", origin->organisation);
  attrs_add(attrs, "author", origin->author);
  for (char **recipient = origin->recipients; *recipient != NULL; recipient++)
    attrs_add(attrs, "rcpt", *recipient);
  g_autofree char *hex = crypt_hex(origin->body_sha256, sizeof origin->body_sha256);
  attrs_add(attrs, "body", hex);
  return attrs;
}

char *
origin_seal(const KeyRing *ring, const Origin *origin, GError **error)
{
  guint recipients = g_strv_length(origin->recipients);
  if (recipients == 0 || recipients > ORIGIN_MAX_RECIPIENTS) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT,
                "a mark has 1 to %d recipients, not %u", ORIGIN_MAX_RECIPIENTS, recipients);
    return NULL;
  }
  g_autoptr(Attrs) attrs = format_origin(origin);
  g_autofree char *plain = attrs_format(attrs, ATTR_ESCAPED);
  return box_text_seal(ring, ORIGIN_LABEL, ORIGIN_HEADER, plain, strlen(plain), error);
}

static gboolean
reject(GError **error, const char *what)
{
  g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_INVALID, "the mark has no good %s", what);
  return FALSE;
}

static gboolean
is_address(const char *text)
{
  gsize len = strlen(text);
  for (const char *p = text; *p != '\0'; p++)
    if ((guchar) *p < 0x20 || *p == 0x7f)
      return FALSE;
  return len > 0 && len <= ADDRESS_MAX_BYTES;
}

static gboolean
parse_kind(const Attrs *attrs, OriginKind *kind)
{
  const char *name = attrs_get(attrs, "kind");
  for (guint i = 0; name != NULL && i < G_N_ELEMENTS(kind_names); i++)
    if (strcmp(kind_names[i], name) == 0) {
      *kind = (OriginKind) i;
      return TRUE;
    }
  return FALSE;
}

/* The recipients in ATTRS, a new list, or NULL. */
static GStrv
parse_recipients(const Attrs *attrs)
{
  g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
  guint recipients = 0;
  for (guint i = 0; i < attrs_count(attrs); i++) {
    const char *name = NULL;
    const char *value = NULL;
    attrs_nth(attrs, i, &name, &value);
    if (strcmp(name, "rcpt") != 0)
      continue;
    if (!is_address(value) || ++recipients > ORIGIN_MAX_RECIPIENTS)
      return NULL;
    g_strv_builder_add(builder, value);
  }
  return recipients > 0 ? g_strv_builder_end(builder) : NULL;
}

static Origin *
parse_origin(const Secret *plain, GError **error)
{
  g_autoptr(Attrs) attrs = attrs_parse((const char *) secret_peek(plain),
                                       secret_size(plain), ATTR_ESCAPED, error);
  if (attrs == NULL)
    return NULL;
  g_autoptr(Origin) origin = g_new0(Origin, 1);
  origin->organisation = g_strdup(attrs_get(attrs, "org"));
  origin->author = g_strdup(attrs_get(attrs, "author"));
  origin->recipients = parse_recipients(attrs);
  const char *hex = attrs_get(attrs, "body");
  gboolean good = parse_kind(attrs, &origin->kind) ? TRUE : reject(error, "kind");
  if (good && (origin->organisation == NULL || *origin->organisation == '\0'))
    good = reject(error, "org");
  if (good && (origin->author == NULL || !is_address(origin->author)))
    good = reject(error, "author");
  if (good && origin->recipients == NULL)
    good = reject(error, "rcpt");
  if (good &&
      (hex == NULL || !crypt_unhex(hex, origin->body_sha256, sizeof origin->body_sha256)))
    good = reject(error, "body");
  return good ? g_steal_pointer(&origin) : NULL;
}

Origin *
origin_open(const KeyRing *ring, const char *value, GError **error)
{
  g_autoptr(Secret) plain = box_text_open(ring, ORIGIN_LABEL, value, error);
  return plain != NULL ? parse_origin(plain, error) : NULL;
}

/* ---- Words with a MAC ---- */

/* LEN octets at BYTES in base32 without padding, in lower case: a new string. */
static char *
base32(const guint8 *bytes, gsize len)
{
  GString *text = g_string_new(NULL);
  guint held = 0;
  guint bits = 0;
  for (gsize i = 0; i < len; i++) {
    held = held << 8 | bytes[i];
    for (bits += 8; bits >= 5; bits -= 5)
      g_string_append_c(text, BASE32[held >> (bits - 5) & 31]);
    held &= (1u << bits) - 1;
  }
  if (bits > 0)
    g_string_append_c(text, BASE32[held << (5 - bits) & 31]);
  return g_string_free(text, FALSE);
}

/* "KEYID-MAC" of WORDS (NULL-terminated) with key ID and LABEL: a new string, or NULL. */
static char *
make_proof(const KeyRing *ring, guint32 id, const char *label, const char *const *words,
           GError **error)
{
  g_autoptr(Secret) key = keyring_derive_key(ring, id, label, error);
  if (key == NULL)
    return NULL;
  g_autoptr(GString) data = g_string_new(NULL);
  for (; *words != NULL; words++)
    g_string_append_len(data, *words, (gssize) strlen(*words) + 1); /* with its NUL */
  guint8 mac[CRYPT_SHA256_BYTES];
  if (!crypt_hmac(key, data->str, data->len, mac, error))
    return NULL;
  g_autofree char *text = base32(mac, MAC_BYTES);
  return g_strdup_printf("%08x-%s", id, text);
}

/* Whether PROOF, in lower case, is "KEYID-MAC" of WORDS under one of RING's keys. */
static gboolean
check_proof(const KeyRing *ring, const char *proof, const char *label,
            const char *const *words)
{
  guint64 id = 0;
  g_autofree char *hex = g_strndup(proof, ID_CHARS);
  if (strlen(proof) != ID_CHARS + 1 + MAC_CHARS ||
      !g_ascii_string_to_unsigned(hex, 16, 0, G_MAXUINT32, &id, NULL))
    return FALSE;
  g_autofree char *good = make_proof(ring, (guint32) id, label, words, NULL);
  return good != NULL && crypt_equal(good, proof, strlen(proof));
}

/* Whether TEXT ends in "-KEYID-MAC", as far as it can be seen without a key. */
static gboolean
ends_in_proof(const char *text)
{
  gsize len = strlen(text);
  if (len < 1 + ID_CHARS + 1 + MAC_CHARS)
    return FALSE;
  const char *id = text + len - MAC_CHARS - 1 - ID_CHARS;
  const char *mac = text + len - MAC_CHARS;
  return id[-1] == '-' && strspn(id, "0123456789abcdef") == ID_CHARS && mac[-1] == '-' &&
         strspn(mac, BASE32) == MAC_CHARS;
}

/* ---- Conversations ---- */

/* People and programs write addresses in any case, and nobody has two that differ in it. */
static char *
conversation_proof(const KeyRing *ring, guint32 id, const char *nonce,
                   const char *organisation, const char *address, GError **error)
{
  g_autofree char *lower = g_ascii_strdown(address, -1);
  const char *const words[] = {organisation, lower, nonce, NULL};
  return make_proof(ring, id, CONVERSATION_LABEL, words, error);
}

char *
conversation_id(const KeyRing *ring, const char *organisation, const char *address,
                GError **error)
{
  guint8 random[NONCE_BYTES];
  if (!crypt_random(random, sizeof random, error))
    return NULL;
  g_autofree char *nonce = base32(random, sizeof random);
  g_autofree char *proof =
      conversation_proof(ring, keyring_current(ring), nonce, organisation, address, error);
  return proof != NULL ? g_strconcat(nonce, "-", proof, NULL) : NULL;
}

gboolean
conversation_check(const KeyRing *ring, const char *id, const char *organisation,
                   const char *address)
{
  g_autofree char *word = g_ascii_strdown(id, -1);
  if (strlen(word) != NONCE_CHARS + 1 + ID_CHARS + 1 + MAC_CHARS || !ends_in_proof(word))
    return FALSE;
  g_autofree char *nonce = g_strndup(word, NONCE_CHARS);
  g_autofree char *lower = g_ascii_strdown(address, -1);
  const char *const words[] = {organisation, lower, nonce, NULL};
  return check_proof(ring, word + NONCE_CHARS + 1, CONVERSATION_LABEL, words);
}

/* ---- Control addresses ---- */

static gboolean
is_reference(const char *text)
{
  gsize len = strlen(text);
  return len > 0 && len <= REFERENCE_MAX &&
         strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz") == len;
}

char *
control_address(const KeyRing *ring, ControlKind kind, const char *organisation,
                const char *reference, const char *service_domain, GError **error)
{
  if (!is_reference(reference)) {
    g_set_error(error, ZEGEL_ERROR, ZEGEL_ERROR_LIMIT,
                "the reference is not 1 to %d lower case letters and digits",
                REFERENCE_MAX);
    return NULL;
  }
  const char *prefix = control_prefixes[kind];
  const char *const words[] = {prefix, organisation, reference, NULL};
  g_autofree char *proof =
      make_proof(ring, keyring_current(ring), CONTROL_LABEL, words, error);
  if (proof == NULL)
    return NULL;
  return g_strconcat(prefix, reference, "-", proof, "@", service_domain, NULL);
}

/* What a control address says, whether it is genuine or not. */
typedef struct {
  ControlKind kind;
  char *reference; /* owned */
  char *proof;     /* owned */
} Control;

static void
control_clear(Control *control)
{
  g_free(control->reference);
  g_free(control->proof);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Control, control_clear)

/* Reads LOCAL, a local part in lower case, into *CONTROL. */
static gboolean
read_control(const char *local, Control *control)
{
  guint kind = 0;
  while (kind < G_N_ELEMENTS(control_prefixes) &&
         !g_str_has_prefix(local, control_prefixes[kind]))
    kind++;
  if (kind == G_N_ELEMENTS(control_prefixes) ||
      !ends_in_proof(local + CONTROL_PREFIX_CHARS))
    return FALSE;
  const char *reference = local + CONTROL_PREFIX_CHARS;
  gsize len = strlen(reference) - 1 - ID_CHARS - 1 - MAC_CHARS;
  control->kind = (ControlKind) kind;
  control->reference = g_strndup(reference, len);
  control->proof = g_strdup(reference + len + 1);
  return is_reference(control->reference);
}

/* Splits ADDRESS: its local part in lower case, a new string, and its domain; or NULL. */
static char *
split_address(const char *address, const char **domain)
{
  const char *at = strrchr(address, '@');
  if (at == NULL)
    return NULL;
  *domain = at + 1;
  return g_ascii_strdown(address, at - address);
}

gboolean
control_parse(const KeyRing *ring, const char *organisation, const char *service_domain,
              const char *address, ControlKind *kind, char **reference)
{
  g_auto(Control) control = {CONTROL_BOUNCE, NULL, NULL};
  const char *domain = NULL;
  g_autofree char *local = split_address(address, &domain);
  if (local == NULL || g_ascii_strcasecmp(domain, service_domain) != 0 ||
      !read_control(local, &control))
    return FALSE;
  const char *const words[] = {control_prefixes[control.kind], organisation,
                               control.reference, NULL};
  if (!check_proof(ring, control.proof, CONTROL_LABEL, words))
    return FALSE;
  *kind = control.kind;
  *reference = g_steal_pointer(&control.reference);
  return TRUE;
}

gboolean
control_is_shaped(const char *address)
{
  g_auto(Control) control = {CONTROL_BOUNCE, NULL, NULL};
  const char *domain = NULL;
  g_autofree char *local = split_address(address, &domain);
  return local != NULL && read_control(local, &control);
}
