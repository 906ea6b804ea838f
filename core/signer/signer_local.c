#include "signer/signer_local.h"

static int
local_submit(struct signer *self, const struct query *q, signer_done *done, void *context,
    struct error *e)
{
	struct signer_local *l = (struct signer_local *)self;
	struct error failure = {0};
	struct signature s;
	struct buffer token;

	(void)e; /* asking cannot fail here, only signing can */
	buffer_init(&token, LIMIT_TOKEN);
	if (signing_mint(l->signing, q, &token, &s.expires, &failure) == -1) {
		done(context, NULL, &failure);
	} else {
		s.token = token.data;
		s.length = token.length;
		done(context, &s, &failure);
	}
	buffer_free(&token);
	return 0;
}

void
signer_local_init(struct signer_local *l, const struct signing *signing)
{
	*l = (struct signer_local){.signer = {.submit = local_submit}, .signing = signing};
}
