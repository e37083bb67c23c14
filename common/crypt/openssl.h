/*
 * openssl.h - what the files of this room share of OpenSSL. For this room only.
 */
#pragma once

#include <glib.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

/* The algorithms, fetched once for the process: fetching costs more than using them. */
typedef struct {
  EVP_CIPHER *aes_256_gcm;
  EVP_MD *sha256;
  EVP_MAC *hmac;
  EVP_KDF *hkdf;
} CryptAlgorithms;

/*
 * The algorithms, owned by the process. Ends the process when OpenSSL lacks one: nothing
 * can be sealed then, and Postfix keeps the mail. Any thread.
 */
const CryptAlgorithms *
crypt_algorithms(void);

/* Sets *error to ZEGEL_ERROR_TEMPORARY with WHAT and OpenSSL's reason; returns FALSE. */
gboolean
crypt_fail(GError **error, const char *what);
