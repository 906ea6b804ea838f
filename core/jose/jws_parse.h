/*
 * A compact JWS taken apart (RFC 7515, 3.1, 5.2): three parts of strict base64url, and a
 * header that names an algorithm and asks for nothing that we do not do. Nothing is believed
 * yet: see jws_verify.h, and verifier.h for whole tokens.
 *
 * Every refusal is ERROR_UNAUTHENTICATED with one message, and the reason as detail.
 */
#ifndef JOSE_JWS_PARSE_H
#define JOSE_JWS_PARSE_H

#include <stddef.h>

#include <jansson.h>

#include "base/error.h"

/* The texts belong to header, the rest to the token that was parsed. */
struct jws {
	json_t *header;
	const char *algorithm; /* "alg" (RFC 7515, 4.1.1) */
	const char *kid;       /* an opaque text (4.1.4); NULL: there is none */
	const char *type;      /* "typ" (4.1.9); NULL: there is none */
	const char *input;     /* what is signed: HEADER.PAYLOAD */
	size_t input_length;
	const char *payload; /* in base64url */
	size_t payload_length;
	const char *signature; /* in base64url, not decoded */
	size_t signature_length;
};

/*
 * Takes the token apart, which must stay where it is until jws_close(). Refused: more than
 * LIMIT_TOKEN bytes, other than three parts of which none is empty, a header that is not one
 * JSON object without duplicate members, no "alg", a "kid" of LIMIT_KID_GIVEN bytes or that is
 * empty or not plain text; "crit" (4.1.11), "b64" (RFC 7797), and keys that the token brings
 * along: "jwk", "jku", "x5u", "x5c". *j is zeroed on failure.
 */
int jws_parse(struct jws *j, const char *token, size_t length, struct error *e);
void jws_close(struct jws *j);

/*
 * The JSON object that a part of a token is, to be freed with json_decref(). name stands in
 * the reason. NULL when it is not strict base64url of one JSON object (RFC 8259) and nothing
 * behind it: duplicate members at any depth, NUL in a string, numbers that do not fit.
 */
json_t *jws_object(const char *part, size_t length, const char *name, struct error *e);

#endif
