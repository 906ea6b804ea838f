/* JSON Web Signature in compact serialisation (RFC 7515, 3.1, 5.1). */
#ifndef JOSE_JWS_H
#define JOSE_JWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "jose/key.h"

/*
 * Appends HEADER.PAYLOAD.SIGNATURE. The protected header is {"alg":…,"typ":"JWT"} and,
 * with kid, "kid" after it. payload is signed as it is. On failure token may hold a
 * part of it, which buffer_free() cleanses.
 */
int jws_sign(const struct key *k, bool kid, const char *payload, size_t length,
    struct buffer *token, struct error *e);

#endif
