/* base: buffers, base64url, numbers, errors. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64url.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/host.h"
#include "base/parse.h"
#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- buffer --- */

static void
buffer_counts_every_byte_and_ends_in_nul(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, 100);
	assert_null(b.data);
	assert_int_equal(buffer_append(&b, "a\0b", 3), 0);
	assert_int_equal(buffer_append(&b, NULL, 0), 0);
	assert_int_equal(buffer_printf(&b, "-%d-", 42), 0);
	assert_int_equal(b.length, 7);
	assert_memory_equal(b.data, "a\0b-42-", 8);
	buffer_free(&b);
}

static void
buffer_refuses_to_pass_its_limit(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, 4);
	assert_int_equal(buffer_append(&b, "abcde", 5), -1);
	assert_int_equal(b.length, 0);
	assert_int_equal(buffer_append(&b, "abc", 3), 0);
	assert_int_equal(buffer_append(&b, "de", 2), -1);
	assert_int_equal(buffer_printf(&b, "%s", "de"), -1);
	assert_null(buffer_reserve(&b, 2));
	assert_null(buffer_reserve(&b, SIZE_MAX));
	assert_string_equal(b.data, "abc");
	assert_int_equal(b.length, 3);
	assert_int_equal(buffer_append(&b, "d", 1), 0);
	assert_string_equal(b.data, "abcd");
	assert_int_equal(buffer_append(&b, "e", 1), -1);
	buffer_free(&b);
}

static void
buffer_keeps_its_bytes_as_it_grows(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, 100000);
	for (unsigned int i = 0; i < 100000; i++) {
		unsigned char c = (unsigned char)(i * 7 + i / 256);

		assert_int_equal(buffer_append(&b, &c, 1), 0);
		assert_true(b.capacity > b.length);
		assert_int_equal(b.data[b.length], '\0');
	}
	for (unsigned int i = 0; i < 100000; i++)
		assert_int_equal((unsigned char)b.data[i], (i * 7 + i / 256) & 255);
	assert_int_equal(buffer_append(&b, "x", 1), -1);
	buffer_free(&b);
}

static void
buffer_reserve_makes_room_without_a_byte_of_length(void **state)
{
	struct buffer b;
	char *to;

	(void)state;
	buffer_init(&b, 5000);
	assert_int_equal(buffer_append(&b, "abc", 3), 0);
	to = buffer_reserve(&b, 4997);
	assert_non_null(to);
	assert_ptr_equal(to, b.data + 3);
	assert_int_equal(b.length, 3);
	memset(to, 'x', 4997);
	b.length += 4997;
	assert_int_equal(buffer_append(&b, "", 0), 0);
	assert_int_equal(strlen(b.data), 5000);
	buffer_free(&b);
}

static void
buffer_can_be_used_again_after_free(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, 3);
	assert_int_equal(buffer_append(&b, "abc", 3), 0);
	buffer_free(&b);
	assert_null(b.data);
	assert_int_equal(b.length, 0);
	assert_int_equal(buffer_append(&b, "abcd", 4), -1);
	assert_int_equal(buffer_append(&b, "xyz", 3), 0);
	assert_string_equal(b.data, "xyz");
	buffer_free(&b);
	buffer_free(&b);
}

/* --- base64url --- */

