/* authserver-token: what is found of a token that was kept, and what came of an attempt. */
#define _GNU_SOURCE /* mkdtemp, asprintf */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/failures.h"
#include "tools/authserver-token/flight.h"

/* {"alg":"RS512"} and {"exp":2000000000}, with two signatures. */
#define TOKEN(signature) "eyJhbGciOiJSUzUxMiJ9.eyJleHAiOjIwMDAwMDAwMDB9." signature

enum { BEFORE = 1900000000 };

static const char key[DIGEST_TEXT] = "key", other[DIGEST_TEXT] = "other";

struct place {
	char folder[32];
	char *path;
	char *lock;
};

static int
make(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	*state = p;
	if (p == NULL)
		return -1;
	memcpy(p->folder, "/tmp/test_cache.XXXXXX", 23);
	if (mkdtemp(p->folder) == NULL || asprintf(&p->path, "%s/token", p->folder) == -1 ||
	    asprintf(&p->lock, "%s/.token.lock", p->folder) == -1)
		return -1;
	return 0;
}

static int
clean(void **state)
{
	struct place *p = *state;

	(void)unlink(p->path);
	(void)unlink(p->lock);
	(void)rmdir(p->folder);
	free(p->path);
	free(p->lock);
	free(p);
	return 0;
}

static void
open_as(struct cache *c, const struct place *p, const char k[DIGEST_TEXT])
{
	struct error e;

	assert_int_equal(cache_open(c, p->path, k, &e), 0);
}

static void
keep(const struct cache *c, const char *text)
{
	struct buffer token;
	struct error e;

	buffer_init(&token, LIMIT_TOKEN);
	assert_int_equal(buffer_append(&token, text, strlen(text)), 0);
	assert_int_equal(cache_keep(c, &token, &e), 0);
	buffer_free(&token);
}

static int
look(const struct cache *c)
{
	struct found f;
	struct error e;
	int what;

	assert_int_equal(cache_look(c, &f, &e), 0);
	what = (int)f.what;
	cache_forget(&f);
	return what;
}

static void
token_is_found_for_its_own_request_alone(void **state)
{
	struct cache c, d;
	struct found f;
	struct error e;

	open_as(&c, *state, key);
	open_as(&d, *state, other);
	assert_int_equal(look(&c), FOUND_NOTHING);
	keep(&c, TOKEN("YQ"));
	assert_int_equal(cache_look(&c, &f, &e), 0);
	assert_int_equal(f.what, FOUND_TOKEN);
	assert_string_equal(f.token.data, TOKEN("YQ"));
	assert_int_equal(f.life.expires, 2000000000);
	cache_forget(&f);
	assert_int_equal(look(&d), FOUND_NOTHING);
	keep(&d, TOKEN("Yg"));
	assert_int_equal(look(&c), FOUND_NOTHING);
	assert_int_equal(look(&d), FOUND_TOKEN);
	cache_close(&c);
	cache_close(&d);
}

static void
failure_is_found_by_those_who_asked_the_same(void **state)
{
	struct error failure, e;
	struct cache c, d;
	struct found f;

	open_as(&c, *state, key);
	open_as(&d, *state, other);
	error_set(&failure, ERROR_NO_PERMISSION, "not let in: %s", "why");
	assert_int_equal(cache_keep_failure(&c, &failure, &e), 0);
	assert_int_equal(cache_look(&c, &f, &e), 0);
	assert_int_equal(f.what, FOUND_FAILURE);
	assert_int_equal(f.failure.code, ERROR_NO_PERMISSION);
	assert_string_equal(f.failure.text, "not let in: why");
	cache_forget(&f);
	assert_int_equal(look(&d), FOUND_NOTHING);
	cache_close(&c);
	cache_close(&d);
}

/* Whatever one byte of it is changed into, or where it ends. */
static void
damaged_record_is_none(void **state)
{
	const struct place *p = *state;
	char record[128];
	struct cache c;
	int fd;

	open_as(&c, p, key);
	keep(&c, TOKEN("YQ"));
	fd = open(p->lock, O_RDWR | O_CLOEXEC);
	assert_int_equal(pread(fd, record, sizeof(record), 0), sizeof(record));
	for (off_t i = 0; record[i] != '\0' && record[i + 1] != '\0'; i++) {
		char wrong = (char)(record[i] ^ 1);

		assert_int_equal(pwrite(fd, &wrong, 1, i), 1);
		assert_int_equal(look(&c), FOUND_NOTHING);
		assert_int_equal(pwrite(fd, &record[i], 1, i), 1);
	}
	assert_int_equal(look(&c), FOUND_TOKEN);
	for (off_t length = 0; length < 60; length++) {
		assert_int_equal(ftruncate(fd, length), 0);
		assert_int_equal(look(&c), FOUND_NOTHING);
	}
	close(fd);
	cache_close(&c);
}

