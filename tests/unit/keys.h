/* What tests of keys share: keys of each kind, keys from numbers, the files they lie in and a
 * directory for them. Whatever fails ends the test. */
#ifndef TESTS_UNIT_KEYS_H
#define TESTS_UNIT_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>

#include "jose/key.h"

/* The numbers of an RSA key in the order of a JWK (RFC 7518, 6.3). */
enum { KEYS_N, KEYS_E, KEYS_D, KEYS_P, KEYS_Q, KEYS_DP, KEYS_DQ, KEYS_QI, KEYS_NUMBERS };

/* A number from base64url without padding. */
BIGNUM *keys_number(const char *base64url);

/* The numbers of an RSA key, to be freed with keys_free_numbers(). */
void keys_take_numbers(const EVP_PKEY *pkey, BIGNUM *numbers[KEYS_NUMBERS]);
void keys_free_numbers(BIGNUM *numbers[KEYS_NUMBERS]);

/* The RSA key of these numbers, whether they belong together or not; a public one when those
 * from D on are NULL. */
EVP_PKEY *keys_rsa(BIGNUM *const numbers[KEYS_NUMBERS]);

/* In PEM, readable by the owner alone: as PKCS #8 or "traditional", PKCS #1 or SEC 1, encrypted
 * where there is a passphrase; keys_write() as PKCS #8, not encrypted. */
void keys_write_as(
    const char *path, const EVP_PKEY *pkey, bool traditional, const char *passphrase);
void keys_write(const char *path, const EVP_PKEY *pkey);

/* What is no private key: the public half, and a certificate by the key for itself. */
void keys_write_public(const char *path, const EVP_PKEY *pkey);
void keys_write_certificate(const char *path, EVP_PKEY *pkey);

/* Bytes, a text and what a BIO holds, which is freed, as a file with the mode 0600. */
void keys_write_bytes(const char *path, const void *bytes, size_t length);
void keys_write_text(const char *path, const char *text);
void keys_write_bio(const char *path, BIO *bio);

/* The whole file, of less than size bytes, and a NUL; returns its length. */
size_t keys_read_bytes(const char *path, char *bytes, size_t size);

/* As key_load(), from these parts of a source. */
int keys_load(struct key **k, const char *path, const char *passphrase_file,
    const char *algorithm, struct error *e);

/* Removes the directory and all that is in it. */
void keys_remove(const char *directory);

/* One key of each kind, made once a program, and a directory for each test. */
enum keys_kind { RSA_KEY, P256, P384, P521, ED25519, KEYS_KINDS };

struct keys_fixture {
	char directory[64];
	EVP_PKEY *keys[KEYS_KINDS];
};

/* For cmocka: set-up and teardown of a group, then of a test. */
int keys_make(void **state);
int keys_free(void **state);
int keys_enter(void **state);
int keys_leave(void **state);

/* The path of name in the test's directory. */
void keys_path(const struct keys_fixture *f, const char *name, char path[256]);

/* Writes the key into the test's directory. */
void keys_put(const struct keys_fixture *f, const char *name, enum keys_kind kind);

#endif
