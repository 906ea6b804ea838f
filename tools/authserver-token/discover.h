/*
 * The token that a program has been given already: WLCG Bearer Token Discovery. Looked for only
 * by a call that nothing tells where from, for whom, or which token.
 */
#ifndef TOOLS_AUTHSERVER_TOKEN_DISCOVER_H
#define TOOLS_AUTHSERVER_TOKEN_DISCOVER_H

#include <stdint.h>

#include "base/buffer.h"
#include "tools/authserver-token/settings.h"

struct discovery {
	enum rank rank; /* of what the call is told: settings_rank() */
	char *(*get)(const char *name);
	int64_t now;      /* seconds since 1970 */
	int64_t min_life; /* as for life_enough() */
};

/*
 * Appends the first of these tokens that has enough life left: $BEARER_TOKEN; that of the file
 * $BEARER_TOKEN_FILE, which others may not write; and where no file of settings tells anything
 * either, that of $XDG_RUNTIME_DIR/bt_uUID or /tmp/bt_uUID, a file of our own that nobody else
 * may read. Since nobody named the last, it counts only with the name of the account as "sub".
 * Blanks around it do not count. 1, or 0: there is none.
 */
int discover_token(struct buffer *token, const struct discovery *d);

#endif
