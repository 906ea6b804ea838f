/* jose: what refuses a whole keyring. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "jose/keyring.h"
#include "tests/unit/keys.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { FOREIGN_UID = 65534, SHOWN = 12 };

/* A key beside which the one that is refused lies. */
static const char good[] = "20251122T000000Z.pem";
static const char bad[] = "20261122T000000Z.pem";

static int
open_ring(struct keyring **r, const char *path, struct error *e)
{
	const struct keyring_source source = {
	    .path = path, .algorithm = "RS512", .longest = 3600};

	return keyring_open(r, &source, e);
}

/* No run of bytes of the file that is long enough to tell anything. */
static void
assert_tells_nothing_of(const char *text, const char *path)
{
	char bytes[8192], piece[SHOWN + 1] = "";
	size_t length = keys_read_bytes(path, bytes, sizeof(bytes));

	for (size_t i = 0; i + SHOWN <= length; i++) {
		memcpy(piece, bytes + i, SHOWN);
		if (strstr("-----BEGIN RSA PRIVATE EC PUBLIC KEY CERTIFICATE-----", piece) ==
			NULL &&
		    strlen(piece) == SHOWN && strstr(text, piece) != NULL)
			fail_msg("'%s' of the file stands in: %s", piece, text);
	}
}

/* The directory with the file called name is refused with code, the file's path or, in
 * brackets, where it lies, and a reason. */
static void
assert_refused(
    const struct keys_fixture *f, const char *name, enum error_code code, const char *reason)
{
	struct keyring *r = (struct keyring *)(uintptr_t)1;
	struct error e = {0};
	struct stat st;
	char path[256];

	keys_path(f, name, path);
	assert_int_equal(open_ring(&r, f->directory, &e), -1);
	assert_null(r);
	assert_int_equal(e.code, code);
	if (strncmp(e.text, path, strlen(path)) != 0 ||
	    strncmp(e.text + strlen(path), ": ", 2) != 0 ||
	    strstr(e.text + strlen(path), reason) == NULL)
		fail_msg("%s", e.text);
	if (stat(path, &st) == -1 || !S_ISREG(st.st_mode))
		return;
	assert_tells_nothing_of(e.text, path);
	assert_tells_nothing_of(e.detail, path);
}

static void
put_bytes(const struct keys_fixture *f, const void *bytes, size_t length)
{
	char path[256];

	keys_put(f, good, P256);
	keys_path(f, bad, path);
	keys_write_bytes(path, bytes, length);
}

/* --- names --- */

static void
name_without_an_activation_time_is_refused(void **state)
{
	static const char *const names[] = {"key.pem", "20261322T000000Z.pem",
	    "20260230T000000Z.pem", "20261122t000000z.pem", "20261122T000000.pem",
	    "20261122T000000Z.HS256.pem", "20261122T000000Z.none.pem", "x.pem"};
	const struct keys_fixture *f = *state;
	char path[256];

	keys_put(f, good, P256);
	for (size_t i = 0; i < COUNT(names); i++) {
		keys_put(f, names[i], P256);
		assert_refused(f, names[i], ERROR_CONFIG,
		    "the name of a key is its activation time in UTC, such as "
		    "20261122T000000Z.pem or 20261122T000000Z.ES256.pem");
		keys_path(f, names[i], path);
		assert_int_equal(unlink(path), 0);
	}
}

/* One would sign, and which one would be the directory's order. */
static void
two_keys_with_one_time_and_algorithm_are_refused(void **state)
{
	static const char *const other[] = {
	    "20261122T000000Z.RS512.pem", "20261122T000000Z.rsa512.pem"};
	const struct keys_fixture *f = *state;
	char path[256];

	keys_put(f, bad, RSA_KEY);
	for (size_t i = 0; i < COUNT(other); i++) {
		struct keyring *r;
		struct error e = {0};

		keys_put(f, other[i], RSA_KEY);
		assert_int_equal(open_ring(&r, f->directory, &e), -1);
		assert_null(r);
		assert_int_equal(e.code, ERROR_CONFIG);
		assert_non_null(strstr(e.text, f->directory));
		assert_non_null(strstr(e.text, bad));
		assert_non_null(strstr(e.text, other[i]));
		assert_non_null(strstr(e.text, "two RS512 keys with one activation time"));
		keys_path(f, other[i], path);
		assert_int_equal(unlink(path), 0);
	}
}

