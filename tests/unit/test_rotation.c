/*
 * jose: rotation without coordination. Fifty nodes whose clocks differ, with key files that
 * arrive late, and verifiers that keep what they fetched from any of them: no token may ever
 * meet a verifier that has not got its key. What a node signs with, publishes and prunes is
 * what timeline_*() says of the files that it has, at its own clock.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "jose/timeline.h"

enum {
	SECOND = 1,
	MINUTE = 60,
	HOUR = 3600,
	DAY = 86400,
	NODES = 50,
	KEYS_MAX = 30 * 24 + 1,
	START = 1700000000, /* when the second key starts to sign */
};

/* How well everybody behaves; in seconds. */
struct world {
	int64_t length;  /* of the simulation */
	int64_t lead;    /* a key is written so long before it starts to sign */
	int64_t late;    /* its file is at every node after so long at most */
	int64_t skew;    /* a clock is at most so far ahead or behind */
	int64_t cache;   /* a verifier uses a key set for so long */
	int64_t longest; /* life of a token, as the nodes know it */
	int64_t over;    /* what tokens live beyond that */
};

static const struct world real = {
    .length = 30 * (int64_t)DAY,
    .lead = 30 * MINUTE,
    .late = 9 * MINUTE,
    .skew = 5 * SECOND,
    .cache = 10 * MINUTE,
    .longest = DAY,
};

/* From when and until when, in true time; until is not in it. */
struct span {
	int64_t from;
	int64_t until;
};

struct node {
	int64_t ahead; /* its clock minus true time */
	int64_t arrival[KEYS_MAX];
	struct span published[KEYS_MAX];
	struct span signs[KEYS_MAX];
	struct span there[KEYS_MAX]; /* the file */

	/* the files that are there now */
	struct period held[KEYS_MAX];
	size_t names[KEYS_MAX];
	size_t count;
};

struct simulation {
	struct world world;
	const struct algorithm *algorithm;
	size_t keys;
	uint64_t random;
	struct node nodes[NODES];
};

/* --- luck, the same in each run --- */

static int64_t
draw(struct simulation *s, int64_t from, int64_t to)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return from + (int64_t)(s->random % (uint64_t)(to - from + 1));
}

/* When the i-th key starts to sign; the first one was there before all. */
static int64_t
activation(size_t i)
{
	return i == 0 ? 0 : START + ((int64_t)i - 1) * HOUR;
}

/* The first four nodes are as bad as can be, in each of the ways. */
static void
give_nodes_their_luck(struct simulation *s)
{
	const struct world *w = &s->world;

	for (size_t n = 0; n < NODES; n++) {
		struct node *node = &s->nodes[n];

		node->ahead =
		    n < 4 ? (n % 2 == 0 ? w->skew : -w->skew) : draw(s, -w->skew, w->skew);
		for (size_t i = 0; i < s->keys; i++) {
			int64_t delay =
			    n < 4 ? (n / 2 == 0 ? w->late : 0) : draw(s, 0, w->late);

			node->arrival[i] = i == 0 ? 0 : activation(i) - w->lead + delay;
			node->published[i] = node->signs[i] = node->there[i] =
			    (struct span){INT64_MAX, INT64_MAX};
		}
	}
}

/* --- a node --- */

static void
take_files(const struct simulation *s, struct node *node, size_t *arrived, int64_t now)
{
	for (; *arrived < s->keys && node->arrival[*arrived] <= now; (*arrived)++) {
		node->held[node->count] =
		    (struct period){.from = activation(*arrived), .algorithm = s->algorithm};
		node->names[node->count++] = *arrived;
		node->there[*arrived].from = node->arrival[*arrived];
	}
}

/* A key that went may not come back. */
static void
note(struct span *span, bool is, int64_t now)
{
	if (is && span->from == INT64_MAX)
		span->from = now;
	else if (!is && span->from != INT64_MAX && span->until == INT64_MAX)
		span->until = now;
	else if (is && span->until != INT64_MAX)
		fail_msg("a key came back at %lld", (long long)now);
}

static void
publish_and_sign(const struct simulation *s, struct node *node, int64_t now)
{
	int64_t clock = now + node->ahead;
	int active = timeline_active(node->held, node->count, s->algorithm, clock);

	assert_int_not_equal(active, -1);
	for (size_t i = 0; i < node->count; i++) {
		enum key_state state =
		    timeline_state(node->held, node->count, i, clock, s->world.longest);

		note(&node->published[node->names[i]], state != KEY_STATE_EXPIRED, now);
		note(&node->signs[node->names[i]], (int)i == active, now);
	}
}

