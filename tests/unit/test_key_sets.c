/* resolver: keys that are fetched once for all, and kept. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "identity/key_source.h"
#include "resolver/key_sets.h"

enum { FRESH = 100, STALE = 1000 };

static struct verify_section sections[] = {
    {.name = (char[]){"file"}, .keys = (char[]){"/keys"}, .stale = STALE},
    {.name = (char[]){"idp"}, .keys_url = (char[]){"https://idp.example/"}, .stale = STALE},
    {.name = (char[]){"slow"}, .keys_url = (char[]){"https://slow.example/"}, .stale = STALE},
};

struct fixture {
	struct key_sets *keys;
	struct clock clock;
	struct log log;
	_Atomic int64_t now;
	pthread_mutex_t lock;
	struct outbox box;
	int ours, theirs, epoll, logged;
};

/* --- in place of URLs --- */

struct key_source {
	const struct verify_section *section;
};

static struct key_source opened[3];
static _Atomic int opens, fetches;
static _Atomic bool failing, unopenable;
static sem_t go; /* for each fetch of "slow" */
static char json[32] = "{}";

int
key_source_open(struct key_source **out, const struct verify_section *s, struct error *e)
{
	*out = NULL;
	if (unopenable && strcmp(s->name, "slow") == 0)
		return error_set(e, ERROR_CONFIG, "no such file");
	*out = &opened[opens++ % 3];
	(*out)->section = s;
	return 0;
}

void
key_source_close(struct key_source *k)
{
	assert_non_null(k);
	opens--;
}

int
key_source_fetch(struct key_source *k, struct buffer *to, int64_t *fresh, struct error *e)
{
	fetches++;
	while (strcmp(k->section->name, "slow") == 0 && sem_wait(&go) == -1)
		continue;
	if (failing)
		return error_set(e, ERROR_UNAVAILABLE, "the web server is away");
	*fresh = FRESH;
	return buffer_append(to, json, strlen(json));
}

/* --- the keys --- */

static int64_t
read_now(void *state)
{
	return ((const struct fixture *)state)->now;
}

static int
setup(void **state)
{
	/* A thread may still give back the lock of the test before. */
	static struct fixture fixtures[8];
	static size_t used;
	static struct verify_sections all = {.items = sections, .count = 3};
	struct fixture *f = &fixtures[used++];
	const struct key_sets_parts parts = {
	    .sections = &all, .clock = &f->clock, .log = &f->log, .lock = &f->lock};
	int ends[2], lines[2];
	struct error e;

	*state = f;
	*f = (struct fixture){.now = 5000 * NANOSECONDS, .epoll = epoll_create1(0)};
	f->clock = (struct clock){.realtime = read_now, .monotonic = read_now, .state = f};
	fetches = opens = 0;
	failing = unopenable = false;
	(void)snprintf(json, sizeof(json), "{}");
	if (pipe(lines) == -1 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == -1 ||
	    sem_init(&go, 0, 0) == -1 || pthread_mutex_init(&f->lock, NULL) != 0)
		return -1;
	f->logged = lines[0];
	f->log = (struct log){.fd = lines[1], .clock = &f->clock};
	f->ours = ends[0];
	f->theirs = ends[1];
	return outbox_open(&f->box, f->epoll, f->theirs) == 0
		   ? key_sets_open(&f->keys, &parts, &e)
		   : -1;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	outbox_close(&f->box);
	close(f->ours);
	close(f->theirs);
	close(f->epoll);
	close(f->logged);
	close(f->log.fd);
	return 0;
}

static void
ask(struct fixture *f, const char *section, bool anew, uint64_t id)
{
	const struct waiter w = {.box = &f->box, .id = id};
	const struct lookup_keys which = {.section = section, .anew = anew};

	(void)pthread_mutex_lock(&f->lock);
	key_sets_request(f->keys, &w, &which);
	(void)pthread_mutex_unlock(&f->lock);
}

/* The next answer, which is to id. */
static const struct lookup_answer *
take(const struct fixture *f, uint64_t id)
{
	static struct lookup_answer a;
	ssize_t size = recv(f->ours, &a, sizeof(a), 0);

	assert_int_not_equal(size, -1);
	assert_int_equal(lookup_answer_check(&a, (size_t)size), 0);
	assert_int_equal(a.head.id, id);
	return &a;
}

static void
assert_set(const struct lookup_answer *a, const char *wanted)
{
	assert_int_equal(a->head.kind, LOOKUP_SET);
	assert_string_equal(a->keys.json, wanted);
}

static void
assert_failed(const struct lookup_answer *a, const char *reason)
{
	assert_int_equal(a->head.kind, LOOKUP_FAILED);
	assert_string_equal(a->reason, reason);
}

