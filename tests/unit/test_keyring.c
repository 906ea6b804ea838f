/* jose: the names of keys, and the directories and files that are a keyring. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jose/keyring.h"
#include "tests/unit/keys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { LONGEST = 3600 };

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

/* --- names --- */

static void
name_says_the_time_and_the_algorithm(void **state)
{
	static const struct {
		const char *name;
		int64_t from;
		const char *algorithm; /* NULL: none is said */
	} rows[] = {
	    {"20261122T000000Z.pem", 1795305600, NULL},
	    {"19700101T000000Z.pem", 0, NULL},
	    {"19700101T000001Z.pem", 1, NULL},
	    {"20240229T235959Z.pem", 1709251199, NULL},
	    {"20380119T031408Z.pem", 2147483648, NULL},
	    {"99991231T235959Z.pem", 253402300799, NULL},
	    {"20261122T000000Z.ES256.pem", 1795305600, "ES256"},
	    {"20261122T000000Z.EdDSA.pem", 1795305600, "EdDSA"},
	    {"20261122T000000Z.ps384.pem", 1795305600, "PS384"},
	    {"20261122T000000Z.RSA512.pem", 1795305600, "RS512"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct algorithm *a;
		int64_t from = -1;

		if (keyring_parse_name(rows[i].name, &from, &a) == -1)
			fail_msg("%s", rows[i].name);
		assert_int_equal(from, rows[i].from);
		assert_ptr_equal(
		    a, rows[i].algorithm == NULL ? NULL : algorithm_find(rows[i].algorithm));
	}
}

static void
name_that_is_not_quite_one_is_none(void **state)
{
	static const char *const names[] = {"", ".pem", "key.pem", "20261122.pem",
	    /* what no calendar and no clock shows */
	    "20261322T000000Z.pem", "20260022T000000Z.pem", "20260230T000000Z.pem",
	    "20250229T000000Z.pem", "20261100T000000Z.pem", "20261131T000000Z.pem",
	    "20261122T240000Z.pem", "20261122T006000Z.pem", "20261122T000060Z.pem",
	    "19691231T235959Z.pem", "00000101T000000Z.pem",
	    /* another form */
	    "20261122t000000Z.pem", "20261122T000000z.pem", "20261122T000000.pem",
	    "20261122T000000Z.PEM", "20261122T000000Zpem", "20261122T0000Z.pem",
	    "20261122T000000+0.pem", "2026-11-22T00:00:00Z.pem", " 0261122T000000Z.pem",
	    "+0261122T000000Z.pem", "2026112 T000000Z.pem", "20261122T000000Z..pem",
	    "120261122T000000Z.pem", "20261122T000000Z.pem.pem",
	    /* another algorithm */
	    "20261122T000000Z.HS256.pem", "20261122T000000Z.none.pem",
	    "20261122T000000Z.ES256K.pem", "20261122T000000Z.ES256",
	    "20261122T000000ZES256.pem", "20261122T000000Z-ES256.pem",
	    "20261122T000000Z.ES256.ES256.pem", "20261122T000000Z.ES256 .pem",
	    "20261122T000000Z.a-very-long-word.pem", "20261122T000000Z.a-word-of-16-char.pem"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct algorithm *a;
		int64_t from;

		if (keyring_parse_name(names[i], &from, &a) != -1)
			fail_msg("%s", names[i]);
		assert_null(a);
	}
}

static void
name_that_is_made_is_the_name_that_is_read(void **state)
{
	static const char *const algorithms[] = {"RS256", "RS512", "PS256", "ES512", "EdDSA"};
	static const int64_t times[] = {
	    0, 1, 951782400, 1709251199, 1795305600, 4102444800, 253402300799};
	char name[LIMIT_FILE_NAME];

	(void)state;
	for (size_t i = 0; i < COUNT(times) * COUNT(algorithms); i++) {
		const struct algorithm *want =
		    algorithm_find(algorithms[i % COUNT(algorithms)]);
		const struct algorithm *a;
		int64_t from = -1;

		keyring_format_name(name, times[i / COUNT(algorithms)], want);
		assert_int_equal(keyring_parse_name(name, &from, &a), 0);
		assert_int_equal(from, times[i / COUNT(algorithms)]);
		assert_ptr_equal(a, want);
	}
	keyring_format_name(name, 1795305600, algorithm_find("ES256"));
	assert_string_equal(name, "20261122T000000Z.ES256.pem");
}

/* --- directories --- */

static void
keys_are_in_the_order_of_activation(void **state)
{
	static const struct {
		const char *name;
		int64_t from;
	} rows[] = {{"20251122T000000Z.pem", 1763769600}, {"20261122T000000Z.pem", 1795305600},
	    {"20261122T000001Z.pem", 1795305601}, {"20270101T000000Z.pem", 1798761600}};
	static const size_t order[] = {2, 0, 3, 1};
	struct keys_fixture *f = *state;
	struct keyring *r;

	for (size_t i = 0; i < COUNT(order); i++)
		keys_put(f, rows[order[i]].name, P256);
	r = open_ring(f->directory, "ES256");
	assert_int_equal(keyring_count(r), COUNT(rows));
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_string_equal(keyring_get(r, i, 0).file, rows[i].name);
		assert_int_equal(keyring_get(r, i, 0).from, rows[i].from);
	}
	keyring_free(r);
}

