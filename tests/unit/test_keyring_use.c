/* jose: which key of a directory signs, which are published, and whether they work. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "jose/keyring.h"
#include "tests/unit/keys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { LONGEST = 3600 };

/* 20261122T000000Z and the two hours behind it */
static const int64_t T0 = 1795305600, T1 = 1795309200, T2 = 1795312800;

static struct keyring *
open_ring(const char *path, const char *algorithm)
{
	const struct keyring_source source = {
	    .path = path, .algorithm = algorithm, .longest = LONGEST};
	struct keyring *r;
	struct error e = {0};

	if (keyring_open(&r, &source, &e) == -1)
		fail_msg("%s", e.text);
	return r;
}

/* --- which key signs --- */

static struct keyring *
three_hours(const struct keys_fixture *f)
{
	keys_put(f, "20261122T000000Z.pem", P256);
	keys_put(f, "20261122T010000Z.pem", P256);
	keys_put(f, "20261122T020000Z.pem", P256);
	return open_ring(f->directory, "ES256");
}

static void
key_whose_time_has_come_is_picked(void **state)
{
	struct keyring *r = three_hours(*state);
	const struct algorithm *a = algorithm_find("ES256");
	const struct key *keys[3];
	struct error e = {0};

	for (size_t i = 0; i < 3; i++)
		keys[i] = keyring_get(r, i, 0).key;
	assert_ptr_equal(keyring_pick(r, a, T0, T0 + LONGEST, &e), keys[0]);
	assert_ptr_equal(keyring_pick(r, a, T1 - 1, T1 - 1 + LONGEST, &e), keys[0]);
	assert_ptr_equal(keyring_pick(r, a, T1, T1 + LONGEST, &e), keys[1]);
	assert_ptr_equal(keyring_pick(r, a, T2, T2 + LONGEST, &e), keys[2]);
	assert_ptr_equal(keyring_pick(r, a, T2, INT64_MAX, &e), keys[2]);
	keyring_free(r);
}

static void
nothing_is_picked_before_the_first_activation(void **state)
{
	struct keyring *r = three_hours(*state);
	struct error e = {0};

	assert_null(keyring_pick(r, algorithm_find("ES256"), T0 - 1, T0, &e));
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "no key signs with ES256 now");
	keyring_free(r);
}

static void
key_of_another_algorithm_is_not_picked(void **state)
{
	struct keyring *r = three_hours(*state);
	struct error e = {0};

	assert_null(keyring_pick(r, algorithm_find("ES384"), T0, T0, &e));
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "no key signs with ES384 now");
	keyring_free(r);
}

/* A token must not outlive the publication of its key. */
static void
token_that_would_outlive_its_key_gets_none(void **state)
{
	struct keyring *r = three_hours(*state);
	const struct algorithm *a = algorithm_find("ES256");
	const int64_t end = T1 + LONGEST + TIMELINE_MARGIN;
	struct error e = {0};

	assert_non_null(keyring_pick(r, a, T0, end, &e));
	assert_null(keyring_pick(r, a, T0, end + 1, &e));
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(
	    e.text, "20261122T000000Z.pem: the key will be pruned before the token ends");
	keyring_free(r);
}

static void
entry_tells_its_end_and_its_state(void **state)
{
	static const enum key_state states[] = {
	    KEY_STATE_EXPIRED, KEY_STATE_RETIRED, KEY_STATE_ACTIVE};
	struct keyring *r = three_hours(*state);
	const int64_t now = T1 + LONGEST + TIMELINE_MARGIN;

	assert_int_equal(keyring_get(r, 0, now).end, now);
	assert_int_equal(keyring_get(r, 1, now).end, T2 + LONGEST + TIMELINE_MARGIN);
	assert_int_equal(keyring_get(r, 2, now).end, INT64_MAX);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(keyring_get(r, i, now).state, states[i]);
		assert_int_equal(keyring_get(r, i, T0 - 1).state, KEY_STATE_NEXT);
	}
	keyring_free(r);
}

/* --- what is published --- */

static json_t *
publish(const struct keyring *r, int64_t now, int64_t *fresh)
{
	struct buffer text;
	struct error e = {0};
	json_error_t wrong;
	json_t *set;

	buffer_init(&text, LIMIT_JWK_SET);
	if (keyring_publish(r, now, &text, fresh, &e) == -1)
		fail_msg("%s", e.text);
	set = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, &wrong);
	if (set == NULL)
		fail_msg("%s: %s", text.data, wrong.text);
	assert_int_equal(json_object_size(set), 1);
	assert_true(json_is_array(json_object_get(set, "keys")));
	buffer_free(&text);
	return set;
}

