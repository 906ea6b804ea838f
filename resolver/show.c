#include "resolver/show.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity/chain.h"
#include "identity/groups_json.h"

/* The sources' answers as they come in, as an array. */
struct report {
	json_t *sources;
};

static json_t *
describe(const struct membership *m)
{
	json_t *object =
	    json_pack("{s:b, s:o}", "known", m->known, "groups", groups_json(m->groups));

	if (*m->email != '\0')
		(void)json_object_set_new(object, "email", json_string(m->email));
	if (*m->space != '\0')
		(void)json_object_set_new(object, "namespace", json_string(m->space));
	return object;
}

static void
add_answer(void *context, const struct chain_answer *a)
{
	struct report *r = context;
	json_t *object =
	    a->m != NULL ? describe(a->m) : json_pack("{s:s}", "error", a->e->text);

	(void)json_object_set_new(object, "source", json_string(a->source));
	(void)json_object_set_new(object, "milliseconds", json_real((double)a->taken / 1e6));
	(void)json_array_append_new(r->sources, object);
}

static void
print_member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (value != NULL)
		printf(" %s=%s", name, json_string_value(value));
}

static void
print_known(const json_t *object)
{
	const char *before = "";
	json_t *group;
	size_t i;

	json_array_foreach (json_object_get(object, "groups"), i, group) {
		printf("%s%s", before, json_string_value(group));
		before = ", ";
	}
	if (i == 0)
		printf("no groups");
	print_member(object, "email");
	print_member(object, "namespace");
}

static void
print_answer(const json_t *object)
{
	const json_t *error = json_object_get(object, "error");

	printf("%-7s %8.1f ms  ", json_string_value(json_object_get(object, "source")),
	    json_real_value(json_object_get(object, "milliseconds")));
	if (error != NULL)
		printf("failed: %s", json_string_value(error));
	else if (json_is_true(json_object_get(object, "known")))
		print_known(object);
	else
		printf("does not know the user");
	printf("\n");
}

static void
print_answers(const struct report *r)
{
	json_t *answer;
	size_t i;

	json_array_foreach (r->sources, i, answer)
		print_answer(answer);
}

/* What is said of the user, and by whom. */
static void
print_json(const struct report *r, const struct show *s, json_t *result)
{
	(void)json_object_set_new(result, "user", json_string(s->user));
	(void)json_object_set(result, "sources", r->sources);
	(void)json_dumpf(result, stdout, JSON_COMPACT);
	printf("\n");
}

/* The optional sources that failed. */
static void
print_missing(const struct report *r)
{
	const char *before = " (without ";
	json_t *answer;
	size_t i;

	json_array_foreach (r->sources, i, answer) {
		if (json_object_get(answer, "error") == NULL)
			continue;
		printf("%s%s", before, json_string_value(json_object_get(answer, "source")));
		before = ", ";
	}
	printf(")");
}

static void
print(const struct report *r, const struct show *s, const struct membership *m)
{
	json_t *result = describe(m);

	if (s->json) {
		(void)json_object_set_new(result, "partial", json_boolean(m->partial));
		print_json(r, s, result);
	} else {
		print_answers(r);
		printf("%s: ", s->user);
		if (m->known)
			print_known(result);
		else
			printf("no source knows the user");
		if (m->partial)
			print_missing(r);
		printf("\n");
	}
	json_decref(result);
}

/* What failed was the last that was asked, or one that is optional. */
static void
print_failure(const struct report *r, const struct show *s, const struct error *e)
{
	json_t *result = json_pack("{s:s}", "error", e->text);

	if (s->json)
		print_json(r, s, result);
	else
		print_answers(r);
	json_decref(result);
}

int
show_groups(const struct groups_config *c, const struct show *s, struct error *e)
{
	struct report r = {.sources = json_array()};
	struct chain_question q = {.user = s->user};
	char *claimed = s->claimed != NULL ? strdup(s->claimed) : NULL;
	struct breaker breaker = {0};
	const struct chain_parts parts = {
	    .config = c, .breaker = &breaker, .clock = &clock_system};
	struct membership m;
	struct chain *chain;
	int rc;

	for (char *at = claimed; at != NULL && (at = strchr(at, ',')) != NULL;)
		*at = '\n';
	q.claimed = claimed;
	rc = chain_open(&chain, &parts, e);
	if (rc == 0)
		rc = chain_lookup(chain, &q, &m, add_answer, &r, e);
	if (rc == 0) {
		print(&r, s, &m);
		rc = !m.known;
	} else {
		print_failure(&r, s, e);
	}
	chain_close(chain);
	json_decref(r.sources);
	free(claimed);
	return rc;
}
