/* jose: the examples of the RFCs, to the last byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "base/base64url.h"
#include "jose/jwk.h"
#include "jose/jws.h"
#include "jose/key.h"
#include "tests/unit/keys.h"

/* --- their keys: n, e, d and the primes --- */

/* RFC 7515, A.2 */
static const char *const key_7515[] = {
    /* n */
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qP"
    "CJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47s"
    "oMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2"
    "R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud"
    "F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    /* e */
    "AQAB",
    /* d */
    "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgv"
    "fTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f"
    "3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQl"
    "BjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuh"
    "LhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
    /* p */
    "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3"
    "KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXq"
    "hJTBgIPgtldC-KDV5z-y2XDwGUc",
    /* q */
    "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZS"
    "e7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ1"
    "1BKBBypeeF6689rjcJIDEz9RWdc",
};

/* RFC 7520, 3.4 */
static const char *const key_7520[] = {
    /* n */
    "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTD"
    "vNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5yd"
    "QLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bT"
    "wJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwd"
    "q_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw",
    /* e */
    "AQAB",
    /* d */
    "bWUC9B-EFRIo8kpGfh0ZuyGPvMNKvYWNtB_ikiH9k20eT-O1q_I78eiZkpXxXQ0UTEs2LsNR"
    "S-8uJbvQ-A1irkwMSMkK1J3XTGgdrhCku9gRldY7sNA_AKZGh-Q661_42rINLRCe8W-nZ34u"
    "i_qOfkLnK9QWDDqpaIsA-bMwWWSDFu2MUBYwkHTMEzLYGqOe04noqeq1hExBTHBOBdkMXiuF"
    "hUq1BU6l-DqEiWxqg82sXt2h-LMnT3046AOYJoRioz75tSUQfGCshWTBnP5uDjd18kKhyv07"
    "lhfSJdrPdM5Plyl21hsFf4L_mHCuoFau7gdsPfHPxxjVOcOpBrQzwQ",
    /* p */
    "3Slxg_DwTXJcb6095RoXygQCAZ5RnAvZlno1yhHtnUex_fp7AZ_9nRaO7HX_-SFfGQeutao2"
    "TDjDAWU4Vupk8rw9JR0AzZ0N2fvuIAmr_WCsmGpeNqQnev1T7IyEsnh8UMt-n5CafhkikzhE"
    "srmndH6LxOrvRJlsPp6Zv8bUq0k",
    /* q */
    "uKE2dh-cTf6ERF4k4e_jy78GfPYUIaUyoSSJuBzp3Cubk3OCqs6grT8bR_cu0Dm1MZwWmtdq"
    "DyI95HrUeq3MP15vMMON8lHTeZu2lmKvwqW7anV5UzhM1iZ7z4yMkuUwFWoBvyY898EXvRD-"
    "hdqRxHlSqAZ192zB3pVFJ0s7pFc",
};

/* RFC 8037, A.1 */
static const char key_8037[] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

struct fixture {
	char directory[64];
	char file[96];
};

static struct fixture fixture;

static int
setup(void **state)
{
	*state = &fixture;
	(void)snprintf(
	    fixture.directory, sizeof(fixture.directory), "/tmp/test_jose_vectors.XXXXXX");
	if (mkdtemp(fixture.directory) == NULL)
		return -1;
	(void)snprintf(fixture.file, sizeof(fixture.file), "%s/key.pem", fixture.directory);
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	keys_remove(f->directory);
	return 0;
}

/* d modulo a prime less one (RFC 8017, 3.2) */
static BIGNUM *
exponent(const BIGNUM *d, const BIGNUM *prime, BN_CTX *context)
{
	BIGNUM *less = BN_dup(prime);
	BIGNUM *result = BN_new();

	assert_int_equal(BN_sub_word(less, 1), 1);
	assert_int_equal(BN_mod(result, d, less, context), 1);
	BN_free(less);
	return result;
}

