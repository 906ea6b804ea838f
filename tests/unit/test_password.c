/* identity: questions about passwords on their way, and their answers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "identity/lookup_message.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes with their NULs, but without the one that C puts behind them. */
#define BYTES(text) (text), sizeof(text) - 1

static const char *
repeat(char *to, char c, size_t count)
{
	memset(to, c, count);
	to[count] = '\0';
	return to;
}

/* Reads a copy in as many bytes as it has, so that a build with SAN sees who reads behind it.
 */
static int
unpack(const char *text, size_t size)
{
	struct password_question q;
	char *copy = malloc(size > 0 ? size : 1);
	int rc;

	assert_non_null(copy);
	memcpy(copy, text, size);
	rc = password_unpack(&q, copy, size);
	free(copy);
	return rc;
}

/* --- questions --- */

static void
question_comes_out_as_it_went_in(void **state)
{
	static const struct password_question questions[] = {
	    {"alice", "secret"}, {"alice", NULL}, {"x", "y"}, {"a b", " \n\xff\x01 "}};

	(void)state;
	for (size_t i = 0; i < COUNT(questions); i++) {
		char text[PASSWORD_TEXT];
		size_t size = password_pack(text, &questions[i]);
		struct password_question q;

		assert_int_equal(password_unpack(&q, text, size), 0);
		assert_string_equal(q.user, questions[i].user);
		if (questions[i].password == NULL)
			assert_null(q.password);
		else
			assert_string_equal(q.password, questions[i].password);
	}
}

static void
nobody_is_asked_about_an_empty_password_or_no_name(void **state)
{
	static const struct password_question questions[] = {{"alice", ""}, {"", "secret"},
	    {"", NULL}, {".", "secret"}, {"..", NULL}, {"a/b", "secret"}, {"../x", NULL},
	    {"a\nb", "secret"}, {"a\x7f", "secret"}, {"a\xff", "secret"}};

	(void)state;
	for (size_t i = 0; i < COUNT(questions); i++)
		assert_false(password_is_askable(&questions[i]));
}

static void
the_longest_may_be_asked_and_one_more_byte_not(void **state)
{
	char user[LIMIT_PRINCIPAL + 1], password[LIMIT_PASSWORD + 1], text[PASSWORD_TEXT];
	struct password_question q = {
	    repeat(user, 'u', LIMIT_PRINCIPAL - 1), repeat(password, 'p', LIMIT_PASSWORD - 1)};

	(void)state;
	assert_true(password_is_askable(&q));
	assert_int_equal(password_pack(text, &q), sizeof(text));
	assert_int_equal(unpack(text, sizeof(text)), 0);
	repeat(user, 'u', LIMIT_PRINCIPAL);
	assert_false(password_is_askable(&q));
	repeat(user, 'u', 1);
	assert_true(password_is_askable(&q));
	repeat(password, 'p', LIMIT_PASSWORD);
	assert_false(password_is_askable(&q));
}

static void
bytes_that_are_no_question_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} rows[] = {
	    {BYTES("")},
	    {BYTES("\0")},
	    {BYTES("\0\0")},
	    {BYTES("alice")},
	    {BYTES("alice\0\0")},         /* an empty password */
	    {BYTES("alice\0secret")},     /* that does not end */
	    {BYTES("alice\0sec\0ret\0")}, /* with a NUL */
	    {BYTES("alice\0secret\0\0")},
	    {BYTES("alice\0secret\0x")},
	    {BYTES("\0secret\0")},
	    {BYTES("a/b\0secret\0")},
	};
	char all[PASSWORD_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(unpack(rows[i].bytes, rows[i].size), -1);
	memset(all, 'a', sizeof(all));
	assert_int_equal(unpack(all, sizeof(all)), -1);
	/* A name that takes the room of the password, and the reverse. */
	all[sizeof(all) - 1] = '\0';
	assert_int_equal(unpack(all, sizeof(all)), -1);
	all[1] = '\0';
	assert_int_equal(unpack(all, sizeof(all)), -1);
}

static void
question_that_is_cut_anywhere_is_another_or_none(void **state)
{
	char text[PASSWORD_TEXT];
	const struct password_question asked = {"alice", "secret"};
	size_t size = password_pack(text, &asked);

	(void)state;
	for (size_t cut = 0; cut < size; cut++)
		/* What is left of it when all of the password is gone is a question. */
		assert_int_equal(unpack(text, cut), cut == sizeof("alice") ? 0 : -1);
}

/* --- in messages --- */

static int
check_request(const struct lookup_request *q, size_t size)
{
	void *copy = malloc(size);
	int rc;

	assert_non_null(copy);
	memcpy(copy, q, size);
	rc = lookup_request_check(copy, size);
	free(copy);
	return rc;
}

static void
request_holds_a_question_and_no_more(void **state)
{
	const struct password_question asked = {"alice", "secret"};
	struct lookup_request q;
	size_t size;

	(void)state;
	memset(&q, 'x', sizeof(q));
	size = lookup_request_init_password(&q, &asked);
	assert_int_equal(q.head.kind, LOOKUP_PASSWORD);
	assert_int_equal(
	    size, sizeof(struct courier_head) + sizeof("alice") + sizeof("secret"));
	assert_int_equal(check_request(&q, size), 0);
	for (size_t other = size + 1; other <= sizeof(q); other++)
		assert_int_equal(check_request(&q, other), -1);
	for (size_t other = 0; other < sizeof(struct courier_head) + sizeof("alice"); other++)
		assert_int_equal(check_request(&q, other), -1);
	assert_int_equal(lookup_request_check(&q, sizeof(q) + 1), -1);
	/* The same bytes are no name. */
	q.head.kind = LOOKUP_USER;
	assert_int_equal(check_request(&q, size), -1);
}

