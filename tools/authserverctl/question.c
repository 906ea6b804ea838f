#include "tools/authserverctl/question.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "service/knowledge.h"

enum { GROUPS_MAX = LIMIT_GROUPS - 1 };

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
	    {"groups-of", &q->user},
	    {"ttl", &q->ttl},
	    {"audience", &q->audience},
	    {"profile", &q->profile},
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
	    "'%.64s': via, as, groups-of, ttl, profile, audience and group are what a query "
	    "has",
	    keyword);
}

static int
read_words(struct question *q, char *const *words, size_t count, struct error *e)
{
	q->caller = words[0];
	if (count % 2 == 0)
		return error_set(
		    e, ERROR_MALFORMED, "'%.64s' without a value", words[count - 1]);
	for (size_t i = 1; i < count; i += 2)
		if (add_word(q, words[i], words[i + 1], e) == -1)
			return -1;
	if ((q->subject == NULL) == (q->user == NULL))
		return error_set(e, ERROR_MALFORMED,
		    "as whom? want one of 'as SUBJECT' and 'groups-of USER'");
	return 0;
}

/* A query in one argument is parted at blanks; in several, each is a word as it is. */
static int
part_words(char *text, char **words, size_t *count, struct error *e)
{
	*count = 0;
	for (text += strspn(text, " \t"); *text != '\0'; text += strspn(text, " \t")) {
		if (*count == QUESTION_WORDS)
			return error_set(
			    e, ERROR_MALFORMED, "more than %d words", QUESTION_WORDS);
		words[(*count)++] = text;
		text += strcspn(text, " \t");
		if (*text != '\0')
			*text++ = '\0';
	}
	if (*count == 0)
		return error_set(e, ERROR_MALFORMED, "an empty query");
	return 0;
}

int
question_read(struct question *q, char **words, size_t count, struct error *e)
{
	*q = (struct question){0};
	buffer_init(&q->groups, GROUPS_MAX);
	if (count == 1) {
		if (part_words(words[0], q->words, &count, e) == -1)
			return -1;
		words = q->words;
	}
	return read_words(q, words, count, e);
}

void
question_free(struct question *q)
{
	buffer_free(&q->groups);
}

static int
fill_query(
    struct query *q, const struct question *asked, const struct config *c, struct error *e)
{
	bool anonymous = strcmp(asked->caller, "anonymous") == 0 && asked->scheme == NULL;
	const char *subject = asked->subject != NULL ? asked->subject : asked->user;
	const char *audience = asked->audience != NULL ? asked->audience : "";
	const char *profile = asked->profile != NULL ? asked->profile : "";

	*q = (struct query){0};
	if (strlen(subject) >= sizeof(q->subject) || strlen(audience) >= sizeof(q->audience) ||
	    strlen(profile) >= sizeof(q->profile))
		return error_set(e, ERROR_MALFORMED, "a name in the query is too long");
	if (asked->ttl != NULL &&
	    parse_duration(asked->ttl, strlen(asked->ttl), &q->lifetime) == -1)
		return error_set(
		    e, ERROR_MALFORMED, "'ttl' wants a duration such as 90s or 2h");
	memcpy(q->subject, subject, strlen(subject) + 1);
	memcpy(q->audience, audience, strlen(audience) + 1);
	memcpy(q->profile, profile, strlen(profile) + 1);
	if (asked->has_groups)
		q->caller_groups = asked->groups.data;
	return principal_read(&q->caller, asked->caller,
	    anonymous               ? NULL
	    : asked->scheme != NULL ? asked->scheme
				    : "Basic",
	    &c->realms, e);
}

