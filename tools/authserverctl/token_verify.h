/* Whether a token is valid for a configuration, as the service would find. */
#ifndef AUTHSERVERCTL_TOKEN_VERIFY_H
#define AUTHSERVERCTL_TOKEN_VERIFY_H

#include <jansson.h>

#include "base/buffer.h"
#include "config/flags.h"

/* Whose a valid token is. */
struct token_owner {
	char user[LIMIT_PRINCIPAL]; /* whom it names */
	const char *party;          /* whose key signed it; belongs to the configuration. NULL:
				       ours */
};

/*
 * flags are those that c was read with. The claims of the token, to be freed with
 * json_decref(), and *owner. Whether it was revoked is not asked.
 * NULL and ERROR_DENIED with the reason when it is not valid; ERROR_CONFIG, ERROR_NO_INPUT when
 * it cannot be said.
 */
json_t *token_verify(const struct flags *flags, const struct config *c,
    const struct buffer *token, struct token_owner *owner, struct error *e);

/* Whether a valid token of the owner is still one, by the state directory, which may be read by
 * its owner alone. ERROR_DENIED with the reason; ERROR_UNAVAILABLE when it cannot be said. */
int token_check_revoked(const struct config *c, const json_t *claims,
    const struct token_owner *owner, const struct buffer *token, struct error *e);

#endif
