#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
add(struct strings *list, char **items, const char *item)
{
	list->items = items;
	if (list->count == SHAPES_ITEMS)
		fail_msg("too many items");
	items[list->count++] = (char *)(uintptr_t)item;
}

void
shapes_make(struct shapes_profile *m, const char *type, const char *claims,
    const char *const *audience, const char *const *rename)
{
	static char algorithm[] = "RS512", name[] = "p", where[] = "t.conf:7";

	*m = (struct shapes_profile){.config = {.algorithm = algorithm, .kid = KID_THUMBPRINT},
	    .profile = {.name = name, .where = where}};
	m->profile.type = (char *)(uintptr_t)type;
	m->profile.claims = (char *)(uintptr_t)claims;
	for (size_t i = 0; audience != NULL && i < SHAPES_ITEMS && audience[i] != NULL; i++)
		add(&m->profile.audience, m->audience, audience[i]);
	for (size_t i = 0; rename != NULL && i < SHAPES_ITEMS && rename[i] != NULL; i++)
		add(&m->profile.rename, m->rename, rename[i]);
}

struct grant
shapes_grant(void)
{
	return (struct grant){.subject = "alice", .lifetime = 60};
}

struct claim_values
shapes_values(const struct grant *g)
{
	return (struct claim_values){
	    .grant = g,
	    .caller = "carol",
	    .issuer = "192.0.2.7",
	    .host = "node7",
	    .email = "alice@example.com",
	    .space = "alice-ns",
	    .jti = "id",
	    .now = 1000,
	    .expires = 1000 + g->lifetime,
	};
}

void
shapes_assert_claims(
    const struct shapes_profile *m, const struct claim_values *v, const char *want)
{
	struct shape s;
	struct error e = {0};
	char *claims;

	if (shape_open(&s, &m->config, &m->profile, &e) == -1)
		fail_msg("%s", e.text);
	claims = claims_build(&s, v);
	assert_non_null(claims);
	assert_string_equal(claims, want);
	free(claims);
	shape_close(&s);
}

void
shapes_assert_more(const struct shapes_profile *m, const char *more)
{
	struct grant g = shapes_grant();
	struct claim_values v = shapes_values(&g);
	char want[4096];

	(void)snprintf(want, sizeof(want), "{" SHAPES_ALICE "%s}", more);
	shapes_assert_claims(m, &v, want);
}

void
shapes_assert_refused(const struct shapes_profile *m, const char *reason)
{
	struct shape s;
	struct error e = {0};
	char want[LIMIT_ERROR_TEXT];

	(void)snprintf(want, sizeof(want), "t.conf:7: %s", reason);
	if (shape_open(&s, &m->config, &m->profile, &e) != -1)
		fail_msg("accepted: %s", reason);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_string_equal(e.text, want);
	assert_null(s.extra);
}