/* Nothing but these members, each a text: no private half (RFC 7518, 6). */
static void
each_type_of_key_has_its_public_members_alone(void **state)
{
	static const struct {
		enum keys_kind kind;
		const char *file;
		const char *constant[4][2];
		const char *other[4];
	} rows[] = {
	    {RSA_KEY, "20261122T000000Z.PS256.pem",
		{{"kty", "RSA"}, {"alg", "PS256"}, {"use", "sig"}}, {"n", "e", "kid"}},
	    {P256, "20261122T000001Z.pem",
		{{"kty", "EC"}, {"crv", "P-256"}, {"alg", "ES256"}, {"use", "sig"}},
		{"x", "y", "kid"}},
	    {P384, "20261122T000002Z.pem",
		{{"kty", "EC"}, {"crv", "P-384"}, {"alg", "ES384"}, {"use", "sig"}},
		{"x", "y", "kid"}},
	    {P521, "20261122T000003Z.pem",
		{{"kty", "EC"}, {"crv", "P-521"}, {"alg", "ES512"}, {"use", "sig"}},
		{"x", "y", "kid"}},
	    {ED25519, "20261122T000004Z.pem",
		{{"kty", "OKP"}, {"crv", "Ed25519"}, {"alg", "EdDSA"}, {"use", "sig"}},
		{"x", "kid"}},
	};
	struct keyring *r;
	json_t *set;
	int64_t fresh;

	for (size_t i = 0; i < COUNT(rows); i++)
		keys_put(*state, rows[i].file, rows[i].kind);
	r = open_ring(((struct keys_fixture *)*state)->directory, "RS512");
	set = publish(r, T0 + 60, &fresh);
	assert_int_equal(json_array_size(json_object_get(set, "keys")), COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		json_t *jwk = json_array_get(json_object_get(set, "keys"), i);
		size_t members = 0;

		for (size_t j = 0; j < 4 && rows[i].constant[j][0] != NULL; j++, members++)
			assert_string_equal(
			    json_string_value(json_object_get(jwk, rows[i].constant[j][0])),
			    rows[i].constant[j][1]);
		for (size_t j = 0; j < 4 && rows[i].other[j] != NULL; j++, members++)
			assert_true(json_is_string(json_object_get(jwk, rows[i].other[j])));
		assert_int_equal(json_object_size(jwk), members);
		assert_string_equal(json_string_value(json_object_get(jwk, "kid")),
		    key_id(keyring_get(r, i, T0).key));
	}
	json_decref(set);
	keyring_free(r);
}

static void
all_but_expired_keys_are_published(void **state)
{
	static const struct {
		int64_t after; /* T0 */
		int first;     /* of those that are published */
		int last;
	} rows[] = {
	    {-1, 0, 2},               /* three next ones */
	    {0, 0, 2},                /* one active */
	    {3600, 0, 2},             /* one retired, one active, one next */
	    {2 * 3600 + 599, 0, 2},   /* its last second */
	    {2 * 3600 + 600, 1, 2},   /* it is expired */
	    {3 * 3600 + 600, 2, 2},   /* and the second too */
	    {100 * 3600 + 600, 2, 2}, /* the last one stays */
	};
	struct keys_fixture *f = *state;
	char ids[3][64];
	struct keyring *r;

	keys_put(f, "20261122T000000Z.pem", P256);
	keys_put(f, "20261122T020000Z.pem", P256);
	for (int i = 1; i < 3; i++) {
		EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
		char path[256];

		keys_path(f, i == 1 ? "20261122T010000Z.pem" : "20261122T020000Z.pem", path);
		keys_write(path, pkey);
		EVP_PKEY_free(pkey);
	}
	r = open_ring(f->directory, "ES256");
	for (size_t i = 0; i < 3; i++)
		(void)snprintf(ids[i], sizeof(ids[i]), "%s", key_id(keyring_get(r, i, 0).key));
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t fresh;
		json_t *set = publish(r, T0 + rows[i].after, &fresh);
		json_t *list = json_object_get(set, "keys");

		assert_int_equal(json_array_size(list), rows[i].last - rows[i].first + 1);
		for (int j = rows[i].first; j <= rows[i].last; j++) {
			json_t *jwk = json_array_get(list, (size_t)(j - rows[i].first));

			assert_string_equal(
			    json_string_value(json_object_get(jwk, "kid")), ids[j]);
		}
		json_decref(set);
	}
	keyring_free(r);
}

