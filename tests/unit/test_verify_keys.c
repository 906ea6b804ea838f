/* jose: whose keys are tried for a token, and what each of them may vouch for. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/keys.h"
#include "tests/unit/tokens.h"

#define CLAIMS(more) "{\"sub\":\"alice\",\"exp\":1800000010" more "}"

/* A configuration of this text, in which @ is the directory; config_free() it. */
static struct config
configure(const struct tokens *t, const char *text)
{
	struct buffer whole;
	struct config c;
	struct error e = {0};

	buffer_init(&whole, LIMIT_CONFIG_FILE);
	for (; *text != '\0'; text++)
		assert_int_equal(*text == '@' ? buffer_printf(&whole, "%s", t->directory)
					      : buffer_append(&whole, text, 1),
		    0);
	assert_int_equal(config_init(&c, &e), 0);
	if (config_parse(&c, whole.data, whole.length, "t.conf", &e) == -1)
		fail_msg("%s", e.text);
	buffer_free(&whole);
	return c;
}

static struct verifier *
open_config(const struct config *c)
{
	const struct verifier_source source = {.config = c};
	struct verifier *v;
	struct error e = {0};

	if (verifier_open(&v, &source, &e) == -1)
		fail_msg("%s", e.text);
	return v;
}

/* Writes a JWK Set with count times the same key, whose kid is replaced by one, if given. */
static void
write_set(const struct tokens *t, const char *name, const struct key *k, size_t count,
    const char *kid)
{
	struct buffer jwk, set;
	struct error e = {0};
	char path[256];
	json_t *one;
	char *text;

	buffer_init(&jwk, LIMIT_JWK_SET);
	buffer_init(&set, LIMIT_JWK_SET_GIVEN);
	assert_int_equal(key_jwk(k, &jwk, &e), 0);
	one = json_loadb(jwk.data, jwk.length, 0, NULL);
	if (kid != NULL)
		assert_int_equal(json_object_set_new(one, "kid", json_string(kid)), 0);
	text = json_dumps(one, 0);
	assert_int_equal(buffer_printf(&set, "{\"keys\":[%s", text), 0);
	for (size_t i = 1; i < count; i++)
		assert_int_equal(buffer_printf(&set, ",%s", text), 0);
	assert_int_equal(buffer_printf(&set, "]}"), 0);
	(void)snprintf(path, sizeof(path), "%s/%s", t->directory, name);
	keys_write_bytes(path, set.data, set.length);
	free(text);
	json_decref(one);
	buffer_free(&jwk);
	buffer_free(&set);
}

static const struct key *
key_of(const struct tokens *t, const char *algorithm)
{
	return t->keys[tokens_find(algorithm)];
}

/* --- parties --- */

static void
key_vouches_for_the_issuer_of_its_section_alone(void **state)
{
	const struct tokens *t = *state;
	struct config c = configure(t,
	    "verify \"a\" { public-key = \"@/ES256.pub\" algorithm = ES256 issuer = {\"a\"} }\n"
	    "verify \"b\" { public-key = \"@/ES384.pub\" algorithm = ES384 issuer = {\"b\"} "
	    "}\n");
	struct verifier *v = open_config(&c);

	tokens_assert_good(v, tokens_of(key_of(t, "ES256"), CLAIMS(",\"iss\":\"a\"")));
	tokens_assert_good(v, tokens_of(key_of(t, "ES384"), CLAIMS(",\"iss\":\"b\"")));
	tokens_assert_refused(v, tokens_of(key_of(t, "ES256"), CLAIMS(",\"iss\":\"b\"")),
	    "its iss is 'b', which is not expected");
	tokens_assert_refused(v, tokens_of(key_of(t, "ES384"), CLAIMS("")), "it has no iss");
	tokens_assert_refused(
	    v, tokens_of(key_of(t, "ES512"), CLAIMS(",\"iss\":\"a\"")), "no key for it");
	verifier_free(v);
	config_free(&c);
}

