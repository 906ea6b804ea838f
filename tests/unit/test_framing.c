/* fcgi: when a FastCGI request is complete, and what is no request at all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "fcgi/framing.h"

/* Record types and roles (FastCGI specification 1.0, 8). */
enum {
	BEGIN_REQUEST = 1,
	ABORT_REQUEST = 2,
	END_REQUEST = 3,
	PARAMS = 4,
	STDIN = 5,
	STDOUT = 6,
	DATA = 8,
	GET_VALUES = 9,
};
enum { RESPONDER = 1, AUTHORIZER = 2, FILTER = 3, KEEP_CONN = 1 };
enum { HEADER = 8, RECORD_MAX = 65535 };

/* The bytes of a connection, built up record by record. */
struct stream {
	unsigned char bytes[4 * FRAMING_MAX];
	size_t length;
};

static struct stream stream;

static int
setup(void **state)
{
	memset(&stream, 0xaa, sizeof(stream));
	stream.length = 0;
	*state = &stream;
	return 0;
}

static void
add_header(struct stream *s, int type, int id, size_t size, size_t padding)
{
	const unsigned char header[HEADER] = {1, (unsigned char)type, (unsigned char)(id >> 8),
	    (unsigned char)id, (unsigned char)(size >> 8), (unsigned char)size,
	    (unsigned char)padding, 0};

	memcpy(s->bytes + s->length, header, HEADER);
	s->length += HEADER;
}

/* A record whose content is size bytes 'x'; params are pairs of an empty name and value. */
static void
add(struct stream *s, int type, int id, size_t size, size_t padding)
{
	assert_in_range(s->length + HEADER + size + padding, 0, sizeof(s->bytes));
	add_header(s, type, id, size, padding);
	memset(s->bytes + s->length, 'x', size + padding);
	if (type == PARAMS)
		memset(s->bytes + s->length, 0, size);
	s->length += size + padding;
}

static void
add_begin(struct stream *s, int id, int role, int flags)
{
	const unsigned char body[8] = {0, (unsigned char)role, (unsigned char)flags};

	add_header(s, BEGIN_REQUEST, id, sizeof(body), 0);
	memcpy(s->bytes + s->length, body, sizeof(body));
	s->length += sizeof(body);
}

/* Up to the end of the params. */
static void
add_head(struct stream *s, int flags)
{
	add_begin(s, 1, RESPONDER, flags);
	add(s, PARAMS, 1, 30, 2);
	add(s, PARAMS, 1, 0, 0);
}

/* The verdict on the first length bytes, which lie in memory of exactly that size so that
 * a sanitizer sees any read beyond. */
static enum framing
scan(const struct stream *s, size_t length)
{
	unsigned char *copy = malloc(length != 0 ? length : 1);
	struct framing_head head = {0};
	enum framing verdict;

	assert_non_null(copy);
	memcpy(copy, s->bytes, length);
	verdict = framing_scan(copy, length, &head);
	free(copy);
	return verdict;
}

static enum framing
scan_all(const struct stream *s)
{
	return scan(s, s->length);
}

static void
request_with_its_last_record_is_complete(void **state)
{
	struct stream *s = *state;

	add_head(s, 0);
	add(s, STDIN, 1, 0, 0);
	assert_int_equal(scan_all(s), FRAMING_COMPLETE);
}

static void
request_in_many_records_is_complete(void **state)
{
	struct stream *s = *state;

	add_begin(s, 0x1234, RESPONDER, 0);
	for (size_t i = 1; i <= 20; i++)
		add(s, PARAMS, 0x1234, i, 255 - i);
	add(s, PARAMS, 0x1234, 0, 0);
	for (size_t i = 1; i <= 20; i++)
		add(s, STDIN, 0x1234, 11 * i, i % 8);
	add(s, STDIN, 0x1234, 0, 0);
	assert_int_equal(scan_all(s), FRAMING_COMPLETE);
}