static void
prune(const struct simulation *s, struct node *node, int64_t now)
{
	size_t left = 0;
	bool expired[KEYS_MAX];

	for (size_t i = 0; i < node->count; i++)
		expired[i] = timeline_state(node->held, node->count, i, now + node->ahead,
				 s->world.longest) == KEY_STATE_EXPIRED;
	for (size_t i = 0; i < node->count; i++) {
		if (expired[i]) {
			node->there[node->names[i]].until = now;
			continue;
		}
		node->held[left] = node->held[i];
		node->names[left++] = node->names[i];
	}
	node->count = left;
}

/* From one moment at which something can change to the next. */
static void
run_node(const struct simulation *s, struct node *node, int64_t every)
{
	int64_t end = START + s->world.length;
	size_t arrived = 0;
	int64_t next;

	for (int64_t now = START - DAY, step = 1; now < end; now = next, step++) {
		take_files(s, node, &arrived, now);
		publish_and_sign(s, node, now);
		if (step % every == 0)
			prune(s, node, now);
		next = timeline_change(
		    node->held, node->count, now + node->ahead, s->world.longest);
		next = next == INT64_MAX ? end : next - node->ahead;
		if (arrived < s->keys && node->arrival[arrived] < next)
			next = node->arrival[arrived];
		assert_true(next > now);
	}
}

static struct simulation *
run(const struct world *w)
{
	struct simulation *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->world = *w;
	s->algorithm = algorithm_find("ES256");
	s->keys = (size_t)(w->length / HOUR) + 1;
	s->random = 4711;
	assert_in_range(s->keys, 2, KEYS_MAX);
	give_nodes_their_luck(s);
	/* Some prune at once, some when they come to it. */
	for (size_t n = 0; n < NODES; n++)
		run_node(s, &s->nodes[n], n % 3 == 0 ? 1 : 12);
	return s;
}

/* --- the verifiers --- */

/* Whether each token that the node signs with key i verifies at any moment of its life with
 * any set that the other node gave out at most so long ago. */
static bool
verifies(const struct simulation *s, const struct node *signer, const struct node *publisher,
    size_t i)
{
	const struct span *signs = &signer->signs[i];
	const struct world *w = &s->world;
	int64_t exp, last;

	if (signs->from == INT64_MAX)
		return true;
	/* The first key was there before all. */
	if (i > 0 && publisher->published[i].from > signs->from - w->cache)
		return false;
	if (signs->until == INT64_MAX) /* still at the end of the simulation */
		return publisher->published[i].until == INT64_MAX;
	exp = signs->until - 1 + signer->ahead + w->longest + w->over;
	last = exp - 1 + w->skew; /* by a verifier whose clock is behind */
	return publisher->published[i].until > last;
}

/* How many times a signer, a key and a publisher let a token down. */
static size_t
count_failures(const struct world *w)
{
	struct simulation *s = run(w);
	size_t failures = 0;

	for (size_t a = 0; a < NODES; a++)
		for (size_t b = 0; b < NODES; b++)
			for (size_t i = 0; i < s->keys; i++)
				failures += !verifies(s, &s->nodes[a], &s->nodes[b], i);
	free(s);
	return failures;
}

/* The files that a node has at a moment. */
static size_t
files_of(const struct simulation *s, const struct node *node, int64_t now,
    struct period periods[KEYS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < s->keys; i++)
		if (node->there[i].from <= now && now < node->there[i].until)
			periods[count++] =
			    (struct period){.from = activation(i), .algorithm = s->algorithm};
	return count;
}

/* The key set that a node gives out at a moment has the key that starts to sign at from. */
static bool
gives_out(const struct simulation *s, const struct node *node, int64_t now, int64_t from)
{
	struct period periods[KEYS_MAX];
	size_t count = files_of(s, node, now, periods);

	for (size_t i = 0; i < count; i++)
		if (periods[i].from == from)
			return timeline_state(periods, count, i, now + node->ahead,
				   s->world.longest) != KEY_STATE_EXPIRED;
	return false;
}

/* A moment from first to last: either end as often as anything between them. */
static int64_t
draw_moment(struct simulation *s, int64_t first, int64_t last)
{
	int64_t choice = draw(s, 0, 2);

	return choice == 0 ? first : choice == 1 ? last : draw(s, first, last);
}

/* Token by token, asked anew at each moment: mints somewhere, verifies somewhere else. */
static size_t
count_bad_luck(const struct world *w, int tokens)
{
	struct simulation *s = run(w);
	struct period periods[KEYS_MAX];
	size_t failures = 0;

	for (int i = 0; i < tokens; i++) {
		const struct node *signer = &s->nodes[draw(s, 0, NODES - 1)];
		const struct node *publisher = &s->nodes[draw(s, 0, NODES - 1)];
		int64_t hour = START + draw(s, 0, w->length / HOUR - 26) * HOUR - signer->ahead;
		int64_t minted = draw_moment(s, hour, hour + HOUR - 1);
		int64_t exp = minted + signer->ahead + w->longest + w->over;
		int64_t looked = draw_moment(s, minted, exp - 1 + w->skew);
		int64_t fetched = draw_moment(s, looked - w->cache, looked);
		size_t count = files_of(s, signer, minted, periods);
		int key = timeline_active(periods, count, s->algorithm, minted + signer->ahead);

		assert_int_not_equal(key, -1);
		failures += !gives_out(s, publisher, fetched, periods[key].from);
	}
	free(s);
	return failures;
}

