/* identity: memberships that are kept for a while. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "identity/lookup_cache.h"

enum { MANY = 5000, ONE_SET = 1 };

static void
put(struct lookup_cache *c, const char *user, const char *group, int64_t until)
{
	struct membership m = {.known = true};

	(void)snprintf(m.groups, sizeof(m.groups), "%s\n", group);
	lookup_cache_put(c, user, &m, until);
}

static bool
has(const struct lookup_cache *c, const char *user)
{
	int64_t until;

	return lookup_cache_get(c, user, &until) != NULL;
}

static void
assert_kept(const struct lookup_cache *c, const char *user, const char *groups, int64_t until)
{
	int64_t got = 0;
	const struct membership *m = lookup_cache_get(c, user, &got);

	assert_non_null(m);
	assert_string_equal(m->groups, groups);
	assert_int_equal(got, until);
}

static void
what_was_put_is_got_with_its_until(void **state)
{
	struct lookup_cache *c = lookup_cache_new(100);
	struct membership m = {.known = true, .email = "a@b.c", .space = "ns", .groups = "g\n"};
	const struct membership *kept;
	int64_t until = 0;

	(void)state;
	lookup_cache_put(c, "jane", &m, 4711);
	m = (struct membership){0}; /* it keeps a copy */
	kept = lookup_cache_get(c, "jane", &until);
	assert_non_null(kept);
	assert_int_equal(until, 4711);
	assert_true(kept->known);
	assert_string_equal(kept->email, "a@b.c");
	assert_string_equal(kept->space, "ns");
	assert_string_equal(kept->groups, "g\n");
	lookup_cache_free(c);
}

static void
user_who_was_not_put_is_not_there(void **state)
{
	struct lookup_cache *c = lookup_cache_new(ONE_SET);

	(void)state;
	assert_false(has(c, "jane"));
	put(c, "jane", "g", 1);
	assert_false(has(c, "jan"));
	assert_false(has(c, "janes"));
	assert_false(has(c, "Jane"));
	assert_false(has(c, ""));
	lookup_cache_free(c);
}

/* That nobody knows the user is worth keeping as well. */
static void
user_whom_nobody_knows_is_kept(void **state)
{
	struct lookup_cache *c = lookup_cache_new(100);
	const struct membership nobody = {0};
	const struct membership *kept;
	int64_t until;

	(void)state;
	lookup_cache_put(c, "ghost", &nobody, 5);
	kept = lookup_cache_get(c, "ghost", &until);
	assert_non_null(kept);
	assert_false(kept->known);
	lookup_cache_free(c);
}

static void
newer_membership_replaces_the_older(void **state)
{
	struct lookup_cache *c = lookup_cache_new(ONE_SET);

	(void)state;
	put(c, "jane", "a", 100);
	put(c, "jane", "b", 50);
	assert_kept(c, "jane", "b\n", 50);
	/* It took no other place: three more find theirs. */
	put(c, "x", "x", 60);
	put(c, "y", "y", 60);
	put(c, "z", "z", 60);
	assert_kept(c, "jane", "b\n", 50);
	lookup_cache_free(c);
}

/* Whether it is good is the caller's to say: it may serve while the sources fail. */
static void
what_is_over_is_got_with_its_until(void **state)
{
	struct lookup_cache *c = lookup_cache_new(100);

	(void)state;
	put(c, "jane", "g", -5);
	assert_kept(c, "jane", "g\n", -5);
	lookup_cache_free(c);
}

static void
full_set_forgets_the_one_that_ends_first(void **state)
{
	static const int64_t untils[] = {40, 10, 30, 20};
	static const char *const users[] = {"a", "b", "c", "d"};
	static const size_t first_to_last[] = {1, 3, 2, 0};
	struct lookup_cache *c = lookup_cache_new(ONE_SET);
	char user[2] = "e";

	(void)state;
	for (size_t i = 0; i < 4; i++)
		put(c, users[i], users[i], untils[i]);
	for (size_t gone = 0; gone < 4; gone++, user[0]++) {
		put(c, user, user, 100 + (int64_t)gone);
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(has(c, users[first_to_last[i]]), i > gone);
		assert_true(has(c, user));
	}
	lookup_cache_free(c);
}

/* Even where it ends before all others: who asked last is likely to ask again. */
static void
newest_is_kept_in_a_full_set(void **state)
{
	struct lookup_cache *c = lookup_cache_new(ONE_SET);

	(void)state;
	put(c, "a", "a", 100);
	put(c, "b", "b", 101);
	put(c, "c", "c", 102);
	put(c, "d", "d", 103);
	put(c, "e", "e", 1);
	assert_true(has(c, "e"));
	assert_false(has(c, "a"));
	lookup_cache_free(c);
}

static void
free_place_is_taken_before_one_that_is_over(void **state)
{
	struct lookup_cache *c = lookup_cache_new(ONE_SET);

	(void)state;
	put(c, "a", "a", -100);
	put(c, "b", "b", 1);
	put(c, "c", "c", 2);
	put(c, "d", "d", 3);
	assert_true(has(c, "a"));
	lookup_cache_free(c);
}

static size_t
count_users(const struct lookup_cache *c)
{
	size_t count = 0;
	char user[32];

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(user, sizeof(user), "user%d", i);
		count += has(c, user);
	}
	return count;
}

static void
thousands_of_users_are_held_to_the_bound(void **state)
{
	struct lookup_cache *c = lookup_cache_new(100);
	char user[32];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(user, sizeof(user), "user%d", i);
		put(c, user, user, i);
		assert_true(has(c, user));
	}
	assert_in_range(count_users(c), 90, 104);
	lookup_cache_free(c);
}

/* So many names fall into all sets: few are lost to others before the bound. */
static void
users_are_spread_over_the_sets(void **state)
{
	struct lookup_cache *c = lookup_cache_new(2 * MANY);
	char user[32];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(user, sizeof(user), "user%d", i);
		put(c, user, "g", 1);
	}
	assert_in_range(count_users(c), MANY * 9 / 10, MANY);
	lookup_cache_free(c);
}

static void
cache_for_nobody_still_serves(void **state)
{
	struct lookup_cache *c = lookup_cache_new(0);

	(void)state;
	assert_non_null(c);
	put(c, "jane", "g", 7);
	assert_kept(c, "jane", "g\n", 7);
	lookup_cache_free(c);
	lookup_cache_free(NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_put_is_got_with_its_until),
	    cmocka_unit_test(user_who_was_not_put_is_not_there),
	    cmocka_unit_test(user_whom_nobody_knows_is_kept),
	    cmocka_unit_test(newer_membership_replaces_the_older),
	    cmocka_unit_test(what_is_over_is_got_with_its_until),
	    cmocka_unit_test(full_set_forgets_the_one_that_ends_first),
	    cmocka_unit_test(newest_is_kept_in_a_full_set),
	    cmocka_unit_test(free_place_is_taken_before_one_that_is_over),
	    cmocka_unit_test(thousands_of_users_are_held_to_the_bound),
	    cmocka_unit_test(users_are_spread_over_the_sets),
	    cmocka_unit_test(cache_for_nobody_still_serves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
