/*
 * authserverctl: says whether a configuration and a policy are well formed, and what the
 * policy makes of a request, without starting a service.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/buffer.h"
#include "base/parse.h"
#include "config/config.h"
#include "identity/groups.h"
#include "identity/policy.h"
#include "identity/subject.h"

const char *argp_program_version = "authserverctl " VERSION;

enum { FLAG_CONFIG = 0x100, FLAG_POLICY, WORDS_MAX = 256, QUERY_MAX = 64 * 1024 };

struct arguments {
	const char *config_file;
	const char *policy_file;
	char **words; /* behind "check" */
	size_t count;
};

static const struct argp_option options[] = {
    {"config", FLAG_CONFIG, "FILE", 0, "Check the configuration in FILE, and its policy", 0},
    {"policy", FLAG_POLICY, "FILE", 0, "The policy in FILE instead", 0},
    {0},
};

static error_t
parse_flag(int flag, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	switch (flag) {
	case FLAG_CONFIG:
		a->config_file = value;
		return 0;
	case FLAG_POLICY:
		a->policy_file = value;
		return 0;
	case ARGP_KEY_ARGS:
		a->words = state->argv + state->next + 1;
		a->count = (size_t)(state->argc - state->next - 1);
		if (strcmp(state->argv[state->next], "check") != 0)
			argp_error(state, "%s: no such command", state->argv[state->next]);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a command is missing: check");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* --- the query --- */

/* What was asked, in words that belong to argv or to a copy of it. */
struct question {
	const char *caller;
	const char *scheme; /* NULL: not given */
	const char *subject;
	const char *audience;
	const char *ttl;
	struct buffer groups;
	bool has_groups;
};

static int
add_group(struct question *q, const char *name, struct error *e)
{
	q->has_groups = true;
	if (*name == '\0' || strchr(name, '\n') != NULL ||
	    buffer_append(&q->groups, name, strlen(name)) == -1 ||
	    buffer_append(&q->groups, "\n", 1) == -1)
		return error_set(e, ERROR_MALFORMED, "'group' wants a name, and not too many");
	return 0;
}

static int
add_word(struct question *q, const char *keyword, const char *value, struct error *e)
{
	const struct {
		const char *keyword;
		const char **field;
	} fields[] = {
	    {"via", &q->scheme},
	    {"as", &q->subject},
	    {"ttl", &q->ttl},
	    {"audience", &q->audience},
	};

	if (strcmp(keyword, "group") == 0)
		return add_group(q, value, e);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcmp(fields[i].keyword, keyword) != 0)
			continue;
		if (*fields[i].field != NULL)
			return error_set(e, ERROR_MALFORMED, "'%s' twice", keyword);
		*fields[i].field = value;
		return 0;
	}
	return error_set(e, ERROR_MALFORMED,
	    "'%.64s': via, as, ttl, audience and group are what a query has", keyword);
}

static int
read_question(struct question *q, char *const *words, size_t count, struct error *e)
{
	q->caller = words[0];
	if (count % 2 == 0)
		return error_set(
		    e, ERROR_MALFORMED, "'%.64s' without a value", words[count - 1]);
	for (size_t i = 1; i < count; i += 2)
		if (add_word(q, words[i], words[i + 1], e) == -1)
			return -1;
	if (q->subject == NULL)
		return error_set(e, ERROR_MALFORMED, "as whom? 'as SUBJECT' is missing");
	return 0;
}

/* A query in one argument is parted at blanks; in several, each is a word as it is. */
static int
part_words(char *text, char **words, size_t *count, struct error *e)
{
	*count = 0;
	for (text += strspn(text, " \t"); *text != '\0'; text += strspn(text, " \t")) {
		if (*count == WORDS_MAX)
			return error_set(e, ERROR_MALFORMED, "more than %d words", WORDS_MAX);
		words[(*count)++] = text;
		text += strcspn(text, " \t");
		if (*text != '\0')
			*text++ = '\0';
	}
	if (*count == 0)
		return error_set(e, ERROR_MALFORMED, "an empty query");
	return 0;
}

/* --- the answer --- */

static int
fill_query(
    struct query *q, const struct question *asked, const struct config *c, struct error *e)
{
	bool anonymous = strcmp(asked->caller, "anonymous") == 0 && asked->scheme == NULL;
	const char *audience = asked->audience != NULL ? asked->audience : "";