/* One key in two sections, for two issuers. */
static void
token_is_valid_as_soon_as_one_party_takes_it(void **state)
{
	const struct tokens *t = *state;
	struct config c = configure(t,
	    "verify \"a\" { public-key = \"@/ES256.pub\" algorithm = ES256 issuer = a }\n"
	    "verify \"b\" { public-key = \"@/ES256.pub\" algorithm = ES256 issuer = b\n"
	    "  audience = {\"us\"} }\n");
	struct verifier *v = open_config(&c);
	char *token = tokens_of(key_of(t, "ES256"), CLAIMS(",\"iss\":\"b\",\"aud\":\"us\""));
	struct verified verified;
	struct error e = {0};

	assert_int_equal(
	    verifier_verify(v, token, strlen(token), TOKENS_NOW, &verified, &e), 0);
	assert_string_equal(verified.party, "b");
	assert_string_equal(verified.algorithm->name, "ES256");
	verified_free(&verified);
	tokens_assert_good(v, token);
	tokens_assert_refused(
	    v, tokens_of(key_of(t, "ES256"), CLAIMS(",\"iss\":\"b\"")), "it has no aud");
	tokens_assert_refused(v,
	    tokens_of(key_of(t, "ES256"), CLAIMS(",\"iss\":\"a\",\"aud\":\"us\"")), "its iss");
	verifier_free(v);
	config_free(&c);
}

static void
each_section_has_a_user_claim_of_its_own(void **state)
{
	const struct tokens *t = *state;
	struct config c = configure(t, "verify \"a\" { public-key = \"@/ES256.pub\" algorithm "
				       "= ES256 user-claim = email }\n");
	struct verifier *v = open_config(&c);

	tokens_assert_good(
	    v, tokens_of(key_of(t, "ES256"), "{\"email\":\"alice\",\"exp\":1800000010}"));
	tokens_assert_refused(v, tokens_of(key_of(t, "ES256"), CLAIMS("")), "it has no email");
	verifier_free(v);
	config_free(&c);
}

/* --- the paired lists --- */

static void
every_key_of_the_paired_lists_is_tried_with_its_algorithm(void **state)
{
	const struct tokens *t = *state;
	struct config c = configure(t,
	    "jwt-public-key = {\"@/RS512.pub\", \"@/RS512.other.pub\", \"@/RS256.pub\"}\n"
	    "jwt-algorithm = {RSA512, RSA512, rs256}\n");
	struct verifier *v = open_config(&c);

	tokens_assert_good(v, tokens_of(key_of(t, "RS512"), CLAIMS(",\"iss\":\"any\"")));
	tokens_assert_good(v, tokens_of(t->others[tokens_find("RS512")], CLAIMS("")));
	tokens_assert_good(v, tokens_of(key_of(t, "RS256"), CLAIMS("")));
	tokens_assert_refused(v, tokens_of(t->others[tokens_find("RS256")], CLAIMS("")),
	    "its signature is wrong");
	tokens_assert_refused(v, tokens_of(key_of(t, "RS384"), CLAIMS("")), "no key for it");
	tokens_assert_refused(v, tokens_of(key_of(t, "ES256"), CLAIMS("")), "no key for it");
	verifier_free(v);
	config_free(&c);
}

static void
paired_lists_of_unequal_length_are_refused_with_both_counts(void **state)
{
	const struct tokens *t = *state;
	struct config c = configure(
	    t, "jwt-public-key = {\"@/RS512.pub\", \"@/RS256.pub\"}\njwt-algorithm = RS512\n");
	const struct verifier_source source = {.config = &c};
	struct verifier *v;
	struct error e = {0};

	assert_int_equal(verifier_open(&v, &source, &e), -1);
	assert_null(v);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_non_null(strstr(e.text, "jwt-public-key has 2 items and jwt-algorithm 1"));
	config_free(&c);
}

/* --- our own --- */

