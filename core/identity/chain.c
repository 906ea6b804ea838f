#include "identity/chain.h"

#include <stdlib.h>
#include <string.h>

#include "identity/source.h"

/* A source by its name in the configuration. */
static const struct kind {
	const char *name;
	source_open *open; /* NULL: the groups that the question brings */
	bool folds;        /* its names are compared without regard to case */
	bool shared;       /* never changes once open: threads may ask it at the same time */
} kinds[] = {
    {"claim", NULL, true, false},
    {"unix", source_unix_open, false, true},
    {"ldap", source_ldap_open, true, false},
    {"rest", source_rest_open, true, false},
    {"script", source_script_open, true, false},
    {"static", source_static_open, true, true},
};

struct link {
	const struct kind *kind;
	struct source *source; /* NULL for "claim" */
	bool optional;
	bool borrowed;         /* another chain's, which closes it */
	_Atomic int64_t since; /* monotonic nanoseconds: it is being asked; or NOT_ASKED */
};

#define NOT_ASKED INT64_MIN

struct chain {
	const struct groups_config *config;
	struct breaker *breaker;
	const struct clock *clock;
	size_t count;
	struct link links[];
};

/* The configuration has been checked: the name exists. */
static const struct kind *
find_kind(const char *name)
{
	size_t i = 0;

	while (strcmp(kinds[i].name, name) != 0)
		i++;
	return &kinds[i];
}

/* Makes the i-th link ready. */
static int
open_link(struct link *l, size_t i, const struct chain_parts *parts, struct error *e)
{
	l->kind = find_kind(parts->config->resolvers.items[i]);
	l->optional = strings_have(&parts->config->optional, l->kind->name);
	l->since = NOT_ASKED;
	if (l->kind->open == NULL)
		return 0;
	l->borrowed = l->kind->shared && parts->lender != NULL;
	if (l->borrowed) {
		l->source = parts->lender->links[i].source;
		return 0;
	}
	return l->kind->open(&l->source, parts->config, e);
}

int
chain_open(struct chain **out, const struct chain_parts *parts, struct error *e)
{
	const size_t count = parts->config->resolvers.count;
	struct chain *made = calloc(1, sizeof(*made) + count * sizeof(struct link));

	*out = NULL;
	if (made == NULL)
		return error_set(e, ERROR_INTERNAL, "out of memory");
	made->config = parts->config;
	made->breaker = parts->breaker;
	made->clock = parts->clock;
	for (; made->count < count; made->count++) {
		if (open_link(&made->links[made->count], made->count, parts, e) == -1) {
			chain_close(made);
			return -1;
		}
	}
	*out = made;
	return 0;
}

void
chain_close(struct chain *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++)
		if (!c->links[i].borrowed)
			source_close(c->links[i].source);
	free(c);
}

static int
take_claimed(const char *claimed, struct membership *m, struct error *e)
{
	m->known = claimed != NULL;
	for (const char *g = claimed; g != NULL && *g != '\0';) {
		size_t length = strcspn(g, "\n");

		if (membership_add(m, g, length, e) == -1)
			return -1;
		g += length + (g[length] == '\n');
	}
	return 0;
}

/* It failed, or does not answer. */
static void
tell_breaker(struct chain *c, size_t i, int64_t began)
{
	int64_t now = clock_monotonic(c->clock);

	breaker_failed(c->breaker, i, now, now - began, c->config->retry);
}

/* Asks one source, unless it is to be left alone. */
static int
ask(struct chain *c, size_t i, const struct chain_question *q, struct membership *m,
    struct error *e)
{
	struct link *l = &c->links[i];
	int64_t began = clock_monotonic(c->clock);
	int rc;

	if (l->source == NULL)
		return take_claimed(q->claimed, m, e);
	if (!breaker_closed(c->breaker, i, began))
		return error_set(
		    e, ERROR_UNAVAILABLE, "left alone for a while, since it was slow to fail");
	l->since = began;
	rc = l->source->lookup(l->source, q->user, m, e);
	l->since = NOT_ASKED;
	if (rc == -1)
		tell_breaker(c, i, began);
	return rc;
}

/* The same, told of, and with the names as they are compared. */
static int
consult(struct chain *c, size_t i, const struct chain_question *q, struct membership *m,
    chain_tell *tell, void *context, struct error *e)
{
	const struct link *l = &c->links[i];
	struct chain_answer a = {.source = l->kind->name};
	int64_t began = clock_monotonic(c->clock);
	int rc;

	*m = (struct membership){0};
	rc = ask(c, i, q, m, e);
	if (rc == 0 && l->kind->folds)
		membership_fold(m);
	a.taken = clock_monotonic(c->clock) - began;
	if (rc == 0)
		a.m = m;
	else
		a.e = e;
	if (tell != NULL)
		tell(context, &a);
	return rc == 0 ? 0 : error_prefix(e, "groups from %s", l->kind->name);
}

int
chain_lookup(struct chain *c, const struct chain_question *q, struct membership *m,
    chain_tell *tell, void *context, struct error *e)
{
	struct membership one;

	*m = (struct membership){0};
	for (size_t i = 0; i < c->count; i++) {
		if (consult(c, i, q, &one, tell, context, e) == -1) {
			if (!c->links[i].optional)
				return -1;
			m->partial = true;
			continue;
		}
		if (membership_merge(m, &one, e) == -1)
			return -1;
		if (m->known && c->config->mode == GROUPS_FIRST)
			break;
	}
	membership_allow(m, &c->config->allow);
	if (membership_count(m) > c->config->most)
		return error_set(e, ERROR_UNAVAILABLE,
		    "the user is in more than %u groups, the most that there may be",
		    c->config->most);
	return 0;
}

void
chain_overdue(struct chain *c)
{
	int64_t now = clock_monotonic(c->clock);

	for (size_t i = 0; i < c->count; i++) {
		struct link *l = &c->links[i];
		int64_t since = l->since;
		int64_t timeout = groups_timeout(c->config, l->kind->name) * NANOSECONDS;

		if (since != NOT_ASKED && now - since >= timeout)
			tell_breaker(c, i, since);
	}
}
