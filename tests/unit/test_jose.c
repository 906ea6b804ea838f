/* jose: algorithms, and the signatures of each by OpenSSL's word. */
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

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/base64url.h"
#include "jose/jws.h"
#include "jose/key.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The kinds of key that people have, each made once. */
enum kind { RSA_KEY, PSS_KEY, P256, P384, P521, K256, ED25519, ED448, X25519, KINDS };

static const struct {
	const char *type;
	const char *curve;
	const char *in_error; /* what the refusal calls it */
} kinds[KINDS] = {
    [RSA_KEY] = {"RSA", NULL, "RSA"},
    [PSS_KEY] = {"RSA-PSS", NULL, "RSA-PSS"},
    [P256] = {"EC", "prime256v1", "prime256v1"},
    [P384] = {"EC", "secp384r1", "secp384r1"},
    [P521] = {"EC", "secp521r1", "secp521r1"},
    [K256] = {"EC", "secp256k1", "secp256k1"},
    [ED25519] = {"ED25519", NULL, "ED25519"},
    [ED448] = {"ED448", NULL, "ED448"},
    [X25519] = {"X25519", NULL, "X25519"},
};

static const struct {
	const char *name;
	enum kind kind; /* the only one that fits */
	const char *digest;
	size_t size; /* bytes of a signature */
} algorithms[] = {
    {"RS256", RSA_KEY, "SHA256", 256},
    {"RS384", RSA_KEY, "SHA384", 256},
    {"RS512", RSA_KEY, "SHA512", 256},
    {"PS256", RSA_KEY, "SHA256", 256},
    {"PS384", RSA_KEY, "SHA384", 256},
    {"PS512", RSA_KEY, "SHA512", 256},
    {"ES256", P256, "SHA256", 64},
    {"ES384", P384, "SHA384", 96},
    {"ES512", P521, "SHA512", 132},
    {"EdDSA", ED25519, NULL, 64},
};

struct fixture {
	char directory[64];
	EVP_PKEY *keys[KINDS];
	char paths[KINDS][96];
};

static struct fixture fixture;

static EVP_PKEY *
make_key(enum kind kind)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kinds[kind].type, NULL);
	EVP_PKEY *pkey = NULL;

	if (EVP_PKEY_keygen_init(context) == 1 &&
	    (kinds[kind].curve == NULL ||
		EVP_PKEY_CTX_set_group_name(context, kinds[kind].curve) == 1))
		(void)EVP_PKEY_generate(context, &pkey);
	EVP_PKEY_CTX_free(context);
	return pkey;
}

static int
write_key(const char *path, EVP_PKEY *pkey)
{
	FILE *f = fopen(path, "w");
	int ok = f != NULL && PEM_write_PKCS8PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL);

	return f != NULL && fclose(f) == 0 && ok ? 0 : -1;
}

static int
make_keys(void **state)
{
	struct fixture *f = &fixture;

	*state = f;
	umask(077);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/test_jose.XXXXXX");
	if (mkdtemp(f->directory) == NULL)
		return -1;
	for (int kind = 0; kind < KINDS; kind++) {
		(void)snprintf(
		    f->paths[kind], sizeof(f->paths[kind]), "%.63s/%d.pem", f->directory, kind);
		f->keys[kind] = make_key((enum kind)kind);
		if (f->keys[kind] == NULL || write_key(f->paths[kind], f->keys[kind]) == -1)
			return -1;
	}
	return 0;
}

static int
free_keys(void **state)
{
	struct fixture *f = *state;

	for (int kind = 0; kind < KINDS; kind++) {
		EVP_PKEY_free(f->keys[kind]);
		(void)unlink(f->paths[kind]);
	}
	return rmdir(f->directory);
}

static int
load_key(struct key **k, const char *path, const char *passphrase_file, const char *algorithm,
    struct error *e)
{
	const struct key_source source = {
	    .path = path, .passphrase_file = passphrase_file, .algorithm = algorithm};

	return key_load(k, &source, e);
}

static struct key *
load(const char *path, const char *algorithm)
{
	struct key *k;
	struct error e = {0};

	if (load_key(&k, path, NULL, algorithm, &e) == -1)
		fail_msg("%s", e.text);
	return k;
}