static void
own_tokens_have_the_issuer_that_is_configured(void **state)
{
	const struct tokens *t = *state;
	struct config c = configure(t, "issuer = \"https://us.example\"\n");
	struct tokens ours = *t;
	struct verifier *v;

	ours.config = c;
	v = tokens_verifier(&ours, key_of(t, "EdDSA"));
	tokens_assert_good(
	    v, tokens_of(key_of(t, "EdDSA"), CLAIMS(",\"iss\":\"https://us.example\"")));
	tokens_assert_refused(v,
	    tokens_of(key_of(t, "EdDSA"), CLAIMS(",\"iss\":\"https://u.example\"")), "its iss");
	tokens_assert_refused(v, tokens_of(key_of(t, "EdDSA"), CLAIMS("")), "it has no iss");
	verifier_free(v);
	config_free(&c);
}

static void
own_tokens_for_an_audience_need_it_configured(void **state)
{
	const struct tokens *t = *state;
	struct config c = configure(t, "verify-audience = {\"us\"}\n");
	struct tokens ours = *t;
	struct verifier *v;

	tokens_assert_good(t->verifier, tokens_of(key_of(t, "EdDSA"), CLAIMS("")));
	tokens_assert_refused(t->verifier,
	    tokens_of(key_of(t, "EdDSA"), CLAIMS(",\"aud\":\"us\"")),
	    "no audience is configured");
	ours.config = c;
	v = tokens_verifier(&ours, key_of(t, "EdDSA"));
	tokens_assert_good(v, tokens_of(key_of(t, "EdDSA"), CLAIMS("")));
	tokens_assert_good(v, tokens_of(key_of(t, "EdDSA"), CLAIMS(",\"aud\":\"us\"")));
	tokens_assert_refused(
	    v, tokens_of(key_of(t, "EdDSA"), CLAIMS(",\"aud\":\"them\"")), "its aud");
	verifier_free(v);
	config_free(&c);
}

static void
own_keys_that_do_not_load_leave_the_old_ones(void **state)
{
	const struct tokens *t = *state;
	static const char bad[] = "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}";
	struct verifier *v = tokens_verifier(t, key_of(t, "EdDSA"));
	struct buffer json;
	struct error e = {0};

	assert_int_equal(verifier_set_own(v, bad, strlen(bad), &e), -1);
	tokens_assert_good(v, tokens_of(key_of(t, "EdDSA"), TOKENS_CLAIMS));
	buffer_init(&json, LIMIT_JWK_SET);
	assert_int_equal(buffer_printf(&json, "{\"keys\":["), 0);
	assert_int_equal(key_jwk(key_of(t, "ES256"), &json, &e), 0);
	assert_int_equal(buffer_printf(&json, "]}"), 0);
	assert_int_equal(verifier_set_own(v, json.data, json.length, &e), 0);
	buffer_free(&json);
	tokens_assert_refused(v, tokens_of(key_of(t, "EdDSA"), TOKENS_CLAIMS), "no key for it");
	tokens_assert_good(v, tokens_of(key_of(t, "ES256"), TOKENS_CLAIMS));
	verifier_free(v);
}

/* --- which are tried --- */

/* A party that publishes the kid of another one's key cannot put it in the shade. */
static void
kid_that_another_party_has_too_takes_no_key_away(void **state)
{
	const struct tokens *t = *state;
	struct config c;
	struct verifier *v;

	write_set(t, "a.json", t->others[tokens_find("ES256")], 1, "one");
	write_set(t, "b.json", key_of(t, "ES256"), 1, "one");
	c = configure(t, "verify \"a\" { keys = \"@/a.json\" }\n"
			 "verify \"b\" { keys = \"@/b.json\" }\n"
			 "verify \"c\" { public-key = \"@/EdDSA.pub\" algorithm = EdDSA }\n");
	v = open_config(&c);
	tokens_assert_good(v, tokens_sign(key_of(t, "ES256"),
				  "{\"alg\":\"ES256\",\"kid\":\"one\"}", TOKENS_CLAIMS));
	tokens_assert_good(v, tokens_sign(key_of(t, "EdDSA"),
				  "{\"alg\":\"EdDSA\",\"kid\":\"one\"}", TOKENS_CLAIMS));
	verifier_free(v);
	config_free(&c);
}

