/* identity: the sources of groups in their order, and the breaker. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "identity/chain.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A directory with a file users and a script, and the chain that a configuration makes. */
struct fixture {
	char directory[64];
	char users[64];
	char script[64];
	struct config config;
	struct breaker breaker;
	struct clock clock;
	_Atomic int64_t now; /* what the clock says */
	int64_t step;        /* what it is put forward each time that it is asked */
	struct chain *chain;
	char told[512]; /* what chain_lookup told, a source a line */
};

static struct fixture fixture;

static int64_t
tell_time(void *state)
{
	struct fixture *f = state;

	/* Threads ask, too, but only while none puts it forward. */
	if (f->step != 0)
		f->now += f->step;
	return f->now;
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fputs(text, file) < 0, 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int
setup(void **state)
{
	struct fixture *f = *state = &fixture;

	*f = (struct fixture){0};
	umask(022);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/test_chain.XXXXXX");
	if (mkdtemp(f->directory) == NULL)
		return -1;
	(void)snprintf(f->users, sizeof(f->users), "%.40s/users", f->directory);
	(void)snprintf(f->script, sizeof(f->script), "%.40s/script", f->directory);
	f->clock = (struct clock){.monotonic = tell_time, .state = f};
	write_file(f->users,
	    "{\"alice\": [\"Static\", \"app-a\", \"shared\"], \"bob\": [],"
	    " \"root\": [\"Static\"]}",
	    0600);
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	chain_close(f->chain);
	config_free(&f->config);
	(void)unlink(f->users);
	(void)unlink(f->script);
	return rmdir(f->directory);
}

/* The script prints this and exits with status. */
static void
set_script(const struct fixture *f, const char *answer, int status)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "#!/bin/sh\necho '%s'\nexit %d\n", answer, status);
	write_file(f->script, text, 0700);
}

/* One more of the same configuration. */
static int
open_another(struct fixture *f, struct chain **out, const struct chain *lender, struct error *e)
{
	const struct chain_parts parts = {.config = &f->config.groups,
	    .breaker = &f->breaker,
	    .clock = &f->clock,
	    .lender = lender};

	return chain_open(out, &parts, e);
}

/* A chain of a section groups with these lines, and the sections of the sources. */
static int
try_chain(struct fixture *f, const char *lines, struct error *e)
{
	char text[1024], file[256] = "", script[256] = "";

	chain_close(f->chain);
	f->chain = NULL;
	config_free(&f->config);
	if (strstr(lines, "static") != NULL)
		(void)snprintf(file, sizeof(file), "static { file = \"%s\" }\n", f->users);
	if (strstr(lines, "script") != NULL)
		(void)snprintf(script, sizeof(script),
		    "script { directory = \"%s\" files = script }\n", f->directory);
	(void)snprintf(text, sizeof(text), "groups {\n%s\n%s%s }\n", lines, file, script);
	assert_int_equal(config_init(&f->config, e), 0);
	if (config_parse(&f->config, text, strlen(text), "t.conf", e) == -1)
		fail_msg("%s", e->text);
	return open_another(f, &f->chain, NULL, e);
}

static void
open_chain(struct fixture *f, const char *lines)
{
	struct error e = {0};

	if (try_chain(f, lines, &e) == -1)
		fail_msg("%s", e.text);
}

static void
note(void *context, const struct chain_answer *a)
{
	struct fixture *f = context;
	size_t used = strlen(f->told);

	assert_true((a->m == NULL) != (a->e == NULL));
	(void)snprintf(f->told + used, sizeof(f->told) - used, "%s %s\n", a->source,
	    a->m == NULL  ? "failed"
	    : a->m->known ? "knows"
			  : "does not");
}

static int
look_up(struct fixture *f, const char *user, const char *claimed, struct membership *m,
    struct error *e)
{
	const struct chain_question q = {.user = user, .claimed = claimed};

	*f->told = '\0';
	return chain_lookup(f->chain, &q, m, note, f, e);
}