/* --- algorithms --- */

static void
algorithm_is_found_by_its_names(void **state)
{
	static const struct {
		const char *name;
		const char *jwa; /* NULL: there is none */
	} rows[] = {
	    {"RS256", "RS256"},
	    {"RS384", "RS384"},
	    {"RS512", "RS512"},
	    {"PS256", "PS256"},
	    {"PS384", "PS384"},
	    {"PS512", "PS512"},
	    {"ES256", "ES256"},
	    {"ES384", "ES384"},
	    {"ES512", "ES512"},
	    {"EdDSA", "EdDSA"},
	    {"rs512", "RS512"},
	    {"rsa512", "RS512"},
	    {"RSA512", "RS512"},
	    {"rsa256", "RS256"},
	    {"Rsa384", "RS384"},
	    {"es256", "ES256"},
	    {"eddsa", "EdDSA"},
	    {"none", NULL},
	    {"None", NULL},
	    {"HS256", NULL},
	    {"hs512", NULL},
	    {"HMAC256", NULL},
	    {"RSA", NULL},
	    {"RSA1", NULL},
	    {"RSA1024", NULL},
	    {"RSA5120", NULL},
	    {"RS1", NULL},
	    {"ES256K", NULL},
	    {"Ed25519", NULL},
	    {"RSA-OAEP", NULL},
	    {"RS512 ", NULL},
	    {" RS512", NULL},
	    {"RS512,none", NULL},
	    {"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct algorithm *a = algorithm_find(rows[i].name);

		if (rows[i].jwa == NULL ? a != NULL
					: a == NULL || strcmp(a->name, rows[i].jwa) != 0)
			fail_msg("'%s': %s", rows[i].name, a != NULL ? a->name : "none");
	}
}

static void
algorithm_that_does_not_exist_is_told_with_those_that_do(void **state)
{
	static const char *const rows[] = {"none", "HS256", "", "RS1024"};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct key *k = NULL;
		struct error e = {0};

		assert_int_equal(load_key(&k, f->paths[RSA_KEY], NULL, rows[i], &e), -1);
		assert_null(k);
		assert_int_equal(e.code, ERROR_CONFIG);
		for (size_t j = 0; j < COUNT(algorithms); j++)
			assert_non_null(strstr(e.text, algorithms[j].name));
	}
}

/* --- signatures by OpenSSL's word --- */

/* JWS has r and s in full length (RFC 7518, 3.4), OpenSSL verifies DER. */
static int
to_der(const struct buffer *signature, unsigned char **der)
{
	const unsigned char *bytes = (const unsigned char *)signature->data;
	int half = (int)signature->length / 2;
	ECDSA_SIG *pair = ECDSA_SIG_new();
	int length;

	assert_int_equal(ECDSA_SIG_set0(pair, BN_bin2bn(bytes, half, NULL),
			     BN_bin2bn(bytes + half, half, NULL)),
	    1);
	length = i2d_ECDSA_SIG(pair, der);
	ECDSA_SIG_free(pair);
	return length;
}

static bool
verify(
    EVP_PKEY *pkey, size_t a, const char *input, size_t length, const struct buffer *signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *options = NULL;
	unsigned char *der = NULL;
	const unsigned char *bytes = (const unsigned char *)signature->data;
	size_t size = signature->length;
	bool good;

	assert_int_equal(EVP_DigestVerifyInit_ex(
			     context, &options, algorithms[a].digest, NULL, NULL, pkey, NULL),
	    1);
	if (*algorithms[a].name == 'P') {
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING), 1);
		/* The salt must be as long as the digest (RFC 7518, 3.5). */
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST), 1);
	}
	if (strncmp(algorithms[a].name, "ES", 2) == 0) {
		size = (size_t)to_der(signature, &der);
		bytes = der;
	}
	good =
	    EVP_DigestVerify(context, bytes, size, (const unsigned char *)input, length) == 1;
	OPENSSL_free(der);
	EVP_MD_CTX_free(context);
	return good;
}

