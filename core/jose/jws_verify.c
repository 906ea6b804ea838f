#include "jose/jws_verify.h"

#include <string.h>

#include "base/base64url.h"
#include "base/buffer.h"
#include "jose/refuse.h"

int
jws_verify(const struct jws *j, const struct public_key *k, struct error *e)
{
	const char *algorithm = public_key_algorithm(k)->name;
	size_t size = public_key_signature_size(k);
	struct buffer signature;
	int rc = -1;

	if (strcmp(j->algorithm, algorithm) != 0)
		return refuse(
		    e, "its alg is %s, but the key is for %s", j->algorithm, algorithm);
	if (j->signature_length != BASE64URL_LENGTH(size))
		return refuse(e, "its signature is not of the %zu bytes of the key's", size);
	buffer_init(&signature, size);
	if (buffer_reserve(&signature, size) == NULL) {
		error_set(e, ERROR_UNAVAILABLE, "out of memory");
	} else if (base64url_decode(&signature, j->signature, j->signature_length) == -1) {
		refuse(e, "its signature is not base64url");
	} else {
		int good = public_key_verifies(
		    k, j->input, j->input_length, signature.data, signature.length);

		if (good == 1)
			rc = 0;
		else if (good == 0)
			refuse(e, "its signature is wrong");
		else
			error_set(e, ERROR_UNAVAILABLE, "out of memory");
	}
	buffer_free(&signature);
	return rc;
}
