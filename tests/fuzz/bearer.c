/* service/bearer: the token of an Authorization field. Input: the field. What would judge the
 * token, and what would answer, are ours here. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "service/bearer.h"
#include "service/check.h"
#include "tests/fuzz/fuzz.h"

/* What became of the request. */
static char *token;
static enum error_code refused;

int
check_token(const struct check *c, struct error *e)
{
	(void)e;
	token = c->token;
	return 0;
}

void
service_refuse(struct service *s, struct gateway *g, const struct request *r,
    const struct outcome *o, const struct error *e)
{
	(void)s;
	(void)g;
	(void)r;
	REQUIRE(o->challenge != NULL);
	refused = e->code;
}

static int
never(struct gateway *g, const struct request *r, const struct verified *v, struct error *e)
{
	(void)g;
	(void)r;
	(void)v;
	return error_set(e, ERROR_INTERNAL, "not reached");
}

static void
run(const uint8_t *bytes, size_t size)
{
	char *field = fuzz_copy(bytes, size);
	struct request r = {.authorization = field};
	struct error e;

	token = NULL;
	refused = ERROR_NONE;
	REQUIRE(bearer_verify(NULL, NULL, &r, never, &e) == 0);
	/* One of the two, and a token is the end of the field. */
	REQUIRE((token == NULL) == (refused == ERROR_UNAUTHENTICATED));
	REQUIRE((token != NULL) == (strncasecmp(field, "Bearer ", 7) == 0));
	if (token != NULL) {
		REQUIRE(*token != ' ' && strlen(token) + 7 <= strlen(field));
		REQUIRE(strcmp(field + strlen(field) - strlen(token), token) == 0);
	}
	free(token);
	free(field);
}

const struct fuzz_target fuzz_bearer = {.name = "bearer", .run = run};