static void
base64url_gives_the_vectors_of_the_rfcs(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		const char *text;
	} rows[] = {
	    /* RFC 4648, 10, without the padding */
	    {"", 0, ""},
	    {"f", 1, "Zg"},
	    {"fo", 2, "Zm8"},
	    {"foo", 3, "Zm9v"},
	    {"foob", 4, "Zm9vYg"},
	    {"fooba", 5, "Zm9vYmE"},
	    {"foobar", 6, "Zm9vYmFy"},
	    /* RFC 7515, C */
	    {"\x03\xec\xff\xe0\xc1", 5, "A-z_4ME"},
	    {"\0\0\0", 3, "AAAA"},
	    {"\xff\xff\xff\xff", 4, "_____w"},
	    {"\xff\xef\xbf", 3, "_--_"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer b;

		buffer_init(&b, 64);
		assert_int_equal(buffer_append(&b, ">", 1), 0);
		assert_int_equal(base64url_append(&b, rows[i].bytes, rows[i].length), 0);
		assert_string_equal(b.data + 1, rows[i].text);
		assert_int_equal(b.length, 1 + strlen(rows[i].text));
		assert_int_equal(BASE64URL_LENGTH(rows[i].length), strlen(rows[i].text));
		b.length = 1;
		assert_int_equal(base64url_decode(&b, rows[i].text, strlen(rows[i].text)), 0);
		assert_int_equal(b.length, 1 + rows[i].length);
		assert_memory_equal(b.data + 1, rows[i].bytes, rows[i].length + 1);
		buffer_free(&b);
	}
}

/* Two texts must not stand for the same bytes: a token could be changed and still verify. */
static void
base64url_takes_only_what_it_would_write(void **state)
{
	static const char *const texts[] = {"Zg==", "Zg=", "Zm8=", "Z", "Zm9vY", "Zh", "Zv",
	    "Zm9", "Zm-", "A+z_4ME", "A-z/4ME", "Zm 9v", " Zm9v", "Zm9v\n", "Zm9v.", "\xc3\xa4",
	    "Zm9v\r"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct buffer b;

		buffer_init(&b, 64);
		assert_int_equal(buffer_append(&b, ">", 1), 0);
		if (base64url_decode(&b, texts[i], strlen(texts[i])) != -1)
			fail_msg("taken: %s", texts[i]);
		assert_int_equal(b.length, 1);
		assert_string_equal(b.data, ">");
		assert_int_equal(base64url_decode(&b, "Zm\0v", 4), -1);
		buffer_free(&b);
	}
}

static void
base64url_respects_the_limit_of_its_buffer(void **state)
{
	struct buffer b;

	(void)state;
	buffer_init(&b, 7);
	assert_int_equal(base64url_append(&b, "foobar", 6), -1);
	assert_int_equal(b.length, 0);
	assert_int_equal(base64url_append(&b, "fooba", 5), 0);
	assert_string_equal(b.data, "Zm9vYmE");
	b.length = 0;
	assert_int_equal(base64url_decode(&b, "Zm9vYmFyZm8", 11), -1);
	assert_int_equal(b.length, 0);
	assert_int_equal(base64url_decode(&b, "Zm9vYmFyZg", 10), 0);
	assert_string_equal(b.data, "foobarf");
	buffer_free(&b);
}

/* --- numbers, durations, modes --- */

static void
numbers_are_digits_within_their_maximum(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int64_t value; /* -1: refused; -2: UINT64_MAX */
	} rows[] = {
	    {"0", 0, 0}, {"1", 0, -1}, {"0", 10, 0}, {"10", 10, 10}, {"11", 10, -1},
	    {"9", 5, -1}, {"007", 10, 7}, {"65536", 65536, 65536}, {"65537", 65536, -1},
	    {"18446744073709551615", UINT64_MAX, -2}, {"18446744073709551616", UINT64_MAX, -1},
	    {"18446744073709551625", UINT64_MAX, -1}, {"99999999999999999999", UINT64_MAX, -1},
	    {"9223372036854775807", INT64_MAX, INT64_MAX},
	    {"9223372036854775808", INT64_MAX, -1}, {"", 10, -1}, {"-1", 10, -1},
	    {"+1", 10, -1}, {" 1", 10, -1}, {"1 ", 10, -1}, {"1\n", 10, -1}, {"0x1", 100, -1},
	    {"1e1", 100, -1}, {"1.0", 100, -1}, {"1,0", 100, -1},
	    {"\xd9\xa1", 100, -1}, /* ARABIC-INDIC DIGIT ONE */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t value = 4711;
		int rc = parse_number(rows[i].text, strlen(rows[i].text), rows[i].max, &value);
		uint64_t want = rows[i].value == -1   ? 4711
				: rows[i].value == -2 ? UINT64_MAX
						      : (uint64_t)rows[i].value;

		if (rc != (rows[i].value == -1 ? -1 : 0) || value != want)
			fail_msg("'%s' up to %llu: %d, %llu", rows[i].text,
			    (unsigned long long)rows[i].max, rc, (unsigned long long)value);
	}
}

