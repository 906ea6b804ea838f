/* jose: the files that keys come in, right and wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/file_write.h"
#include "jose/generate.h"
#include "jose/key.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char passphrase[] = "correct horse";

struct fixture {
	char directory[64];
	char file[96];
	char passphrase_file[96];
	EVP_PKEY *rsa;
	EVP_PKEY *ec;
};

static struct fixture fixture;

static int
make_keys(void **state)
{
	struct fixture *f = &fixture;

	*state = f;
	umask(077);
	f->rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	f->ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/test_key_file.XXXXXX");
	if (f->rsa == NULL || f->ec == NULL || mkdtemp(f->directory) == NULL)
		return -1;
	(void)snprintf(f->file, sizeof(f->file), "%.63s/key.pem", f->directory);
	(void)snprintf(
	    f->passphrase_file, sizeof(f->passphrase_file), "%.63s/passphrase", f->directory);
	return 0;
}

static int
free_keys(void **state)
{
	struct fixture *f = *state;

	EVP_PKEY_free(f->rsa);
	EVP_PKEY_free(f->ec);
	return rmdir(f->directory);
}

static int
clean(void **state)
{
	struct fixture *f = *state;

	(void)rmdir(f->file);
	(void)unlink(f->file);
	(void)unlink(f->passphrase_file);
	return 0;
}

static int
load_key(struct key **k, const char *path, const char *passphrase_file, const char *algorithm,
    struct error *e)
{
	const struct key_source source = {
	    .path = path, .passphrase_file = passphrase_file, .algorithm = algorithm};

	return key_load(k, &source, e);
}

static void
write_file(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static void
write_text(const char *path, const char *text)
{
	write_file(path, text, strlen(text));
}

static void
write_bio(const char *path, BIO *bio)
{
	char *bytes;
	long length = BIO_get_mem_data(bio, &bytes);

	write_file(path, bytes, (size_t)length);
	BIO_free(bio);
}

enum form { PKCS8, TRADITIONAL, PKCS8_ENCRYPTED, TRADITIONAL_ENCRYPTED };

static void
write_key(const char *path, const EVP_PKEY *pkey, enum form form)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool encrypted = form == PKCS8_ENCRYPTED || form == TRADITIONAL_ENCRYPTED;
	const EVP_CIPHER *cipher = encrypted ? EVP_aes_256_cbc() : NULL;
	const unsigned char *key = encrypted ? (const unsigned char *)passphrase : NULL;
	int length = encrypted ? (int)strlen(passphrase) : 0;

	if (form == PKCS8 || form == PKCS8_ENCRYPTED)
		assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
				     bio, pkey, cipher, (const char *)key, length, NULL, NULL),
		    1);
	else
		assert_int_equal(PEM_write_bio_PrivateKey_traditional(
				     bio, pkey, cipher, key, length, NULL, NULL),
		    1);
	write_bio(path, bio);
}

/* Asserts that the file is refused with code and, behind its name, a text with reason. */
static void
assert_refused(const struct fixture *f, const char *passphrase_file, enum error_code code,
    const char *reason)
{
	struct key *k = NULL;
	struct error e = {0};
	size_t name = strlen(f->file);

	assert_int_equal(load_key(&k, f->file, passphrase_file, "RS256", &e), -1);
	assert_null(k);
	assert_int_equal(e.code, code);
	assert_memory_equal(e.text, f->file, name);
	assert_memory_equal(e.text + name, ": ", 2);
	if (strstr(e.text + name, reason) == NULL)
		fail_msg("%s", e.text);
	assert_null(strstr(e.text, passphrase));
}

/* --- what is loaded --- */

