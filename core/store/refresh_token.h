/* The text of a refresh token: NAME, PROOF and SECRET, one behind the other. For the files of
 * this folder. */
#ifndef STORE_REFRESH_TOKEN_H
#define STORE_REFRESH_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "jose/digest.h"
#include "store/refresh.h"

/* Draws what stands behind the first kept bytes of the text. 0, or -1 and ERROR_UNAVAILABLE. */
int refresh_token_draw(
    char token[REFRESH_TOKEN], size_t kept, const struct entropy *entropy, struct error *e);

/* Whether a text from outside is one that refresh_token_draw() may have written. */
bool refresh_token_is_one(const char *token);

/* The digests of its proof and of its secret. 0, or -1 and ERROR_UNAVAILABLE. */
int refresh_token_proof(char digest[DIGEST_TEXT], const char *token, struct error *e);
int refresh_token_secret(char digest[DIGEST_TEXT], const char *token, struct error *e);

#endif