/* Not the directory's, which differs from node to node: all publish the same bytes. */
static void
keys_of_one_time_are_in_the_order_of_their_names(void **state)
{
	static const char *const names[] = {"20261122T000000Z.ES256.pem",
	    "20261122T000000Z.PS256.pem", "20261122T000000Z.PS384.pem",
	    "20261122T000000Z.RS256.pem", "20261122T000000Z.RS384.pem",
	    "20261122T000000Z.RS512.pem"};
	const size_t count = COUNT(names);
	const struct keys_fixture *f = *state;
	char path[256];

	/* Forwards and backwards, since some file systems keep one and some the other. */
	for (int backwards = 0; backwards < 2; backwards++) {
		struct keyring *r;

		for (size_t i = 0; i < count; i++) {
			size_t at = backwards ? count - 1 - i : i;

			keys_put(f, names[at], at == 0 ? P256 : RSA_KEY);
		}
		r = open_ring(f->directory, "ES256");
		for (size_t i = 0; i < count; i++) {
			assert_string_equal(keyring_get(r, i, 0).file, names[i]);
			keys_path(f, names[i], path);
			assert_int_equal(unlink(path), 0);
		}
		keyring_free(r);
	}
}

static void
assert_algorithm(struct keys_fixture *f, const char *name, enum keys_kind kind,
    const char *configured, const char *want)
{
	struct keyring *r;

	keys_put(f, name, kind);
	r = open_ring(f->directory, configured);
	assert_int_equal(keyring_count(r), 1);
	assert_string_equal(key_algorithm(keyring_get(r, 0, 0).key)->name, want);
	keyring_free(r);
}

static void
name_goes_over_the_configured_algorithm(void **state)
{
	struct keys_fixture *f = *state;
	char path[256];

	assert_algorithm(f, "20261122T000000Z.PS384.pem", RSA_KEY, "RS256", "PS384");
	keys_path(f, "20261122T000000Z.PS384.pem", path);
	assert_int_equal(unlink(path), 0);
	assert_algorithm(f, "20261122T000000Z.es256.pem", P256, "RS256", "ES256");
}

