/* Getting a private key from where it lies, as OpenSSL's type. For the files of this
 * folder. */
#ifndef JOSE_KEY_READ_H
#define JOSE_KEY_READ_H

#include <openssl/evp.h>

#include "jose/key.h"

/* A PEM file; *exposed is whether every user can read it. ERROR_NO_INPUT, ERROR_CONFIG.
 * *out is NULL on failure. */
int key_read_pem(
    EVP_PKEY **out, const struct key_source *source, bool *exposed, struct error *e);

/* The same from what was read: the bytes of the file that source names, and the passphrase,
 * empty where there is none. */
int key_parse_pem(EVP_PKEY **out, const struct buffer *pem, struct buffer *passphrase,
    const struct key_source *source, struct error *e);

/* The private key behind a URI, by OpenSSL's store or, where that knows no such scheme, by
 * the engine that is called as the scheme is. The same errors. */
int key_read_uri(EVP_PKEY **out, const struct key_source *source, struct error *e);

/* The first line of a passphrase file; nothing when path is NULL. */
int key_read_passphrase(const char *path, struct buffer *to, struct error *e);

#endif