	*q = (struct query){0};
	if (strlen(asked->subject) >= sizeof(q->subject) ||
	    strlen(audience) >= sizeof(q->audience) ||
	    asked->groups.length >= sizeof(q->groups))
		return error_set(e, ERROR_MALFORMED, "a name in the query is too long");
	if (asked->ttl != NULL &&
	    parse_duration(asked->ttl, strlen(asked->ttl), &q->lifetime) == -1)
		return error_set(
		    e, ERROR_MALFORMED, "'ttl' wants a duration such as 90s or 2h");
	memcpy(q->subject, asked->subject, strlen(asked->subject) + 1);
	memcpy(q->audience, audience, strlen(audience) + 1);
	if (asked->has_groups)
		memcpy(q->groups, asked->groups.data, asked->groups.length + 1);
	return principal_read(&q->caller, asked->caller,
	    anonymous               ? NULL
	    : asked->scheme != NULL ? asked->scheme
				    : "Basic",
	    &c->realms, e);
}

static void
print_grant(const struct grant *g)
{
	printf("permit %s subject %s ttl %lld", g->where, g->subject, (long long)g->lifetime);
	if (*g->audience != '\0')
		printf(" audience %s", g->audience);
	if (*g->actor != '\0')
		printf(" actor %s", g->actor);
	if (g->live != 0)
		printf(" live %u", g->live);
	(void)putchar('\n');
}

static bool
is_verdict(const struct error *e)
{
	return e->code == ERROR_DENIED || e->code == ERROR_UNAUTHENTICATED;
}

/* Prints the verdict. 0: permitted. 1: denied. -1: there is none. */
static int
decide(const struct question *asked, const struct config *c, const struct policy *p,
    const struct subject_grammar *grammar, struct error *e)
{
	struct query q;
	struct grant g = {.where = "realms"};
	int rc = fill_query(&q, asked, c, e);

	if (rc == 0)
		rc = subject_check(grammar, q.subject, e);
	if (rc == 0 && !asked->has_groups && policy_needs_groups(p) &&
	    principal_authenticated(&q.caller))
		rc = groups_lookup(q.caller.name, q.groups, e);
	if (rc == 0)
		rc = policy_permit(p, &q, &g, e);
	if (rc == 0)
		print_grant(&g);
	else if (is_verdict(e))
		printf("deny %s %s\n", g.where, e->text);
	else
		return -1;
	return rc == 0 ? 0 : 1;
}

static int
read_policy(
    struct policy **out, const struct arguments *a, const struct config *c, struct error *e)
{
	if (a->policy_file == NULL)
		return policy_open(out, c, e);
	if (policy_read(out, a->policy_file, e) == -1)
		return -1;
	policy_set_limits(*out, c->lifetime, &c->profiles);
	if (policy_check_profiles(*out, e) == -1)
		return -1;
	return c->permit_anonymous ? policy_permit_anonymous(*out, e) : 0;
}

static int
check(const struct arguments *a, const struct config *c, const struct question *asked,
    struct error *e)
{
	struct policy *policy = NULL;
	struct subject_grammar *grammar = NULL;
	int rc = -1;

	if (subject_grammar_new(&grammar, c->subject_pattern, e) == 0 &&
	    read_policy(&policy, a, c, e) == 0)
		rc = a->count > 0 ? decide(asked, c, policy, grammar, e) : 0;
	policy_free(policy);
	subject_grammar_free(grammar);
	return rc;
}

static int
run(const struct arguments *a, struct error *e)
{
	char *parted[WORDS_MAX];
	char **words = a->words;
	size_t count = a->count;
	struct question asked = {0};
	struct config c = {0};
	int rc = -1;

	buffer_init(&asked.groups, QUERY_MAX);
	if (count == 1) {
		words = parted;
		if (part_words(a->words[0], parted, &count, e) == -1)
			goto out;
	}
	if (count > 0 && read_question(&asked, words, count, e) == -1)
		goto out;
	if (config_init(&c, e) == 0 &&
	    (a->config_file == NULL || config_read(&c, a->config_file, e) == 0))
		rc = check(a, &c, &asked, e);
out:
	buffer_free(&asked.groups);
	config_free(&c);
	return rc;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = {.options = options,
	    .parser = parse_flag,
	    .args_doc = "check [QUERY]",
	    .doc = "Check a configuration and a policy, and ask the policy.\v"
		   "QUERY is 'CALLER [via SCHEME] as SUBJECT [ttl DURATION] [audience NAME] "
		   "[group NAME]...'. Exit status: 0 well formed or permitted, 1 denied, 64 "
		   "usage, 66 a file cannot be read, 78 configuration or policy."};
	struct arguments a = {0};
	struct error e = {0};
	int rc;

	(void)argp_parse(&argp, argc, argv, 0, NULL, &a);
	rc = run(&a, &e);
	if (rc == -1)
		(void)fprintf(stderr, "authserverctl: %s\n", e.text);
	if (fflush(stdout) == EOF)
		return EX_IOERR;
	if (rc != -1)
		return rc;
	return e.code == ERROR_MALFORMED ? EX_USAGE : error_exit_status(&e);
}
