#include "policyd/phone_book.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/phone.h"
#include "common/crypt/box.h"
#include "common/crypt/crypt.h"
#include "policyd/address.h"

#define BOX_LABEL "phone"
#define ID_LABEL  "phone address"

G_STATIC_ASSERT(PHONE_DB_ID_BYTES == CRYPT_SHA256_BYTES);

struct PhoneBook {
  PhoneDb *db;
  KeyRing *keys; /* NULL: none */
};

/* Where an entry is and belongs. */
typedef struct {
  char *subject; /* organisation, NUL, address; what the id is the HMAC of */
  gsize subject_len;
  guint8 id[PHONE_DB_ID_BYTES];     /* under the current key */
  guint8 former[PHONE_DB_ID_BYTES]; /* where it was found */
  gboolean is_former;               /* there, and not under the current key */
} Place;

static void
wipe_free(char *text)
{
  if (text != NULL)
    secret_wipe(text, strlen(text));
  g_free(text);
}

void
phone_found_clear(PhoneFound *found)
{
  g_clear_pointer(&found->number, wipe_free);
  g_clear_pointer(&found->waiting, wipe_free);
}

PhoneBook *
phone_book_new(const char *path, KeyRing *keys)
{
  PhoneBook *book = g_new0(PhoneBook, 1);
  book->db = phone_db_new(path);
  book->keys = keys;
  return book;
}

void
phone_book_change_keys(PhoneBook *book, KeyRing *keys)
{
  keyring_free(book->keys);
  book->keys = keys;
}

gboolean
phone_book_has_keys(const PhoneBook *book)
{
  return book->keys != NULL;
}

void
phone_book_free(PhoneBook *book)
{
  if (book == NULL)
    return;
  phone_db_free(book->db);
  keyring_free(book->keys);
  g_free(book);
}

/* ---- Addresses ---- */

/* The local part of TEXT, LEN octets, without the quotes of a quoted string. */
static GString *
plain_local(const char *text, gsize len)
{
  gboolean quoted = len >= 2 && text[0] == '"' && text[len - 1] == '"';
  GString *plain = g_string_sized_new(len);
  for (gsize i = quoted; i + quoted < len; i++) {
    if (quoted && text[i] == '\\' && i + 2 < len)
      i++;
    g_string_append_c(plain, text[i]);
  }
  return plain;
}

/* The one way to write TEXT. Local parts may differ in case, but nobody has two mailboxes
 * that differ in that alone. */
static char *
canonical(const char *text)
{
  g_auto(Address) address = {0};
  address_read(text, &address);
  const char *at = strrchr(text, '@');
  if (at == NULL)
    return g_ascii_strdown(text, -1);
  g_autoptr(GString) local = plain_local(text, (gsize) (at - text));
  g_string_append_c(local, '@');
  g_string_append(local, address.domain != NULL ? address.domain : at + 1);
  return g_ascii_strdown(local->str, (gssize) local->len);
}

