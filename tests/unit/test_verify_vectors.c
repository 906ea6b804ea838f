/* jose: the signatures of the RFCs' examples, which are right, and those that we never take. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "config/config.h"
#include "jose/jws_verify.h"
#include "jose/verifier.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- their keys, each with the "alg" that the example has in the header --- */

/* RFC 7515, A.2.1 */
#define N_7515                                                                             \
	"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJ" \
	"PMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0" \
	"LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD" \
	"Zlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2" \
	"PAcDTW9gb54h4FRWyuXpoQ"
/* RFC 7520, 3.3 */
#define N_7520                                                                             \
	"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0" \
	"VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBord" \
	"aZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzw" \
	"OHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwU" \
	"kRz5iaiQkqgc5gHdrNP5zw"

#define RSA(n, alg) "{\"kty\":\"RSA\",\"n\":\"" n "\",\"e\":\"AQAB\",\"alg\":\"" alg "\"}"
#define EC(crv, x, y, alg)                                                                   \
	"{\"kty\":\"EC\",\"crv\":\"" crv "\",\"x\":\"" x "\",\"y\":\"" y "\",\"alg\":\"" alg \
	"\"}"

#define PAYLOAD_7515                                                                       \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19y" \
	"b290Ijp0cnVlfQ"
#define PAYLOAD_7520                                                                       \
	"SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91" \
	"IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXi" \
	"gJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"
#define RS256_7515                                                                         \
	"eyJhbGciOiJSUzI1NiJ9." PAYLOAD_7515                                               \
	".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_l" \
	"F5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vR" \
	"K5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsq" \
	"tFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVr" \
	"Bp0igcN_IoypGlUPQGe77Rw"

static const struct vector {
	const char *name;
	const char *jwk;
	const char *token;
} vectors[] = {
    {"RFC 7515, A.2", RSA(N_7515, "RS256"), RS256_7515},
    {"RFC 7515, A.3",
	EC("P-256", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
	    "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "ES256"),
	"eyJhbGciOiJFUzI1NiJ9." PAYLOAD_7515
	".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-"
	"Kg6NU1Q"},
    {"RFC 7515, A.4",
	EC("P-521",
	    "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxc"
	    "WceqwQGk",
	    "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf6"
	    "3e3kyMj2",
	    "ES512"),
	"eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYa"
	"RI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEH"
	"wJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"},
    {"RFC 7520, 4.1", RSA(N_7520, "RS256"),
	"eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9"
	"." PAYLOAD_7520
	".MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQ"
	"x996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qH"
	"RD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIr"
	"DaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH"
	"84ogoree7vjbU5y18kDquDg"},
    {"RFC 7520, 4.2", RSA(N_7520, "PS384"),
	"eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9"
	"." PAYLOAD_7520
	".cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqs"
	"GqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8"
	"ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8"
	"cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfm"
	"WjwZ6oD4ifKo8DYM-X72Eaw"},
    {"RFC 7520, 4.3",
	EC("P-521",
	    "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYg"
	    "CF5cj0Kt",
	    "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGf"
	    "P-HqHZR1",
	    "ES512"),
	"eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9"
	"." PAYLOAD_7520
	".AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4V"
	"a2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8O"
	"cGDqoRuBomu9xQ2"},
    {"RFC 8037, A.4 and A.5",
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\","
	"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
	"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PP"
	"Ot7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"},
};

static struct public_key *
load(const char *text)
{
	json_t *jwk = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	struct public_key *k = NULL;
	struct error e = {0};
	bool unfit;

	assert_non_null(jwk);
	if (public_key_from_jwk(&k, jwk, "vector", &unfit, &e) == -1)
		fail_msg("%s", e.text);
	json_decref(jwk);
	return k;
}

static int
verify(const struct public_key *k, const char *token, struct error *e)
{
	struct jws j;
	int rc = jws_parse(&j, token, strlen(token), e);

	if (rc == 0)
		rc = jws_verify(&j, k, e);
	jws_close(&j);
	return rc;
}

static void
every_example_verifies_by_its_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct public_key *k = load(vectors[i].jwk);
		struct error e = {0};

		if (verify(k, vectors[i].token, &e) == -1)
			fail_msg("%s: %s", vectors[i].name, e.detail);
		public_key_free(k);
	}
}