static void
print_grant(const struct grant *g)
{
	printf("permit %s subject %s", g->where, g->subject);
	if (g->profile != NULL)
		printf(" profile %s", g->profile->name);
	printf(" ttl %lld", (long long)g->lifetime);
	if (*g->audience != '\0')
		printf(" audience %s", g->audience);
	for (size_t i = 0;
	     *g->audience == '\0' && g->profile != NULL && i < g->profile->audience.count; i++)
		printf(" audience %s", g->profile->audience.items[i]);
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

/* What a look-up found. */
struct answer {
	struct membership *membership; /* NULL: it failed */
	struct error error;
};

static void
take_membership(void *context, const struct membership *m, const struct error *failure)
{
	struct answer *a = context;

	a->membership = m == NULL ? NULL : membership_keep(m);
	a->error = *failure;
}

/* What the sources know of the user, to be freed with free(); NULL when they fail. */
static struct membership *
find(struct lookup *lookup, const char *user, struct error *e)
{
	struct answer a = {0};

	if (lookup_submit(lookup, user, take_membership, &a, e) == 0 && a.membership == NULL)
		*e = a.error;
	return a.membership;
}

/* What is known of caller and subject, when it is needed; the query leads to it. */
struct known {
	struct membership *caller;
	struct membership *subject;
};

/* The groups of the query are the caller's. */
static int
find_caller(struct known *k, struct query *q, const struct question *asked,
    const struct question_parts *parts, struct error *e)
{
	enum verb verb = asked->user != NULL ? VERB_GROUPS_OF : VERB_AS;

	if (q->caller_groups != NULL || !policy_needs_groups(parts->policy, verb) ||
	    !principal_authenticated(&q->caller))
		return 0;
	k->caller = find(parts->lookup, q->caller.name, e);
	if (k->caller == NULL)
		return -1;
	q->caller_groups = k->caller->groups;
	return 0;
}

/* Whether the service would go by what is known of the subject, and what then. The groups of
 * the query are the subject's too, when that is the caller. */
static int
judge_subject(struct known *k, struct query *q, const struct grant *g,
    const struct question_parts *parts, struct error *e)
{
	bool self = strcmp(q->caller.name, q->subject) == 0 && q->caller_groups != NULL;

	if (!knowledge_needed(parts->config, g->profile, q->subject))
		return 0;
	if (self) {
		k->subject = calloc(1, sizeof(*k->subject));
		if (k->subject != NULL) {
			k->subject->known = k->caller == NULL || k->caller->known;
			(void)snprintf(k->subject->groups, sizeof(k->subject->groups), "%s",
			    q->caller_groups);
		}
	} else {
		k->subject = find(parts->lookup, q->subject, e);
	}
	if (k->subject == NULL)
		return self ? error_set(e, ERROR_UNAVAILABLE, "out of memory") : -1;
	return knowledge_use(q, k->subject, parts->config, g->profile, e);
}

/* Asks for a token, or for somebody's groups. */
static int
ask(struct known *k, const struct question *asked, const struct question_parts *parts,
    struct grant *g, struct error *e)
{
	struct query q;

	if (fill_query(&q, asked, parts->config, e) == -1 ||
	    subject_check(parts->grammar, q.subject, e) == -1 ||
	    find_caller(k, &q, asked, parts, e) == -1)
		return -1;
	if (asked->user != NULL)
		return policy_permit_groups(parts->policy, &q, &g->where, e);
	if (policy_permit(parts->policy, &q, g, e) == -1)
		return -1;
	return judge_subject(k, &q, g, parts, e);
}

int
question_decide(
    const struct question *asked, const struct question_parts *parts, struct error *e)
{
	struct grant g = {.where = "realms"};
	struct known k = {0};
	int rc = ask(&k, asked, parts, &g, e);

	free(k.caller);
	free(k.subject);
	if (rc == 0 && asked->user != NULL)
		printf("permit %s groups-of %s\n", g.where, asked->user);
	else if (rc == 0)
		print_grant(&g);
	else if (is_verdict(e))
		printf("deny %s %s\n", g.where, e->text);
	else
		return -1;
	return rc == 0 ? 0 : 1;
}