/* The user is known, and in these groups at least. */
static void
assert_groups_of(
    struct fixture *f, const char *user, const char *claimed, const char *groups, bool partial)
{
	struct membership m;
	struct error e = {0};

	if (look_up(f, user, claimed, &m, &e) == -1)
		fail_msg("%s", e.text);
	assert_true(m.known);
	assert_int_equal(m.partial, partial);
	assert_string_equal(m.groups, groups);
}

/* The user is known, and in these groups. */
static void
assert_groups(struct fixture *f, const char *user, const char *claimed, const char *groups)
{
	assert_groups_of(f, user, claimed, groups, false);
}

static void
assert_unknown(struct fixture *f, const char *user)
{
	struct membership m;
	struct error e = {0};

	if (look_up(f, user, NULL, &m, &e) == -1)
		fail_msg("%s", e.text);
	assert_false(m.known);
	assert_string_equal(m.groups, "");
}

static void
assert_fails(struct fixture *f, const char *user, const char *text)
{
	struct membership m;
	struct error e = {0};

	assert_int_equal(look_up(f, user, NULL, &m, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	if (strstr(e.text, text) == NULL)
		fail_msg("%s", e.text);
}

/* --- modes --- */

static void
first_source_that_knows_the_user_answers_alone(void **state)
{
	struct fixture *f = *state;

	set_script(f, "{\"groups\": [\"Script\"]}", 0);
	open_chain(f, "resolvers = {static, script}");
	assert_groups(f, "alice", NULL, "static\napp-a\nshared\n");
	assert_string_equal(f->told, "static knows\n");
	/* To know is enough; there need be no groups. */
	assert_groups(f, "bob", NULL, "");
	assert_string_equal(f->told, "static knows\n");
	assert_groups(f, "carol", NULL, "script\n");
	assert_string_equal(f->told, "static does not\nscript knows\n");
}

static void
user_that_no_source_knows_is_unknown(void **state)
{
	struct fixture *f = *state;

	set_script(f, "{\"groups\": null}", 0);
	open_chain(f, "resolvers = {static, script, claim, unix}");
	assert_unknown(f, "no-such-account");
	assert_string_equal(
	    f->told, "static does not\nscript does not\nclaim does not\nunix does not\n");
}

static void
merging_asks_all_and_the_first_comes_first(void **state)
{
	struct fixture *f = *state;
	struct membership m;
	struct error e = {0};

	set_script(f,
	    "{\"groups\": [\"Script\", \"SHARED\"], \"email\": \"a@b\", \"namespace\": \"n\"}",
	    0);
	open_chain(f, "resolvers = {static, script}\nmode = merge");
	assert_groups(f, "alice", NULL, "static\napp-a\nshared\nscript\n");
	assert_string_equal(f->told, "static knows\nscript knows\n");
	assert_int_equal(look_up(f, "alice", NULL, &m, &e), 0);
	assert_string_equal(m.email, "a@b");
	assert_string_equal(m.space, "n");
	open_chain(f, "resolvers = {script, static}\nmode = merge");
	assert_groups(f, "alice", NULL, "script\nshared\nstatic\napp-a\n");
	assert_groups(f, "carol", NULL, "script\nshared\n");
}

/* --- claimed groups --- */

static void
claimed_groups_are_a_source_like_others(void **state)
{
	struct fixture *f = *state;

	open_chain(f, "resolvers = {claim, static}");
	assert_groups(f, "alice", "Mine\nother\n", "mine\nother\n");
	assert_string_equal(f->told, "claim knows\n");
	assert_groups(f, "alice", "last", "last\n");
	/* A token without groups is one; no token is none. */
	assert_groups(f, "alice", "", "");
	assert_groups(f, "alice", NULL, "static\napp-a\nshared\n");
	assert_string_equal(f->told, "claim does not\nstatic knows\n");
}

static void
claimed_groups_do_not_count_unless_they_are_a_resolver(void **state)
{
	struct fixture *f = *state;

	open_chain(f, "resolvers = {static}\nmode = merge");
	assert_groups(f, "alice", "admin\n", "static\napp-a\nshared\n");
}

static void
claimed_groups_that_are_none_are_a_failure(void **state)
{
	struct fixture *f = *state;
	struct membership m;
	struct error e = {0};

	open_chain(f, "resolvers = {claim}");
	assert_int_equal(look_up(f, "alice", "a\n\nb\n", &m, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_int_equal(look_up(f, "alice", "a\x1b\n", &m, &e), -1);
}

/* --- failures --- */

static void
failure_of_a_source_is_a_failure(void **state)
{
	struct fixture *f = *state;

	set_script(f, "", 1);
	open_chain(f, "resolvers = {script, static}");
	assert_fails(f, "alice", "groups from script: ");
	assert_string_equal(f->told, "script failed\n");
	open_chain(f, "resolvers = {static, script}\nmode = merge");
	assert_fails(f, "alice", "groups from script: ");
	/* One that is not asked cannot fail. */
	open_chain(f, "resolvers = {static, script}");
	assert_groups(f, "alice", NULL, "static\napp-a\nshared\n");
	assert_fails(f, "carol", "groups from script: ");
}

static void
failure_of_an_optional_source_is_none(void **state)
{
	struct fixture *f = *state;

	set_script(f, "{\"groups\": [\"half\"]}", 1);
	open_chain(f, "resolvers = {script, static}\noptional = script");
	assert_groups_of(f, "alice", NULL, "static\napp-a\nshared\n", true);
	assert_string_equal(f->told, "script failed\nstatic knows\n");
	open_chain(f, "resolvers = {script, static}\nmode = merge\noptional = script");
	assert_groups_of(f, "alice", NULL, "static\napp-a\nshared\n", true);
	assert_unknown(f, "carol");
	/* One that need not be asked is not missed. */
	open_chain(f, "resolvers = {static, script}\noptional = script");
	assert_groups(f, "alice", NULL, "static\napp-a\nshared\n");
}

static void
source_that_cannot_be_opened_is_told(void **state)
{
	struct fixture *f = *state;
	struct error e = {0};

	set_script(f, "", 0);
	assert_int_equal(unlink(f->users), 0);
	assert_int_equal(try_chain(f, "resolvers = {script, static}", &e), -1);
	assert_null(f->chain);
	assert_int_equal(e.code, ERROR_NO_INPUT);
	assert_non_null(strstr(e.text, f->users));
	chain_close(NULL);
}

static void
chain_shares_what_never_changes_with_its_lender(void **state)
{
	struct fixture *f = *state;
	struct chain *first;
	struct error e = {0};

	set_script(f, "{\"groups\": [\"half\"]}", 0);
	open_chain(f, "resolvers = {script, static, unix, claim}\nmode = merge");
	first = f->chain;
	assert_int_equal(unlink(f->users), 0); /* it is not read anew */
	assert_int_equal(open_another(f, &f->chain, first, &e), 0);
	assert_groups(f, "alice", NULL, "half\nstatic\napp-a\nshared\n");
	chain_close(f->chain);
	f->chain = first;
	assert_groups(f, "alice", NULL, "half\nstatic\napp-a\nshared\n");
	/* What is not shared is opened, and may fail. */
	assert_int_equal(unlink(f->script), 0);
	assert_int_equal(open_another(f, &f->chain, first, &e), -1);
	assert_null(f->chain);
	f->chain = first;
}

/* --- names --- */

static void
names_of_the_hosts_groups_are_not_folded(void **state)
{
	struct fixture *f = *state;
	struct membership m;
	struct error e = {0};

	open_chain(f, "resolvers = unix");
	assert_int_equal(look_up(f, "root", NULL, &m, &e), 0);
	assert_true(m.known);
	assert_true(groups_have(m.groups, "root", 4));
	/* "Static" of a file is folded, and stands beside what the host says. */
	open_chain(f, "resolvers = {unix, static}\nmode = merge");
	assert_int_equal(look_up(f, "root", NULL, &m, &e), 0);
	assert_true(groups_have(m.groups, "root", 4));
	assert_true(groups_have(m.groups, "static", 6));
	assert_false(groups_have(m.groups, "Static", 6));
}

static void
only_what_is_allowed_is_kept(void **state)
{
	struct fixture *f = *state;

	open_chain(f, "resolvers = {claim, static}\nallow = {\"app-*\", shared}");
	assert_groups(f, "alice", NULL, "app-a\nshared\n");
	assert_groups(f, "alice", "admin\nAPP-X\n", "app-x\n");
	assert_groups(f, "alice", "admin\n", "");
}

static void
more_groups_than_may_be_are_a_failure(void **state)
{
	struct fixture *f = *state;

	open_chain(f, "resolvers = static\nmost = 3");
	assert_groups(f, "alice", NULL, "static\napp-a\nshared\n");
	open_chain(f, "resolvers = static\nmost = 2");
	assert_fails(f, "alice", "the user is in more than 2 groups");
	/* It is those that are kept that count. */
	open_chain(f, "resolvers = static\nmost = 2\nallow = {static, shared}");
	assert_groups(f, "alice", NULL, "static\nshared\n");
}

/* --- the breaker --- */

static void
source_that_was_slow_to_fail_is_left_alone_for_a_while(void **state)
{
	struct fixture *f = *state;

	set_script(f, "", 1);
	open_chain(f, "resolvers = {script}\nretry = 5s");
	f->step = NANOSECONDS; /* it fails when three have gone, having taken one */
	assert_fails(f, "alice", "exited with status 1");
	f->step = 0;
	set_script(f, "{\"groups\": [\"a\"]}", 0);
	assert_fails(f, "alice", "left alone for a while");
	f->now = 8 * NANOSECONDS - 1;
	assert_fails(f, "alice", "left alone for a while");
	f->now = 8 * NANOSECONDS;
	assert_groups(f, "alice", NULL, "a\n");
}

static void
source_that_failed_at_once_is_asked_again(void **state)
{
	struct fixture *f = *state;

	set_script(f, "", 1);
	open_chain(f, "resolvers = {script}");
	f->step = NANOSECONDS / 1000;
	assert_fails(f, "alice", "exited with status 1");
	set_script(f, "{\"groups\": [\"a\"]}", 0);
	assert_groups(f, "alice", NULL, "a\n");
}

static void
source_that_is_slow_to_answer_is_asked_again(void **state)
{
	struct fixture *f = *state;

	set_script(f, "{\"groups\": [\"a\"]}", 0);
	open_chain(f, "resolvers = {script}");
	f->step = 2 * NANOSECONDS;
	assert_groups(f, "alice", NULL, "a\n");
	assert_groups(f, "alice", NULL, "a\n");
}

static void
other_sources_are_asked_meanwhile(void **state)
{
	struct fixture *f = *state;

	set_script(f, "", 1);
	open_chain(f, "resolvers = {script, static}\noptional = script");
	f->step = NANOSECONDS;
	assert_groups_of(f, "alice", NULL, "static\napp-a\nshared\n", true);
	f->step = 0;
	set_script(f, "{\"groups\": [\"a\"]}", 0);
	assert_groups_of(f, "alice", NULL, "static\napp-a\nshared\n", true);
	assert_string_equal(f->told, "script failed\nstatic knows\n");
}

/* What a thread of its own does. */
static void *
look_up_alice(void *argument)
{
	struct fixture *f = argument;
	const struct chain_question q = {.user = "alice"};
	static struct membership m;
	struct error e;

	(void)chain_lookup(f->chain, &q, &m, NULL, NULL, &e);
	return NULL;
}

/* The script goes on when there is something to read for it. */
static void
source_that_does_not_return_is_left_alone_once_it_is_overdue(void **state)
{
	struct fixture *f = *state;
	char fifo[64], text[512];
	pthread_t thread;
	int fd;

	(void)snprintf(fifo, sizeof(fifo), "%.40s/fifo", f->directory);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	(void)snprintf(
	    text, sizeof(text), "#!/bin/sh\nread -r line <%s\necho '{\"groups\": []}'\n", fifo);
	write_file(f->script, text, 0700);
	open_chain(f, "resolvers = {static, script}\nmode = merge");
	chain_overdue(f->chain); /* it is not being asked */
	assert_int_equal(pthread_create(&thread, NULL, look_up_alice, f), 0);
	fd = open(fifo, O_WRONLY); /* the script has begun */
	assert_int_equal(unlink(fifo), 0);
	f->now += 2 * NANOSECONDS - 1;
	chain_overdue(f->chain); /* but not for long */
	assert_true(breaker_closed(&f->breaker, 1, f->now));
	f->now += 1;
	chain_overdue(f->chain);
	assert_true(breaker_closed(&f->breaker, 0, f->now));
	assert_false(breaker_closed(&f->breaker, 1, f->now));
	assert_int_equal(write(fd, "\n", 1), 1);
	close(fd);
	assert_int_equal(pthread_join(thread, NULL), 0);
	f->now += 60 * NANOSECONDS;
	chain_overdue(f->chain);
	assert_true(breaker_closed(&f->breaker, 1, f->now));
}

static void
breaker_opens_at_nine_tenths_of_a_second(void **state)
{
	const int64_t slow = NANOSECONDS / 10 * 9;
	struct breaker b = {0};

	(void)state;
	assert_true(breaker_closed(&b, 1, 0));
	breaker_failed(&b, 1, 100, slow - 1, 5);
	assert_true(breaker_closed(&b, 1, 100));
	breaker_failed(&b, 1, 100, slow, 5);
	assert_false(breaker_closed(&b, 1, 100));
	assert_false(breaker_closed(&b, 1, 99 + 5 * NANOSECONDS));
	assert_true(breaker_closed(&b, 1, 100 + 5 * NANOSECONDS));
	assert_true(breaker_closed(&b, 0, 100));
	assert_true(breaker_closed(&b, 2, 100));
}

static void
deadline_is_the_sum_of_the_timeouts_that_count(void **state)
{
	struct fixture *f = *state;

	set_script(f, "", 0);
	open_chain(f, "resolvers = {claim, static}");
	assert_int_equal(groups_deadline(&f->config.groups), 2);
	open_chain(f, "resolvers = {script, rest, unix}\nrest { url = \"http://[::1]/\" "
		      "timeout = 7s }");
	assert_int_equal(groups_deadline(&f->config.groups), 2 + 7 + 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(first_source_that_knows_the_user_answers_alone),
	    TEST(user_that_no_source_knows_is_unknown),
	    TEST(merging_asks_all_and_the_first_comes_first),
	    TEST(claimed_groups_are_a_source_like_others),
	    TEST(claimed_groups_do_not_count_unless_they_are_a_resolver),
	    TEST(claimed_groups_that_are_none_are_a_failure),
	    TEST(failure_of_a_source_is_a_failure),
	    TEST(failure_of_an_optional_source_is_none),
	    TEST(source_that_cannot_be_opened_is_told),
	    TEST(chain_shares_what_never_changes_with_its_lender),
	    TEST(names_of_the_hosts_groups_are_not_folded),
	    TEST(only_what_is_allowed_is_kept),
	    TEST(more_groups_than_may_be_are_a_failure),
	    TEST(source_that_was_slow_to_fail_is_left_alone_for_a_while),
	    TEST(source_that_failed_at_once_is_asked_again),
	    TEST(source_that_is_slow_to_answer_is_asked_again),
	    TEST(other_sources_are_asked_meanwhile),
	    TEST(source_that_does_not_return_is_left_alone_once_it_is_overdue),
	    cmocka_unit_test(breaker_opens_at_nine_tenths_of_a_second),
	    TEST(deadline_is_the_sum_of_the_timeouts_that_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
