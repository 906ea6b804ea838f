/* New private keys. */
#ifndef JOSE_GENERATE_H
#define JOSE_GENERATE_H

#include "base/buffer.h"
#include "base/error.h"
#include "jose/algorithm.h"

enum { GENERATE_BITS_MIN = 2048, GENERATE_BITS_MAX = 16384 };

/*
 * Appends a new key for the algorithm in PKCS #8 PEM form (RFC 7468, 10), encrypted by
 * AES-256 with the first line of passphrase_file unless that is NULL. bits is the size of an
 * RSA key and not used for others. ERROR_NO_INPUT, ERROR_CONFIG, ERROR_UNAVAILABLE.
 */
int generate_key(struct buffer *pem, const struct algorithm *a, unsigned int bits,
    const char *passphrase_file, struct error *e);

#endif