static void
two_keys_with_one_time_and_different_algorithms_are_taken(void **state)
{
	const struct keys_fixture *f = *state;
	struct keyring *r;
	struct error e = {0};

	keys_put(f, "20261122T000000Z.pem", RSA_KEY);
	keys_put(f, "20261122T000000Z.RS256.pem", RSA_KEY);
	keys_put(f, "20261122T000000Z.ES256.pem", P256);
	if (open_ring(&r, f->directory, &e) == -1)
		fail_msg("%s", e.text);
	assert_int_equal(keyring_count(r), 3);
	keyring_free(r);
}

/* --- what is no key, or none to sign with --- */

static void
what_is_no_key_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *reason;
	} rows[] = {
	    {"", 0, "the file is empty"},
	    {"\n", 1, "not a private key in PEM form"},
	    {"correct horse battery staple", 28, "not a private key in PEM form"},
	    {"\0\0\0\0\0\0\0\0\0\0\0\0", 12, "not a private key in PEM form"},
	    {"-----BEGIN PRIVATE KEY-----\nc2VjcmV0c2VjcmV0\n-----END PRIVATE KEY-----\n", 72,
		"not a private key in PEM form"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		put_bytes(*state, rows[i].bytes, rows[i].length);
		assert_refused(*state, bad, ERROR_CONFIG, rows[i].reason);
	}
}

static void
file_cut_at_800_bytes_is_refused(void **state)
{
	const struct keys_fixture *f = *state;
	char bytes[8192], path[256];

	keys_put(f, bad, RSA_KEY);
	keys_path(f, bad, path);
	assert_in_range(keys_read_bytes(path, bytes, sizeof(bytes)), 1600, 2000);
	put_bytes(f, bytes, 800);
	assert_refused(f, bad, ERROR_CONFIG, "not a private key in PEM form");
}

static void
certificate_is_refused(void **state)
{
	const struct keys_fixture *f = *state;
	char path[256];

	keys_put(f, good, P256);
	keys_path(f, bad, path);
	keys_write_certificate(path, f->keys[P256]);
	assert_refused(f, bad, ERROR_CONFIG, "a certificate, not a private key");
}

static void
public_key_is_refused(void **state)
{
	const struct keys_fixture *f = *state;
	char path[256];

	keys_put(f, good, P256);
	keys_path(f, bad, path);
	keys_write_public(path, f->keys[RSA_KEY]);
	assert_refused(f, bad, ERROR_CONFIG, "a public key: its private half is needed");
}

static void
rsa_of_1024_bits_is_refused(void **state)
{
	const struct keys_fixture *f = *state;
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	char path[256];

	keys_put(f, good, P256);
	keys_path(f, bad, path);
	keys_write(path, pkey);
	EVP_PKEY_free(pkey);
	assert_refused(f, bad, ERROR_CONFIG, "RSA of 1024 bits: at least 2048 are needed");
}

/* To such a key every message is its own signature. */
static void
rsa_with_an_exponent_of_1_is_refused(void **state)
{
	const struct keys_fixture *f = *state;
	BIGNUM *numbers[KEYS_NUMBERS];
	EVP_PKEY *pkey;
	char path[256];

	keys_take_numbers(f->keys[RSA_KEY], numbers);
	assert_int_equal(BN_one(numbers[KEYS_E]), 1);
	pkey = keys_rsa(numbers);
	keys_free_numbers(numbers);
	keys_put(f, good, P256);
	keys_path(f, bad, path);
	keys_write_as(path, pkey, true, NULL);
	EVP_PKEY_free(pkey);
	assert_refused(f, bad, ERROR_CONFIG,
	    "its public exponent makes every signature forgeable: make a new key");
}

