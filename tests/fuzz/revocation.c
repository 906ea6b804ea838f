/*
 * store/revocation_*: the file of a revocation, and the names that a token has. Input: what may
 * be such a file, a line; issuer, jti and party, a line each; and the token.
 */
#include <stdlib.h>
#include <string.h>

#include "store/revocation_name.h"
#include "tests/fuzz/fuzz.h"

static void
check_entry(const uint8_t *bytes, size_t size)
{
	char text[REVOCATION_ENTRY + 1];
	struct revocation_entry entry;
	struct buffer b;

	buffer_init(&b, size);
	REQUIRE(buffer_append(&b, size > 0 ? (const char *)bytes : "", size) == 0);
	if (revocation_entry_read(&entry, &b) == 0) {
		REQUIRE(entry.expires >= 0 && entry.before >= 0);
		revocation_entry_write(text, &entry);
		REQUIRE(size == REVOCATION_ENTRY && memcmp(text, bytes, size) == 0);
	}
	buffer_free(&b);
}

static void
check_names(const struct revocation_subject *t)
{
	char names[REVOCATION_NAMES][REVOCATION_NAME];
	size_t count = 0;
	struct error e = {0};

	if (revocation_name_token(names, &count, t, &e) == -1) {
		fuzz_require_error(&e);
		return;
	}
	REQUIRE(count == (t->party != NULL ? 2U : 1U) * (t->jti != NULL ? 2U : 1U));
	for (size_t i = 0; i < count; i++) {
		REQUIRE(memchr(names[i], '\0', REVOCATION_NAME) != NULL);
		REQUIRE(strchr(names[i], '/') == NULL && *names[i] != '.');
		for (size_t j = 0; j < i; j++)
			REQUIRE(strcmp(names[i], names[j]) != 0);
	}
}

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	char *issuer = fuzz_line(&in);
	char *jti = fuzz_line(&in);
	char *party = fuzz_line(&in);
	char *token = fuzz_rest(&in, &size);
	json_t *claims = json_object();

	check_entry(bytes, (size_t)(in.at - bytes));
	if (*issuer != '\0')
		(void)json_object_set_new(claims, "iss", json_string(issuer));
	if (*jti != '\0')
		(void)json_object_set_new(claims, "jti", json_string(jti));
	/* It is of a token that was found valid, which has its dots. */
	if (strchr(token, '.') != NULL) {
		const struct revocation_subject t = revocation_subject_of(
		    claims, "janedoe", token, *party != '\0' ? party : NULL);

		REQUIRE(t.signed_length < strlen(token) && t.issued == 0);
		check_names(&t);
	}
	json_decref(claims);
	free(issuer);
	free(jti);
	free(party);
	free(token);
}

const struct fuzz_target fuzz_revocation = {.name = "revocation", .run = run};
