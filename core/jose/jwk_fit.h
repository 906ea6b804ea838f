/* What a JSON Web Key says that it is for (RFC 7517, 4), before its numbers are looked at. For
 * the files of this folder. */
#ifndef JOSE_JWK_FIT_H
#define JOSE_JWK_FIT_H

#include <stdbool.h>

#include <jansson.h>

#include "base/error.h"
#include "jose/algorithm.h"

/*
 * The algorithm that a JWK is bound to and *kid, which belongs to jwk, or NULL. NULL and
 * ERROR_CONFIG when it is not for verifying what we verify, which *unfit tells from what is
 * wrong. name stands in messages.
 */
const struct algorithm *jwk_fit(
    const json_t *jwk, const char *name, const char **kid, bool *unfit, struct error *e);

#endif
