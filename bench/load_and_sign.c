/*
 * The least that a CGI program which signs with a key from a file can cost: it loads
 * the key, signs one message of a JWT's length with RS512, and ends.
 *
 *     load_and_sign KEY
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE = 256, SIGNATURE_MAX = 1024 };

int
main(int argc, char **argv)
{
	unsigned char message[MESSAGE];
	unsigned char signature[SIGNATURE_MAX];
	size_t length = sizeof(signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY *key = NULL;
	FILE *f;
	int ok;

	if (argc != 2) {
		fprintf(stderr, "usage: load_and_sign KEY\n");
		return 64;
	}
	f = fopen(argv[1], "r");
	if (f == NULL) {
		perror(argv[1]);
		return 66;
	}
	key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	memset(message, 'j', sizeof(message));
	ok = key != NULL && context != NULL &&
	     EVP_DigestSignInit(context, NULL, EVP_sha512(), NULL, key) == 1 &&
	     EVP_DigestSign(context, signature, &length, message, sizeof(message)) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	if (!ok)
		fprintf(stderr, "load_and_sign: %s: cannot be signed with\n", argv[1]);
	return ok ? 0 : 70;
}