static void
key_that_cannot_have_the_algorithm_of_its_name_is_refused(void **state)
{
	static const struct {
		const char *name;
		enum keys_kind kind;
		const char *reason;
	} rows[] = {
	    {"20261122T000000Z.ES384.pem", P256,
		"its curve is prime256v1, but ES384 needs P-384"},
	    {"20261122T000000Z.ES256.pem", P521,
		"its curve is secp521r1, but ES256 needs P-256"},
	    {"20261122T000000Z.RS256.pem", P256, "a key of type EC cannot sign with RS256"},
	    {"20261122T000000Z.ES256.pem", RSA_KEY, "a key of type RSA cannot sign with ES256"},
	    {"20261122T000000Z.EdDSA.pem", P256, "a key of type EC cannot sign with EdDSA"},
	    {"20261122T000000Z.RS512.pem", ED25519,
		"a key of type ED25519 cannot sign with RS512"},
	};
	const struct keys_fixture *f = *state;
	char path[256];

	keys_put(f, good, P256);
	for (size_t i = 0; i < COUNT(rows); i++) {
		keys_put(f, rows[i].name, rows[i].kind);
		assert_refused(f, rows[i].name, ERROR_CONFIG, rows[i].reason);
		keys_path(f, rows[i].name, path);
		assert_int_equal(unlink(path), 0);
	}
}

/* --- who may write files and directory --- */

static void
file_that_others_may_write_is_refused(void **state)
{
	const struct keys_fixture *f = *state;
	char path[256];

	keys_put(f, good, P256);
	keys_put(f, bad, P256);
	keys_path(f, bad, path);
	assert_int_equal(chmod(path, 0660), 0);
	assert_refused(f, bad, ERROR_CONFIG, "others may write it (mode 0660): chmod go-w it");
	assert_int_equal(chmod(path, 0602), 0);
	assert_refused(f, bad, ERROR_CONFIG, "others may write it (mode 0602): chmod go-w it");
}

static void
file_of_another_user_is_refused(void **state)
{
	const struct keys_fixture *f = *state;
	char path[256];

	if (geteuid() != 0)
		skip(); /* only root can give a file away */
	keys_put(f, good, P256);
	keys_put(f, bad, P256);
	keys_path(f, bad, path);
	assert_int_equal(chown(path, FOREIGN_UID, (gid_t)-1), 0);
	assert_refused(f, bad, ERROR_CONFIG, "belongs to uid 65534, which could change it");
}

/* In a sticky directory others may put links to what is ours. */
static void
link_of_another_user_is_refused(void **state)
{
	const struct keys_fixture *f = *state;
	char path[256];

	if (geteuid() != 0)
		skip(); /* only root can give a link away */
	keys_put(f, good, P256);
	keys_path(f, bad, path);
	assert_int_equal(symlink(good, path), 0);
	assert_int_equal(lchown(path, FOREIGN_UID, (gid_t)-1), 0);
	assert_refused(f, bad, ERROR_CONFIG, "belongs to uid 65534, which could change it");
	assert_int_equal(unlink(path), 0);
}

static void
assert_directory_refused(const struct keys_fixture *f, enum error_code code, const char *reason)
{
	struct keyring *r;
	struct error e = {0};
	char want[LIMIT_ERROR_TEXT];

	(void)snprintf(want, sizeof(want), "%s: %s", f->directory, reason);
	assert_int_equal(open_ring(&r, f->directory, &e), -1);
	assert_null(r);
	assert_string_equal(e.text, want);
	assert_int_equal(e.code, code);
}

static void
directory_that_others_may_write_is_refused(void **state)
{
	const struct keys_fixture *f = *state;

	keys_put(f, good, P256);
	assert_int_equal(chmod(f->directory, 0770), 0);
	assert_directory_refused(
	    f, ERROR_CONFIG, "others may write it (mode 0770): chmod go-w it");
	assert_int_equal(chmod(f->directory, 0707), 0);
	assert_directory_refused(
	    f, ERROR_CONFIG, "others may write it (mode 0707): chmod go-w it");
}

/* Nobody can take away or rename what is not theirs, and theirs is not taken. */
static void
sticky_directory_is_taken(void **state)
{
	static const mode_t modes[] = {0700, 0755, 01777, 03777};
	const struct keys_fixture *f = *state;

	keys_put(f, good, P256);
	for (size_t i = 0; i < COUNT(modes); i++) {
		struct keyring *r;
		struct error e = {0};

		assert_int_equal(chmod(f->directory, modes[i]), 0);
		if (open_ring(&r, f->directory, &e) == -1)
			fail_msg("%s", e.text);
		keyring_free(r);
	}
}

