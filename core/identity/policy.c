#define _GNU_SOURCE /* asprintf */
#include "identity/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "identity/rules.h"

/* "FILE:LINE", to be freed; of line 0 the name alone. NULL when memory is short. */
static char *
make_place(const char *name, unsigned int line)
{
	char *place = NULL;

	if ((line == 0 ? asprintf(&place, "%s", name)
		       : asprintf(&place, "%s:%u", name, line)) == -1)
		return NULL;
	return place;
}

/* Takes over what *r owns; where is its file, or what it is called. */
static int
add_rule(
    struct policy *p, struct rule *r, const char *where, unsigned int line, struct error *e)
{
	struct rule *rules;

	if (p->count == LIMIT_RULES) {
		rule_free(r);
		return error_set(e, ERROR_CONFIG, "more than %d rules", LIMIT_RULES);
	}
	r->where = make_place(where, line);
	/* Doubles whenever the count is a power of two. */
	rules = p->rules;
	if ((p->count & (p->count - 1)) == 0)
		rules = realloc(p->rules, (p->count == 0 ? 1 : 2 * p->count) * sizeof(*rules));
	if (rules != NULL)
		p->rules = rules;
	if (rules == NULL || r->where == NULL) {
		rule_free(r);
		return error_set(e, ERROR_INTERNAL, "out of memory");
	}
	p->needs_groups[r->verb] = p->needs_groups[r->verb] || r->who == WHO_GROUP;
	p->serves_groups = p->serves_groups || (r->permit && r->verb == VERB_GROUPS_OF);
	rules[p->count++] = *r;
	return 0;
}

static int
add_lines(struct policy *p, const char *text, size_t length, struct error *e)
{
	unsigned int number = 0;
	const char *line;
	size_t size;

	while (rule_next_line(&text, &length, &line, &size)) {
		struct rule r;
		int found = rule_parse(&r, line, size, e);

		number++;
		if (found == -1 || (found == 1 && add_rule(p, &r, p->name, number, e) == -1))
			return error_prefix(e, "%s:%u", p->name, number);
	}
	return 0;
}

int
policy_parse(
    struct policy **out, const char *text, size_t length, const char *name, struct error *e)
{
	struct policy *p = calloc(1, sizeof(*p));

	*out = NULL;
	if (p == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	p->name = strdup(name);
	if (p->name == NULL || asprintf(&p->nowhere, "no rule of %s", name) == -1) {
		p->nowhere = NULL;
		policy_free(p);
		return error_set(e, ERROR_INTERNAL, "out of memory");
	}
	p->lifetime = INT64_MAX;
	if (add_lines(p, text, length, e) == -1) {
		policy_free(p);
		return -1;
	}
	*out = p;
	return 0;
}

int
policy_builtin(struct policy **out, struct error *e)
{
	static const char text[] = "permit authenticated as self\n"
				   "deny any as okera root\n";

	return policy_parse(out, text, strlen(text), "built-in policy", e);
}

int
policy_read(struct policy **out, const char *path, struct error *e)
{
	struct buffer text;
	int rc = -1;

	*out = NULL;
	buffer_init(&text, LIMIT_POLICY_FILE);
	if (file_read_trusted(path, &text, NULL, e) == 0)
		rc = policy_parse(out, text.data, text.length, path, e);
	buffer_free(&text);
	return rc;
}

static int
check_groups(const struct policy *p, const struct groups_config *groups, struct error *e)
{
	for (size_t i = 0; i < p->count; i++)
		if (rule_check_group(&p->rules[i], groups, e) == -1)
			return error_prefix(e, "%s", p->rules[i].where);
	return 0;
}

int
policy_open(struct policy **out, const struct config *c, struct error *e)
{
	int rc = c->policy != NULL ? policy_read(out, c->policy, e) : policy_builtin(out, e);

	if (rc == -1)
		return -1;
	policy_set_limits(*out, c->lifetime, &c->profiles);
	if (policy_check_profiles(*out, e) == 0 && check_groups(*out, &c->groups, e) == 0 &&
	    (!c->permit_anonymous || policy_permit_anonymous(*out, e) == 0))
		return 0;
	policy_free(*out);
	*out = NULL;
	return -1;
}

void
policy_free(struct policy *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++)
		rule_free(&p->rules[i]);
	free(p->rules);
	free(p->nowhere);
	free(p->name);
	free(p);
}

int
policy_permit_anonymous(struct policy *p, struct error *e)
{
	static const char text[] = "permit anonymous as *";
	struct rule r;

	if (rule_parse(&r, text, strlen(text), e) != 1)
		return -1;
	return add_rule(p, &r, "permit-anonymous", 0, e);
}

void
policy_set_limits(struct policy *p, int64_t lifetime, const struct profiles *profiles)
{
	p->lifetime = lifetime;
	p->profiles = profiles;
}

int
policy_check_profiles(const struct policy *p, struct error *e)
{
	for (size_t i = 0; i < p->count; i++)
		if (rule_check_profiles(&p->rules[i], p->profiles, e) == -1)
			return error_prefix(e, "%s", p->rules[i].where);
	return 0;
}

size_t
policy_count(const struct policy *p)
{
	return p->count;
}

bool
policy_needs_groups(const struct policy *p, enum verb verb)
{
	return p->needs_groups[verb];
}

bool
policy_serves_groups(const struct policy *p)
{
	return p->serves_groups;
}
