/* What tests of tokens that come in share: a key of each algorithm, tokens by them that say
 * anything, and the verdict on a token. Whatever fails ends the test. */
#ifndef TESTS_UNIT_TOKENS_H
#define TESTS_UNIT_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "jose/key.h"
#include "jose/verifier.h"

/* The time at which tokens are verified, and the claims of one that is good then. */
#define TOKENS_NOW 1800000000LL
#define TOKENS_CLAIMS "{\"sub\":\"alice\",\"iat\":1799999990,\"exp\":1800000010}"

enum { TOKENS_ALGORITHMS = 10 };
extern const char *const tokens_algorithms[TOKENS_ALGORITHMS];

struct tokens {
	char directory[64]; /* with ALGORITHM.pub and ALGORITHM.other.pub, in PEM */
	struct config config;
	struct key *keys[TOKENS_ALGORITHMS];
	struct key *others[TOKENS_ALGORITHMS]; /* of the same algorithm, trusted by nobody */
	struct verifier *verifier; /* whose own keys are all of keys; made for each test */
};

/* For cmocka: set-up and teardown of a group, then of a test. */
int tokens_make(void **state);
int tokens_free(void **state);
int tokens_enter(void **state);
int tokens_leave(void **state);

/* The position of the algorithm. */
size_t tokens_find(const char *algorithm);

/* A verifier by the configuration, whose own keys are the one; verifier_free() it. */
struct verifier *tokens_verifier(const struct tokens *t, const struct key *k);

/* Gives it the keys as its own. */
void tokens_set_own(struct verifier *v, struct key *const *keys, size_t count);

/* A token by k with this header and payload, whatever they are; free() it. */
char *tokens_sign(const struct key *k, const char *header, const char *payload);

/* The same with the header {"alg":…} of k. */
char *tokens_of(const struct key *k, const char *payload);

/* text in base64url; free() it. */
char *tokens_encode(const char *text);

/* The three parts with dots between them; free() it. */
char *tokens_join(const char *header, const char *payload, const char *signature);

/* Asserts that the token is valid and frees it. */
void tokens_assert_good(const struct verifier *v, char *token);

/* Asserts that the token is refused with the one message for all, and a detail with the
 * reason in it; frees it. */
void tokens_assert_refused(const struct verifier *v, char *token, const char *reason);

/* The same for bytes, whatever the reason. */
void tokens_assert_refused_bytes(const struct verifier *v, const char *token, size_t length);

#endif
