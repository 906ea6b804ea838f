#include "jose/jws.h"

#include "base/base64url.h"

int
jws_header(struct buffer *header, const struct key *k, const char *type, bool kid)
{
	/* Every value is ours and free of what JSON would escape. */
	return buffer_printf(header, "{\"alg\":\"%s\",\"typ\":\"%s\"%s%s%s}",
	    key_algorithm(k)->name, type, kid ? ",\"kid\":\"" : "", kid ? key_id(k) : "",
	    kid ? "\"" : "");
}

int
jws_sign(const struct key *k, const struct buffer *header, const char *payload, size_t length,
    struct buffer *token, struct error *e)
{
	struct buffer signature;
	size_t start = token->length;
	int rc = -1;

	buffer_init(&signature, LIMIT_TOKEN);
	if (base64url_append(token, header->data, header->length) == -1 ||
	    buffer_append(token, ".", 1) == -1 ||
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