static void
numbers_end_where_their_length_says(void **state)
{
	uint64_t value = 0;

	(void)state;
	assert_int_equal(parse_number("123", 2, 1000, &value), 0);
	assert_int_equal(value, 12);
	assert_int_equal(parse_number("1\0", 2, 1000, &value), -1);
}

static void
time_ends_with_its_last_second(void **state)
{
	static const struct {
		int64_t seconds, more, sum;
	} rows[] = {{0, 0, 0}, {5, 60, 65}, {-5, 60, 55}, {INT64_MIN, 1, INT64_MIN + 1},
	    {INT64_MAX - 60, 60, INT64_MAX}, {INT64_MAX - 59, 60, INT64_MAX},
	    {INT64_MAX, 0, INT64_MAX}, {INT64_MAX, INT64_MAX, INT64_MAX}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(clock_add(rows[i].seconds, rows[i].more), rows[i].sum);
}

static void
durations_have_a_unit_and_bounds(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* -1: refused */
	} rows[] = {
	    {"1", 1}, {"90", 90}, {"90s", 90}, {"15m", 900}, {"24h", 86400}, {"7d", 604800},
	    {"3653d", 315619200}, {"315619200", 315619200}, {"3654d", -1}, {"315619201", -1},
	    {"87673h", -1}, {"0", -1}, {"0s", -1}, {"0d", -1}, {"", -1}, {"s", -1}, {"d", -1},
	    {"-1s", -1}, {"+1s", -1}, {" 1s", -1}, {"1s ", -1}, {"1 s", -1}, {"1S", -1},
	    {"1H", -1}, {"1w", -1}, {"1y", -1}, {"1ms", -1}, {"1h30m", -1}, {"1.5h", -1},
	    {"18446744073709551615", -1}, {"18446744073709551616s", -1},
	    {"213503982334602d", -1}, /* wraps to a small number of seconds */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t seconds = -1;
		int rc = parse_duration(rows[i].text, strlen(rows[i].text), &seconds);

		if (rc != (rows[i].seconds == -1 ? -1 : 0) || seconds != rows[i].seconds)
			fail_msg("'%s': %d, %lld", rows[i].text, rc, (long long)seconds);
	}
}

