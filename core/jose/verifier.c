#include "jose/verifier.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "jose/jws_verify.h"
#include "jose/refuse.h"
#include "jose/verifier_load.h"

void
verifier_free(struct verifier *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < v->count; i++)
		keychain_free(v->keys[i]);
	memo_free(v->memo);
	free(v);
}

size_t
verifier_count(const struct verifier *v)
{
	return v->count;
}

struct party
verifier_get(const struct verifier *v, size_t i)
{
	struct party p = v->parties[i];

	p.keys = v->keys[i];
	return p;
}

void
verifier_set_keys(struct verifier *v, size_t i, struct keychain *keys)
{
	keychain_free(v->keys[i]);
	v->keys[i] = keys;
}

int
verifier_set_own(struct verifier *v, const char *json, size_t length, struct error *e)
{
	struct keychain *keys = keychain_new();

	if (keys == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	if (keychain_add_set(keys, json, length, v->parties[0].name, NULL, NULL, e) == -1) {
		keychain_free(keys);
		return -1;
	}
	verifier_set_keys(v, 0, keys);
	return 0;
}

/* --- one token --- */

/* What is known of a token while keys are tried. */
struct attempt {
	const struct verifier *v;
	struct jws jws;
	char digest[DIGEST_TEXT]; /* of the token */
	bool is_signed; /* by a key that we trust, so that there is more to say than that */
	bool unsure;    /* memory was short for one of the keys */
	json_t *claims; /* NULL until it is */
	int64_t now;
	unsigned int tries; /* signatures that were computed */
	struct verified *out;
	struct error *e; /* why not, so far */
};

/* "application/" may stand before it, and case does not count (RFC 7515, 4.1.9). */
static int
check_type(const char *type, struct error *e)
{
	static const char prefix[] = "application/";

	if (type == NULL)
		return 0;
	if (strncasecmp(type, prefix, strlen(prefix)) == 0)
		type += strlen(prefix);
	if (strcasecmp(type, "JWT") == 0 || strcasecmp(type, "at+jwt") == 0)
		return 0;
	return refuse(e, "its typ is %.64s", type);
}

int
verifier_read_kid(const char *token, size_t length, char kid[LIMIT_KID_GIVEN], struct error *e)
{
	const struct algorithm *a;
	struct jws jws;
	int rc;

	*kid = '\0';
	if (jws_parse(&jws, token, length, e) == -1)
		return -1;
	a = algorithm_find(jws.algorithm);
	if (a == NULL || strcmp(a->name, jws.algorithm) != 0)
		rc = refuse(e, "no key is for alg %s", jws.algorithm);
	else
		rc = check_type(jws.type, e);
	if (rc == 0 && jws.kid != NULL)
		memcpy(kid, jws.kid, strlen(jws.kid) + 1);
	jws_close(&jws);
	return rc;
}

/* Claims are not read before a key that we trust has signed them. */
static int
check_claims(struct attempt *a, size_t i)
{
	const struct party *p = &a->v->parties[i];

	if (a->claims == NULL)
		a->claims = jws_object(a->jws.payload, a->jws.payload_length, "payload", a->e);
	if (a->claims == NULL)
		return -1;
	return claims_check(a->claims, &p->rules, a->now, a->v->skew, &a->out->user, a->e);
}

/* Whether k signed the token, which may be known from an earlier time. */
static bool
signed_by(const struct attempt *a, const struct public_key *k, struct error *wrong)
{
	struct memo *memo = a->v->memo;

	if (memo_has(memo, a->digest, public_key_digest(k)))
		return true;
	if (jws_verify(&a->jws, k, wrong) == -1)
		return false;
	memo_add(memo, a->digest, public_key_digest(k));
	return true;
}

/* Whether a key of the i-th party is right, and the claims hold for it; by_kid: a key with the
 * token's kid. */
static bool
try_party(struct attempt *a, size_t i, bool by_kid)
{
	const struct keychain *keys = a->v->keys[i];
	bool signed_by_it = false;

	for (size_t n = 0; n < keychain_count(keys) && !signed_by_it; n++) {
		const struct public_key *k = keychain_get(keys, n);
		const char *id = public_key_id(k);
		struct error wrong;

		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): by_kid */
		if ((by_kid && (id == NULL || strcmp(id, a->jws.kid) != 0)) ||
		    strcmp(public_key_algorithm(k)->name, a->jws.algorithm) != 0)
			continue;
		if (a->tries++ == LIMIT_TRIES)
			return false;
		signed_by_it = signed_by(a, k, &wrong);
		if (signed_by_it)
			a->out->algorithm = public_key_algorithm(k);
		else if (!a->is_signed)
			*a->e = wrong;
		a->unsure = a->unsure || (!signed_by_it && wrong.code == ERROR_UNAVAILABLE);
	}
	a->is_signed = a->is_signed || signed_by_it;
	return signed_by_it && check_claims(a, i) == 0;
}

/* Those who know the kid, or with by_kid false those who do not. */
static int
try_parties(struct attempt *a, bool by_kid)
{
	for (size_t i = 0; i < a->v->count; i++) {
		if (a->v->keys[i] == NULL ||
		    keychain_has(a->v->keys[i], a->jws.kid) != by_kid ||
		    !try_party(a, i, by_kid))
			continue;
		a->out->party = a->v->parties[i].name;
		a->out->own = i == 0;
		a->out->claims = a->claims;
		a->claims = NULL;
		return 0;
	}
	return -1;
}

static int
try_all(struct attempt *a)
{
	refuse(a->e, "no key for it: alg %s, kid %.64s", a->jws.algorithm,
	    a->jws.kid != NULL ? a->jws.kid : "none");
	if (try_parties(a, true) == 0 || try_parties(a, false) == 0)
		return 0;
	if (!a->is_signed && a->unsure)
		error_set(a->e, ERROR_UNAVAILABLE, "out of memory");
	else if (!a->is_signed && a->tries > LIMIT_TRIES)
		refuse(a->e, "its signature is by none of the first %d keys with its alg",
		    LIMIT_TRIES);
	else if (!a->is_signed && a->tries > 1)
		refuse(a->e, "its signature is by none of %u keys with its alg", a->tries);
	return -1;
}

int
verifier_verify(const struct verifier *v, const char *token, size_t length, int64_t now,
    struct verified *out, struct error *e)
{
	struct attempt a = {.v = v, .now = now, .out = out, .e = e};
	int rc = -1;

	*out = (struct verified){0};
	if (jws_parse(&a.jws, token, length, e) == 0 && check_type(a.jws.type, e) == 0 &&
	    memo_digest(a.digest, token, length, e) == 0)
		rc = try_all(&a);
	if (rc == -1)
		*out = (struct verified){0};
	json_decref(a.claims);
	jws_close(&a.jws);
	return rc;
}

void
verified_free(struct verified *out)
{
	json_decref(out->claims);
	*out = (struct verified){0};
}