static void
key_whose_name_says_none_has_the_configured_algorithm_if_it_can(void **state)
{
	static const struct {
		enum keys_kind kind;
		const char *configured;
		const char *algorithm;
	} rows[] = {
	    {RSA_KEY, "RS256", "RS256"},
	    {RSA_KEY, "PS512", "PS512"},
	    {RSA_KEY, "rsa384", "RS384"},
	    {P256, "ES256", "ES256"},
	    {ED25519, "EdDSA", "EdDSA"},
	    /* else the one of its own type */
	    {RSA_KEY, "ES256", "RS512"},
	    {RSA_KEY, "EdDSA", "RS512"},
	    {P256, "RS512", "ES256"},
	    {P384, "RS512", "ES384"},
	    {P521, "RS512", "ES512"},
	    {P384, "ES256", "ES384"},
	    {P521, "EdDSA", "ES512"},
	    {ED25519, "RS512", "EdDSA"},
	    {ED25519, "ES512", "EdDSA"},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_algorithm(*state, "20261122T000000Z.pem", rows[i].kind,
		    rows[i].configured, rows[i].algorithm);
}

static void
names_that_are_no_keys_are_left_alone(void **state)
{
	static const char *const names[] = {"README", "README.md", "key", "key.pem.bak",
	    "20261122T000000Z.pem~", "20261122T000000Z.key", ".pem", ".20261122T000000Z.pem",
	    "..20261122T000000Z.pem", ".20261122T000000Z.pem.swp", "lost+found", "pem"};
	struct keys_fixture *f = *state;
	struct keyring *r;
	char path[256];

	for (size_t i = 0; i < COUNT(names); i++) {
		keys_path(f, names[i], path);
		keys_write_bytes(path, "no key", 6);
	}
	keys_path(f, "directory", path);
	assert_int_equal(mkdir(path, 0700), 0);
	keys_put(f, "20261122T000000Z.pem", P256);
	r = open_ring(f->directory, "ES256");
	assert_int_equal(keyring_count(r), 1);
	keyring_free(r);
}

/* A new version of a volume, as the kubelet makes it: a directory of its own, and "..data",
 * to which the names in the volume lead, swapped by one rename. */
static void
swap_volume(
    const struct keys_fixture *f, const char *version, const char *name, enum keys_kind kind)
{
	char path[256], data[256], file[300], target[300];

	keys_path(f, version, path);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(file, sizeof(file), "%s/%s", path, name);
	keys_write(file, f->keys[kind]);
	assert_int_equal(chmod(file, 0644), 0);
	keys_path(f, "..data_tmp", path);
	keys_path(f, "..data", data);
	assert_int_equal(symlink(version, path), 0);
	assert_int_equal(rename(path, data), 0);
	keys_path(f, name, path);
	(void)snprintf(target, sizeof(target), "..data/%s", name);
	assert_true(symlink(target, path) == 0 || errno == EEXIST);
}

static void
volume_of_a_kubernetes_secret_is_a_keyring(void **state)
{
	struct keys_fixture *f = *state;
	struct keyring *before, *after;

	assert_int_equal(chmod(f->directory, 01777), 0); /* as the kubelet makes it */
	swap_volume(f, "..2026_11_21_10_00_00.1", "20261122T000000Z.pem", P256);
	before = open_ring(f->directory, "ES256");
	assert_int_equal(keyring_count(before), 1);
	swap_volume(f, "..2026_11_21_11_00_00.2", "20261122T000000Z.pem", ED25519);
	after = open_ring(f->directory, "ES256");
	assert_int_equal(keyring_count(after), 1);
	assert_string_equal(key_algorithm(keyring_get(after, 0, 0).key)->name, "EdDSA");
	/* A ring is what it was when it was opened. */
	assert_string_equal(key_algorithm(keyring_get(before, 0, 0).key)->name, "ES256");
	keyring_free(before);
	keyring_free(after);
}

static void
single_file_is_active_for_ever(void **state)
{
	struct keys_fixture *f = *state;
	char path[256];
	struct keyring *r;
	struct keyring_entry entry;

	keys_path(f, "any-name", path);
	keys_write(path, f->keys[RSA_KEY]);
	r = open_ring(path, "RS256");
	assert_int_equal(keyring_count(r), 1);
	entry = keyring_get(r, 0, 1);
	assert_string_equal(entry.file, path);
	assert_string_equal(key_algorithm(entry.key)->name, "RS256");
	assert_int_equal(entry.from, 0);
	assert_int_equal(entry.end, INT64_MAX);
	assert_int_equal(entry.state, KEY_STATE_ACTIVE);
	keyring_free(r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_enter, keys_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(name_says_the_time_and_the_algorithm),
	    cmocka_unit_test(name_that_is_not_quite_one_is_none),
	    cmocka_unit_test(name_that_is_made_is_the_name_that_is_read),
	    TEST(keys_are_in_the_order_of_activation),
	    TEST(keys_of_one_time_are_in_the_order_of_their_names),
	    TEST(name_goes_over_the_configured_algorithm),
	    TEST(key_whose_name_says_none_has_the_configured_algorithm_if_it_can),
	    TEST(names_that_are_no_keys_are_left_alone),
	    TEST(volume_of_a_kubernetes_secret_is_a_keyring),
	    TEST(single_file_is_active_for_ever),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
