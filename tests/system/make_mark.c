/*
 * make_mark KEY-FILE COMMAND ... - marks as zegel makes them, with keys of the tests'
 * choice:
 *
 *     origin KIND ORGANISATION AUTHOR RECIPIENT...   the value of X-Zegel-Origin for the
 * body on standard input conversation ORGANISATION ADDRESS              the local part of a
 * Message-ID control KIND ORGANISATION REFERENCE DOMAIN     a control address
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypt/origin.h"

#define CHUNK_BYTES 65536

static void
hash_input(guint8 sha256[CRYPT_SHA256_BYTES])
{
  static char chunk[CHUNK_BYTES];
  CryptHash *hash = crypt_hash_new();
  for (size_t n; (n = fread(chunk, 1, sizeof chunk, stdin)) > 0;)
    crypt_hash_update(hash, chunk, n);
  crypt_hash_finish(hash, sha256);
  crypt_hash_free(hash);
}

static char *
make_origin(const KeyRing *keys, char **words, GError **error)
{
  Origin origin = {.organisation = words[1], .author = words[2], .recipients = words + 3};
  origin.kind = strcmp(words[0], "form") == 0      ? ORIGIN_FORM
                : strcmp(words[0], "forward") == 0 ? ORIGIN_FORWARD
                                                   : ORIGIN_ANSWER;
  hash_input(origin.body_sha256);
  return origin_seal(keys, &origin, error);
}

static char *
make(const KeyRing *keys, const char *command, char **words, GError **error)
{
  guint count = g_strv_length(words);
  if (strcmp(command, "origin") == 0 && count >= 4)
    return make_origin(keys, words, error);
  if (strcmp(command, "conversation") == 0 && count == 2)
    return conversation_id(keys, words[0], words[1], error);
  if (strcmp(command, "control") == 0 && count == 4)
    return control_address(
        keys, strcmp(words[0], "number") == 0 ? CONTROL_NUMBER : CONTROL_BOUNCE, words[1],
        words[2], words[3], error);
  fprintf(stderr, "make_mark: what is %s with %u words?\n", command, count);
  exit(EXIT_FAILURE);
}

int
main(int argc, char **argv)
{
  if (argc < 4)
    return EXIT_FAILURE;
  g_autoptr(GError) error = NULL;
  g_autoptr(KeyRing) keys = keyring_load(argv[1], KEY_ORIGIN, &error);
  g_autofree char *made = keys != NULL ? make(keys, argv[2], argv + 3, &error) : NULL;
  if (made == NULL) {
    fprintf(stderr, "make_mark: %s\n", error->message);
    return EXIT_FAILURE;
  }
  printf("%s", made);
  return EXIT_SUCCESS;
}
