#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct fuzz_target *const fuzz_targets[] = {&fuzz_base64url, &fuzz_bearer,
    &fuzz_cache_control, &fuzz_claims, &fuzz_client, &fuzz_config, &fuzz_courier,
    &fuzz_fastcgi_answer, &fuzz_fields, &fuzz_framing, &fuzz_jwks, &fuzz_jws, &fuzz_ldap_filter,
    &fuzz_lookup_answer, &fuzz_lookup_request, &fuzz_names, &fuzz_pem_private, &fuzz_pem_public,
    &fuzz_policy, &fuzz_profile, &fuzz_refresh, &fuzz_reply, &fuzz_request, &fuzz_response,
    &fuzz_revocation, &fuzz_route, &fuzz_signer_answer, &fuzz_signer_request, &fuzz_subject,
    &fuzz_token, &fuzz_url, &fuzz_values, NULL};

const struct fuzz_target *
fuzz_find(const char *name)
{
	for (size_t i = 0; fuzz_targets[i] != NULL; i++)
		if (strcmp(fuzz_targets[i]->name, name) == 0)
			return fuzz_targets[i];
	return NULL;
}

void
fuzz_failed(const char *file, unsigned int line, const char *claim)
{
	(void)fprintf(stderr, "%s:%u: not so: %s\n", file, line, claim);
	abort();
}

void
fuzz_require_error(const struct error *e)
{
	REQUIRE(e->code > ERROR_NONE && e->code <= ERROR_NO_PERMISSION);
	REQUIRE(memchr(e->text, '\0', sizeof(e->text)) != NULL && *e->text != '\0');
	REQUIRE(memchr(e->detail, '\0', sizeof(e->detail)) != NULL);
}

char *
fuzz_copy(const void *bytes, size_t size)
{
	char *copy = malloc(size + 1);

	REQUIRE(copy != NULL);
	if (size > 0)
		memcpy(copy, bytes, size);
	copy[size] = '\0';
	return copy;
}

uint8_t
fuzz_byte(struct fuzz_input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

char *
fuzz_line(struct fuzz_input *in)
{
	const uint8_t *end = in->left > 0 ? memchr(in->at, '\n', in->left) : NULL;
	size_t size = end != NULL ? (size_t)(end - in->at) : in->left;
	char *line = fuzz_copy(in->at, size);

	in->at += size + (end != NULL);
	in->left -= size + (end != NULL);
	return line;
}

char *
fuzz_rest(struct fuzz_input *in, size_t *size)
{
	char *rest = fuzz_copy(in->at, in->left);

	*size = in->left;
	in->at += in->left;
	in->left = 0;
	return rest;
}
