/*
 * The signature algorithms of JWA (RFC 7518, 3.1) and EdDSA with Ed25519 (RFC 8037,
 * 3.1). HS* and "none" are not in the table, so they do not exist here.
 */
#ifndef JOSE_ALGORITHM_H
#define JOSE_ALGORITHM_H

#include <stdbool.h>
#include <stddef.h>

enum key_type { KEY_RSA, KEY_EC, KEY_OKP };

struct algorithm {
	const char *name; /* the "alg" value */
	enum key_type type;
	const char *digest; /* OpenSSL's name; NULL where the algorithm has its own */
	bool pss;           /* RSASSA-PSS rather than PKCS #1 v1.5 */
	const char *curve;  /* OpenSSL's name of the only group that fits; NULL for RSA */
	const char *crv;    /* its "crv" value (RFC 7518, 6.2.1.1; RFC 8037, 2) */
	size_t size;        /* bytes of a coordinate and of each half of an ES signature */
};

/* All of them, for messages. */
#define ALGORITHM_NAMES "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA"

/* The algorithm called name: a JWA name in any case, or the spellings "rsa512" and
 * "RSA512" for RS512 and its kin. NULL when there is none. */
const struct algorithm *algorithm_find(const char *name);

/* The algorithm that a key of the type signs with where none is said: RS512, the one of the
 * curve (by OpenSSL's name), EdDSA. NULL when there is none. */
const struct algorithm *algorithm_of(enum key_type type, const char *curve);

#endif
