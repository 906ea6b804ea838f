/*
 * jose/key_pem: what a file of a private key may be. Input: a byte for the algorithm, the
 * passphrase, a line, and the file, in which these stand for the base64 of keys that are made
 * at the start, so that no input holds one:
 *
 *     {rsa} {small} {ec} {p384} {ed}   RSA, RSA that is too small, EC and Ed25519 as PKCS #8
 *     {rsa1} {ec1}                     PKCS #1 and SEC 1
 *     {locked}                         PKCS #8, encrypted by the passphrase "open"
 *     {public}                         a public key
 *     {B} {E}                          "-----BEGIN " and "-----END "
 */
#define _GNU_SOURCE /* memmem */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "jose/jwk.h"
#include "jose/key_check.h"
#include "jose/key_read.h"
#include "tests/fuzz/fuzz.h"

static const char *const algorithms[] = {"RS256", "PS512", "ES256", "ES384", "EdDSA"};

enum { PLAIN, TRADITIONAL, LOCKED, PUBLIC };

/* What stands for what. */
static struct place {
	const char *name;
	char *text;
} places[] = {{"{B}", "-----BEGIN "}, {"{E}", "-----END "}, {"{rsa}", NULL}, {"{small}", NULL},
    {"{ec}", NULL}, {"{p384}", NULL}, {"{ed}", NULL}, {"{rsa1}", NULL}, {"{ec1}", NULL},
    {"{locked}", NULL}, {"{public}", NULL}};

enum { PLACES = sizeof(places) / sizeof(places[0]) };

/* The lines between the first and the last one of the key's PEM. */
static void
set_place(const char *name, EVP_PKEY *key, int form)
{
	BIO *bio = BIO_new(BIO_s_mem());
	const char *first, *end;
	char *pem = NULL;
	int wrote = 0;

	REQUIRE(key != NULL && bio != NULL);
	if (form == PLAIN)
		wrote = PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	else if (form == LOCKED)
		wrote = PEM_write_bio_PKCS8PrivateKey(
		    bio, key, EVP_aes_128_cbc(), "open", 4, NULL, NULL);
	else if (form == TRADITIONAL)
		wrote =
		    PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL);
	else
		wrote = PEM_write_bio_PUBKEY(bio, key);
	REQUIRE(wrote == 1 && BIO_write(bio, "", 1) == 1 && BIO_get_mem_data(bio, &pem) > 0);
	first = strchr(pem, '\n') + 1;
	end = strstr(first, "\n-----END");
	for (size_t i = 0; i < PLACES; i++)
		if (strcmp(places[i].name, name) == 0)
			places[i].text = fuzz_copy(first, (size_t)(end - first));
	BIO_free(bio);
}

static void
start(void)
{
	EVP_PKEY *rsa = EVP_RSA_gen(2048), *small = EVP_RSA_gen(1024);
	EVP_PKEY *ec = EVP_EC_gen("P-256"), *p384 = EVP_EC_gen("P-384");
	EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	set_place("{rsa}", rsa, PLAIN);
	set_place("{small}", small, PLAIN);
	set_place("{ec}", ec, PLAIN);
	set_place("{p384}", p384, PLAIN);
	set_place("{ed}", ed, PLAIN);
	set_place("{rsa1}", rsa, TRADITIONAL);
	set_place("{ec1}", ec, TRADITIONAL);
	set_place("{locked}", ed, LOCKED);
	set_place("{public}", ec, PUBLIC);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(small);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(ed);
}

/* The file, from the text with its places. */
static void
fill(struct buffer *pem, const char *text, size_t size)
{
	while (size > 0) {
		const char *put = text;
		size_t from = 1, length = 1;

		for (size_t i = 0; *text == '{' && i < PLACES; i++) {
			if (strncmp(text, places[i].name, strlen(places[i].name)) != 0)
				continue;
			put = places[i].text;
			length = strlen(put);
			from = strlen(places[i].name);
		}
		if (buffer_append(pem, put, length) == -1)
			return;
		text += from;
		size -= from;
	}
}

/* No number but the public ones is ever shown. */
static void
check_key(EVP_PKEY *key, const char *algorithm)
{
	const struct algorithm *a = algorithm_find(algorithm);
	struct error e = {0};
	struct buffer jwk;
	json_t *object;

	if (key_check(key, a, "key.pem", &e) == -1) {
		REQUIRE(e.code == ERROR_CONFIG);
		fuzz_require_error(&e);
		return;
	}
	REQUIRE(!EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_get_bits(key) >= 2048);
	buffer_init(&jwk, LIMIT_JWK_SET);
	REQUIRE(jwk_append(&jwk, key, a, "one") == 0);
	object = json_loadb(jwk.data, jwk.length, JSON_REJECT_DUPLICATES, NULL);
	REQUIRE(json_is_object(object));
	REQUIRE(json_object_get(object, "d") == NULL && json_object_get(object, "p") == NULL);
	json_decref(object);
	buffer_free(&jwk);
}

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	const char *algorithm = algorithms[fuzz_byte(&in) % 5];
	char *secret = fuzz_line(&in);
	char *text = fuzz_rest(&in, &size);
	const struct key_source source = {
	    .path = "key.pem", .passphrase_file = *secret != '\0' ? "passphrase" : NULL};
	struct buffer pem, passphrase;
	EVP_PKEY *key = NULL;
	struct error e = {0};

	buffer_init(&pem, LIMIT_KEY_FILE);
	buffer_init(&passphrase, LIMIT_PASSPHRASE);
	fill(&pem, text, size);
	if (*secret != '\0')
		(void)buffer_append(&passphrase, secret, strlen(secret));
	if (key_parse_pem(&key, &pem, &passphrase, &source, &e) == 0) {
		check_key(key, algorithm);
		EVP_PKEY_free(key);
	} else {
		REQUIRE(key == NULL && e.code == ERROR_CONFIG);
		fuzz_require_error(&e);
		/* What is wrong is said without any of the file. */
		REQUIRE(strncmp(e.text, "key.pem: ", 9) == 0);
	}
	buffer_free(&pem);
	buffer_free(&passphrase);
	free(secret);
	free(text);
}

const struct fuzz_target fuzz_pem_private = {.name = "pem_private", .start = start, .run = run};