/* libfcgi does not pass over it: it would be read as records that nobody has looked at. */
static void
padding_behind_a_begin_and_an_end_is_invalid(void **state)
{
	static const struct {
		size_t begin, params, stdin_; /* bytes of padding */
		enum framing verdict;
	} rows[] = {{0, 0, 0, FRAMING_COMPLETE}, {8, 0, 0, FRAMING_INVALID},
	    {0, 7, 0, FRAMING_INVALID}, {0, 0, 255, FRAMING_INVALID}};
	struct stream *s = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s->length = 0;
		add_begin(s, 1, RESPONDER, 0);
		s->bytes[6] = (unsigned char)rows[i].begin;
		s->length += rows[i].begin;
		add(s, PARAMS, 1, 30, 2);
		add(s, PARAMS, 1, 0, rows[i].params);
		add(s, STDIN, 1, 30, 2);
		add(s, STDIN, 1, 0, rows[i].stdin_);
		assert_int_equal(scan_all(s), rows[i].verdict);
	}
}

static void
every_prefix_of_a_request_is_incomplete(void **state)
{
	struct stream *s = *state;

	add_head(s, KEEP_CONN);
	add(s, STDIN, 1, 10, 6);
	add(s, STDIN, 1, 0, 0);
	for (size_t length = 0; length < s->length; length++)
		if (scan(s, length) != FRAMING_INCOMPLETE)
			fail_msg("%zu of %zu bytes", length, s->length);
	assert_int_equal(scan_all(s), FRAMING_COMPLETE);
}

static void
bytes_behind_a_request_are_invalid(void **state)
{
	struct stream *s = *state;

	add_head(s, KEEP_CONN);
	add(s, STDIN, 1, 0, 0);
	for (size_t extra = 1; extra < 20; extra++)
		assert_int_equal(scan(s, s->length + extra), FRAMING_INVALID);
	add_head(s, KEEP_CONN);
	assert_int_equal(scan_all(s), FRAMING_INVALID);
}

static void
connection_is_kept_when_the_server_says_so(void **state)
{
	static const struct {
		int flags;
		bool keep;
	} rows[] = {{0, false}, {KEEP_CONN, true}, {0xff, true}, {0xfe, false}};
	struct stream *s = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct framing_head head = {.keep = !rows[i].keep, .authorizer = true};

		s->length = 0;
		add_head(s, rows[i].flags);
		add(s, STDIN, 1, 0, 0);
		assert_int_equal(framing_scan(s->bytes, s->length, &head), FRAMING_COMPLETE);
		assert_int_equal(head.keep, rows[i].keep);
		assert_false(head.authorizer);
	}
}

/* One record, or its header, in the place where a begin, a param or a body would be. */
static void
records_that_no_web_server_sends_are_invalid(void **state)
{
	static const struct {
		const char *what;
		int after; /* 0: first of all, 1: the begin, 2: the params, 3: the body */
		int type;
		int id;
		size_t size;
	} rows[] = {
	    {"management: get values", 0, GET_VALUES, 0, 16},
	    {"management within a request", 1, GET_VALUES, 0, 16},
	    {"management with the id of a request", 1, GET_VALUES, 1, 16},
	    {"unknown type", 0, 11, 0, 8},
	    {"unknown type within a request", 1, 11, 1, 8},
	    {"type 0", 1, 0, 1, 8},
	    {"type 255", 1, 255, 1, 8},
	    {"abort", 1, ABORT_REQUEST, 1, 0},
	    {"abort behind the params", 2, ABORT_REQUEST, 1, 0},
	    {"end of a request", 1, END_REQUEST, 1, 8},
	    {"output", 2, STDOUT, 1, 8},
	    {"data of a filter", 2, DATA, 1, 8},
	    {"params without a request", 0, PARAMS, 1, 8},
	    {"params of id 0", 0, PARAMS, 0, 8},
	    {"params of another request", 1, PARAMS, 2, 8},
	    {"params of an id that differs in its high byte", 1, PARAMS, 257, 8},
	    {"params behind their end", 2, PARAMS, 1, 8},
	    {"end of params behind their end", 2, PARAMS, 1, 0},
	    {"body without a request", 0, STDIN, 1, 8},
	    {"body before the params", 1, STDIN, 1, 8},
	    {"end of the body before the params", 1, STDIN, 1, 0},
	    {"body of another request", 2, STDIN, 2, 8},
	    {"body behind its end", 3, STDIN, 1, 8},
	    {"second begin", 1, BEGIN_REQUEST, 1, 8},
	    {"begin of a second request", 1, BEGIN_REQUEST, 2, 8},
	    {"begin behind the params", 2, BEGIN_REQUEST, 1, 8},
	    {"begin that is too short", 0, BEGIN_REQUEST, 1, 7},
	    {"begin that is too long", 0, BEGIN_REQUEST, 1, 9},
	    {"begin without content", 0, BEGIN_REQUEST, 1, 0},
	};
	struct stream *s = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s->length = 0;
		if (rows[i].after == 1)
			add_begin(s, 1, RESPONDER, 0);
		else if (rows[i].after >= 2)
			add_head(s, 0);
		if (rows[i].after == 3)
			add(s, STDIN, 1, 0, 0);
		add(s, rows[i].type, rows[i].id, rows[i].size, 0);
		/* A begin that is well formed but for its place. */
		if (rows[i].type == BEGIN_REQUEST && rows[i].size == 8)
			memcpy(s->bytes + s->length - 8, "\0\1\0\0\0\0\0\0", 8);
		if (scan_all(s) != FRAMING_INVALID)
			fail_msg("%s", rows[i].what);
		/* Its header says enough: nobody waits for the rest of it. */
		if (scan(s, s->length - rows[i].size) != FRAMING_INVALID)
			fail_msg("%s: by its header", rows[i].what);
	}
}

