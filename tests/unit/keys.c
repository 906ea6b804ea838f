#define _GNU_SOURCE /* nftw */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/keys.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static const char *const names[KEYS_NUMBERS] = {
    [KEYS_N] = OSSL_PKEY_PARAM_RSA_N,
    [KEYS_E] = OSSL_PKEY_PARAM_RSA_E,
    [KEYS_D] = OSSL_PKEY_PARAM_RSA_D,
    [KEYS_P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
    [KEYS_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
    [KEYS_DP] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
    [KEYS_DQ] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
    [KEYS_QI] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
};

BIGNUM *
keys_number(const char *base64url)
{
	unsigned char bytes[512];
	char text[600] = "";
	size_t length = strlen(base64url);
	int n;

	assert_in_range(length, 1, sizeof(text) - 4);
	for (size_t i = 0; i < length; i++)
		text[i] = base64url[i] == '-' ? '+' : base64url[i] == '_' ? '/' : base64url[i];
	while (length % 4 != 0)
		text[length++] = '=';
	n = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
	assert_in_range(n, 1, sizeof(bytes));
	n -= (int)(strlen(text) - strcspn(text, "="));
	return BN_bin2bn(bytes, n, NULL);
}

void
keys_take_numbers(const EVP_PKEY *pkey, BIGNUM *numbers[KEYS_NUMBERS])
{
	for (int i = 0; i < KEYS_NUMBERS; i++) {
		numbers[i] = NULL;
		assert_int_equal(EVP_PKEY_get_bn_param(pkey, names[i], &numbers[i]), 1);
	}
}

void
keys_free_numbers(BIGNUM *numbers[KEYS_NUMBERS])
{
	for (int i = 0; i < KEYS_NUMBERS; i++)
		BN_clear_free(numbers[i]);
}

EVP_PKEY *
keys_rsa(BIGNUM *const numbers[KEYS_NUMBERS])
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params;
	EVP_PKEY *pkey = NULL;

	for (int i = 0; i < KEYS_NUMBERS && numbers[i] != NULL; i++)
		assert_int_equal(OSSL_PARAM_BLD_push_BN(build, names[i], numbers[i]), 1);
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
	assert_int_equal(
	    EVP_PKEY_fromdata(context, &pkey,
		numbers[KEYS_D] != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params),
	    1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(context);
	return pkey;
}

void
keys_write_bio(const char *path, BIO *bio)
{
	char *bytes;
	long length = BIO_get_mem_data(bio, &bytes);

	keys_write_bytes(path, bytes, (size_t)length);
	BIO_free(bio);
}

void
keys_write_as(const char *path, const EVP_PKEY *pkey, bool traditional, const char *passphrase)
{
	BIO *bio = BIO_new(BIO_s_mem());
	const EVP_CIPHER *cipher = passphrase != NULL ? EVP_aes_256_cbc() : NULL;
	int length = passphrase != NULL ? (int)strlen(passphrase) : 0;

	if (traditional)
		assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, pkey, cipher,
				     (const unsigned char *)passphrase, length, NULL, NULL),
		    1);
	else
		assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
				     bio, pkey, cipher, passphrase, length, NULL, NULL),
		    1);
	keys_write_bio(path, bio);
}

void
keys_write(const char *path, const EVP_PKEY *pkey)
{
	keys_write_as(path, pkey, false, NULL);
}

void
keys_write_public(const char *path, const EVP_PKEY *pkey)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
	keys_write_bio(path, bio);
}

void
keys_write_certificate(const char *path, EVP_PKEY *pkey)
{
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *certificate = X509_new();

	assert_int_equal(X509_set_pubkey(certificate, pkey), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 60));
	assert_true(X509_sign(certificate, pkey, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
	X509_free(certificate);
	keys_write_bio(path, bio);
}

void
keys_write_text(const char *path, const char *text)
{
	keys_write_bytes(path, text, strlen(text));
}

void
keys_write_bytes(const char *path, const void *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

size_t
keys_read_bytes(const char *path, char *bytes, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t length;

	assert_non_null(file);
	length = fread(bytes, 1, size, file);
	assert_int_equal(fclose(file), 0);
	assert_in_range(length, 0, size - 1);
	bytes[length] = '\0';
	return length;
}

int
keys_load(struct key **k, const char *path, const char *passphrase_file, const char *algorithm,
    struct error *e)
{
	const struct key_source source = {
	    .path = path, .passphrase_file = passphrase_file, .algorithm = algorithm};

	return key_load(k, &source, e);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
keys_remove(const char *directory)
{
	assert_int_equal(nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

int
keys_make(void **state)
{
	static struct keys_fixture fixture;
	struct keys_fixture *f = &fixture;

	*state = f;
	umask(022);
	f->keys[RSA_KEY] = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	f->keys[P256] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	f->keys[P384] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	f->keys[P521] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	f->keys[ED25519] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	for (int i = 0; i < KEYS_KINDS; i++)
		if (f->keys[i] == NULL)
			return -1;
	return 0;
}

int
keys_free(void **state)
{
	struct keys_fixture *f = *state;

	for (int i = 0; i < KEYS_KINDS; i++)
		EVP_PKEY_free(f->keys[i]);
	return 0;
}

int
keys_enter(void **state)
{
	struct keys_fixture *f = *state;

	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/test_keys.XXXXXX");
	return mkdtemp(f->directory) != NULL ? 0 : -1;
}

int
keys_leave(void **state)
{
	struct keys_fixture *f = *state;

	keys_remove(f->directory);
	return 0;
}

void
keys_path(const struct keys_fixture *f, const char *name, char path[256])
{
	(void)snprintf(path, 256, "%s/%s", f->directory, name);
}

void
keys_put(const struct keys_fixture *f, const char *name, enum keys_kind kind)
{
	char path[256];

	keys_path(f, name, path);
	keys_write(path, f->keys[kind]);
}