static void
within_a_party_the_kid_chooses(void **state)
{
	const struct tokens *t = *state;
	struct config c;
	struct verifier *v;

	write_set(t, "a.json", key_of(t, "ES256"), 1, "one");
	c = configure(t, "verify \"a\" { keys = \"@/a.json\" }\n");
	v = open_config(&c);
	tokens_assert_good(v, tokens_sign(key_of(t, "ES256"),
				  "{\"alg\":\"ES256\",\"kid\":\"one\"}", TOKENS_CLAIMS));
	/* None, and one that it does not know. */
	tokens_assert_good(v, tokens_of(key_of(t, "ES256"), TOKENS_CLAIMS));
	tokens_assert_good(v, tokens_sign(key_of(t, "ES256"),
				  "{\"alg\":\"ES256\",\"kid\":\"two\"}", TOKENS_CLAIMS));
	verifier_free(v);
	config_free(&c);
}

/* A key without a kid is none that the token names. */
static void
key_without_a_kid_is_not_tried_where_another_has_the_tokens(void **state)
{
	const struct tokens *t = *state;
	struct verifier *v = tokens_verifier(t, key_of(t, "ES256"));
	struct buffer with, set;
	struct error e = {0};
	json_t *one, *other;
	char *first, *second;

	buffer_init(&with, LIMIT_JWK_SET);
	buffer_init(&set, LIMIT_JWK_SET);
	assert_int_equal(key_jwk(key_of(t, "ES256"), &with, &e), 0);
	other = json_loads(with.data, 0, NULL);
	assert_int_equal(json_object_del(other, "kid"), 0);
	buffer_free(&with);
	assert_int_equal(key_jwk(t->others[tokens_find("ES256")], &with, &e), 0);
	one = json_loads(with.data, 0, NULL);
	assert_int_equal(json_object_set_new(one, "kid", json_string("one")), 0);
	first = json_dumps(other, 0);
	second = json_dumps(one, 0);
	assert_int_equal(buffer_printf(&set, "{\"keys\":[%s,%s]}", first, second), 0);
	assert_int_equal(verifier_set_own(v, set.data, set.length, &e), 0);
	tokens_assert_refused(v,
	    tokens_sign(
		key_of(t, "ES256"), "{\"alg\":\"ES256\",\"kid\":\"one\"}", TOKENS_CLAIMS),
	    "its signature is wrong");
	tokens_assert_good(v, tokens_of(key_of(t, "ES256"), TOKENS_CLAIMS));
	free(first);
	free(second);
	json_decref(one);
	json_decref(other);
	buffer_free(&with);
	buffer_free(&set);
	verifier_free(v);
}

static void
kid_is_read_of_a_token_that_a_key_could_verify(void **state)
{
	static const struct {
		const char *header, *kid, *reason;
	} rows[] = {{"{\"alg\":\"EdDSA\",\"kid\":\"one\"}", "one", NULL},
	    {"{\"alg\":\"EdDSA\"}", "", NULL},
	    {"{\"alg\":\"none\",\"kid\":\"one\"}", "", "no key is for alg none"},
	    {"{\"alg\":\"eddsa\",\"kid\":\"one\"}", "", "no key is for alg eddsa"},
	    {"{\"alg\":\"EdDSA\",\"kid\":\"one\",\"typ\":\"x\"}", "", "its typ is x"}};
	const struct tokens *t = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *token = tokens_sign(key_of(t, "EdDSA"), rows[i].header, TOKENS_CLAIMS);
		char kid[LIMIT_KID_GIVEN] = "before";
		struct error e = {0};

		assert_int_equal(verifier_read_kid(token, strlen(token), kid, &e),
		    rows[i].reason == NULL ? 0 : -1);
		assert_string_equal(kid, rows[i].kid);
		if (rows[i].reason != NULL)
			assert_string_equal(e.detail, rows[i].reason);
		free(token);
	}
}

