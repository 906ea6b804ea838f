/* What a verifier is made of. For its own files. */
#ifndef JOSE_VERIFIER_LOAD_H
#define JOSE_VERIFIER_LOAD_H

#include "jose/memo.h"
#include "jose/verifier.h"

enum { PARTIES = LIMIT_VERIFY + 2 }; /* ourselves and jwt-public-key beside the sections */

struct verifier {
	int64_t skew; /* seconds */
	struct memo *memo;
	size_t count;
	struct party parties[PARTIES]; /* whose keys are below */
	struct keychain *keys[PARTIES];
};

#endif
