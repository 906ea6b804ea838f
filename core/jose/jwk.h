/*
 * The public half of a key as a JSON Web Key (RFC 7517; RFC 7518, 6; RFC 8037, 2). Only
 * public members are ever read from OpenSSL. For the files of this folder.
 */
#ifndef JOSE_JWK_H
#define JOSE_JWK_H

#include <openssl/evp.h>

#include "base/buffer.h"
#include "base/error.h"
#include "jose/algorithm.h"

/* Appends the key's thumbprint (RFC 7638, 3) by SHA-256, in base64url: 43 bytes. */
int jwk_thumbprint(
    EVP_PKEY *pkey, const struct algorithm *a, struct buffer *out, struct error *e);

/* Appends the public members of a JSON Web Key in braces, with "alg", "use" and kid. 0, or -1
 * as buffer_append. */
int jwk_append(struct buffer *to, EVP_PKEY *pkey, const struct algorithm *a, const char *kid);

#endif