static void
begin_has_a_role_that_is_served_and_an_id(void **state)
{
	static const struct {
		int id;
		int role;
		enum framing verdict;
	} rows[] = {
	    {1, RESPONDER, FRAMING_INCOMPLETE},
	    {65535, RESPONDER, FRAMING_INCOMPLETE},
	    {0, RESPONDER, FRAMING_INVALID},
	    {1, AUTHORIZER, FRAMING_INCOMPLETE},
	    {0, AUTHORIZER, FRAMING_INVALID},
	    {1, FILTER, FRAMING_INVALID},
	    {1, 0, FRAMING_INVALID},
	};
	struct stream *s = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s->length = 0;
		add_begin(s, rows[i].id, rows[i].role, 0);
		assert_int_equal(scan_all(s), rows[i].verdict);
	}
	s->length = 0;
	add_begin(s, 1, RESPONDER, 0);
	s->bytes[HEADER] = 1; /* role 257 */
	assert_int_equal(scan_all(s), FRAMING_INVALID);
}

/* Up to the end of the params, with which it is complete. */
static void
add_authorizer(struct stream *s, int flags)
{
	add_begin(s, 1, AUTHORIZER, flags);
	add(s, PARAMS, 1, 30, 2);
	add(s, PARAMS, 1, 0, 0);
}

static void
request_for_an_authorizer_ends_with_its_params(void **state)
{
	struct framing_head head = {0};
	struct stream *s = *state;

	add_authorizer(s, KEEP_CONN);
	for (size_t length = 0; length < s->length; length++)
		if (scan(s, length) != FRAMING_INCOMPLETE)
			fail_msg("%zu of %zu bytes", length, s->length);
	assert_int_equal(framing_scan(s->bytes, s->length, &head), FRAMING_COMPLETE);
	assert_true(head.authorizer);
	assert_true(head.keep);
}

static void
request_for_an_authorizer_may_end_a_body_and_has_none(void **state)
{
	struct stream *s = *state;
	size_t params;

	add_authorizer(s, 0);
	params = s->length;
	add(s, STDIN, 1, 0, 0);
	for (size_t length = params + 1; length < s->length; length++)
		assert_int_equal(scan(s, length), FRAMING_INCOMPLETE);
	assert_int_equal(scan_all(s), FRAMING_COMPLETE);
	s->length = params;
	add(s, STDIN, 1, 1, 0);
	assert_int_equal(scan_all(s), FRAMING_INVALID);
	assert_int_equal(scan(s, params + HEADER), FRAMING_INVALID);
	s->length = params;
	add(s, PARAMS, 1, 0, 0);
	assert_int_equal(scan_all(s), FRAMING_INVALID);
	s->length = params;
	add_authorizer(s, 0);
	assert_int_equal(scan_all(s), FRAMING_INVALID);
}

