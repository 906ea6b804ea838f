#include "jose/jws.h"

#include <stdio.h>

#include "base/base64url.h"

static int
append_header(const struct key *k, bool kid, struct buffer *token)
{
	/* Every value is ours and free of what JSON would escape. */
	char header[160];
	int n = snprintf(header, sizeof(header), "{\"alg\":\"%s\",\"typ\":\"JWT\"%s%s%s}",
	    key_algorithm(k)->name, kid ? ",\"kid\":\"" : "", kid ? key_id(k) : "",
	    kid ? "\"" : "");

	if (n < 0 || (size_t)n >= sizeof(header))
		return -1;
	return base64url_append(token, header, (size_t)n);
}

int
jws_sign(const struct key *k, bool kid, const char *payload, size_t length,
    struct buffer *token, struct error *e)
{
	struct buffer signature;
	size_t start = token->length;
	int rc = -1;

	buffer_init(&signature, LIMIT_TOKEN);
	if (append_header(k, kid, token) == -1 || buffer_append(token, ".", 1) == -1 ||
	    base64url_append(token, payload, length) == -1) {
		error_set(e, ERROR_UNAVAILABLE, "a token of more than %d bytes", LIMIT_TOKEN);
		goto out;
	}
	if (key_sign(k, token->data + start, token->length - start, &signature, e) == -1)
		goto out;
	if (buffer_append(token, ".", 1) == -1 ||
	    base64url_append(token, signature.data, signature.length) == -1) {
		error_set(e, ERROR_UNAVAILABLE, "a token of more than %d bytes", LIMIT_TOKEN);
		goto out;
	}
	rc = 0;
out:
	buffer_free(&signature);
	return rc;
}