static void
modes_are_three_octal_digits(void **state)
{
	static const struct {
		const char *text;
		int mode; /* -1: refused */
	} rows[] = {
	    {"640", 0640},
	    {"0640", 0640},
	    {"000", 0},
	    {"777", 0777},
	    {"0777", 0777},
	    {"", -1},
	    {"6", -1},
	    {"64", -1},
	    {"1777", -1},
	    {"4755", -1},
	    {"00640", -1},
	    {"648", -1},
	    {"0o640", -1},
	    {"-640", -1},
	    {" 640", -1},
	    {"640 ", -1},
	    {"u=rw", -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		mode_t mode = 0123;
		int rc = parse_mode(rows[i].text, strlen(rows[i].text), &mode);

		if (rc != (rows[i].mode == -1 ? -1 : 0) ||
		    mode != (rows[i].mode == -1 ? 0123 : (mode_t)rows[i].mode))
			fail_msg("'%s': %d, %04o", rows[i].text, rc, (unsigned int)mode);
	}
}

/* --- error --- */

static void
error_set_writes_one_text_and_spares_errno(void **state)
{
	struct error e = {0};

	(void)state;
	errno = ENOSPC;
	assert_int_equal(error_set(&e, ERROR_DENIED, "%s may not %d", "foo", 7), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(e.code, ERROR_DENIED);
	assert_string_equal(e.text, "foo may not 7");
}

static void
error_prefix_comes_before_the_text(void **state)
{
	struct error e = {0};

	(void)state;
	error_set(&e, ERROR_CONFIG, "is wrong");
	assert_int_equal(error_prefix(&e, "file %s", "a.pem"), -1);
	assert_int_equal(e.code, ERROR_CONFIG);
	assert_string_equal(e.text, "file a.pem: is wrong");
}

static void
error_text_is_bounded(void **state)
{
	char longer[2 * LIMIT_ERROR_TEXT];
	struct error e = {0};

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	error_set(&e, ERROR_INTERNAL, "%s", longer);
	assert_int_equal(strlen(e.text), LIMIT_ERROR_TEXT - 1);
	error_prefix(&e, "before");
	assert_int_equal(strlen(e.text), LIMIT_ERROR_TEXT - 1);
	assert_memory_equal(e.text, "before: xxx", 11);
	error_prefix(&e, "%s", longer);
	assert_int_equal(strlen(e.text), LIMIT_ERROR_TEXT - 1);
}

static void
error_codes_have_the_exit_statuses_of_sysexits(void **state)
{
	static const struct {
		enum error_code code;
		int status;
	} rows[] = {
	    {ERROR_NONE, 0},
	    {ERROR_MALFORMED, 1},
	    {ERROR_UNAUTHENTICATED, 1},
	    {ERROR_DENIED, 1},
	    {ERROR_NOT_FOUND, 1},
	    {ERROR_METHOD, 1},
	    {ERROR_TOO_LARGE, 1},
	    {ERROR_INTERNAL, 70},
	    {ERROR_UNAVAILABLE, 69},
	    {ERROR_CONFIG, 78},
	    {ERROR_NO_INPUT, 66},
	    {ERROR_NO_PERMISSION, 77},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error e = {.code = rows[i].code};

		assert_int_equal(error_exit_status(&e), rows[i].status);
	}
}

/* --- the system --- */

static void
system_clocks_run_forward(void **state)
{
	int64_t before = clock_monotonic(&clock_system);

	(void)state;
	assert_true(before > 0);
	assert_true(clock_monotonic(&clock_system) >= before);
	assert_true(clock_realtime(&clock_system) > 1700000000 * NANOSECONDS);
}

static void
times_are_written_as_rfc_3339_has_them(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
	    {0, "1970-01-01T00:00:00Z"},
	    {-1, "1969-12-31T23:59:59Z"},
	    {1668181593, "2022-11-11T15:46:33Z"},
	    {253402300799, "9999-12-31T23:59:59Z"},
	    {253402300800, ""},
	    {-2208988801, ""},
	    {INT64_MAX, ""},
	    {INT64_MIN, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[CLOCK_UTC_SIZE] = "x";

		assert_int_equal(
		    clock_format_utc(text, rows[i].seconds), *rows[i].text == '\0' ? -1 : 0);
		assert_string_equal(text, rows[i].text);
		if (*text != '\0') {
			int64_t again = rows[i].seconds + 1;

			assert_int_equal(clock_parse_utc(text, &again), 0);
			assert_int_equal(again, rows[i].seconds);
		}
	}
}

static void
a_time_that_is_not_written_like_that_is_refused(void **state)
{
	static const char *const wrong[] = {"", "now", "2022-11-11", "2022-11-11T15:46:33",
	    "2022-11-11T15:46:33Zx", " 2022-11-11T15:46:33Z", "2022-11-11 15:46:33Z",
	    "2022-11-11t15:46:33z", "2022-1-11T15:46:33Z", "2022-02-30T15:46:33Z",
	    "2022-11-11T24:00:00Z", "2022-11-11T15:46:60Z", "22022-11-11T15:46:33Z"};
	int64_t seconds = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(clock_parse_utc(wrong[i], &seconds), -1);
		assert_int_equal(seconds, 7);
	}
}

static void
system_entropy_fills_every_byte(void **state)
{
	unsigned char seen[64] = {0};

	(void)state;
	/* A byte that is never written stays 0; one that is, is 0 each time once in 2^256. */
	for (int i = 0; i < 32; i++) {
		unsigned char bytes[sizeof(seen) + 1] = {0};

		assert_int_equal(entropy_fill(&entropy_system, bytes, sizeof(seen)), 0);
		assert_int_equal(bytes[sizeof(seen)], 0);
		for (size_t k = 0; k < sizeof(seen); k++)
			seen[k] |= bytes[k];
	}
	for (size_t k = 0; k < sizeof(seen); k++)
		assert_int_not_equal(seen[k], 0);
}

static void
text_is_clean_when_it_is_utf_8_without_control_bytes(void **state)
{
	static const char *const clean[] = {"", "plain ~", "\xc2\x80", "\xdf\xbf",
	    "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
	    "\xf4\x8f\xbf\xbf", "a\xc3\xa9z"};
	static const char *const not [] = {"\x1f", "\x7f", "a\n", "\x80", "\xbf", "\xc0\xaf",
	    "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xe2\x82", "\xe2\x82(",
	    "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98", "\xf4\x90\x80\x80",
	    "\xf5\x80\x80\x80", "\xff", "ok\xfe"};

	(void)state;
	for (size_t i = 0; i < sizeof(clean) / sizeof(clean[0]); i++)
		assert_true(text_clean(clean[i]));
	for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++)
		assert_false(text_clean(not [i]));
}