static void
no_example_verifies_by_the_key_of_another(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct public_key *k = load(vectors[i].jwk);

		for (size_t n = 0; n < COUNT(vectors); n++) {
			struct error e = {0};

			if (n != i && verify(k, vectors[n].token, &e) == 0)
				fail_msg(
				    "%s by the key of %s", vectors[n].name, vectors[i].name);
		}
		public_key_free(k);
	}
}

/* RFC 7515: A.1 (HS256), A.5 (none), and JSON serialisations as A.6 and A.7 have them. */
static void
what_is_not_signed_by_a_private_key_is_refused(void **state)
{
	static const char *const tokens[] = {
	    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." PAYLOAD_7515
	    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
	    "eyJhbGciOiJub25lIn0." PAYLOAD_7515 ".",
	    "eyJhbGciOiJub25lIn0." PAYLOAD_7515,
	    "{\"payload\":\"" PAYLOAD_7515 "\",\"signatures\":[]}",
	    "{\"payload\":\"" PAYLOAD_7515 "\",\"protected\":\"eyJhbGciOiJFUzI1NiJ9\","
	    "\"signature\":\"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
	    "pmWQxfKTUJqPP3-Kg6NU1Q\"}",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct public_key *k = load(vectors[i].jwk);

		for (size_t n = 0; n < COUNT(tokens); n++) {
			struct error e = {0};

			assert_int_equal(verify(k, tokens[n], &e), -1);
			assert_int_equal(e.code, ERROR_UNAUTHENTICATED);
			assert_string_equal(e.text, "the token is not valid");
		}
		public_key_free(k);
	}
}

/* A whole token of the RFC: its claims, too. It expired on 22 March 2011 at 18:43:00 UTC. */
static void
token_of_rfc_7515_is_valid_until_it_expires(void **state)
{
	static const char set[] = "{\"keys\":[" RSA(N_7515, "RS256") "]}";
	const struct claims_rules rules = {.user_claim = "iss"};
	struct config c;
	const struct verifier_source source = {.config = &c};
	struct verifier *v;
	struct verified verified;
	struct error e = {0};
	struct jws j;
	json_t *claims;
	const char *user;

	(void)state;
	assert_int_equal(config_init(&c, &e), 0);
	assert_int_equal(verifier_open(&v, &source, &e), 0);
	assert_int_equal(verifier_set_own(v, set, strlen(set), &e), 0);
	/* Our own have a "sub", and this one has none. */
	assert_int_equal(
	    verifier_verify(v, RS256_7515, strlen(RS256_7515), 1300819379, &verified, &e), -1);
	assert_string_equal(e.detail, "it has no sub");
	assert_int_equal(jws_parse(&j, RS256_7515, strlen(RS256_7515), &e), 0);
	claims = jws_object(j.payload, j.payload_length, "payload", &e);
	assert_int_equal(claims_check(claims, &rules, 1300819379, 0, &user, &e), 0);
	assert_string_equal(user, "joe");
	assert_int_equal(claims_check(claims, &rules, 1300819380, 0, &user, &e), -1);
	assert_null(user);
	json_decref(claims);
	jws_close(&j);
	verifier_free(v);
	config_free(&c);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_example_verifies_by_its_key),
	    cmocka_unit_test(no_example_verifies_by_the_key_of_another),
	    cmocka_unit_test(what_is_not_signed_by_a_private_key_is_refused),
	    cmocka_unit_test(token_of_rfc_7515_is_valid_until_it_expires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
