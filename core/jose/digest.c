#include "jose/digest.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "base/base64url.h"

int
digest_text(char text[DIGEST_TEXT], const void *bytes, size_t length, struct error *e)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	struct buffer encoded;
	int rc = -1;

	buffer_init(&encoded, DIGEST_TEXT);
	if (EVP_Digest(bytes, length, digest, NULL, EVP_sha256(), NULL) == 1 &&
	    base64url_append(&encoded, digest, sizeof(digest)) == 0) {
		memcpy(text, encoded.data, encoded.length + 1);
		rc = 0;
	}
	buffer_free(&encoded);
	return rc == 0 ? 0 : error_set(e, ERROR_UNAVAILABLE, "no digest");
}

bool
digest_equal(const char a[DIGEST_TEXT], const char b[DIGEST_TEXT])
{
	return CRYPTO_memcmp(a, b, DIGEST_TEXT) == 0;
}
