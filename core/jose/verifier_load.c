#include "jose/verifier_load.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

/* Appends to a party's keys what is in a file: a JWK Set where no algorithm is said, else PEM.
 */
static int
add_file(struct keychain *keys, const struct verifier_source *s, const char *path,
    const char *algorithm, struct error *e)
{
	struct buffer text;
	int rc = -1;

	buffer_init(&text, algorithm != NULL ? (size_t)LIMIT_KEY_FILE : LIMIT_JWK_SET_GIVEN);
	if (file_read_trusted(path, &text, NULL, e) == -1)
		goto out;
	if (algorithm != NULL)
		rc = keychain_add_pem(keys, text.data, text.length, algorithm, path, e);
	else
		rc = keychain_add_set(
		    keys, text.data, text.length, path, s->note, s->context, e);
out:
	buffer_free(&text);
	return rc;
}

/* The next party, without keys. */
static void
add_party(struct verifier *v, const struct party *p)
{
	v->parties[v->count] = *p;
	v->keys[v->count++] = NULL;
}

/* Gives the last party the keys; frees them when rc is -1. */
static int
keep(struct verifier *v, struct keychain *keys, int rc)
{
	if (rc == -1)
		keychain_free(keys);
	else
		v->keys[v->count - 1] = keys;
	return rc;
}

static void
add_own(struct verifier *v, const struct config *c)
{
	const struct party p = {.name = "own keys",
	    .rules = {.issuers = &c->issuer,
		/* By default it is the address of the host, and others may share the keys. */
		.issuer_count = c->issuer != NULL ? 1 : 0,
		.audiences = c->verify_audience.items,
		.audience_count = c->verify_audience.count,
		.user_claim = "sub"}};

	add_party(v, &p);
}

static int
add_pairs(struct verifier *v, const struct verifier_source *s, struct error *e)
{
	const struct config *c = s->config;
	const struct party p = {.name = "jwt-public-key",
	    .rules = {.audiences = c->verify_audience.items,
		.audience_count = c->verify_audience.count,
		.user_claim = c->user_claim}};
	struct keychain *keys;
	int rc;

	if (config_check_pairs(c, e) == -1)
		return -1;
	if (c->jwt_public_key.count == 0)
		return 0;
	keys = keychain_new();
	if (keys == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	rc = 0;
	for (size_t i = 0; rc == 0 && i < c->jwt_public_key.count; i++)
		rc =
		    add_file(keys, s, c->jwt_public_key.items[i], c->jwt_algorithm.items[i], e);
	if (rc == -1)
		error_prefix(e, "jwt-public-key");
	add_party(v, &p);
	return keep(v, keys, rc);
}

static int
add_section(struct verifier *v, const struct verifier_source *s,
    const struct verify_section *section, struct error *e)
{
	const struct party p = {.name = section->name,
	    .where = section->where,
	    .keys_url = section->keys_url,
	    .rules = {.issuers = section->issuer.items,
		.issuer_count = section->issuer.count,
		.audiences = section->audience.items,
		.audience_count = section->audience.count,
		.audience_required = true,
		.user_claim = section->user_claim}};
	struct keychain *keys;
	int rc;

	if (section->keys_url != NULL) {
		add_party(v, &p);
		return 0;
	}
	keys = keychain_new();
	if (keys == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	rc = section->keys != NULL
		 ? add_file(keys, s, section->keys, NULL, e)
		 : add_file(keys, s, section->public_key, section->algorithm, e);
	if (rc == -1)
		error_prefix(e, "%s: verify '%s'", section->where, section->name);
	add_party(v, &p);
	return keep(v, keys, rc);
}

int
verifier_open(struct verifier **out, const struct verifier_source *source, struct error *e)
{
	const struct config *c = source->config;
	struct verifier *v = calloc(1, sizeof(*v));
	bool failed = false;
	int rc;

	*out = NULL;
	if (v == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	v->skew = c->skew;
	v->memo = memo_new();
	if (v->memo == NULL) {
		verifier_free(v);
		return error_set(e, ERROR_INTERNAL, "out of memory");
	}
	add_own(v, c);
	/* The pairs, and then each section. */
	for (size_t i = 0; i <= c->verify.count && (!failed || source->tell != NULL); i++) {
		rc = i == 0 ? add_pairs(v, source, e)
			    : add_section(v, source, &c->verify.items[i - 1], e);
		failed = failed || rc == -1;
		if (rc == -1 && source->tell != NULL)
			source->tell(source->context, e);
	}
	if (failed) {
		verifier_free(v);
		return -1;
	}
	*out = v;
	return 0;
}
