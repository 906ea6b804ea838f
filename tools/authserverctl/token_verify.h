/* Whether a token is valid for a configuration, as the service would find. */
#ifndef AUTHSERVERCTL_TOKEN_VERIFY_H
#define AUTHSERVERCTL_TOKEN_VERIFY_H

#include <jansson.h>

#include "base/buffer.h"
#include "config/flags.h"

/*
 * flags are those that c was read with. The claims of the token, to be freed with
 * json_decref(). NULL and ERROR_DENIED with the reason when it is not valid; ERROR_CONFIG,
 * ERROR_NO_INPUT when it cannot be said.
 */
json_t *token_verify(const struct flags *flags, const struct config *c,
    const struct buffer *token, struct error *e);

#endif