/* --- what is promised --- */

static struct world
short_world(void)
{
	struct world w = real;

	w.length = 3 * (int64_t)DAY;
	return w;
}

static void
month_of_hourly_rotation_lets_no_token_of_a_day_down(void **state)
{
	(void)state;
	assert_int_equal(count_failures(&real), 0);
}

static void
month_of_hourly_rotation_lets_no_token_of_an_hour_down(void **state)
{
	struct world w = real;

	(void)state;
	w.longest = HOUR;
	assert_int_equal(count_failures(&w), 0);
}

static void
no_draw_of_a_token_a_moment_and_two_nodes_fails(void **state)
{
	struct world w = short_world();

	(void)state;
	assert_int_equal(count_bad_luck(&w, 20000), 0);
	w.longest = HOUR;
	assert_int_equal(count_bad_luck(&w, 20000), 0);
}

/* What is expired goes, so that a directory does not grow for ever. */
static void
node_that_prunes_holds_no_more_than_a_day_of_keys(void **state)
{
	const struct world w = short_world();
	struct simulation *s = run(&w);

	(void)state;
	/* A day, ten minutes, the key that signs and the next one. */
	assert_in_range(s->nodes[0].count, 25, 28);
	free(s);
}

/* --- what it takes to break it: the simulation sees to the second --- */

static void
assert_breaks(const struct world *good, const struct world *bad)
{
	assert_int_equal(count_failures(good), 0);
	assert_int_not_equal(count_failures(bad), 0);
}

/* 30 minutes before, less 10 in a cache, less 5 seconds of a clock that is ahead. */
static void
file_that_is_a_second_too_late_is_found(void **state)
{
	struct world good = short_world(), bad = good;

	(void)state;
	good.late = 20 * MINUTE - 5;
	bad.late = good.late + 1;
	assert_breaks(&good, &bad);
}

static void
verifier_that_caches_a_second_too_long_is_found(void **state)
{
	struct world good = short_world(), bad = good;

	(void)state;
	good.cache = 21 * MINUTE - 5;
	bad.cache = good.cache + 1;
	assert_breaks(&good, &bad);
}

static void
key_that_is_written_a_second_too_late_is_found(void **state)
{
	struct world good = short_world(), bad = good;

	(void)state;
	good.lead = 19 * MINUTE + 5;
	bad.lead = good.lead - 1;
	assert_breaks(&good, &bad);
}

/* The margin holds for a publisher ahead and a verifier behind, so for half of it each. */
static void
clock_that_is_a_second_too_far_off_is_found(void **state)
{
	struct world good = short_world(), bad = good;

	(void)state;
	good.lead = bad.lead = 50 * MINUTE;
	good.skew = TIMELINE_MARGIN / 2;
	bad.skew = good.skew + 1;
	assert_breaks(&good, &bad);
}

static void
token_that_lives_too_long_is_found(void **state)
{
	struct world good = short_world(), bad = good;

	(void)state;
	good.over = TIMELINE_MARGIN - 2 * 5 + 1;
	bad.over = good.over + 1;
	assert_breaks(&good, &bad);
}

/* Random draws are many enough to meet what the spans show. */
static void
random_draws_find_a_rotation_without_lead(void **state)
{
	struct world w = short_world();

	(void)state;
	w.lead = 10 * MINUTE;
	assert_int_not_equal(count_bad_luck(&w, 5000), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(month_of_hourly_rotation_lets_no_token_of_a_day_down),
	    cmocka_unit_test(month_of_hourly_rotation_lets_no_token_of_an_hour_down),
	    cmocka_unit_test(no_draw_of_a_token_a_moment_and_two_nodes_fails),
	    cmocka_unit_test(node_that_prunes_holds_no_more_than_a_day_of_keys),
	    cmocka_unit_test(file_that_is_a_second_too_late_is_found),
	    cmocka_unit_test(verifier_that_caches_a_second_too_long_is_found),
	    cmocka_unit_test(key_that_is_written_a_second_too_late_is_found),
	    cmocka_unit_test(clock_that_is_a_second_too_far_off_is_found),
	    cmocka_unit_test(token_that_lives_too_long_is_found),
	    cmocka_unit_test(random_draws_find_a_rotation_without_lead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
