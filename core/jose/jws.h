/* JSON Web Signature in compact serialisation (RFC 7515, 3.1, 5.1). */
#ifndef JOSE_JWS_H
#define JOSE_JWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "jose/key.h"

/*
 * Appends the protected header {"alg":…,"typ":TYPE} and, with kid, "kid" after it (RFC 7515,
 * 4.1). type is plain text without quotes. 0, or -1 as buffer_append.
 */
int jws_header(struct buffer *header, const struct key *k, const char *type, bool kid);

/*
 * Appends HEADER.PAYLOAD.SIGNATURE. header, a JSON object that names k's algorithm, and
 * payload are signed as they are. On failure token may hold a part of it, which
 * buffer_free() cleanses.
 */
int jws_sign(const struct key *k, const struct buffer *header, const char *payload,
    size_t length, struct buffer *token, struct error *e);

#endif
