/* What tests of signing share: profiles, the keys of a directory, a clock, and tokens by them.
 */
#ifndef TESTS_UNIT_SIGNINGS_H
#define TESTS_UNIT_SIGNINGS_H

#include <stdint.h>

#include <jansson.h>

#include "signer/signing.h"
#include "tests/unit/keys.h"

/* 20261122T000000Z, and when the second key of RS512 starts */
#define SIGNINGS_T0 INT64_C(1795305600)
#define SIGNINGS_T1 INT64_C(1795309200)

extern int64_t signings_now; /* seconds since 1970 */
extern const struct clock signings_clock;

struct signings_service {
	struct config config;
	struct policy *policy;
	struct signing signing;
};

/* Reads the profiles and what is behind them; the keys are those of the test's directory, and
 * alice has attributes. */
void signings_configure(
    const struct keys_fixture *f, struct signings_service *s, const char *more);

/* The same, with keys for all profiles, and opened. To be stopped. */
void signings_start_with(
    const struct keys_fixture *f, struct signings_service *s, const char *more);
void signings_start(const struct keys_fixture *f, struct signings_service *s);
void signings_stop(struct signings_service *s);

/* What alice asks by the profile. */
struct query signings_ask(const char *profile);

/* Mints what is asked for; asserts the header, whose "kid" may be any. Returns the claims. */
json_t *signings_mint_query(struct signings_service *s, const struct query *q,
    const char *header, struct signature *made);
json_t *signings_mint(struct signings_service *s, const char *profile, const char *header,
    struct signature *made);

/* Asserts that it is refused, and nothing of a token made. */
void signings_assert_not_minted(
    struct signings_service *s, const struct query *q, enum error_code code, const char *text);

/* The claim as text. */
const char *signings_text_of(const json_t *claims, const char *name);

#endif