static void
every_form_of_a_key_is_the_same_key(void **state)
{
	static const struct {
		bool ec;
		enum form form;
		const char *label; /* so that the form is what we mean */
	} rows[] = {
	    {false, PKCS8, "-----BEGIN PRIVATE KEY-----\n"},
	    {false, TRADITIONAL, "-----BEGIN RSA PRIVATE KEY-----\n"},
	    {false, PKCS8_ENCRYPTED, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"},
	    {false, TRADITIONAL_ENCRYPTED,
		"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"},
	    {true, PKCS8, "-----BEGIN PRIVATE KEY-----\n"},
	    {true, TRADITIONAL, "-----BEGIN EC PRIVATE KEY-----\n"},
	    {true, PKCS8_ENCRYPTED, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"},
	    {true, TRADITIONAL_ENCRYPTED,
		"-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"},
	};
	struct fixture *f = *state;
	char ids[2][64] = {"", ""};

	write_text(f->passphrase_file, "correct horse\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *id = ids[rows[i].ec];
		char text[128];
		struct key *k;
		struct error e = {0};
		FILE *file;

		write_key(f->file, rows[i].ec ? f->ec : f->rsa, rows[i].form);
		file = fopen(f->file, "r");
		assert_non_null(file);
		assert_int_equal(fread(text, 1, sizeof(text), file), sizeof(text));
		fclose(file);
		assert_memory_equal(text, rows[i].label, strlen(rows[i].label));
		/* A key that is not encrypted does not mind a passphrase. */
		if (load_key(&k, f->file, f->passphrase_file, rows[i].ec ? "ES256" : "RS256",
			&e) == -1)
			fail_msg("row %zu: %s", i, e.text);
		assert_int_equal(strlen(key_id(k)), 43);
		if (*id == '\0')
			(void)snprintf(id, sizeof(ids[0]), "%s", key_id(k));
		assert_string_equal(key_id(k), id);
		key_free(k);
	}
	assert_string_not_equal(ids[0], ids[1]);
}

static void
passphrase_is_the_first_line_of_its_file(void **state)
{
	static const struct {
		const char *text;
		const char *reason; /* NULL: it opens the key */
	} rows[] = {
	    {"correct horse", NULL},
	    {"correct horse\n", NULL},
	    {"correct horse\nand more\n", NULL},
	    {"correct horse \n", "the passphrase does not open it"},
	    {"Correct horse\n", "the passphrase does not open it"},
	    {"battery staple\n", "the passphrase does not open it"},
	    {"\ncorrect horse\n", "the passphrase does not open it"},
	};
	static const enum form forms[] = {PKCS8_ENCRYPTED, TRADITIONAL_ENCRYPTED};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows) * COUNT(forms); i++) {
		const char *reason = rows[i / COUNT(forms)].reason;
		struct key *k = NULL;
		struct error e = {0};

		write_key(f->file, f->rsa, forms[i % COUNT(forms)]);
		write_text(f->passphrase_file, rows[i / COUNT(forms)].text);
		if (reason != NULL)
			assert_refused(f, f->passphrase_file, ERROR_CONFIG, reason);
		else if (load_key(&k, f->file, f->passphrase_file, "RS256", &e) == -1)
			fail_msg("row %zu: %s", i, e.text);
		key_free(k);
	}
}

static void
encrypted_key_without_a_passphrase_is_told(void **state)
{
	struct fixture *f = *state;

	write_key(f->file, f->rsa, PKCS8_ENCRYPTED);
	assert_refused(f, NULL, ERROR_CONFIG, "encrypted: set passphrase-file");
	write_key(f->file, f->rsa, TRADITIONAL_ENCRYPTED);
	assert_refused(f, NULL, ERROR_CONFIG, "encrypted: set passphrase-file");
}

static void
passphrase_file_that_is_missing_or_empty_is_told(void **state)
{
	char want[LIMIT_ERROR_TEXT];
	struct fixture *f = *state;
	struct key *k = NULL;
	struct error e = {0};

	write_key(f->file, f->rsa, PKCS8_ENCRYPTED);
	assert_int_equal(load_key(&k, f->file, f->passphrase_file, "RS256", &e), -1);
	assert_int_equal(e.code, ERROR_NO_INPUT);
	(void)snprintf(want, sizeof(want), "%s: No such file or directory", f->passphrase_file);
	assert_string_equal(e.text, want);
	write_text(f->passphrase_file, "");
	assert_int_equal(load_key(&k, f->file, f->passphrase_file, "RS256", &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	(void)snprintf(want, sizeof(want), "%s: the file is empty", f->passphrase_file);
	assert_string_equal(e.text, want);
	assert_null(k);
}

static void
file_that_all_may_read_is_known(void **state)
{
	static const struct {
		mode_t mode;
		bool exposed;
	} rows[] = {{0600, false}, {0400, false}, {0640, false}, {0644, true}, {0604, true}};
	struct fixture *f = *state;

	write_key(f->file, f->rsa, PKCS8);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct key *k;
		struct error e = {0};

		assert_int_equal(chmod(f->file, rows[i].mode), 0);
		assert_int_equal(load_key(&k, f->file, NULL, "RS256", &e), 0);
		assert_int_equal(key_exposed(k), rows[i].exposed);
		key_free(k);
	}
}

/* --- what is refused --- */

static void
file_that_others_may_write_is_refused(void **state)
{
	struct fixture *f = *state;

	write_key(f->file, f->rsa, PKCS8);
	assert_int_equal(chmod(f->file, 0620), 0);
	assert_refused(f, NULL, ERROR_CONFIG, "others may write it (mode 0620): chmod go-w it");
	assert_int_equal(chmod(f->file, 0602), 0);
	assert_refused(f, NULL, ERROR_CONFIG, "others may write it (mode 0602): chmod go-w it");
}

static void
openssh_format_comes_with_the_command_that_converts_it(void **state)
{
	/* How such a key begins; what follows is not looked at. */
	static const char blob[] = "openssh-key-v1\0\0\0\0\4none\0\0\0\4none\0\0\0\0\0\0\0\1";
	char advice[160];
	struct fixture *f = *state;
	BIO *bio = BIO_new(BIO_s_mem());

	assert_true(PEM_write_bio(bio, "OPENSSH PRIVATE KEY", "", (const unsigned char *)blob,
			sizeof(blob)) > 0);
	write_bio(f->file, bio);
	(void)snprintf(advice, sizeof(advice), "ssh-keygen -p -m PEM -f %s", f->file);
	assert_refused(f, NULL, ERROR_CONFIG, advice);
}

static void
public_half_is_refused(void **state)
{
	struct fixture *f = *state;
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PUBKEY(bio, f->rsa), 1);
	write_bio(f->file, bio);
	assert_refused(f, NULL, ERROR_CONFIG, "a public key: its private half is needed");
	write_text(f->file, "-----BEGIN RSA PUBLIC KEY-----\nMAA=\n"
			    "-----END RSA PUBLIC KEY-----\n");
	assert_refused(f, NULL, ERROR_CONFIG, "a public key: its private half is needed");
}

