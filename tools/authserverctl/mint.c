/* authserverctl mint: signs a token for whoever may read the key. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/parse.h"
#include "base/text.h"
#include "config/flags.h"
#include "identity/subject.h"
#include "jose/key_memory.h"
#include "signer/signing.h"
#include "tools/authserverctl/command.h"
#include "base/owner.h"

enum { FLAG_PROFILE = 0x200, FLAG_TTL, FLAG_AUDIENCE, FLAG_GROUPS };

struct arguments {
	struct flags flags;
	const char *subject;
	const char *profile;
	const char *ttl;
	const char *audience;
	const char *groups; /* NULL: no claim */
};

static const struct argp_option options[] = {
    {"profile", FLAG_PROFILE, "NAME", 0, "The shape of the token", 0},
    {"ttl", FLAG_TTL, "DURATION", 0, "How long it is valid (as long as it can be)", 0},
    {"audience", FLAG_AUDIENCE, "TEXT", 0, "Its aud claim (the profile's)", 0},
    {"groups", FLAG_GROUPS, "NAME,...", 0, "Its groups claim", 0},
    {0},
};

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (flag) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->flags;
		return 0;
	case FLAG_PROFILE:
		a->profile = value;
		return 0;
	case FLAG_TTL:
		a->ttl = value;
		return 0;
	case FLAG_AUDIENCE:
		a->audience = value;
		return 0;
	case FLAG_GROUPS:
		a->groups = value;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num > 0)
			argp_error(state, "one subject at a time");
		a->subject = value;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "for whom? a subject is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
put_text(char *field, size_t size, const char *value, const char *flag, struct error *e)
{
	if (value == NULL)
		return 0;
	if (*value == '\0' || strlen(value) >= size || !text_clean(value))
		return error_set(e, ERROR_MALFORMED,
		    "--%s: empty, longer than %zu bytes, not UTF-8 or with control characters",
		    flag, size - 1);
	memcpy(field, value, strlen(value) + 1);
	return 0;
}

/* "a,b" to "a\nb\n"; "" is no group. */
static int
put_groups(char groups[LIMIT_GROUPS], const char *list, struct error *e)
{
	size_t length = list == NULL ? 0 : strlen(list);

	if (length == 0)
		return 0;
	if (put_text(groups, LIMIT_GROUPS - 1, list, "groups", e) == -1)
		return -1;
	if (*list == ',' || list[length - 1] == ',' || strstr(list, ",,") != NULL)
		return error_set(e, ERROR_MALFORMED, "--groups: a name is empty");
	for (char *comma = groups; (comma = strchr(comma, ',')) != NULL;)
		*comma = '\n';
	memcpy(groups + length, "\n", 2);
	return 0;
}

static int
read_query(struct query *q, char groups[LIMIT_GROUPS], const struct arguments *a,
    const struct config *c, struct error *e)
{
	struct subject_grammar *grammar;
	int rc;

	*q = (struct query){.caller.scheme = "mint"};
	if (subject_grammar_new(&grammar, c->subject_pattern, e) == -1)
		return -1;
	rc = subject_check(grammar, a->subject, e);
	subject_grammar_free(grammar);
	if (rc == -1)
		return -1;
	memcpy(q->subject, a->subject, strlen(a->subject) + 1);
	memcpy(q->caller.name, q->subject, sizeof(q->subject));
	if (a->ttl != NULL && parse_duration(a->ttl, strlen(a->ttl), &q->lifetime) == -1)
		return error_set(
		    e, ERROR_MALFORMED, "--ttl: want a duration such as 90s or 2h");
	if (put_text(q->profile, sizeof(q->profile), a->profile, "profile", e) == -1 ||
	    put_text(q->audience, sizeof(q->audience), a->audience, "audience", e) == -1)
		return -1;
	return put_groups(groups, a->groups, e);
}

/*
 * Whoever can read the key needs no leave, but what profiles and the longest lifetime say
 * holds for all tokens: the policy that permits everything knows it.
 */
static int
make_grant(struct grant *g, const struct query *q, const struct config *c, struct error *e)
{
	static const char rules[] = "permit any as *";
	struct policy *policy;
	int rc;

	if (policy_parse(&policy, rules, strlen(rules), "mint", e) == -1)
		return -1;
	policy_set_limits(policy, c->lifetime, &c->profiles);
	rc = policy_permit(policy, q, g, e);
	policy_free(policy);
	return rc;
}

/* Loads the keys as the owner of their directory, if root may not trust what is in it. */
static int
open_keys(struct signing *s, const struct config *c, struct error *e)
{
	int rc;

	if (signing_check(c, e) == -1 || owner_enter(c->private_key, e) == -1)
		return -1;
	(void)key_memory_lock(c->private_key);
	rc = signing_open(s, c, NULL, &clock_system, &entropy_system, e);
	owner_leave();
	return rc;
}

static int
mint(const struct arguments *a, const struct config *c, struct error *e)
{
	struct query q = {0};
	struct grant g;
	struct signing signing;
	struct signature made;
	struct buffer token;
	char groups[LIMIT_GROUPS] = "";
	const struct signing_order order = {
	    .grant = &g, .caller = q.caller.name, .groups = a->groups != NULL ? groups : NULL};
	int rc;

	if (read_query(&q, groups, a, c, e) == -1 || make_grant(&g, &q, c, e) == -1 ||
	    open_keys(&signing, c, e) == -1)
		return -1;
	buffer_init(&token, LIMIT_TOKEN);
	rc = signing_sign(&signing, &order, &token, &made, e);
	if (rc == 0 && puts(token.data) == EOF)
		rc = error_set(e, ERROR_UNAVAILABLE, "cannot write to stdout");
	buffer_free(&token);
	signing_close(&signing);
	return rc;
}

int
command_mint(int argc, char **argv)
{
	struct flags_few few;
	const struct argp argp = {.options = options,
	    .parser = parse_flag,
	    .args_doc = "SUBJECT",
	    .doc = "Print a signed token for SUBJECT.\v"
		   "Takes a key that you may read, and does not ask the policy. The "
		   "configuration's lifetime is set by --set lifetime=DURATION.",
	    .children = command_flags(&few, true)};
	struct arguments a = {0};
	struct config c = {0};
	struct error e = {0};
	int status = EX_OK;

	(void)argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (flags_load(&a.flags, &c, &e) == -1 || mint(&a, &c, &e) == -1)
		status = command_fail(&e);
	config_free(&c);
	return status;
}