static void
one_has_the_attempt(void **state)
{
	struct cache c, d;
	struct error e;

	open_as(&c, *state, key);
	open_as(&d, *state, key);
	assert_int_equal(cache_lock(&c, &e), 1);
	assert_int_equal(cache_lock(&d, &e), 0);
	cache_close(&c);
	assert_int_equal(cache_lock(&d, &e), 1);
	cache_close(&d);
}

static void
path_that_is_no_file_s_is_refused(void **state)
{
	static const char *const paths[] = {"", "/", "/tmp/", "tokens/"};
	const struct place *p = *state;
	char *name, *deep;
	struct cache c;
	struct error e;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_int_equal(cache_open(&c, paths[i], key, &e), -1);
		assert_int_equal(e.code, ERROR_CONFIG);
	}
	/* A name that leaves no room for the lock's, and a path that is none. */
	assert_true(asprintf(&name, "%s/%0250d", p->folder, 0) > 0);
	assert_true(asprintf(&deep, "%s/%05000d/x", p->folder, 0) > 0);
	assert_int_equal(cache_open(&c, name, key, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_int_equal(cache_open(&c, deep, key, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	free(name);
	free(deep);
	/* One without a folder is in the working directory. */
	assert_int_equal(chdir(p->folder), 0);
	assert_int_equal(cache_open(&c, "token", key, &e), 0);
	cache_close(&c);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(access(p->lock, F_OK), 0);
}

static void
place_that_is_not_ours_alone_is_refused(void **state)
{
	const struct place *p = *state;
	struct cache c;
	struct found f;
	struct error e;

	assert_int_equal(cache_open(&c, "/nowhere/token", key, &e), -1);
	assert_int_equal(e.code, ERROR_NO_INPUT);
	assert_int_equal(chmod(p->folder, 0777), 0);
	assert_int_equal(cache_open(&c, p->path, key, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	/* In a folder as /tmp is, nobody takes ours away. */
	assert_int_equal(chmod(p->folder, 01777), 0);
	open_as(&c, p, key);
	keep(&c, TOKEN("YQ"));
	assert_int_equal(chmod(p->path, 0644), 0);
	assert_int_equal(cache_look(&c, &f, &e), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	cache_forget(&f);
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(look(&c), FOUND_NOTHING);
	assert_int_equal(symlink("/etc/passwd", p->path), 0);
	assert_int_equal(cache_look(&c, &f, &e), -1);
	assert_non_null(strstr(e.text, "a symbolic link"));
	cache_forget(&f);
	cache_close(&c);
	if (geteuid() != 0)
		return;
	assert_int_equal(chown(p->folder, 65534, (gid_t)-1), 0);
	assert_int_equal(chmod(p->folder, 0755), 0);
	assert_int_equal(cache_open(&c, p->path, key, &e), -1);
	assert_non_null(strstr(e.text, "belongs to uid 65534"));
}

static void
what_is_too_large_or_gone_is_no_token(void **state)
{
	const struct place *p = *state;
	struct cache c;

	open_as(&c, p, key);
	keep(&c, TOKEN("YQ"));
	assert_int_equal(truncate(p->path, LIMIT_TOKEN + 1), 0);
	assert_int_equal(look(&c), FOUND_NOTHING);
	assert_int_equal(truncate(p->path, 0), 0);
	assert_int_equal(look(&c), FOUND_NOTHING);
	/* What was kept is no token, whoever kept it. */
	keep(&c, "none");
	assert_int_equal(look(&c), FOUND_NOTHING);
	cache_close(&c);
}

static void
what_cannot_be_kept_is_told(void **state)
{
	const struct place *p = *state;
	struct error failure, e;
	struct cache c;

	open_as(&c, p, key);
	error_set(&failure, ERROR_DENIED, "no");
	close(c.lock);
	c.lock = open(p->lock, O_RDONLY | O_CLOEXEC);
	assert_int_equal(cache_keep_failure(&c, &failure, &e), -1);
	assert_non_null(strstr(e.text, "the record of it: Bad file descriptor"));
	close(c.lock);
	c.lock = -1;
	assert_int_equal(cache_lock(&c, &e), -1);
	assert_non_null(strstr(e.text, "cannot be locked"));
	cache_close(&c);
}

static void
short_memory_keeps_nothing(void **state)
{
	char text[] = TOKEN("YQ");
	struct buffer token = {.data = text, .length = strlen(text)};
	struct error failure, e;
	struct cache c;
	int turn;

	open_as(&c, *state, key);
	error_set(&failure, ERROR_DENIED, "no");
	for (turn = 0; turn < 40; turn++) {
		(void)failures_set("memory", turn, 1, ENOMEM);
		if (cache_keep(&c, &token, &e) == 0)
			break;
		assert_int_equal(e.code, ERROR_UNAVAILABLE);
		assert_int_equal(failures_set(NULL, 0, 0, 0), 1);
		assert_int_not_equal(look(&c), FOUND_TOKEN);
	}
	assert_true(turn > 0);
	(void)failures_set("memory", 0, 1, ENOMEM);
	assert_int_equal(cache_keep_failure(&c, &failure, &e), -1);
	assert_int_equal(failures_set(NULL, 0, 0, 0), 1);
	/* What cannot be read for want of memory is not there. */
	for (turn = 0; turn < 40; turn++) {
		(void)failures_set("memory", turn, 1, ENOMEM);
		if (look(&c) == FOUND_TOKEN && failures_count() == 0)
			break;
	}
	assert_true(turn > 0);
	(void)failures_set(NULL, 0, 0, 0);
	cache_close(&c);
}

/* --- an attempt for all --- */

struct asked {
	int count;
	int rc;
};

static int64_t
now(void *state)
{
	return *(const int64_t *)state * NANOSECONDS;
}

static int
ask(void *context, struct buffer *token, struct error *e)
{
	struct asked *a = context;

	a->count++;
	if (a->rc == -1)
		return error_set(e, ERROR_UNAVAILABLE, "down");
	return buffer_append(token, TOKEN("Yw"), strlen(TOKEN("Yw")));
}

static void
tell(void *context, const struct error *e)
{
	(void)context;
	fail_msg("%s", e->text);
}

static int
fly(const struct cache *c, struct asked *a, int64_t seconds, const char *wanted)
{
	const struct clock clock = {.realtime = now, .monotonic = now, .state = &seconds};
	const struct flight f = {.ask = ask,
	    .context = a,
	    .tell = tell,
	    .clock = &clock,
	    .min_life = 60,
	    .timeout = 1};
	struct buffer token;
	struct error e;
	int rc;

	buffer_init(&token, LIMIT_TOKEN);
	rc = flight_token(&token, c, &f, &e);
	if (rc == 0)
		assert_string_equal(token.data, wanted);
	else
		assert_null(token.data);
	buffer_free(&token);
	return rc;
}

static void
kept_token_will_do_until_its_end_is_near(void **state)
{
	struct asked a = {0};
	struct cache c;

	open_as(&c, *state, key);
	keep(&c, TOKEN("YQ"));
	assert_int_equal(fly(&c, &a, 2000000000 - 60, TOKEN("YQ")), 0);
	assert_int_equal(a.count, 0);
	assert_int_equal(fly(&c, &a, 2000000000 - 59, TOKEN("Yw")), 0);
	assert_int_equal(a.count, 1);
	cache_close(&c);
	/* What was got is kept. */
	open_as(&c, *state, key);
	assert_int_equal(fly(&c, &a, BEFORE, TOKEN("Yw")), 0);
	assert_int_equal(a.count, 1);
	cache_close(&c);
}

static void
failure_of_before_is_no_answer(void **state)
{
	struct asked a = {.rc = -1};
	struct cache c;

	for (int i = 1; i <= 2; i++) {
		open_as(&c, *state, key);
		assert_int_equal(fly(&c, &a, BEFORE, NULL), -1);
		assert_int_equal(a.count, i);
		cache_close(&c);
	}
	/* A token that has ended is no answer, either. */
	open_as(&c, *state, key);
	keep(&c, TOKEN("YQ"));
	assert_int_equal(fly(&c, &a, 2000000000, NULL), -1);
	cache_close(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		token_is_found_for_its_own_request_alone, make, clean),
	    cmocka_unit_test_setup_teardown(
		failure_is_found_by_those_who_asked_the_same, make, clean),
	    cmocka_unit_test_setup_teardown(damaged_record_is_none, make, clean),
	    cmocka_unit_test_setup_teardown(one_has_the_attempt, make, clean),
	    cmocka_unit_test_setup_teardown(path_that_is_no_file_s_is_refused, make, clean),
	    cmocka_unit_test_setup_teardown(
		place_that_is_not_ours_alone_is_refused, make, clean),
	    cmocka_unit_test_setup_teardown(what_is_too_large_or_gone_is_no_token, make, clean),
	    cmocka_unit_test_setup_teardown(what_cannot_be_kept_is_told, make, clean),
	    cmocka_unit_test_setup_teardown(short_memory_keeps_nothing, make, clean),
	    cmocka_unit_test_setup_teardown(
		kept_token_will_do_until_its_end_is_near, make, clean),
	    cmocka_unit_test_setup_teardown(failure_of_before_is_no_answer, make, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