static void
certificate_is_refused(void **state)
{
	struct fixture *f = *state;
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *certificate = X509_new();

	assert_int_equal(X509_set_pubkey(certificate, f->rsa), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 60));
	assert_true(X509_sign(certificate, f->rsa, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
	X509_free(certificate);
	write_bio(f->file, bio);
	assert_refused(f, NULL, ERROR_CONFIG, "a certificate, not a private key");
}

static void
rsa_below_2048_bits_is_refused(void **state)
{
	static const struct {
		size_t bits;
		const char *reason;
	} rows[] = {
	    {1024, "RSA of 1024 bits: at least 2048 are needed"},
	    {2047, "RSA of 2047 bits: at least 2048 are needed"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", rows[i].bits);

		assert_non_null(pkey);
		write_key(f->file, pkey, PKCS8);
		EVP_PKEY_free(pkey);
		assert_refused(f, NULL, ERROR_CONFIG, rows[i].reason);
	}
}

/* The key of f with another public exponent. What is private does not matter then. */
static EVP_PKEY *
with_exponent(const struct fixture *f, BN_ULONG exponent)
{
	static const char *const names[] = {OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_D,
	    OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
	    OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
	    OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *numbers[COUNT(names) + 1] = {BN_new()};
	OSSL_PARAM *params;
	EVP_PKEY *pkey = NULL;

	assert_int_equal(BN_set_word(numbers[0], exponent), 1);
	assert_int_equal(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, numbers[0]), 1);
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_int_equal(EVP_PKEY_get_bn_param(f->rsa, names[i], &numbers[i + 1]), 1);
		assert_int_equal(OSSL_PARAM_BLD_push_BN(build, names[i], numbers[i + 1]), 1);
	}
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
	assert_int_equal(EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_KEYPAIR, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(context);
	for (size_t i = 0; i < COUNT(numbers); i++)
		BN_clear_free(numbers[i]);
	return pkey;
}

static void
rsa_with_a_broken_exponent_is_refused(void **state)
{
	static const BN_ULONG exponents[] = {1, 2, 65536};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(exponents); i++) {
		EVP_PKEY *pkey = with_exponent(f, exponents[i]);

		write_key(f->file, pkey, TRADITIONAL);
		EVP_PKEY_free(pkey);
		assert_refused(f, NULL, ERROR_CONFIG, "public exponent");
	}
}

/* As a key that is being copied looks like: never half a key. */
static void
file_that_was_cut_is_refused(void **state)
{
	static const enum form forms[] = {PKCS8, TRADITIONAL};
	char text[4096];
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(forms); i++) {
		size_t length;
		FILE *file;

		write_key(f->file, f->rsa, forms[i]);
		file = fopen(f->file, "r");
		assert_non_null(file);
		length = fread(text, 1, sizeof(text), file);
		fclose(file);
		assert_in_range(length, 1600, 2000);
		/* The last character of the end line and its newline may be missing. */
		for (size_t size = 1; size < length - 20; size += size == 1 ? 799 : 37) {
			write_file(f->file, text, size);
			assert_refused(f, NULL, ERROR_CONFIG, "not a private key in PEM form");
		}
	}
}

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
	    {"garbage", 7, "not a private key in PEM form"},
	    {"\0\0\0\0", 4, "not a private key in PEM form"},
	    {"\x30\x82\x04\xa4\x02\x01\x00\x02", 8, "not a private key in PEM form"},
	    {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 59,
		"not a private key in PEM form"},
	    {"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", 54,
		"not a private key in PEM form"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		write_file(f->file, rows[i].bytes, rows[i].length);
		assert_refused(f, NULL, ERROR_CONFIG, rows[i].reason);
	}
}