static void
set_is_fresh_until_the_next_change_and_ten_minutes_at_most(void **state)
{
	static const struct {
		int64_t after; /* T0 */
		int64_t fresh;
	} rows[] = {
	    {-7200, 600}, {-601, 600}, {-600, 600}, {-599, 599}, {-1, 1}, {0, 600}, {3599, 1},
	    {2 * 3600, 600},     /* the third one starts, the first one ends in 600 */
	    {2 * 3600 + 599, 1}, /* it ends */
	    {100 * 3600, 600},   /* nothing will change */
	};
	struct keyring *r = three_hours(*state);

	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t fresh = -1;

		json_decref(publish(r, T0 + rows[i].after, &fresh));
		assert_int_equal(fresh, rows[i].fresh);
	}
	keyring_free(r);
}

static void
set_that_does_not_fit_is_an_error(void **state)
{
	struct keyring *r = three_hours(*state);
	int64_t fresh;
	size_t whole = 0;

	for (size_t limit = 0; whole == 0 && limit < 4096; limit += 7) {
		struct buffer text;
		struct error e = {0};

		buffer_init(&text, limit);
		if (keyring_publish(r, T0, &text, &fresh, &e) == 0)
			whole = text.length;
		else
			assert_string_equal(e.text, "the keys do not fit into an answer");
		buffer_free(&text);
	}
	assert_in_range(whole, 500, 1000);
	keyring_free(r);
}

/* --- keys whose halves do not belong together --- */

static void
assert_test_fails(const struct keys_fixture *f, EVP_PKEY *pkey)
{
	struct keyring *r;
	struct error e = {0};
	char path[256];

	keys_put(f, "20251122T000000Z.pem", P256);
	keys_path(f, "20261122T000000Z.pem", path);
	keys_write_as(path, pkey, true, NULL);
	EVP_PKEY_free(pkey);
	r = open_ring(f->directory, "ES256");
	assert_int_equal(keyring_test(r, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_string_equal(e.text, "20261122T000000Z.pem: what it signs does not verify: its "
				    "halves do not belong together");
	keyring_free(r);
}

static void
rsa_key_with_a_wrong_private_exponent_fails_its_test(void **state)
{
	const struct keys_fixture *f = *state;
	BIGNUM *numbers[KEYS_NUMBERS];
	EVP_PKEY *pkey;

	keys_take_numbers(f->keys[RSA_KEY], numbers);
	assert_int_equal(BN_add_word(numbers[KEYS_D], 2), 1);
	assert_int_equal(BN_add_word(numbers[KEYS_DP], 2), 1);
	pkey = keys_rsa(numbers);
	keys_free_numbers(numbers);
	assert_test_fails(f, pkey);
}

/* Its private number with the public point of another key. */
static void
ec_key_with_the_public_half_of_another_fails_its_test(void **state)
{
	const struct keys_fixture *f = *state;
	EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	unsigned char point[65];
	BIGNUM *number = NULL;
	OSSL_PARAM *params;
	EVP_PKEY *pkey = NULL;
	size_t length;

	assert_int_equal(
	    EVP_PKEY_get_bn_param(f->keys[P256], OSSL_PKEY_PARAM_PRIV_KEY, &number), 1);
	assert_int_equal(EVP_PKEY_get_octet_string_param(
			     other, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &length),
	    1);
	OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number);
	OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, length);
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
	assert_int_equal(EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_KEYPAIR, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(other);
	BN_clear_free(number);
	assert_test_fails(f, pkey);
}

static void
good_keys_of_every_kind_pass_their_test(void **state)
{
	static const char *const names[KEYS_KINDS] = {"20261122T000000Z.PS512.pem",
	    "20261122T000001Z.pem", "20261122T000002Z.pem", "20261122T000003Z.pem",
	    "20261122T000004Z.pem"};
	const struct keys_fixture *f = *state;
	struct keyring *r;
	struct error e = {0};

	for (int i = 0; i < KEYS_KINDS; i++)
		keys_put(f, names[i], (enum keys_kind)i);
	r = open_ring(f->directory, "ES256");
	if (keyring_test(r, &e) == -1)
		fail_msg("%s", e.text);
	keyring_free(r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_enter, keys_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(key_whose_time_has_come_is_picked),
	    TEST(nothing_is_picked_before_the_first_activation),
	    TEST(key_of_another_algorithm_is_not_picked),
	    TEST(token_that_would_outlive_its_key_gets_none),
	    TEST(entry_tells_its_end_and_its_state),
	    TEST(each_type_of_key_has_its_public_members_alone),
	    TEST(all_but_expired_keys_are_published),
	    TEST(set_is_fresh_until_the_next_change_and_ten_minutes_at_most),
	    TEST(set_that_does_not_fit_is_an_error),
	    TEST(rsa_key_with_a_wrong_private_exponent_fails_its_test),
	    TEST(ec_key_with_the_public_half_of_another_fails_its_test),
	    TEST(good_keys_of_every_kind_pass_their_test),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
