/* jose/public_key: a PEM text and the algorithm it is for. Input: a byte for the algorithm, and
 * the text. */
#include <stdlib.h>
#include <string.h>

#include "jose/digest.h"
#include "jose/public_key.h"
#include "tests/fuzz/fuzz.h"

static const char *const algorithms[] = {
    "RS256", "PS512", "ES256", "ES384", "ES512", "EdDSA", "rsa512", "HS256"};

static void
check_key(const struct public_key *k, const char *text)
{
	static const char zeroes[64] = {0};
	size_t size = public_key_signature_size(k);
	bool rsa = public_key_algorithm(k)->type == KEY_RSA;

	REQUIRE(rsa ? size >= 256 && size <= 2048 : size == 64 || size == 96 || size == 132);
	REQUIRE(strlen(public_key_digest(k)) == DIGEST_TEXT - 1);
	/* It is the only one, and nobody's secret. */
	REQUIRE(strstr(text, "PRIVATE KEY-----") == NULL);
	REQUIRE(!public_key_verifies(k, "", 0, zeroes, sizeof(zeroes)));
	REQUIRE(!public_key_verifies(k, "", 0, zeroes, 0));
}

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	const char *algorithm = algorithms[fuzz_byte(&in) % 8];
	char *text = fuzz_rest(&in, &size);
	struct public_key *k = NULL;
	struct error e = {0};

	if (public_key_from_pem(&k, text, size, algorithm, "key.pem", &e) == 0) {
		check_key(k, text);
	} else {
		REQUIRE(k == NULL && e.code == ERROR_CONFIG);
		fuzz_require_error(&e);
	}
	public_key_free(k);
	free(text);
}

const struct fuzz_target fuzz_pem_public = {.name = "pem_public", .run = run};