static void
every_record_has_version_1(void **state)
{
	static const unsigned char versions[] = {0, 2, 255};
	struct stream *s = *state;
	const size_t records[] = {0, HEADER + 8, HEADER + 8 + HEADER + 32};

	add_head(s, 0);
	add(s, STDIN, 1, 0, 0);
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		for (size_t k = 0; k < sizeof(versions); k++) {
			assert_int_equal(s->bytes[records[i]], 1);
			s->bytes[records[i]] = versions[k];
			assert_int_equal(scan_all(s), FRAMING_INVALID);
			s->bytes[records[i]] = 1;
		}
	}
	assert_int_equal(scan_all(s), FRAMING_COMPLETE);
}

static void
params_have_a_bound(void **state)
{
	struct stream *s = *state;

	add_begin(s, 1, RESPONDER, 0);
	add(s, PARAMS, 1, RECORD_MAX, 0);
	add(s, PARAMS, 1, LIMIT_PARAMS - RECORD_MAX, 0);
	assert_int_equal(scan_all(s), FRAMING_INCOMPLETE);
	add(s, PARAMS, 1, 1, 0);
	assert_int_equal(scan_all(s), FRAMING_INVALID);
}

/* A record of params with these bytes. */
static void
add_params(struct stream *s, const void *bytes, size_t size)
{
	add_header(s, PARAMS, 1, size, 0);
	memcpy(s->bytes + s->length, bytes, size);
	s->length += size;
}

/* libfcgi adds up lengths as they come: what does not fit must not get there. */
static void
pairs_that_do_not_fit_are_invalid(void **state)
{
	static const struct {
		const char *what;
		const char *bytes;
		size_t size;
		enum framing verdict; /* with the end of the params behind it */
	} rows[] = {
	    {"a pair",
		"\x01\x02"
		"abb",
		5, FRAMING_INCOMPLETE},
	    {"long forms of short lengths",
		"\x80\0\0\x01\x80\0\0\x02"
		"abb",
		11, FRAMING_INCOMPLETE},
	    {"nothing", "", 0, FRAMING_INVALID}, /* the end, and then one behind it */
	    {"two lengths that add up to less than nothing",
		"\xc0\0\0\0\xc0\0\0\0aaaaaaaaaaaaaaaaaaaa", 28, FRAMING_INVALID},
	    {"the longest lengths",
		"\xff\xff\xff\xff\xff\xff\xff\xff"
		"aa",
		10, FRAMING_INVALID},
	    {"a name longer than the params", "\x05\0abcd", 6, FRAMING_INVALID},
	    {"a value longer than the params",
		"\x01\x05"
		"abcde",
		7, FRAMING_INVALID},
	    {"a length cut short", "\x01\x80\0\0", 4, FRAMING_INVALID},
	    {"a name without a value's length", "\x01", 1, FRAMING_INVALID},
	};
	struct stream *s = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s->length = 0;
		add_begin(s, 1, RESPONDER, 0);
		add_params(s, rows[i].bytes, rows[i].size);
		add(s, PARAMS, 1, 0, 0);
		if (scan_all(s) != rows[i].verdict)
			fail_msg("%s", rows[i].what);
	}
}

/* Cut into records anywhere, pairs are what they are. */
static void
pairs_may_run_across_records(void **state)
{
	static const char bytes[] = "\x04\x01NAMEv\x80\0\0\x01\x03"
				    "Nabc\0\0";
	const size_t size = sizeof(bytes) - 1;
	struct stream *s = *state;

	for (size_t cut = 1; cut < size; cut++) {
		s->length = 0;
		add_begin(s, 1, RESPONDER, 0);
		add_params(s, bytes, cut);
		add_params(s, bytes + cut, size - cut);
		add(s, PARAMS, 1, 0, 0);
		add(s, STDIN, 1, 0, 0);
		assert_int_equal(scan_all(s), FRAMING_COMPLETE);
	}
}

static void
body_has_a_bound_that_can_be_answered(void **state)
{
	struct stream *s = *state;

	add_head(s, KEEP_CONN);
	add(s, STDIN, 1, RECORD_MAX, 0);
	add(s, STDIN, 1, LIMIT_BODY - RECORD_MAX, 0);
	assert_int_equal(scan_all(s), FRAMING_INCOMPLETE);
	add(s, STDIN, 1, 1, 0);
	assert_int_equal(scan_all(s), FRAMING_OVERSIZE);
	add(s, STDIN, 1, 0, 0);
	assert_int_equal(scan_all(s), FRAMING_OVERSIZE);
}

