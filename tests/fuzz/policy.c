/*
 * identity/policy: rules, and what they decide. Input: the caller, its scheme, the subject, and
 * the lifetime that is asked for, a line each, then the rules.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "identity/policy.h"
#include "tests/fuzz/fuzz.h"

enum { LIFETIME = 86400 };

static struct profile profile = {
    .name = "aws", .where = "f:1", .type = "JWT", .lifetime = 3600};
static const struct profiles profiles = {&profile, 1};

static void
copy(char *to, size_t size, const char *from)
{
	(void)snprintf(to, size, "%s", from);
}

/* 0 or -1 as policy_permit(); -2 when the text is no policy. */
static int
decide(const char *text, size_t size, const struct query *q, struct grant *g, struct error *e)
{
	struct policy *p = NULL;
	int rc;

	if (policy_parse(&p, text, size, "policy", e) == -1) {
		REQUIRE(p == NULL && e->code == ERROR_CONFIG);
		REQUIRE(strncmp(e->text, "policy:", 7) == 0 && e->text[7] >= '1' &&
			e->text[7] <= '9');
		fuzz_require_error(e);
		return -2;
	}
	REQUIRE(policy_count(p) <= LIMIT_RULES);
	policy_set_limits(p, LIFETIME, &profiles);
	(void)policy_check_profiles(p, e);
	(void)policy_needs_groups(p, VERB_AS);
	(void)policy_serves_groups(p);
	rc = policy_permit(p, q, g, e);
	if (rc == -1) {
		REQUIRE(e->code == ERROR_DENIED || e->code == ERROR_UNAUTHENTICATED ||
			e->code == ERROR_MALFORMED);
		fuzz_require_error(e);
	} else {
		REQUIRE(g->lifetime >= 1 && g->lifetime <= LIFETIME);
		REQUIRE(q->lifetime == 0 || g->lifetime <= q->lifetime);
		REQUIRE(strcmp(g->subject, q->subject) == 0);
		REQUIRE(*q->audience == '\0' || strcmp(g->audience, q->audience) == 0);
		/* A token for another one says who asked. */
		REQUIRE(!principal_authenticated(&q->caller) ||
				strcmp(g->subject, q->caller.name) == 0
			    ? *g->actor == '\0'
			    : strcmp(g->actor, q->caller.name) == 0);
	}
	g->where = NULL; /* the policy's */
	policy_free(p);
	return rc;
}

/* The last rule that matches decides, so that a policy twice is the policy, and one that ends
 * in a refusal refuses. */
static void
check_laws(const char *text, size_t size, const struct query *q, int rc)
{
	static const char refusal[] = "\ndeny any as *\n";
	char *longer = malloc(2 * size + sizeof(refusal));
	struct error e = {0};
	struct grant g;

	REQUIRE(longer != NULL);
	memcpy(longer, text, size);
	longer[size] = '\n';
	memcpy(longer + size + 1, text, size);
	REQUIRE(decide(longer, 2 * size + 1, q, &g, &e) == rc);
	memcpy(longer + size, refusal, sizeof(refusal));
	REQUIRE(
	    *q->subject == '\0' || decide(longer, size + sizeof(refusal) - 1, q, &g, &e) == -1);
	free(longer);
}

static void
run(const uint8_t *bytes, size_t size)
{
	struct fuzz_input in = {bytes, size};
	char *caller = fuzz_line(&in);
	char *scheme = fuzz_line(&in);
	char *subject = fuzz_line(&in);
	char *lifetime = fuzz_line(&in);
	char *text = fuzz_rest(&in, &size);
	struct query q = {.caller_groups = "etl\nadmin\n", .email = "", .space = ""};
	struct error e = {0};
	struct grant g;
	int rc;

	q.lifetime = atol(lifetime) < 0 ? 0 : atol(lifetime);
	copy(q.caller.name, sizeof(q.caller.name), *caller != '\0' ? caller : "anonymous");
	if (strcmp(q.caller.name, "anonymous") != 0)
		copy(q.caller.scheme, sizeof(q.caller.scheme),
		    *scheme != '\0' ? scheme : "basic");
	copy(q.subject, sizeof(q.subject), subject);
	copy(q.profile, sizeof(q.profile), (q.lifetime & 1) != 0 ? "aws" : "");
	copy(q.audience, sizeof(q.audience), (q.lifetime & 2) != 0 ? "okera" : "");
	rc = decide(text, size, &q, &g, &e);
	if (rc != -2)
		check_laws(text, size, &q, rc);
	free(caller);
	free(scheme);
	free(subject);
	free(lifetime);
	free(text);
}

const struct fuzz_target fuzz_policy = {.name = "policy", .run = run};
