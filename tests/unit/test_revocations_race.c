/* store: revocations by many at once, and while they are swept. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "store/revocations.h"
#include "tests/unit/revocations.h"

/* Those who revoke one subject at once, each up to another time, while others sweep and look.
 */
struct crowd {
	const struct states_fixture *f;
	int64_t before;
	_Atomic bool *end;
	_Atomic int *failed;
};

enum { ADDERS = 8, TIMES = 40 };

/* What one has added holds from then on, whatever the others add. */
static void *
run_adder(void *context)
{
	const struct crowd *c = context;
	struct revocation_subject t = {.issuer = "us", .subject = "jane"};

	for (int i = 0; i < TIMES; i++) {
		struct error e = {0};

		t.issued = c->before + i * ADDERS;
		if (revocation_add_subject(c->f->state, "us", "jane", t.issued, t.issued, &e) ==
			-1 ||
		    revocation_check(c->f->state, &t, &e) == 0 ||
		    e.code != ERROR_UNAUTHENTICATED)
			++*c->failed;
	}
	return NULL;
}

/* What is past deletes nothing that somebody makes later; what was seen revoked stays so. */
static void *
run_sweeper(void *context)
{
	const struct crowd *c = context;
	struct revocation_subject t = {.issuer = "us", .subject = "jane", .issued = 1000};
	bool seen = false;

	while (!*c->end) {
		struct error e = {0};
		size_t count;
		int rc;

		if (revocation_sweep(c->f->state, STATE_GRACE + 1050, false, &count, &e) == -1)
			++*c->failed;
		rc = revocation_check(c->f->state, &t, &e);
		if (rc == -1 && e.code != ERROR_UNAUTHENTICATED)
			++*c->failed;
		seen = seen || rc == -1;
		if (seen && rc == 0)
			++*c->failed;
	}
	return NULL;
}

static void
of_many_at_once_the_latest_holds(void **state)
{
	_Atomic bool end = false;
	_Atomic int failed = 0;
	struct states_fixture *f = *state;
	struct crowd crowd[ADDERS + 1];
	pthread_t threads[ADDERS + 1];
	struct revocation_subject t = {.issuer = "us", .subject = "jane"};

	for (int i = 0; i <= ADDERS; i++) {
		crowd[i] =
		    (struct crowd){.f = f, .before = 1100 + i, .end = &end, .failed = &failed};
		assert_int_equal(pthread_create(&threads[i], NULL,
				     i < ADDERS ? run_adder : run_sweeper, &crowd[i]),
		    0);
	}
	for (int i = 0; i < ADDERS; i++)
		pthread_join(threads[i], NULL);
	end = true;
	pthread_join(threads[ADDERS], NULL);
	assert_int_equal(failed, 0);
	t.issued = 1100 + ADDERS * TIMES - 1;
	assert_true(revocations_holds(f, &t));
	t.issued++;
	assert_false(revocations_holds(f, &t));
	assert_int_equal(states_count(f, "revoked"), 1);
}

static void *
run_late_adder(void *context)
{
	const struct states_fixture *f = context;

	revocations_add_subject(f, "us", "jane", STATES_NOW + 5);
	return NULL;
}

/* As a sweep does: it has the entry locked, and deletes it while somebody is about to add to
 * it. */
static void
what_is_added_while_a_sweep_is_at_it_stays(void **state)
{
	static const struct timespec moment = {.tv_nsec = 30 * 1000 * 1000};
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	struct states_fixture *f = *state;
	char path[LIMIT_PATH] = "";
	pthread_t thread;
	int fd;

	revocations_add_subject(f, "us", "jane", STATES_NOW - 5);
	revocations_find(f, path);
	fd = open(path, O_RDWR);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_int_equal(pthread_create(&thread, NULL, run_late_adder, f), 0);
	(void)nanosleep(&moment, NULL);
	assert_int_equal(unlink(path), 0);
	close(fd);
	pthread_join(thread, NULL);
	assert_true(revocations_holds(f, &revocations_token));
}

#define IN_STATE(test) cmocka_unit_test_setup_teardown(test, states_enter, states_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_STATE(of_many_at_once_the_latest_holds),
	    IN_STATE(what_is_added_while_a_sweep_is_at_it_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
