/* What tests of the signer share: a query, what signs with a key that is known, and a worker
 * with its end and the signer's of their socket. */
#ifndef TESTS_UNIT_SIGNERS_H
#define TESTS_UNIT_SIGNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "signer/signer_remote.h"
#include "signer/signing.h"

/* What a caller that authenticated by Basic asks. */
struct query signers_ask(
    const char *caller, const char *subject, const char *audience, int64_t lifetime);

/* Opens the key of RFC 8037, A.1, for the issuer 192.0.2.7 and an hour. policy is borrowed, and
 * may be set later. To be closed with signing_close(). */
int signers_open(struct signing *signing, const struct policy *policy,
    const struct clock *clock, const struct entropy *entropy);

enum { SIGNERS_TABLE = 128 };

/* What came of one submission. */
struct signers_outcome {
	int calls;
	bool ok;
	char text[64]; /* how the token begins, or the reason */
	int64_t expires;
	enum error_code code;
	struct signers_fixture *again; /* submits anew from its callback */
};

struct signers_fixture {
	int worker;
	int signer;
	int64_t now; /* the monotonic clock */
	struct clock clock;
	struct signer_remote *remote;
	struct signers_outcome outcomes[SIGNERS_TABLE + 1];
};

/* For cmocka: set-up and teardown of a test. */
int signers_enter(void **state);
int signers_leave(void **state);

/* Asks for a token whose subject is the number i; what comes of it is outcome i. */
int signers_submit(struct signers_fixture *f, size_t i, struct error *e);

#endif
