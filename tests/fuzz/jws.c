/*
 * jose/jws_parse and what stands on it: a token from anywhere, taken apart. Input: the token.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/text.h"
#include "jose/jws_parse.h"
#include "jose/verifier.h"
#include "tests/fuzz/fuzz.h"
#include "tools/authserver-token/life.h"

/* Written again, a part of the token is what it was. */
static void
check_part(const char *part, size_t length)
{
	struct buffer bytes, again;

	buffer_init(&bytes, LIMIT_TOKEN);
	buffer_init(&again, LIMIT_TOKEN);
	REQUIRE(length > 0 && base64url_decode(&bytes, part, length) == 0);
	REQUIRE(base64url_append(&again, bytes.data, bytes.length) == 0);
	REQUIRE(again.length == length && memcmp(again.data, part, length) == 0);
	buffer_free(&bytes);
	buffer_free(&again);
}

static void
check_parts(const struct jws *j, const char *token, size_t size)
{
	static const char *const never[] = {"crit", "b64", "jwk", "jku", "x5u", "x5c"};

	REQUIRE(size <= LIMIT_TOKEN && j->input == token);
	REQUIRE(j->input_length + 1 + j->signature_length == size);
	REQUIRE(j->signature == token + j->input_length + 1);
	REQUIRE(j->payload + j->payload_length == token + j->input_length);
	REQUIRE(memchr(j->signature, '.', j->signature_length) == NULL);
	check_part(j->input, (size_t)(j->payload - 1 - j->input));
	REQUIRE(json_is_object(j->header) && j->algorithm != NULL);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		REQUIRE(json_object_get(j->header, never[i]) == NULL);
	REQUIRE(j->kid == NULL ||
		(*j->kid != '\0' && strlen(j->kid) < LIMIT_KID_GIVEN && text_clean(j->kid)));
}

static void
check_refused(const struct error *e)
{
	REQUIRE(e->code == ERROR_UNAUTHENTICATED && *e->detail != '\0');
	fuzz_require_error(e);
}

/* What the client that got the token makes of it. */
static void
check_life(const char *token, size_t size)
{
	struct error e = {0};
	struct life life;

	if (life_read(&life, token, size, &e) == -1) {
		REQUIRE(e.code == ERROR_UNAVAILABLE);
		/* Nothing of what was answered in the place of a token. */
		REQUIRE(strncmp(e.text, "this is no token: ", 18) == 0);
		return;
	}
	REQUIRE(!life.ends || life.expires >= 0);
	REQUIRE(!life.ends || life_ended(&life, life.expires));
	REQUIRE(!life_enough(&life, INT64_MAX, 1));
	REQUIRE(!life.ends || life.expires == 0 || !life_ended(&life, life.expires - 1));
	(void)life_enough(&life, 1700000000, 0);
}

static void
run(const uint8_t *bytes, size_t size)
{
	char *token = fuzz_copy(bytes, size);
	char kid[LIMIT_KID_GIVEN];
	struct error e = {0};
	json_t *claims;
	struct jws j;
	int rc = jws_parse(&j, token, size, &e);

	if (rc == -1) {
		check_refused(&e);
		REQUIRE(j.header == NULL && j.kid == NULL);
	} else {
		check_parts(&j, token, size);
		claims = jws_object(j.payload, j.payload_length, "payload", &e);
		if (claims != NULL)
			check_part(j.payload, j.payload_length);
		else
			check_refused(&e);
		json_decref(claims);
	}
	if (verifier_read_kid(token, size, kid, &e) == 0)
		REQUIRE(rc == 0 && strcmp(kid, j.kid != NULL ? j.kid : "") == 0);
	check_life(token, size);
	jws_close(&j);
	free(token);
}

const struct fuzz_target fuzz_jws = {.name = "jws", .run = run};
