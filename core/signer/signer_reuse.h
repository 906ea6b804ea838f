/*
 * A signer that may give the same token again: to the same query, while enough of its life is
 * left and nobody has revoked it. What it keeps is in this process's memory, and is cleansed.
 */
#ifndef SIGNER_SIGNER_REUSE_H
#define SIGNER_SIGNER_REUSE_H

#include "base/clock.h"
#include "signer/signer.h"
#include "store/state.h"

struct signer_reuse;

/* All of it must outlive the signer. */
struct signer_reuse_parts {
	const struct state *state; /* where revocations are; NULL: there are none */
	const struct clock *clock;
	const char *issuer;   /* of the tokens */
	unsigned int percent; /* of its life that a token has left when it is given again; 100:
				 none is */
};

/* NULL when memory is short; else signer_reuse_free() it, once no answer is awaited. */
struct signer_reuse *signer_reuse_new(const struct signer_reuse_parts *parts);
void signer_reuse_free(struct signer_reuse *r);

/* The signer that asks next where it has nothing. */
struct signer *signer_reuse_signer(struct signer_reuse *r, struct signer *next);

#endif