static void
request_of_the_largest_size_is_complete(void **state)
{
	struct stream *s = *state;

	add_begin(s, 1, RESPONDER, 0);
	for (size_t i = 0; i < 8; i++)
		add(s, PARAMS, 1, LIMIT_PARAMS / 8, 255);
	add(s, PARAMS, 1, 0, 0);
	for (size_t i = 0; i < 8; i++)
		add(s, STDIN, 1, LIMIT_BODY / 8, 255);
	add(s, STDIN, 1, 0, 0);
	assert_in_range(s->length, LIMIT_PARAMS + LIMIT_BODY, FRAMING_MAX);
	assert_int_equal(scan_all(s), FRAMING_COMPLETE);
}

/* Padding must not let a request grow without an end. */
static void
request_that_never_ends_is_invalid(void **state)
{
	struct stream *s = *state;

	add_head(s, 0);
	while (s->length < FRAMING_MAX)
		add(s, STDIN, 1, 1, 255);
	assert_int_equal(scan(s, FRAMING_MAX - 1), FRAMING_INCOMPLETE);
	assert_int_equal(scan(s, FRAMING_MAX), FRAMING_INVALID);
}

/* Bytes of every kind: for the sanitizers, and never taken for a request. */
static void
random_bytes_are_no_request(void **state)
{
	struct stream *s = *state;
	uint64_t random = 88172645463325252; /* xorshift64, the same bytes every time */

	for (int round = 0; round < 20000; round++) {
		size_t length;

		s->length = 0;
		if (round % 4 != 0)
			add_begin(s, 1, RESPONDER, 0);
		if (round % 4 == 2)
			add(s, PARAMS, 1, 0, 0);
		length = s->length;
		for (int i = 0; i < 100; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			s->bytes[length++] = (unsigned char)(random >> 32);
		}
		/* Often far enough to look at more than the version. */
		if (round % 4 == 3)
			memcpy(s->bytes + s->length, "\1\4\0\1\0\4", 6);
		s->length = length;
		assert_int_not_equal(scan_all(s), FRAMING_COMPLETE);
	}
}

/* A valid request with each byte changed to each other value: judged without a crash. */
static void
any_byte_may_be_changed(void **state)
{
	struct stream *s = *state;

	add_head(s, 0);
	add(s, STDIN, 1, 4, 1);
	add(s, STDIN, 1, 0, 0);
	for (size_t at = 0; at < s->length; at++) {
		unsigned char good = s->bytes[at];

		for (unsigned int value = 0; value < 256; value++) {
			s->bytes[at] = (unsigned char)value;
			assert_in_range(scan_all(s), FRAMING_INCOMPLETE, FRAMING_INVALID);
		}
		s->bytes[at] = good;
	}
	assert_int_equal(scan_all(s), FRAMING_COMPLETE);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(request_with_its_last_record_is_complete),
	    TEST(request_in_many_records_is_complete),
	    TEST(padding_behind_a_begin_and_an_end_is_invalid),
	    TEST(every_prefix_of_a_request_is_incomplete),
	    TEST(bytes_behind_a_request_are_invalid),
	    TEST(connection_is_kept_when_the_server_says_so),
	    TEST(records_that_no_web_server_sends_are_invalid),
	    TEST(begin_has_a_role_that_is_served_and_an_id),
	    TEST(request_for_an_authorizer_ends_with_its_params),
	    TEST(request_for_an_authorizer_may_end_a_body_and_has_none),
	    TEST(every_record_has_version_1),
	    TEST(params_have_a_bound),
	    TEST(pairs_that_do_not_fit_are_invalid),
	    TEST(pairs_may_run_across_records),
	    TEST(body_has_a_bound_that_can_be_answered),
	    TEST(request_of_the_largest_size_is_complete),
	    TEST(request_that_never_ends_is_invalid),
	    TEST(random_bytes_are_no_request),
	    TEST(any_byte_may_be_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