/* Many times each, so that an r or s that begins with a zero byte comes up. */
static void
every_algorithm_makes_signatures_that_verify(void **state)
{
	struct fixture *f = *state;

	for (size_t a = 0; a < COUNT(algorithms); a++) {
		struct key *k = load(f->paths[algorithms[a].kind], algorithms[a].name);
		int rounds = strncmp(algorithms[a].name, "ES", 2) == 0 ? 300 : 3;

		assert_string_equal(key_algorithm(k)->name, algorithms[a].name);
		for (int i = 0; i < rounds; i++) {
			char input[32];
			struct buffer signature;
			struct error e = {0};

			(void)snprintf(input, sizeof(input), "header.claims%d", i);
			buffer_init(&signature, 1024);
			if (key_sign(k, input, strlen(input), &signature, &e) == -1)
				fail_msg("%s", e.text);
			assert_int_equal(signature.length, algorithms[a].size);
			assert_true(verify(
			    f->keys[algorithms[a].kind], a, input, strlen(input), &signature));
			input[0] ^= 1;
			assert_false(verify(
			    f->keys[algorithms[a].kind], a, input, strlen(input), &signature));
			buffer_free(&signature);
		}
		key_free(k);
	}
}

static void
every_algorithm_refuses_every_other_kind_of_key(void **state)
{
	struct fixture *f = *state;

	for (size_t a = 0; a < COUNT(algorithms); a++) {
		for (int kind = 0; kind < KINDS; kind++) {
			struct key *k = NULL;
			struct error e = {0};

			if (kind == (int)algorithms[a].kind)
				continue;
			if (load_key(&k, f->paths[kind], NULL, algorithms[a].name, &e) != -1)
				fail_msg(
				    "%s with %s", algorithms[a].name, kinds[kind].in_error);
			assert_null(k);
			assert_int_equal(e.code, ERROR_CONFIG);
			assert_memory_equal(e.text, f->paths[kind], strlen(f->paths[kind]));
			assert_non_null(strstr(e.text, algorithms[a].name));
			if (strncmp(algorithms[a].name, "ES", 2) == 0 ||
			    kinds[kind].curve == NULL)
				assert_non_null(strstr(e.text, kinds[kind].in_error));
		}
	}
}

/* --- the compact serialisation --- */

static void
jws_is_header_payload_and_signature(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 2 * COUNT(algorithms); i++) {
		size_t a = i / 2;
		bool kid = i % 2 != 0;
		struct key *k = load(f->paths[algorithms[a].kind], algorithms[a].name);
		struct buffer token, want, made;
		struct error e = {0};
		char header[160];
		const char *dot;

		(void)snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":\"JWT\"%s%s%s}",
		    algorithms[a].name, kid ? ",\"kid\":\"" : "", kid ? key_id(k) : "",
		    kid ? "\"" : "");
		buffer_init(&want, LIMIT_TOKEN);
		buffer_init(&token, LIMIT_TOKEN);
		assert_int_equal(base64url_append(&want, header, strlen(header)), 0);
		assert_int_equal(buffer_append(&want, ".e30.", 5), 0);
		buffer_init(&made, sizeof(header));
		assert_int_equal(jws_header(&made, k, "JWT", kid), 0);
		assert_int_equal(jws_sign(k, &made, "{}", 2, &token, &e), 0);
		buffer_free(&made);
		assert_memory_equal(token.data, want.data, want.length);
		dot = strrchr(token.data, '.');
		assert_int_equal(strlen(dot + 1), BASE64URL_LENGTH(algorithms[a].size));
		assert_int_equal(strspn(dot + 1, "abcdefghijklmnopqrstuvwxyz0123456789_-"
						 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
		    strlen(dot + 1));
		buffer_free(&token);
		buffer_free(&want);
		key_free(k);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(algorithm_is_found_by_its_names),
	    cmocka_unit_test(algorithm_that_does_not_exist_is_told_with_those_that_do),
	    cmocka_unit_test(every_algorithm_makes_signatures_that_verify),
	    cmocka_unit_test(every_algorithm_refuses_every_other_kind_of_key),
	    cmocka_unit_test(jws_is_header_payload_and_signature),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