static void
host_has_an_address(void **state)
{
	char address[HOST_ADDRESS_MAX];
	unsigned char bytes[16];

	(void)state;
	memset(address, 'x', sizeof(address));
	host_primary_address(address);
	assert_non_null(memchr(address, '\0', sizeof(address)));
	assert_true(inet_pton(AF_INET, address, bytes) == 1 ||
		    inet_pton(AF_INET6, address, bytes) == 1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(buffer_counts_every_byte_and_ends_in_nul),
	    cmocka_unit_test(buffer_refuses_to_pass_its_limit),
	    cmocka_unit_test(buffer_keeps_its_bytes_as_it_grows),
	    cmocka_unit_test(buffer_reserve_makes_room_without_a_byte_of_length),
	    cmocka_unit_test(buffer_can_be_used_again_after_free),
	    cmocka_unit_test(base64url_gives_the_vectors_of_the_rfcs),
	    cmocka_unit_test(base64url_takes_only_what_it_would_write),
	    cmocka_unit_test(base64url_respects_the_limit_of_its_buffer),
	    cmocka_unit_test(numbers_are_digits_within_their_maximum),
	    cmocka_unit_test(numbers_end_where_their_length_says),
	    cmocka_unit_test(durations_have_a_unit_and_bounds),
	    cmocka_unit_test(time_ends_with_its_last_second),
	    cmocka_unit_test(modes_are_three_octal_digits),
	    cmocka_unit_test(error_set_writes_one_text_and_spares_errno),
	    cmocka_unit_test(error_prefix_comes_before_the_text),
	    cmocka_unit_test(error_text_is_bounded),
	    cmocka_unit_test(error_codes_have_the_exit_statuses_of_sysexits),
	    cmocka_unit_test(system_clocks_run_forward),
	    cmocka_unit_test(times_are_written_as_rfc_3339_has_them),
	    cmocka_unit_test(a_time_that_is_not_written_like_that_is_refused),
	    cmocka_unit_test(system_entropy_fills_every_byte),
	    cmocka_unit_test(text_is_clean_when_it_is_utf_8_without_control_bytes),
	    cmocka_unit_test(host_has_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