static struct key *
load(const struct fixture *f, EVP_PKEY *pkey, const char *algorithm)
{
	const struct key_source source = {.path = f->file, .algorithm = algorithm};
	struct key *k;
	struct error e = {0};

	keys_write(f->file, pkey);
	EVP_PKEY_free(pkey);
	if (key_load(&k, &source, &e) == -1)
		fail_msg("%s", e.text);
	return k;
}

static struct key *
load_rsa(const struct fixture *f, const char *const *text, const char *algorithm)
{
	BN_CTX *context = BN_CTX_new();
	BIGNUM *numbers[KEYS_NUMBERS];
	EVP_PKEY *pkey;

	for (int i = KEYS_N; i <= KEYS_Q; i++)
		numbers[i] = keys_number(text[i]);
	numbers[KEYS_DP] = exponent(numbers[KEYS_D], numbers[KEYS_P], context);
	numbers[KEYS_DQ] = exponent(numbers[KEYS_D], numbers[KEYS_Q], context);
	numbers[KEYS_QI] = BN_mod_inverse(NULL, numbers[KEYS_Q], numbers[KEYS_P], context);
	pkey = keys_rsa(numbers);
	keys_free_numbers(numbers);
	BN_CTX_free(context);
	return load(f, pkey, algorithm);
}

static struct key *
load_ed25519(const struct fixture *f)
{
	BIGNUM *d = keys_number(key_8037);
	unsigned char bytes[32];

	assert_int_equal(BN_bn2binpad(d, bytes, sizeof(bytes)), sizeof(bytes));
	BN_free(d);
	return load(f,
	    EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, sizeof(bytes)),
	    "EdDSA");
}

/* Asserts what k makes of a header and a payload, and frees k. */
static void
assert_compact(struct key *k, const char *header, const char *payload, const char *want)
{
	struct buffer protected, token;
	struct error e = {0};

	buffer_init(&protected, LIMIT_TOKEN);
	buffer_init(&token, LIMIT_TOKEN);
	assert_int_equal(buffer_append(&protected, header, strlen(header)), 0);
	if (jws_sign(k, &protected, payload, strlen(payload), &token, &e) == -1)
		fail_msg("%s", e.text);
	assert_string_equal(token.data, want);
	buffer_free(&token);
	buffer_free(&protected);
	key_free(k);
}

static void
assert_jwk(struct key *k, const char *want)
{
	struct buffer json;
	struct error e = {0};

	buffer_init(&json, LIMIT_JWK_SET);
	assert_int_equal(key_jwk(k, &json, &e), 0);
	assert_string_equal(json.data, want);
	buffer_free(&json);
	key_free(k);
}

/* --- signatures --- */

static const char payload_7515[] = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
				   "\"http://example.com/is_root\":true}";

/* RFC 7515, A.2 */
static void
rs256_token_is_that_of_rfc_7515(void **state)
{
	assert_compact(load_rsa(*state, key_7515, "RS256"), "{\"alg\":\"RS256\"}", payload_7515,
	    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh"
	    "0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB"
	    "__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9"
	    "uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARN"
	    "PvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZES"
	    "c6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVm"
	    "tVrBp0igcN_IoypGlUPQGe77Rw");
}

/* RFC 7520, 4.1 */
static void
rs256_token_with_a_kid_is_that_of_rfc_7520(void **state)
{
	assert_compact(load_rsa(*state, key_7520, "RS256"),
	    "{\"alg\":\"RS256\",\"kid\":\"bilbo.baggins@hobbiton.example\"}",
	    "It\xe2\x80\x99s a dangerous business, Frodo, going out your door. You step onto "
	    "the "
	    "road, and if you don't keep your feet, there\xe2\x80\x99s no knowing where you "
	    "might "
	    "be swept off to.",
	    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9"
	    ".SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9"
	    "vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXI"
	    "gZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9"
	    "mZiB0by4.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZ"
	    "opdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfW"
	    "Ra-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFx"
	    "nt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI"
	    "-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg");
}

