/* jose: algorithms, thumbprints and signatures, by the RFCs' examples and by OpenSSL. */
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
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/base64url.h"
#include "jose/jwk.h"
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
	char vector[96]; /* the key of an RFC's example */
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
	(void)snprintf(f->vector, sizeof(f->vector), "%.63s/vector", f->directory);
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
	(void)unlink(f->vector);
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

/* --- the examples of the RFCs --- */

static BIGNUM *
number(const char *base64url)
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

/* A key from the numbers of a JWK, NULL behind the last one; only n and e are public. */
static EVP_PKEY *
rsa_key(const BIGNUM *const *numbers)
{
	static const char *const names[] = {OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E,
	    OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2,
	    OSSL_PKEY_PARAM_RSA_EXPONENT1, OSSL_PKEY_PARAM_RSA_EXPONENT2,
	    OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params;
	EVP_PKEY *pkey = NULL;
	size_t i;

	for (i = 0; i < COUNT(names) && numbers[i] != NULL; i++)
		assert_int_equal(OSSL_PARAM_BLD_push_BN(build, names[i], numbers[i]), 1);
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
	assert_int_equal(EVP_PKEY_fromdata(context, &pkey,
			     i > 2 ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params),
	    1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(context);
	return pkey;
}

/* RFC 7638, 3.1 */
static void
thumbprint_of_an_rsa_key_is_that_of_the_rfc(void **state)
{
	BIGNUM *n = number("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu"
			   "1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4H"
			   "c5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqz"
			   "s8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4"
			   "vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8a"
			   "wapJzKnqDKgw");
	BIGNUM *e = number("AQAB");
	const BIGNUM *numbers[] = {n, e, NULL};
	EVP_PKEY *pkey = rsa_key(numbers);
	struct buffer out;
	struct error failure = {0};

	(void)state;
	buffer_init(&out, 64);
	assert_int_equal(jwk_thumbprint(pkey, algorithm_find("RS256"), &out, &failure), 0);
	assert_string_equal(out.data, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	buffer_free(&out);
	EVP_PKEY_free(pkey);
	BN_free(n);
	BN_free(e);
}

/* The key of RFC 7515, A.2, in a file. */
static void
write_rsa_vector(const struct fixture *f)
{
	BN_CTX *context = BN_CTX_new();
	BIGNUM *n = number("ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Va"
			   "w-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32"
			   "690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBd"
			   "QOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJ"
			   "H7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FR"
			   "WyuXpoQ");
	BIGNUM *e = number("AQAB");
	BIGNUM *d = number("Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5s"
			   "LKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-"
			   "GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4q"
			   "AdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl"
			   "_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVR"
			   "uOopznQ");
	BIGNUM *p = number("4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l"
			   "58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW"
			   "1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc");
	BIGNUM *q = number("uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLY"
			   "sp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQ"
			   "kv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc");
	BIGNUM *dp = BN_dup(p);
	BIGNUM *dq = BN_dup(q);
	BIGNUM *qi = BN_mod_inverse(NULL, q, p, context);
	const BIGNUM *numbers[] = {n, e, d, p, q, dp, dq, qi, NULL};
	EVP_PKEY *pkey;

	assert_int_equal(BN_sub_word(dp, 1), 1);
	assert_int_equal(BN_sub_word(dq, 1), 1);
	assert_int_equal(BN_mod(dp, d, dp, context), 1);
	assert_int_equal(BN_mod(dq, d, dq, context), 1);
	pkey = rsa_key(numbers);
	assert_int_equal(write_key(f->vector, pkey), 0);
	EVP_PKEY_free(pkey);
	for (size_t i = 0; numbers[i] != NULL; i++)
		BN_free((BIGNUM *)(uintptr_t)numbers[i]);
	BN_CTX_free(context);
}

static void
assert_signature(const struct key *k, const char *input, const char *base64url)
{
	struct buffer signature, text;
	struct error e = {0};

	buffer_init(&signature, 1024);
	buffer_init(&text, 2048);
	if (key_sign(k, input, strlen(input), &signature, &e) == -1)
		fail_msg("%s", e.text);
	assert_int_equal(base64url_append(&text, signature.data, signature.length), 0);
	assert_string_equal(text.data, base64url);
	buffer_free(&signature);
	buffer_free(&text);
}

/* RFC 7515, A.2 */
static void
rs256_signature_is_that_of_the_rfc(void **state)
{
	struct fixture *f = *state;
	struct key *k;

	write_rsa_vector(f);
	k = load(f->vector, "RS256");
	assert_signature(k,
	    "eyJhbGciOiJSUzI1NiJ9."
	    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19y"
	    "b290Ijp0cnVlfQ",
	    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5Y"
	    "Kt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6x"
	    "BArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6"
	    "BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_I"
	    "oypGlUPQGe77Rw");
	key_free(k);
}

/* RFC 8037, A.1, A.3 and A.4 */
static void
eddsa_key_is_that_of_the_rfc(void **state)
{
	struct fixture *f = *state;
	BIGNUM *d = number("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
	unsigned char bytes[32];
	EVP_PKEY *pkey;
	struct key *k;

	assert_int_equal(BN_bn2binpad(d, bytes, sizeof(bytes)), sizeof(bytes));
	pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, sizeof(bytes));
	assert_int_equal(write_key(f->vector, pkey), 0);
	k = load(f->vector, "EdDSA");
	assert_string_equal(key_id(k), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
	assert_signature(k, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
	    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM"
	    "0KAg");
	key_free(k);
	EVP_PKEY_free(pkey);
	BN_free(d);
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
	    cmocka_unit_test(thumbprint_of_an_rsa_key_is_that_of_the_rfc),
	    cmocka_unit_test(rs256_signature_is_that_of_the_rfc),
	    cmocka_unit_test(eddsa_key_is_that_of_the_rfc),
	    cmocka_unit_test(every_algorithm_makes_signatures_that_verify),
	    cmocka_unit_test(every_algorithm_refuses_every_other_kind_of_key),
	    cmocka_unit_test(jws_is_header_payload_and_signature),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
