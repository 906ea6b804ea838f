#include "signer/signer_local.h"

/* Hands over what was made, or why it was not. */
static void
finish(int rc, struct buffer *text, struct signature *s, const struct error *failure,
    signer_done *done, void *context)
{
	done(context, rc == 0 ? s : NULL, failure);
	buffer_free(text);
}

static int
local_submit(struct signer *self, const struct query *q, signer_done *done, void *context,
    struct error *e)
{
	struct signer_local *l = (struct signer_local *)self;
	struct error failure = {0};
	struct signature s;
	struct buffer token;
	int rc;

	(void)e; /* asking cannot fail here, only signing can */
	buffer_init(&token, LIMIT_TOKEN);
	rc = signing_mint(l->signing, q, &token, &s, &failure);
	finish(rc, &token, &s, &failure, done, context);
	return 0;
}

static int
local_publish(struct signer *self, signer_done *done, void *context, struct error *e)
{
	struct signer_local *l = (struct signer_local *)self;
	struct error failure = {0};
	struct signature s;
	struct buffer json;
	int rc;

	(void)e;
	buffer_init(&json, LIMIT_JWK_SET);
	rc = signing_publish(l->signing, &json, &s, &failure);
	finish(rc, &json, &s, &failure, done, context);
	return 0;
}

void
signer_local_init(struct signer_local *l, const struct signing *signing)
{
	*l = (struct signer_local){
	    .signer = {.submit = local_submit, .publish = local_publish}, .signing = signing};
}
