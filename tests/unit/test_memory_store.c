/* Without memory: a token is published or it is not, and what is kept of a user holds. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "store/due.h"
#include "store/publish.h"
#include "store/revocations.h"
#include "store/tries.h"
#include "store/watch.h"
#include "tests/torture/heap.h"
#include "tests/unit/memories.h"

static int
open_state(struct error *e)
{
	struct state *s;
	int rc = state_open(&s, memories_place->path, e);

	state_close(s);
	return rc;
}

static int
publish(struct error *e)
{
	const struct publish_options o = {
	    .mode = 0640, .group = (gid_t)-1, .to_subject = geteuid() == 0, .account = 65534};
	char made[LIMIT_PATH];
	int rc = publish_token(
	    &memories_place->store->directory, &o, "nobody", STORES_T0, "token", 5, made, e);

	(void)heap_join();
	assert_true(rc == -1 || unlink(made) == 0);
	assert_true(stores_count(memories_place->store) == 0);
	return rc;
}

static int
wait_for_files(struct error *e)
{
	struct due_queue *q = due_new();
	struct due_index *i = NULL;
	char name[LIMIT_FILE_NAME];
	int64_t due;
	int rc = -1;

	if (q != NULL && due_add(q, "b.1700000000000000000.token", 2) == 0 &&
	    due_add(q, "a.1700000000000000000.token", 1) == 0 &&
	    due_first(q, name, &due) == 1) {
		assert_true(due == 1);
		i = due_index_new(q);
		rc = i != NULL ? 0 : -1;
	}
	due_index_free(i);
	due_free(q);
	return rc == 0 ? 0 : memories_none(e);
}

static int
watch(struct error *e)
{
	static const struct sweep_options options = {.max_age = NANOSECONDS};
	int ends[2], rc;

	assert_true(pipe2(ends, O_CLOEXEC) == 0);
	close(ends[1]);
	rc = watch_run(&memories_place->store->directory, &options, &clock_system, ends[0], e);
	close(ends[0]);
	return rc;
}

static void
a_directory_is_used_whole_or_not_at_all(void **state)
{
	(void)state;
	memories_without(open_state, NULL);
	memories_without(publish, NULL);
	memories_without(wait_for_files, NULL);
	memories_without(watch, NULL);
}

static int
use_family(struct error *e)
{
	char token[REFRESH_TOKEN], next[REFRESH_TOKEN];
	enum states_verdict verdict;

	if (refresh_begin(memories_place->state, &states_family, &states_limits, STATES_NOW,
		&entropy_system, token, e) == -1)
		return -1;
	verdict = states_use(memories_place->state, token, STATES_NOW, next, e);
	if (verdict == STATES_TAKEN)
		return refresh_end(memories_place->state, next, e);
	/* Memory is there again: it is as good as before. */
	(void)heap_join();
	assert_true(states_is_good(memories_place->state, token));
	return -1;
}

static int
revoke_token(struct error *e)
{
	static const struct revocation_subject t = {.party = "party",
	    .issuer = "https://issuer.example",
	    .jti = "id",
	    .subject = "jane",
	    .issued = STATES_NOW};

	if (revocation_add_token(memories_place->state, &t, STATES_NOW + 60, e) == -1 ||
	    revocation_add_subject(memories_place->state, t.issuer, t.subject, STATES_NOW,
		STATES_NOW + 60, e) == -1)
		return -1;
	assert_true(revocation_check(memories_place->state, &t, e) == -1);
	return e->code == ERROR_UNAUTHENTICATED ? 0 : -1;
}

static int
count_tries(struct error *e)
{
	static const struct tries_limits limits = {.most = 1000, .window = 60};
	struct tries *t;
	int64_t wait;
	int rc;

	if (tries_open(&t, memories_place->state, &entropy_system, e) == -1)
		return -1;
	rc = tries_admit(t, "jane", &limits, STATES_NOW, &wait, e);
	tries_return(t, "jane", &limits);
	tries_forgive(t, "jane");
	tries_close(t);
	return rc;
}

static void
what_is_kept_of_a_user_holds(void **state)
{
	(void)state;
	memories_without(use_family, "libcrypto");
	memories_without(revoke_token, "libcrypto");
	memories_without(count_tries, "libcrypto");
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, memories_enter, states_leave)
	static const struct CMUnitTest tests[] = {
	    TEST(a_directory_is_used_whole_or_not_at_all),
	    TEST(what_is_kept_of_a_user_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