/* The key and payload of RFC 7515, A.2, in the form of the original's tokens. The signature
 * is that of "openssl dgst -sha512 -sign". */
static void
rs512_token_is_that_of_openssl(void **state)
{
	struct key *k = load_rsa(*state, key_7515, "RS512");
	struct buffer header;

	buffer_init(&header, 256);
	assert_int_equal(jws_header(&header, k, "JWT", false), 0);
	assert_compact(k, header.data, payload_7515,
	    "eyJhbGciOiJSUzUxMiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA"
	    "4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.Px-NVUGf6oAL"
	    "a6O99bBGNFqj8r3nqDtwIQBsSRnm5NyAkvM_f6vq7vzCUMF2g8eerKfkVtugJamXmnTduIrY"
	    "W3lZbthrcMRjcpZSUptnENnVxWcVv83MC2Tfh7-MIsiEv7rBMnCtMdAx5KtnKo12PXWOXkyb"
	    "gb1lJxiPBTScyIusCq4wrVkXrzYilItkrfPa8Rc0PFLJvRNZsMoQHBAWc8hRABHxhthFU4QU"
	    "xdPzy4mUcMDioaXIZVpbEL68YdkhFxb84tlAZMhMubScKVNahQ3rTa4f-wHN9t5pfEyzXPXE"
	    "bpA-jcS27GDcAHym4VU0BfRkG7EeXpowkDbQ-Ear0A");
	buffer_free(&header);
}

/* The public exponent gives back what was signed: the digest with its name, padded with
 * ones (RFC 8017, 9.2). No part of it is the code that made it. */
static void
rs512_signature_holds_the_padded_digest(void **state)
{
	static const unsigned char name[] = {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86,
	    0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40};
	struct key *k = load_rsa(*state, key_7515, "RS512");
	BIGNUM *n = keys_number(key_7515[KEYS_N]), *e = keys_number(key_7515[KEYS_E]);
	BIGNUM *opened = BN_new(), *made;
	BN_CTX *context = BN_CTX_new();
	unsigned char padded[256] = {0x00, 0x01}, got[256];
	struct buffer signature;
	struct error failure = {0};

	memset(padded + 2, 0xff, sizeof(padded) - 2 - 1 - sizeof(name) - 64);
	padded[sizeof(padded) - 64 - sizeof(name) - 1] = 0;
	memcpy(padded + sizeof(padded) - 64 - sizeof(name), name, sizeof(name));
	assert_int_equal(
	    EVP_Digest("a.b", 3, padded + sizeof(padded) - 64, NULL, EVP_sha512(), NULL), 1);

	buffer_init(&signature, 512);
	assert_int_equal(key_sign(k, "a.b", 3, &signature, &failure), 0);
	made = BN_bin2bn((const unsigned char *)signature.data, (int)signature.length, NULL);
	assert_int_equal(BN_mod_exp(opened, made, e, n, context), 1);
	assert_int_equal(BN_bn2binpad(opened, got, sizeof(got)), sizeof(got));
	assert_memory_equal(got, padded, sizeof(padded));
	buffer_free(&signature);
	BN_free(made);
	BN_free(opened);
	BN_free(n);
	BN_free(e);
	BN_CTX_free(context);
	key_free(k);
}

/* RFC 8037, A.4 */
static void
eddsa_token_is_that_of_rfc_8037(void **state)
{
	assert_compact(load_ed25519(*state), "{\"alg\":\"EdDSA\"}",
	    "Example of Ed25519 signing",
	    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
	    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_"
	    "MuM0KAg");
}

/* --- public halves --- */