static void
keys_are_fetched_and_then_kept(void **state)
{
	struct fixture *f = *state;
	const struct lookup_answer *a;

	ask(f, "idp", false, 1);
	a = take(f, 1);
	assert_set(a, "{}");
	assert_int_equal(a->keep, 60 * NANOSECONDS); /* others may have come meanwhile */
	assert_int_equal(a->keys.trusted, (FRESH + STALE) * NANOSECONDS);
	f->now += 99 * NANOSECONDS;
	ask(f, "idp", false, 2);
	a = take(f, 2);
	assert_set(a, "{}");
	assert_int_equal(a->keep, NANOSECONDS);
	assert_int_equal(a->keys.trusted, (1 + STALE) * NANOSECONDS);
	assert_int_equal(fetches, 1);
	f->now += NANOSECONDS;
	(void)snprintf(json, sizeof(json), "[]");
	ask(f, "idp", false, 3);
	assert_set(take(f, 3), "[]");
	assert_int_equal(fetches, 2);
}

static void
many_who_ask_are_one_fetch(void **state)
{
	struct fixture *f = *state;
	unsigned int seen = 0;

	for (uint64_t id = 0; id < 8; id++)
		ask(f, "slow", id % 2 == 1, id);
	ask(f, "idp", false, 100);
	assert_set(take(f, 100), "{}"); /* which waits for no other's web server */
	assert_int_equal(sem_post(&go), 0);
	for (int i = 0; i < 8; i++) {
		static struct lookup_answer a;

		assert_int_not_equal(recv(f->ours, &a, sizeof(a), 0), -1);
		assert_set(&a, "{}");
		seen |= 1U << a.head.id;
	}
	assert_int_equal(seen, 0xff);
	assert_int_equal(fetches, 2);
}

static void
unknown_kid_has_them_fetched_once_in_half_a_minute(void **state)
{
	struct fixture *f = *state;

	ask(f, "idp", false, 1);
	(void)take(f, 1);
	for (uint64_t id = 2; id < 10; id++) {
		(void)snprintf(json, sizeof(json), "%d", (int)id);
		ask(f, "idp", true, id);
		assert_set(take(f, id), "2");
	}
	assert_int_equal(fetches, 2);
	f->now += 30 * NANOSECONDS;
	ask(f, "idp", true, 11);
	assert_set(take(f, 11), "9");
	assert_int_equal(fetches, 3);
}

static void
old_keys_stand_in_while_there_are_no_others_and_not_for_ever(void **state)
{
	struct fixture *f = *state;
	const struct lookup_answer *a;

	ask(f, "idp", false, 1);
	(void)take(f, 1);
	failing = true;
	f->now += FRESH * NANOSECONDS;
	ask(f, "idp", false, 2);
	a = take(f, 2);
	assert_set(a, "{}");
	assert_int_equal(a->keep, 5 * NANOSECONDS);
	assert_int_equal(a->keys.trusted, STALE * NANOSECONDS);
	ask(f, "idp", false, 3);
	assert_set(take(f, 3), "{}");
	assert_int_equal(fetches, 2); /* not again at once */
	f->now += STALE * NANOSECONDS;
	ask(f, "idp", false, 4);
	assert_failed(
	    take(f, 4), "the keys of 'idp' cannot be fetched: the web server is away");
	ask(f, "idp", true, 5);
	assert_int_equal(take(f, 5)->head.kind, LOOKUP_FAILED);
	assert_int_equal(fetches, 3);
	failing = false;
	f->now += 60 * NANOSECONDS;
	ask(f, "idp", false, 6);
	assert_set(take(f, 6), "{}");
}

static void
section_without_a_url_has_no_keys_here(void **state)
{
	struct fixture *f = *state;

	ask(f, "file", false, 1);
	assert_failed(take(f, 1), "no section verify 'file' has a URL");
	ask(f, "nobody", true, 2);
	assert_failed(take(f, 2), "no section verify 'nobody' has a URL");
	assert_int_equal(fetches, 0);
}

static void
who_is_forgotten_is_not_answered(void **state)
{
	struct fixture *f = *state;
	char byte;

	ask(f, "slow", false, 1);
	(void)pthread_mutex_lock(&f->lock);
	key_sets_forget(f->keys);
	(void)pthread_mutex_unlock(&f->lock);
	ask(f, "slow", false, 2);
	assert_int_equal(sem_post(&go), 0);
	assert_set(take(f, 2), "{}");
	(void)pthread_mutex_lock(&f->lock); /* then all are answered */
	assert_int_equal(recv(f->ours, &byte, sizeof(byte), MSG_DONTWAIT), -1);
	(void)pthread_mutex_unlock(&f->lock);
	assert_int_equal(fetches, 1);
}

static void
section_that_is_wrong_is_said_at_the_start(void **state)
{
	struct verify_sections all = {.items = sections, .count = 3};
	struct fixture *f = *state;
	const struct key_sets_parts parts = {
	    .sections = &all, .clock = &f->clock, .log = &f->log, .lock = &f->lock};
	struct key_sets *k;
	struct error e;

	opens = 0;
	unopenable = true;
	assert_int_equal(key_sets_open(&k, &parts, &e), -1);
	assert_null(k);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_int_equal(opens, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(keys_are_fetched_and_then_kept),
	    TEST(many_who_ask_are_one_fetch),
	    TEST(unknown_kid_has_them_fetched_once_in_half_a_minute),
	    TEST(old_keys_stand_in_while_there_are_no_others_and_not_for_ever),
	    TEST(section_without_a_url_has_no_keys_here),
	    TEST(who_is_forgotten_is_not_answered),
	    TEST(section_that_is_wrong_is_said_at_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