/* Who could rename an old key to a new time. */
static void
directory_of_another_user_is_refused(void **state)
{
	const struct keys_fixture *f = *state;

	if (geteuid() != 0)
		skip(); /* only root can give a directory away */
	keys_put(f, good, P256);
	assert_int_equal(chown(f->directory, FOREIGN_UID, (gid_t)-1), 0);
	assert_directory_refused(
	    f, ERROR_CONFIG, "belongs to uid 65534, which could change it: chown it to root");
}

/* --- directories that are no keyring --- */

static void
directory_without_a_key_is_refused(void **state)
{
	static const char advice[] = "no key in it: its files are called 20261122T000000Z.pem "
				     "after their activation time in UTC";
	const struct keys_fixture *f = *state;
	char path[256];

	assert_directory_refused(f, ERROR_CONFIG, advice);
	keys_path(f, "README", path);
	keys_write_bytes(path, "keys", 4);
	assert_directory_refused(f, ERROR_CONFIG, advice);
}

static void
path_that_leads_nowhere_is_told(void **state)
{
	const struct keys_fixture *f = *state;
	struct keyring *r;
	struct error e = {0};
	char path[256], want[LIMIT_ERROR_TEXT];

	keys_path(f, "missing", path);
	(void)snprintf(want, sizeof(want), "%s: No such file or directory", path);
	assert_int_equal(open_ring(&r, path, &e), -1);
	assert_null(r);
	assert_string_equal(e.text, want);
	assert_int_equal(e.code, ERROR_NO_INPUT);
}

static void
what_is_not_a_file_is_refused(void **state)
{
	const struct keys_fixture *f = *state;
	char path[256];

	keys_put(f, good, P256);
	keys_path(f, bad, path);
	assert_int_equal(symlink("..data/gone", path), 0);
	assert_refused(f, bad, ERROR_NO_INPUT, "No such file or directory");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused(f, bad, ERROR_CONFIG, "not a regular file");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(10); /* ends the test if it waits for a writer */
	assert_refused(f, bad, ERROR_CONFIG, "not a regular file");
	alarm(0);
}

static void
ring_has_at_most_64_keys(void **state)
{
	const struct keys_fixture *f = *state;
	struct keyring *r;
	struct error e = {0};
	char name[LIMIT_FILE_NAME];

	for (int i = 0; i < LIMIT_KEYS; i++) {
		keyring_format_name(name, 1795305600 + i, algorithm_find("EdDSA"));
		keys_put(f, name, ED25519);
	}
	if (open_ring(&r, f->directory, &e) == -1)
		fail_msg("%s", e.text);
	assert_int_equal(keyring_count(r), 64);
	keyring_free(r);
	keys_put(f, "20300101T000000Z.pem", ED25519);
	assert_directory_refused(
	    f, ERROR_CONFIG, "more than 64 keys: prune those that have expired");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, keys_enter, keys_leave)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(name_without_an_activation_time_is_refused),
	    TEST(two_keys_with_one_time_and_algorithm_are_refused),
	    TEST(two_keys_with_one_time_and_different_algorithms_are_taken),
	    TEST(what_is_no_key_is_refused),
	    TEST(file_cut_at_800_bytes_is_refused),
	    TEST(certificate_is_refused),
	    TEST(public_key_is_refused),
	    TEST(rsa_of_1024_bits_is_refused),
	    TEST(rsa_with_an_exponent_of_1_is_refused),
	    TEST(key_that_cannot_have_the_algorithm_of_its_name_is_refused),
	    TEST(file_that_others_may_write_is_refused),
	    TEST(file_of_another_user_is_refused),
	    TEST(link_of_another_user_is_refused),
	    TEST(directory_that_others_may_write_is_refused),
	    TEST(sticky_directory_is_taken),
	    TEST(directory_of_another_user_is_refused),
	    TEST(directory_without_a_key_is_refused),
	    TEST(path_that_leads_nowhere_is_told),
	    TEST(what_is_not_a_file_is_refused),
	    TEST(ring_has_at_most_64_keys),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
