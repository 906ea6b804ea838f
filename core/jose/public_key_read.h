/* Getting a public key from a text, as OpenSSL's type. For the files of this folder. */
#ifndef JOSE_PUBLIC_KEY_READ_H
#define JOSE_PUBLIC_KEY_READ_H

#include <jansson.h>
#include <openssl/evp.h>

#include "base/error.h"
#include "jose/algorithm.h"

/* The only SubjectPublicKeyInfo of a PEM text. name stands in messages. ERROR_CONFIG. */
EVP_PKEY *public_key_read_pem(
    const char *text, size_t length, const char *name, struct error *e);

/* The key of a JWK whose "kty" is that of the algorithm. The same. */
EVP_PKEY *public_key_read_jwk(
    const json_t *jwk, const struct algorithm *a, const char *name, struct error *e);

#endif