static void
file_over_the_bound_is_refused(void **state)
{
	static char bytes[LIMIT_KEY_FILE + 1];
	struct fixture *f = *state;

	memset(bytes, '\n', sizeof(bytes));
	write_file(f->file, bytes, sizeof(bytes));
	assert_refused(f, NULL, ERROR_CONFIG, "larger than 65536 bytes");
}

static void
what_is_not_a_file_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_refused(f, NULL, ERROR_NO_INPUT, "No such file or directory");
	assert_int_equal(mkdir(f->file, 0700), 0);
	assert_refused(f, NULL, ERROR_CONFIG, "not a regular file");
	assert_int_equal(rmdir(f->file), 0);
	assert_int_equal(mkfifo(f->file, 0600), 0);
	alarm(10); /* ends the test if it waits for a writer */
	assert_refused(f, NULL, ERROR_CONFIG, "not a regular file");
	alarm(0);
}

/* A key where the name of its file belongs gets into no message. */
static void
key_itself_in_place_of_its_file_is_refused(void **state)
{
	char text[4096] = "";
	struct fixture *f = *state;
	struct key *k = NULL;
	struct error e = {0};
	FILE *file;

	write_key(f->file, f->ec, PKCS8);
	file = fopen(f->file, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	assert_int_equal(load_key(&k, text, NULL, "ES256", &e), -1);
	assert_null(k);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_string_equal(
	    e.text, "private-key holds a key, where the name of its file belongs");
}

#define TEST(name) cmocka_unit_test_teardown(name, clean)

/* --- new keys --- */

static void
generated_key_signs_with_its_algorithm(void **state)
{
	static const char *const names[] = {
	    "RS256", "RS512", "PS384", "ES256", "ES384", "ES512", "EdDSA"};
	const struct file_form form = {.mode = 0600, .group = (gid_t)-1};
	struct fixture *f = *state;
	char first[64] = "";

	for (size_t i = 0; i < 2 * COUNT(names); i++) {
		const struct algorithm *a = algorithm_find(names[i / 2]);
		const char *secret = i % 2 == 0 ? NULL : f->passphrase_file;
		struct error e = {0};
		struct buffer pem;
		struct key *k;

		write_text(f->passphrase_file, "correct horse\n");
		buffer_init(&pem, LIMIT_KEY_FILE);
		if (generate_key(&pem, a, 2048, secret, &e) == -1 ||
		    file_write(f->file, pem.data, pem.length, &form, &e) == -1)
			fail_msg("%s", e.text);
		assert_int_equal(strstr(pem.data, "ENCRYPTED") != NULL, secret != NULL);
		if (secret != NULL)
			assert_int_equal(load_key(&k, f->file, NULL, a->name, &e), -1);
		if (load_key(&k, f->file, secret, a->name, &e) == -1 || key_test(k, &e) == -1)
			fail_msg("%s: %s", a->name, e.text);
		assert_string_not_equal(key_id(k), first);
		(void)snprintf(first, sizeof(first), "%s", key_id(k));
		key_free(k);
		buffer_free(&pem);
		clean(state);
	}
}

static void
nothing_is_generated_where_the_passphrase_cannot_be_read(void **state)
{
	struct fixture *f = *state;
	const struct algorithm *a = algorithm_find("EdDSA");
	struct error e = {0};
	struct buffer pem;

	buffer_init(&pem, LIMIT_KEY_FILE);
	assert_int_equal(generate_key(&pem, a, 0, f->passphrase_file, &e), -1);
	assert_int_equal(e.code, ERROR_NO_INPUT);
	write_text(f->passphrase_file, "\n");
	assert_int_equal(generate_key(&pem, a, 0, f->passphrase_file, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_int_equal(pem.length, 0);
	buffer_free(&pem);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(every_form_of_a_key_is_the_same_key),
	    TEST(passphrase_is_the_first_line_of_its_file),
	    TEST(encrypted_key_without_a_passphrase_is_told),
	    TEST(passphrase_file_that_is_missing_or_empty_is_told),
	    TEST(file_that_all_may_read_is_known),
	    TEST(file_that_others_may_write_is_refused),
	    TEST(openssh_format_comes_with_the_command_that_converts_it),
	    TEST(public_half_is_refused),
	    TEST(certificate_is_refused),
	    TEST(rsa_below_2048_bits_is_refused),
	    TEST(rsa_with_a_broken_exponent_is_refused),
	    TEST(file_that_was_cut_is_refused),
	    TEST(what_is_no_key_is_refused),
	    TEST(file_over_the_bound_is_refused),
	    TEST(what_is_not_a_file_is_refused),
	    TEST(key_itself_in_place_of_its_file_is_refused),
	    TEST(generated_key_signs_with_its_algorithm),
	    TEST(nothing_is_generated_where_the_passphrase_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