static void
no_more_signatures_are_computed_than_the_bound(void **state)
{
	const struct tokens *t = *state;
	struct config c;
	struct verifier *v;

	write_set(t, "many.json", t->others[tokens_find("EdDSA")], LIMIT_KEYS, "many");
	write_set(t, "one.json", key_of(t, "EdDSA"), 1, "one");
	c = configure(t, "verify \"many\" { keys = \"@/many.json\" }\n"
			 "verify \"one\" { keys = \"@/one.json\" }\n");
	v = open_config(&c);
	/* Behind as many as the bound; but the kid says where to look first. */
	tokens_assert_refused(
	    v, tokens_of(key_of(t, "EdDSA"), TOKENS_CLAIMS), "by none of the first 64 keys");
	tokens_assert_good(v, tokens_sign(key_of(t, "EdDSA"),
				  "{\"alg\":\"EdDSA\",\"kid\":\"one\"}", TOKENS_CLAIMS));
	verifier_free(v);
	config_free(&c);
}

/* --- what does not load --- */

static void
note_error(void *context, const struct error *e)
{
	struct buffer *all = context;

	assert_int_equal(buffer_printf(all, "%s\n", e->text), 0);
}

static void
every_fault_is_told_with_its_place(void **state)
{
	const struct tokens *t = *state;
	struct buffer told;
	struct config c =
	    configure(t, "jwt-public-key = \"@/none.pub\"\njwt-algorithm = RS512\n"
			 "verify \"a\" { public-key = \"@/ES256.pub\"\nalgorithm = ES384 }\n"
			 "verify \"b\" {\nkeys = \"@/ES256.pub\" }\n"
			 "verify \"c\" { public-key = \"@/ES256.pub\" algorithm = ES256 }\n"
			 "verify \"d\" { public-key = \"@/ES384.pub\" algorithm = ES384 }\n");
	const struct verifier_source source = {
	    .config = &c, .tell = note_error, .context = &told};
	struct verifier *v;
	struct error e = {0};
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/ES384.pub", t->directory);
	assert_int_equal(chmod(path, 0666), 0);
	buffer_init(&told, 8192);
	assert_int_equal(verifier_open(&v, &source, &e), -1);
	assert_int_equal(chmod(path, 0600), 0);
	assert_null(v);
	assert_non_null(strstr(told.data, "jwt-public-key: "));
	assert_non_null(strstr(told.data, "none.pub: No such file"));
	assert_non_null(strstr(told.data, "t.conf:3: verify 'a': "));
	assert_non_null(strstr(told.data, "ES256.pub: its curve is prime256v1"));
	assert_non_null(strstr(told.data, "t.conf:6: verify 'b': "));
	assert_non_null(strstr(told.data, "ES256.pub:1: not JSON"));
	assert_null(strstr(told.data, "verify 'c'"));
	assert_non_null(strstr(told.data, "t.conf:8: verify 'd': "));
	assert_non_null(strstr(told.data, "ES384.pub: others may write it"));
	buffer_free(&told);
	config_free(&c);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tokens_enter, tokens_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(key_vouches_for_the_issuer_of_its_section_alone),
	    TEST(token_is_valid_as_soon_as_one_party_takes_it),
	    TEST(each_section_has_a_user_claim_of_its_own),
	    TEST(every_key_of_the_paired_lists_is_tried_with_its_algorithm),
	    TEST(paired_lists_of_unequal_length_are_refused_with_both_counts),
	    TEST(own_tokens_have_the_issuer_that_is_configured),
	    TEST(own_tokens_for_an_audience_need_it_configured),
	    TEST(own_keys_that_do_not_load_leave_the_old_ones),
	    TEST(kid_that_another_party_has_too_takes_no_key_away),
	    TEST(within_a_party_the_kid_chooses),
	    TEST(key_without_a_kid_is_not_tried_where_another_has_the_tokens),
	    TEST(kid_is_read_of_a_token_that_a_key_could_verify),
	    TEST(no_more_signatures_are_computed_than_the_bound),
	    TEST(every_fault_is_told_with_its_place),
	};

	return cmocka_run_group_tests(tests, tokens_make, tokens_free);
}