static void
answer_is_a_verdict_or_why_there_is_none(void **state)
{
	static struct lookup_answer a;
	struct error e;
	size_t size;

	(void)state;
	lookup_answer_init_verdict(&a, 4711, PASSWORD_RIGHT, NULL);
	size = lookup_answer_size(&a);
	assert_int_equal(lookup_answer_check(&a, size), 0);
	assert_int_equal(a.head.id, 4711);
	assert_int_equal(a.verdict, PASSWORD_RIGHT);
	assert_int_equal(lookup_answer_check(&a, size - 1), -1);
	assert_int_equal(lookup_answer_check(&a, size + 1), -1);
	assert_true(lookup_answer_fits(&a, LOOKUP_PASSWORD));
	assert_false(lookup_answer_fits(&a, LOOKUP_USER));
	assert_false(lookup_answer_fits(&a, LOOKUP_KEYS));
	a.verdict = 2;
	assert_int_equal(lookup_answer_check(&a, size), -1);
	lookup_answer_init_verdict(&a, 1, PASSWORD_WRONG, NULL);
	assert_int_equal(a.verdict, PASSWORD_WRONG);
	/* With an error a verdict does not count. */
	error_set(&e, ERROR_UNAVAILABLE, "down");
	lookup_answer_init_verdict(&a, 1, PASSWORD_RIGHT, &e);
	assert_int_equal(a.head.kind, LOOKUP_FAILED);
	assert_string_equal(a.reason, "down");
	/* What was asked for something else has no verdict. */
	a.head.kind = LOOKUP_FOUND;
	assert_false(lookup_answer_fits(&a, LOOKUP_PASSWORD));
}

/* --- what the program says --- */

static void
answer_of_the_program_comes_out_as_it_went_in(void **state)
{
	char text[PASSWORD_ANSWER];
	struct error said = {0}, e = {0};
	int status;

	(void)state;
	status = password_answer_write(text, 0, &said);
	assert_int_equal(status, 0);
	assert_int_equal(password_answer_read(text, strlen(text), status, &e), 0);
	error_set(&said, ERROR_DENIED, "locked");
	status = password_answer_write(text, -1, &said);
	assert_int_equal(status, 1);
	assert_int_equal(password_answer_read(text, strlen(text), status, &e), -1);
	assert_int_equal(e.code, ERROR_DENIED);
	assert_string_equal(e.text, "locked");
	error_set(&said, ERROR_CONFIG, "t.conf:1: wrong");
	status = password_answer_write(text, -1, &said);
	assert_int_equal(status, 111);
	assert_int_equal(password_answer_read(text, strlen(text), status, &e), -1);
	assert_int_equal(e.code, ERROR_UNAVAILABLE);
	assert_string_equal(e.text, "t.conf:1: wrong");
	memset(said.text, 'x', sizeof(said.text) - 1);
	said.text[sizeof(said.text) - 1] = '\0';
	status = password_answer_write(text, -1, &said);
	assert_int_equal(password_answer_read(text, strlen(text), status, &e), -1);
	assert_string_equal(e.text, said.text);
}

static void
only_word_and_status_together_are_an_answer(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		int status;
	} rows[] = {
	    {BYTES(""), 0}, /* a module that exits */
	    {BYTES(""), 1},
	    {BYTES("right\n"), 1},
	    {BYTES("right\n"), 111},
	    {BYTES("right"), 0},
	    {BYTES("right\n\n"), 0},
	    {BYTES("right\nright\n"), 0},
	    {BYTES("right\0\n"), 0},
	    {BYTES("rightx\n"), 0},
	    {BYTES("wrong: x\n"), 0},
	    {BYTES("wrong: x\n"), 111},
	    {BYTES("wrong\n"), 1},
	    {BYTES("cannot say: x\n"), 0},
	    {BYTES("cannot say: x\n"), 1},
	    {BYTES("nonsense\n"), 0},
	    {BYTES("right\n"), 127},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error e = {0};

		assert_int_equal(
		    password_answer_read(rows[i].bytes, rows[i].size, rows[i].status, &e), -1);
		assert_int_equal(e.code, ERROR_UNAVAILABLE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(question_comes_out_as_it_went_in),
	    cmocka_unit_test(nobody_is_asked_about_an_empty_password_or_no_name),
	    cmocka_unit_test(the_longest_may_be_asked_and_one_more_byte_not),
	    cmocka_unit_test(bytes_that_are_no_question_are_refused),
	    cmocka_unit_test(question_that_is_cut_anywhere_is_another_or_none),
	    cmocka_unit_test(request_holds_a_question_and_no_more),
	    cmocka_unit_test(answer_is_a_verdict_or_why_there_is_none),
	    cmocka_unit_test(answer_of_the_program_comes_out_as_it_went_in),
	    cmocka_unit_test(only_word_and_status_together_are_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
