/*
 * phone_book.h - the numbers of recipients, remembered for each organisation (S8).
 *
 * An entry is found by the HMAC of organisation and address; a box (box.h) bound to both
 * holds the number, and one that waits for its first code. In the file there is nothing
 * else (K1, T18). Both keys come from the phone key; what an older key of the ring wrote is
 * found too, and written anew under the current one when it changes. One thread.
 */
#pragma once

#include <glib.h>

#include "common/ask/phone_book.h"
#include "common/crypt/key.h"
#include "policyd/phone_db.h"

typedef struct PhoneBook PhoneBook;

/* What is known of a recipient; owned, wiped by phone_found_clear. */
typedef struct {
  char *number;  /* NULL: none */
  char *waiting; /* another one without a code yet; NULL: none */
} PhoneFound;

/*
 * The book in the file at PATH under KEYS (KEY_PHONE, taken over; NULL: there is no key,
 * and everything fails). Nothing is opened yet. Never NULL; freed with phone_book_free.
 */
PhoneBook *
phone_book_new(const char *path, KeyRing *keys);

/* BOOK goes on with KEYS (taken), which should have those that it had. */
void
phone_book_change_keys(PhoneBook *book, KeyRing *keys);

/* Whether BOOK has keys. */
gboolean
phone_book_has_keys(const PhoneBook *book);

/* Frees BOOK; NULL is allowed. */
void
phone_book_free(PhoneBook *book);

/*
 * What ORGANISATION knows of RECIPIENT (without label; the case matters nowhere in it) into
 * *FOUND, which the caller clears. FALSE with ZEGEL_ERROR_TEMPORARY: not to be had now.
 */
gboolean
phone_book_find(PhoneBook *book, const char *organisation, const char *recipient,
                PhoneFound *found, GError **error);

/*
 * ENTRY's number was given. A first number counts at once; another one waits, and takes the
 * place of one that waited before. FALSE with ZEGEL_ERROR_TEMPORARY or ZEGEL_ERROR_FULL.
 */
gboolean
phone_book_learn(PhoneBook *book, const PhoneEntry *entry, PhoneChange *change,
                 GError **error);

/*
 * A code that was sent to ENTRY's number came back. When that number waits it counts from
 * now on; any other (of an older message, of somebody who was taken out) changes nothing.
 * FALSE as phone_book_learn.
 */
gboolean
phone_book_confirm(PhoneBook *book, const PhoneEntry *entry, PhoneChange *change,
                   GError **error);

/* Takes RECIPIENT out; *KNOWN is whether there was anything. FALSE as phone_book_learn. */
gboolean
phone_book_forget(PhoneBook *book, const char *organisation, const char *recipient,
                  gboolean *known, GError **error);

/* Wipes and frees what FOUND holds. */
void
phone_found_clear(PhoneFound *found);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(PhoneBook, phone_book_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PhoneFound, phone_found_clear)
