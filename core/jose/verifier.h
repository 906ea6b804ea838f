/*
 * Whether a token is good, and whose it is (RFC 7515, 5.2; RFC 7519, 7.2). A verifier is a list
 * of parties, each with its keys and with what they may vouch for; the first is ourselves. A
 * token is valid as soon as one key of one party verifies it and its claims hold for that
 * party.
 *
 * Which keys are tried: those of a party with the "kid" that the token names or, where the
 * party has none of that "kid" or the token names none, all of its keys; and of them those
 * whose algorithm is the token's. The parties that know the "kid" come first. LIMIT_TRIES
 * bounds how many signatures are computed for one token.
 *
 * What it trusts is changed by verifier_set_own() and verifier_set_keys() alone.
 */
#ifndef JOSE_VERIFIER_H
#define JOSE_VERIFIER_H

#include <stdint.h>

#include <jansson.h>

#include "base/error.h"
#include "config/config.h"
#include "jose/claims_check.h"
#include "jose/keychain.h"

struct verifier;

/* Where a verifier comes from; it leads to config until verifier_free(). */
struct verifier_source {
	const struct config *config;
	error_tell *tell; /* gets each error, and the rest is tried all the same; NULL: the
			     first one is the only one */
	error_tell *note; /* gets each JSON Web Key that is passed over; NULL: nobody */
	void *context;    /* of both */
};

/*
 * Loads the keys of jwt-public-key and of the sections verify; ourselves have none yet, nor
 * have those who publish theirs at a URL. The files must be as file_read_trusted() wants them.
 * ERROR_NO_INPUT, ERROR_CONFIG with FILE:LINE of the section. *out is NULL on failure; else
 * verifier_free() it.
 */
int verifier_open(struct verifier **out, const struct verifier_source *source, struct error *e);
void verifier_free(struct verifier *v);

/*
 * Our own keys from now on, as keyring_publish() writes them. Their tokens have our "iss" if
 * the configuration says one, and the user is their "sub". ERROR_CONFIG; the old ones are then
 * in use as before.
 */
int verifier_set_own(struct verifier *v, const char *json, size_t length, struct error *e);

/* One of the parties. All pointers belong to the verifier. */
struct party {
	const char *name;  /* "own keys", "jwt-public-key" or that of the section */
	const char *where; /* FILE:LINE of the section; NULL: none */
	struct claims_rules rules;
	const char *keys_url; /* where it publishes its keys; NULL: they are from a file */
	const struct keychain *keys; /* NULL: none yet */
};

size_t verifier_count(const struct verifier *v);
struct party verifier_get(const struct verifier *v, size_t i);

/* Gives the i-th party other keys, which are v's then, as a URL has them anew. */
void verifier_set_keys(struct verifier *v, size_t i, struct keychain *keys);

/* Copies the "kid" of a token, "" when it has none. 0, or -1 and ERROR_UNAUTHENTICATED when no
 * key could make the token valid. */
int verifier_read_kid(
    const char *token, size_t length, char kid[LIMIT_KID_GIVEN], struct error *e);

/* What a valid token says; verified_free() it. */
struct verified {
	json_t *claims;
	const char *user;  /* the user claim of the party; belongs to claims */
	const char *party; /* whose key it was: the name that the section of the configuration
			      has, or the verifier's own word; not copied */
	bool own;          /* it was ours */
	const struct algorithm *algorithm;
};

/*
 * Verifies a token at now, seconds since 1970. Beside its signature and claims, "typ" must be
 * JWT or at+jwt (RFC 9068, 2.1) if it is there, so that no other kind of JWT is taken for a
 * credential. 0, or -1 and ERROR_UNAUTHENTICATED with one message for every token, and the
 * reason as detail; *out is then zeroed. ERROR_UNAVAILABLE when it cannot be said. A verifier
 * is for one thread: it remembers which key signed which token (memo.h).
 */
int verifier_verify(const struct verifier *v, const char *token, size_t length, int64_t now,
    struct verified *out, struct error *e);
void verified_free(struct verified *out);

#endif
