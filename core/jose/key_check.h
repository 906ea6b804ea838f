/* Which keys may be used, private or public, with which algorithm. For the files of this
 * folder. */
#ifndef JOSE_KEY_CHECK_H
#define JOSE_KEY_CHECK_H

#include <openssl/evp.h>

#include "base/error.h"
#include "jose/algorithm.h"

/* Whether the key is of the algorithm's type and curve, RSA of 2048 bits and more with a public
 * exponent that is not 1. path stands in the message. ERROR_CONFIG. */
int key_check(
    const EVP_PKEY *pkey, const struct algorithm *a, const char *path, struct error *e);

#endif
