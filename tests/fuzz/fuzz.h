/*
 * Parsers of bytes from outside, each with what must be true of whatever it takes: not only
 * that nothing crashes. A target is a file of this folder; libFuzzer feeds it (fuzzer.c), and
 * so do the inputs in corpus/NAME (replay.c). See README.md.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct fuzz_target {
	const char *name;    /* also of its corpus */
	void (*start)(void); /* once, before the first input; NULL: nothing is needed */
	/* One input: keeps no memory, and no file, and ends the process by REQUIRE() when
	 * something is wrong. */
	void (*run)(const uint8_t *bytes, size_t size);
};

extern const struct fuzz_target fuzz_base64url, fuzz_bearer, fuzz_cache_control, fuzz_claims,
    fuzz_client, fuzz_config, fuzz_courier, fuzz_fastcgi_answer, fuzz_fields, fuzz_framing,
    fuzz_jwks, fuzz_jws, fuzz_ldap_filter, fuzz_lookup_answer, fuzz_lookup_request, fuzz_names,
    fuzz_pem_private, fuzz_pem_public, fuzz_policy, fuzz_profile, fuzz_refresh, fuzz_reply,
    fuzz_request, fuzz_response, fuzz_revocation, fuzz_route, fuzz_signer_answer,
    fuzz_signer_request, fuzz_subject, fuzz_token, fuzz_url, fuzz_values;

/* All of them, by name; NULL at the end. */
extern const struct fuzz_target *const fuzz_targets[];

/* NULL when there is none. */
const struct fuzz_target *fuzz_find(const char *name);

/* Ends the process, and says where, unless the claim holds. */
#define REQUIRE(claim) \
	((claim) ? (void)0 : fuzz_failed(__FILE__, (unsigned int)__LINE__, #claim))
_Noreturn void fuzz_failed(const char *file, unsigned int line, const char *claim);

/* An error that was returned has a code and a text that ends. */
void fuzz_require_error(const struct error *e);

/* A copy in just as much memory, and a NUL behind it; free() it. */
char *fuzz_copy(const void *bytes, size_t size);

/* An input of several parts, from its start on. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

/* The next byte; 0 at the end. */
uint8_t fuzz_byte(struct fuzz_input *in);

/* The bytes up to the next newline, which goes too, or to the end; free() it. NULs end the text
 * earlier for whoever reads it as one. */
char *fuzz_line(struct fuzz_input *in);

/* All that is left, as fuzz_copy(). */
char *fuzz_rest(struct fuzz_input *in, size_t *size);

#endif
