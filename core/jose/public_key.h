/*
 * A public key with the one algorithm whose signatures it verifies. The algorithm is bound to
 * the key when it is loaded: what a token's header says never changes it. OpenSSL's types do
 * not leave this module.
 */
#ifndef JOSE_PUBLIC_KEY_H
#define JOSE_PUBLIC_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/error.h"
#include "jose/algorithm.h"

struct public_key;

/*
 * Loads a SubjectPublicKeyInfo in PEM form (RFC 7468, 13), the only one in the text, for the
 * algorithm, a name for algorithm_find(). name stands in messages as the file's. Refused with
 * what to do about it: private keys, certificates, other forms; RSA below 2,048 bits, a public
 * exponent of 1, a curve that is not the algorithm's. ERROR_CONFIG. *out is NULL on failure,
 * else public_key_free() it.
 */
int public_key_from_pem(struct public_key **out, const char *text, size_t length,
    const char *algorithm, const char *name, struct error *e);

/*
 * Loads a JSON Web Key (RFC 7517, 4; RFC 7518, 6.2, 6.3; RFC 8037, 2), whose "alg" must say
 * one of our algorithms. On failure *unfit is whether it is a key for something else, to be
 * passed over as RFC 7517, 5 has it: another "kty", "alg", "crv" or "use", "key_ops" without
 * "verify", or no "alg". Wrong, and no reason to go on, are private members, symmetric keys
 * and what does not fit together. ERROR_CONFIG. *out is NULL on failure.
 */
int public_key_from_jwk(
    struct public_key **out, const json_t *jwk, const char *name, bool *unfit, struct error *e);

void public_key_free(struct public_key *k);

const struct algorithm *public_key_algorithm(const struct public_key *k);

/* Its "kid" (RFC 7517, 4.5), NULL when it has none. */
const char *public_key_id(const struct public_key *k);

/* By which it is known: of its bits and its algorithm. */
const char *public_key_digest(const struct public_key *k);

/* The bytes of its signatures (RFC 7518, 3.3-3.5; RFC 8037, 3.1): of the modulus, of r and s
 * together, or 64. */
size_t public_key_signature_size(const struct public_key *k);

/* Whether the signature, in the form of a JWS, is one of these bytes: 1, or 0. No other length
 * than public_key_signature_size() is. -1 when memory is short: then nobody can say. May be
 * called by several threads. */
int public_key_verifies(const struct public_key *k, const void *bytes, size_t length,
    const void *signature, size_t signature_length);

#endif
