/*
 * A profile made ready to mint by: what it says is checked once, at the start, so that a
 * mint only fills in values.
 */
#ifndef SIGNER_SHAPE_H
#define SIGNER_SHAPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "identity/policy.h"
#include "jose/algorithm.h"

struct shape {
	const struct profile *profile; /* NULL: a token without one */
	const char *type;              /* "typ" */
	const struct algorithm *algorithm;
	bool kid;      /* whether headers carry "kid" */
	bool groups;   /* whether claims have "groups" */
	json_t *extra; /* claims to add, with ${NAME} in them; NULL: none */
};

/*
 * The shape of tokens by the profile, NULL for those without one; it leads to c and to the
 * profile, which must outlive it. ERROR_CONFIG with FILE:LINE: an algorithm that does not
 * exist, claims that are no JSON object, that name a claim of ours or an unknown ${NAME}, a
 * renaming that would lose a claim, or the one by which tokens are revoked.
 */
int shape_open(
    struct shape *s, const struct config *c, const struct profile *profile, struct error *e);
void shape_close(struct shape *s);

/* What ${NAME} in a claim can stand for. */
enum shape_variable {
	SHAPE_SUBJECT,
	SHAPE_CALLER,
	SHAPE_HOST,
	SHAPE_EMAIL,
	SHAPE_NAMESPACE,
	SHAPE_VARIABLES
};

/* Which of them "NAME}..." is; -1: none. */
int shape_variable(const char *text);

#endif