static void
place_clear(Place *place)
{
  g_clear_pointer(&place->subject, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

static void
place_init(Place *place, const char *organisation, const char *recipient)
{
  g_autofree char *address = canonical(recipient);
  gsize name_len = strlen(organisation) + 1;
  gsize address_len = strlen(address);
  *place = (Place){.subject_len = name_len + address_len};
  place->subject = g_malloc(place->subject_len);
  memcpy(place->subject, organisation, name_len);
  memcpy(place->subject + name_len, address, address_len);
}

static gboolean
make_id(const PhoneBook *book, const Place *place, guint32 key_id, guint8 *id,
        GError **error)
{
  g_autoptr(Secret) key = keyring_derive_key(book->keys, key_id, ID_LABEL, error);
  return key != NULL && crypt_hmac(key, place->subject, place->subject_len, id, error);
}

/* ---- Entries ---- */

/* A box for FOUND at PLACE. */
static GBytes *
seal(const PhoneBook *book, const Place *place, const PhoneFound *found, GError **error)
{
  g_autoptr(Attrs) attrs = attrs_new();
  attrs_add(attrs, "number", found->number);
  if (found->waiting != NULL)
    attrs_add(attrs, "waiting", found->waiting);
  char *plain = attrs_format(attrs, ATTR_ESCAPED);
  GBytes *box = box_seal(book->keys, BOX_LABEL, place->subject, place->subject_len, plain,
                         strlen(plain), error);
  wipe_free(plain);
  return box;
}

/* What is in BOX into *FOUND. FALSE: it is none of ours, or not of this place. */
static gboolean
unseal(const PhoneBook *book, const Place *place, GBytes *box, PhoneFound *found)
{
  gsize len = 0;
  const guint8 *bytes = g_bytes_get_data(box, &len);
  g_autoptr(Secret) plain =
      box_open(book->keys, BOX_LABEL, place->subject, place->subject_len, bytes, len, NULL);
  g_autoptr(Attrs) attrs = plain != NULL
                               ? attrs_parse((const char *) secret_peek(plain),
                                             secret_size(plain), ATTR_ESCAPED, NULL)
                               : NULL;
  const char *number = attrs != NULL ? attrs_get(attrs, "number") : NULL;
  if (number == NULL || !phone_is_e164(number))
    return FALSE;
  found->number = g_strdup(number);
  found->waiting = g_strdup(attrs_get(attrs, "waiting"));
  return TRUE;
}

/* What stands at PLACE under key I; a damaged entry counts as none, so that the number can
 * be given again. */
static gboolean
read_under(PhoneBook *book, Place *place, guint i, PhoneFound *found, GError **error)
{
  guint8 *id = i == 0 ? place->id : place->former;
  g_autoptr(GBytes) box = NULL;
  if (!make_id(book, place, keyring_nth(book->keys, i), id, error) ||
      !phone_db_get(book->db, id, &box, error))
    return FALSE;
  if (box != NULL && !unseal(book, place, box, found))
    log_line(LOG_LEVEL_ALARM,
             "an entry of the phone book was changed by somebody else: it does not count");
  place->is_former = i > 0 && found->number != NULL;
  return TRUE;
}

static gboolean
find_place(PhoneBook *book, Place *place, PhoneFound *found, GError **error)
{
  *found = (PhoneFound){NULL, NULL};
  if (book->keys == NULL) {
    g_set_error_literal(error, ZEGEL_ERROR, ZEGEL_ERROR_TEMPORARY,
                        "the phone book has no key");
    return FALSE;
  }
  for (guint i = 0; found->number == NULL && i < keyring_count(book->keys); i++)
    if (!read_under(book, place, i, found, error))
      return FALSE;
  return TRUE;
}

static gboolean
write_place(PhoneBook *book, const Place *place, const PhoneFound *found, GError **error)
{
  g_autoptr(GBytes) box = seal(book, place, found, error);
  return box != NULL && phone_db_put(book->db, place->id,
                                     place->is_former ? place->former : NULL, box, error);
}

/* ---- What can be asked ---- */

gboolean
phone_book_find(PhoneBook *book, const char *organisation, const char *recipient,
                PhoneFound *found, GError **error)
{
  g_auto(Place) place = {0};
  place_init(&place, organisation, recipient);
  return find_place(book, &place, found, error);
}

gboolean
phone_book_learn(PhoneBook *book, const PhoneEntry *entry, PhoneChange *change,
                 GError **error)
{
  g_auto(Place) place = {0};
  g_auto(PhoneFound) found = {0};
  place_init(&place, entry->organisation, entry->recipient);
  if (!find_place(book, &place, &found, error))
    return FALSE;
  *change = PHONE_KNOWN;
  if (g_strcmp0(found.number, entry->number) == 0)
    return TRUE;
  *change = found.number == NULL ? PHONE_LEARNED : PHONE_WAITS;
  if (g_strcmp0(found.waiting, entry->number) == 0)
    return TRUE;
  char **slot = found.number == NULL ? &found.number : &found.waiting;
  wipe_free(*slot);
  *slot = g_strdup(entry->number);
  return write_place(book, &place, &found, error);
}

gboolean
phone_book_confirm(PhoneBook *book, const PhoneEntry *entry, PhoneChange *change,
                   GError **error)
{
  g_auto(Place) place = {0};
  g_auto(PhoneFound) found = {0};
  place_init(&place, entry->organisation, entry->recipient);
  if (!find_place(book, &place, &found, error))
    return FALSE;
  *change = PHONE_KNOWN;
  if (g_strcmp0(found.waiting, entry->number) != 0)
    return TRUE;
  *change = PHONE_REPLACED;
  wipe_free(found.number);
  found.number = g_steal_pointer(&found.waiting);
  return write_place(book, &place, &found, error);
}

gboolean
phone_book_forget(PhoneBook *book, const char *organisation, const char *recipient,
                  gboolean *known, GError **error)
{
  g_auto(Place) place = {0};
  g_auto(PhoneFound) found = {0};
  place_init(&place, organisation, recipient);
  if (!find_place(book, &place, &found, error))
    return FALSE;
  *known = found.number != NULL;
  return !*known ||
         phone_db_drop(book->db, place.is_former ? place.former : place.id, error);
}
