/* What tests of shapes share: profiles, and what they make of one and the same grant. */
#ifndef TESTS_UNIT_SHAPES_H
#define TESTS_UNIT_SHAPES_H

#include "signer/claims.h"

enum { SHAPES_ITEMS = 4 };

/* A profile with room for its lists. */
struct shapes_profile {
	struct config config;
	struct profile profile;
	char *audience[SHAPES_ITEMS];
	char *rename[SHAPES_ITEMS];
};

/* A profile "p" of t.conf:7 with these claims and with lists that NULL or SHAPES_ITEMS end;
 * what is NULL it has not. */
void shapes_make(struct shapes_profile *m, const char *type, const char *claims,
    const char *const *audience, const char *const *rename);

/* What alice gets, and what her token is made of. */
struct grant shapes_grant(void);
struct claim_values shapes_values(const struct grant *g);

/* The claims that each of her tokens has. */
#define SHAPES_ALICE                                                         \
	"\"sub\":\"alice\",\"iss\":\"192.0.2.7\",\"iat\":1000,\"exp\":1060," \
	"\"jti\":\"id\""

/* Asserts that the claims by m are these. */
void shapes_assert_claims(
    const struct shapes_profile *m, const struct claim_values *v, const char *want);

/* Asserts that alice's claims by m are those of each of her tokens with these behind them. */
void shapes_assert_more(const struct shapes_profile *m, const char *more);

/* Asserts that the profile is refused in its line with this reason. */
void shapes_assert_refused(const struct shapes_profile *m, const char *reason);

#endif
