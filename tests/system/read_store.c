/*
 * read_store DATABASE DIRECTORY KEY-FILE ORGANISATION - reads messages back from the store.
 *
 * For each link secret (base64url, one a line) on standard input one line: the SHA-256 of
 * the message that the link opens, or "none", "expired", "withdrawn", "deleted", or why it
 * cannot be read. So the system tests can look at hundreds of messages without an SMS for
 * each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/store.h"

#define LINE_MAX_BYTES  256
#define CHUNK_MAX_BYTES 65536

static Store *
open_store(char **argv, KeyRing **keys)
{
  g_autoptr(GError) error = NULL;
  *keys = keyring_load(argv[3], KEY_STORE, &error);
  Store *store = *keys != NULL ? store_open(argv[1], argv[2], *keys, &error) : NULL;
  if (store == NULL)
    fprintf(stderr, "read_store: %s\n", error->message);
  return store;
}

/* The hash of all that SOURCE gives, in hex, or NULL with an error. */
static char *
hash_source(MessageSource *source, GError **error)
{
  CryptHash *hash = crypt_hash_new();
  guint8 digest[CRYPT_SHA256_BYTES];
  static char chunk[CHUNK_MAX_BYTES];
  gssize count = 0;
  while ((count = message_source_read(source, chunk, sizeof chunk, error)) > 0)
    crypt_hash_update(hash, chunk, (gsize) count);
  crypt_hash_finish(hash, digest);
  crypt_hash_free(hash);
  return count == 0 ? crypt_hex(digest, sizeof digest) : NULL;
}

static char *
read_message(Store *store, const Entry *entry, const guint8 *secret)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(MessageSource) source = store_open_message(store, entry, secret, &error);
  char *hex = source != NULL ? hash_source(source, &error) : NULL;
  return hex != NULL ? hex : g_strdup(error->message);
}

static const char *const states[] = {
    [ENTRY_NONE] = "none",       [ENTRY_OPEN] = "open",
    [ENTRY_EXPIRED] = "expired", [ENTRY_WITHDRAWN] = "withdrawn",
    [ENTRY_DELETED] = "deleted",
};

static char *
read_link(Store *store, const char *organisation, const char *text)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(Entry) entry = NULL;
  g_autoptr(Secret) secret = crypt_base64url_decode(text, STORE_LINK_SECRET_BYTES);
  EntryState state = ENTRY_NONE;
  if (secret == NULL || secret_size(secret) != STORE_LINK_SECRET_BYTES)
    return g_strdup("no link");
  if (!store_find_entry(store, organisation, secret_peek(secret), &state, &entry, &error))
    return g_strdup(error->message);
  if (state != ENTRY_OPEN)
    return g_strdup(states[state]);
  return read_message(store, entry, secret_peek(secret));
}

int
main(int argc, char **argv)
{
  KeyRing *keys = NULL;
  char line[LINE_MAX_BYTES];
  if (argc != 5) {
    fprintf(stderr, "usage: read_store DATABASE DIRECTORY KEY-FILE ORGANISATION\n");
    return EXIT_FAILURE;
  }
  Store *store = open_store(argv, &keys);
  while (store != NULL && fgets(line, sizeof line, stdin) != NULL) {
    g_autofree char *result = read_link(store, argv[4], g_strchomp(line));
    puts(result);
  }
  store_close(store);
  keyring_free(keys);
  return store != NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}