/* RFC 7638, 3.1 */
static void
thumbprint_of_an_rsa_key_is_that_of_rfc_7638(void **state)
{
	BIGNUM *numbers[KEYS_NUMBERS] = {
	    [KEYS_N] = keys_number(
		"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aP"
		"FFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl9"
		"3lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdA"
		"ZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3"
		"XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"),
	    [KEYS_E] = keys_number("AQAB"),
	};
	EVP_PKEY *pkey = keys_rsa(numbers);
	struct buffer out;
	struct error e = {0};

	(void)state;
	buffer_init(&out, 64);
	assert_int_equal(jwk_thumbprint(pkey, algorithm_find("RS256"), &out, &e), 0);
	assert_string_equal(out.data, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	buffer_free(&out);
	EVP_PKEY_free(pkey);
	keys_free_numbers(numbers);
}

/* RFC 7515, A.2.1 */
static void
rsa_key_is_published_with_the_numbers_of_rfc_7515(void **state)
{
	struct key *k = load_rsa(*state, key_7515, "RS256");
	char want[1024];

	(void)snprintf(want, sizeof(want),
	    "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"%s\",\"alg\":\"RS256\",\"use\":\"sig\","
	    "\"kid\":\"%s\"}",
	    key_7515[KEYS_N], key_id(k));
	assert_jwk(k, want);
}

/* RFC 8037, A.2 and A.3 */
static void
ed25519_key_is_published_as_in_rfc_8037(void **state)
{
	assert_jwk(load_ed25519(*state),
	    "{\"crv\":\"Ed25519\",\"kty\":\"OKP\","
	    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\",\"alg\":\"EdDSA\","
	    "\"use\":\"sig\",\"kid\":\"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k\"}");
}

/* RFC 7520, 3.2: its x starts with a zero byte, which must not be lost (RFC 7518, 6.2.1.2). */
static void
coordinates_of_a_p_521_key_are_those_of_rfc_7520(void **state)
{
	static const char x[] = "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqj"
				"qvjyekWF-7ytDyRXYgCF5cj0Kt";
	static const char y[] = "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkA"
				"gDPrwQrJmbnX9cwlGfP-HqHZR1";
	BIGNUM *numbers[] = {keys_number(x), keys_number(y),
	    keys_number("AAhRON2r9cqXX1hg-RoI6R1tX5p2rUAYdmpHZoC1XNM56KtscrX6zbKipQrCW9CGZH3T4u"
			"bpnoTKLDYJ_fF3_rJt")};
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	unsigned char point[1 + 2 * 66] = {0x04};
	OSSL_PARAM *params;
	EVP_PKEY *pkey = NULL;
	struct key *k;
	char want[512];

	assert_int_equal(BN_bn2binpad(numbers[0], point + 1, 66), 66);
	assert_int_equal(BN_bn2binpad(numbers[1], point + 67, 66), 66);
	OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "secp521r1", 0);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, numbers[2]);
	OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
	assert_int_equal(EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_KEYPAIR, params), 1);
	k = load(*state, pkey, "ES512");
	(void)snprintf(want, sizeof(want),
	    "{\"crv\":\"P-521\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\",\"alg\":\"ES512\","
	    "\"use\":\"sig\",\"kid\":\"%s\"}",
	    x, y, key_id(k));
	assert_jwk(k, want);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(context);
	for (size_t i = 0; i < 3; i++)
		BN_free(numbers[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(rs256_token_is_that_of_rfc_7515),
	    TEST(rs256_token_with_a_kid_is_that_of_rfc_7520),
	    TEST(rs512_token_is_that_of_openssl),
	    TEST(rs512_signature_holds_the_padded_digest),
	    TEST(eddsa_token_is_that_of_rfc_8037),
	    TEST(thumbprint_of_an_rsa_key_is_that_of_rfc_7638),
	    TEST(rsa_key_is_published_with_the_numbers_of_rfc_7515),
	    TEST(ed25519_key_is_published_as_in_rfc_8037),
	    TEST(coordinates_of_a_p_521_key_are_those_of_rfc_7520),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
