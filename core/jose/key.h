/*
 * A private key with the one algorithm it signs with. The key's bytes never leave this
 * module, and OpenSSL's types neither.
 */
#ifndef JOSE_KEY_H
#define JOSE_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "jose/algorithm.h"

struct key;

/* Where a key comes from, and how it is to sign. */
struct key_source {
	const char *path;            /* a PEM file, or a URI as key_is_uri() knows them */
	const char *passphrase_file; /* its first line opens the key, or is the PIN; or NULL */
	const char *algorithm;       /* a name for algorithm_find() */
	bool or_own;  /* a key of another type signs with the algorithm of its own type */
	bool trusted; /* the file must belong to root or to the user of the process */
};

/*
 * Loads a PEM file: PKCS #1, PKCS #8 (RFC 5958) or SEC 1, encrypted if there is a
 * passphrase_file; or the key behind a URI. Refused with the reason: another kind of PEM,
 * RSA below 2,048 bits, a public exponent of 1, a curve that is not the algorithm's.
 * ERROR_NO_INPUT, ERROR_CONFIG. *out is NULL on failure; else key_free() it.
 */
int key_load(struct key **out, const struct key_source *source, struct error *e);

/* Whether path is a URI (RFC 3986, 3.1), such as "pkcs11:token=...", and not a file. */
bool key_is_uri(const char *path);

void key_free(struct key *k);

/* The "kid": the thumbprint of RFC 7638, 43 characters of [A-Za-z0-9_-]. */
const char *key_id(const struct key *k);

const struct algorithm *key_algorithm(const struct key *k);

/* Signs some bytes and verifies them by the public half. 0, or -1 and ERROR_CONFIG. */
int key_test(const struct key *k, struct error *e);

/* Appends the public half as a JSON Web Key with "alg", "use" and "kid" (RFC 7517, 4).
 * 0, or -1 and ERROR_UNAVAILABLE. */
int key_jwk(const struct key *k, struct buffer *json, struct error *e);

/* Whether the file lets every user read it. */
bool key_exposed(const struct key *k);

/* Appends the JWS signature (RFC 7515, 5.1 step 5) of bytes, in the form of RFC 7518,
 * 3.3-3.5: for ECDSA r and s in full length. May be called by several threads. */
int key_sign(const struct key *k, const void *bytes, size_t length, struct buffer *signature,
    struct error *e);

#endif
